"""Pictures and files that cannot be had must not take the alarm with them."""

import os
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest

from tests.reports.driver import (
    account_at,
    attached,
    classic,
    only_mail,
    pictures_in,
    refused,
    send,
    text_of,
)
from tests.reports.reports import report
from tests.reports.servers import Bed, StillCamera, add_entities

TO = "bea@example.test"


@pytest.fixture
def folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A folder from which files may be sent."""
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    return tmp_path


def _gone(folder: Path) -> str:
    return str(folder / "not-there.jpg")


@report(
    source="home-assistant/core#26352",
    symptom="The snapshot is not written yet, and the mail about the burglar is not sent.",
    ours="The mail goes, says which picture is missing and why, and the response names it.",
    held_at_first=False,
)
async def test_a_missing_picture_takes_no_alarm_with_it(
    hass: HomeAssistant, bed: Bed, folder: Path
) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)

    response = await classic(
        hass, entry, target=TO, message="Burglar!", data={"images": [_gone(folder)]}
    )

    text = text_of(only_mail(server))
    assert "Burglar!" in text
    assert "not-there.jpg" in text
    (missing,) = response["missing"]
    assert "not-there.jpg" in missing["name"]
    assert missing["reason"]


@report(
    source="home-assistant/core#26352",
    symptom="One of several pictures is missing, and none is sent.",
    ours="The others are in the mail.",
    held_at_first=False,
)
@pytest.mark.parametrize("action", ["classic", "send_message"])
async def test_the_other_pictures_are_sent(
    hass: HomeAssistant, bed: Bed, folder: Path, action: str
) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    good = pictures_in(folder, "one.jpg", "two.jpg")
    paths = [good[0], _gone(folder), good[1]]

    if action == "classic":
        response = await classic(hass, entry, target=TO, data={"images": paths})
    else:
        response = await send(hass, to=TO, attachments=[{"path": path} for path in paths])

    names = [part.get_filename() for part in attached(only_mail(server))]
    assert names == ["one.jpg", "two.jpg"]
    assert len(response["missing"]) == 1


@report(
    source="home-assistant/core#13874",
    symptom="The path is a folder, or the file is empty or may not be read: an exception.",
    ours="Said in the mail and in the response; the mail goes.",
    held_at_first=False,
)
@pytest.mark.parametrize("kind", ["folder", "empty", "unreadable", "gone"])
async def test_what_cannot_be_read_is_said_in_the_mail(
    hass: HomeAssistant, bed: Bed, folder: Path, kind: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    path = folder / "picture.jpg"
    match kind:
        case "folder":
            path.mkdir()
        case "empty":
            path.write_bytes(b"")
        case "unreadable":
            os.mkfifo(path)
        case "gone":
            path.symlink_to(folder / "elsewhere.jpg")

    response = await send(hass, to=TO, message="Alarm", attachments=[{"path": str(path)}])

    assert "picture.jpg" in text_of(only_mail(server))
    assert "Alarm" in text_of(only_mail(server))
    assert [one["name"] for one in response["missing"]]


@report(
    source="home-assistant/core#13874",
    symptom="A snapshot that cannot be had stops the notification.",
    ours="The mail goes without its picture, and says so.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "attachment",
    [
        {"entity_id": "camera.door"},
        {"entity_id": "camera.door", "content_id": "door"},
        {"entity_id": "camera.nowhere"},
        {"media_source": "media-source://camera/camera.door"},
    ],
    ids=repr,
)
async def test_a_camera_that_is_off_stops_no_mail(
    hass: HomeAssistant, bed: Bed, attachment: dict[str, str]
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    await add_entities(hass, "camera", StillCamera("Door", None))

    response = await send(hass, to=TO, message="Somebody is there", attachments=[attachment])

    text = text_of(only_mail(server))
    assert "Somebody is there" in text
    name = next(iter(attachment.values())).rpartition("/")[2]
    assert name.partition(".")[2] in text
    assert name in response["missing"][0]["name"]


@report(
    source="home-assistant/core#26352",
    symptom="A report without its chart is of no use to anybody.",
    ours="attachments_required makes what is missing an error, before anything is sent.",
    held_at_first=False,
)
@pytest.mark.parametrize("required", [True, False])
async def test_attachments_can_be_required(
    hass: HomeAssistant, bed: Bed, folder: Path, required: bool
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    fields: dict[str, Any] = {
        "to": TO,
        "attachments": [{"path": _gone(folder)}],
        "attachments_required": required,
    }

    if not required:
        await send(hass, **fields)
        only_mail(server)
        return
    error = await refused(hass, **fields)
    assert isinstance(error, HomeAssistantError)
    assert "not-there.jpg" in str(error)
    assert not server.record.mails


@report(
    source="home-assistant/home-assistant.io#36227",
    symptom="A photo is not attached because of its folder, and nobody is told why.",
    ours="A path that is not allowed, or a link that leads there, stays an error.",
    held_at_first=True,
)
@pytest.mark.parametrize("kind", ["elsewhere", "link", "above"])
async def test_a_path_that_is_not_allowed_stays_an_error(
    hass: HomeAssistant, bed: Bed, tmp_path: Path, kind: str
) -> None:
    allowed, secret = tmp_path / "allowed", tmp_path / "secret"
    allowed.mkdir()
    secret.mkdir()
    hass.config.allowlist_external_dirs = {str(allowed)}
    (target,) = pictures_in(secret, "x.jpg")
    path = {
        "elsewhere": target,
        "link": str(allowed / "x.jpg"),
        "above": f"{allowed}/../secret/x.jpg",
    }[kind]
    if kind == "link":
        (allowed / "x.jpg").symlink_to(target)
    server = await bed.serve()
    entry = await account_at(hass, server)

    error = await refused(hass, to=TO, attachments=[{"path": path}])
    assert isinstance(error, ServiceValidationError)
    assert "allowlist_external_dirs" in str(error)
    with pytest.raises(ServiceValidationError):
        await classic(hass, entry, target=TO, data={"images": [path]})
    assert not server.record.mails


@report(
    source="home-assistant/core#13874",
    symptom="The HTML shows a picture that is missing: a broken frame, or nothing sent.",
    ours="HTML, Markdown and text alike say what is missing.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "fields",
    [
        {"message": "Door", "html": '<p>Door <img src="cid:door"></p>'},
        {"markdown": "**Door** ![](cid:door)"},
        {"html": '<p>Door <img src="cid:door"></p>'},
    ],
    ids="+".join,
)
async def test_rich_mails_say_what_is_missing_as_well(
    hass: HomeAssistant, bed: Bed, folder: Path, fields: dict[str, str]
) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await send(hass, to=TO, attachments=[{"path": _gone(folder), "content_id": "door"}], **fields)

    assert "not-there.jpg" in text_of(only_mail(server), "html")
    assert "Door" in text_of(only_mail(server), "html")

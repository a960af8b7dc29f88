"""Pictures and files that cannot be had, and mails that go without them."""

import asyncio
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.email_courier.account import Account
from custom_components.email_courier.send import attachments
from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import attached, only_mail, send, text_of
from tests.support.pictures import JPEG, StillCamera, add_entities
from tests.support.scripted_server import ScriptedServer

ANNA = "anna@example.test"
LINE = "Something is missing from this mail. "


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed) -> ScriptedServer:
    """The server of the only account."""
    server = await bed.serve()
    await load_account(hass, server)
    return server


@pytest.fixture
def allowed(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A folder that Home Assistant may send files from."""
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    return tmp_path


async def _send(hass: HomeAssistant, *wanted: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return await send(hass, to=ANNA, attachments=list(wanted), **fields)


@pytest.mark.parametrize("name", ["gone.jpg", "empty.jpg", "folder", "pipe", "loop", "a\0b.jpg"])
async def test_the_mail_goes_with_the_others_and_says_what_is_missing(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path, name: str
) -> None:
    (allowed / "a.jpg").write_bytes(JPEG)
    (allowed / "empty.jpg").touch()
    (allowed / "folder").mkdir()
    os.mkfifo(allowed / "pipe")
    (allowed / "loop").symlink_to(allowed / "loop")

    response = await _send(
        hass, {"path": str(allowed / name)}, {"path": str(allowed / "a.jpg")}, message="Burglar!"
    )

    (missing,) = response["missing"]
    assert missing["name"] == str(allowed / name)
    mail = only_mail(server)
    assert [part.get_filename() for part in attached(mail)] == ["a.jpg"]
    text = text_of(mail).replace("�", "\0")
    assert text.startswith(f"Burglar!\n\n{LINE}The attachment “")
    assert name.partition("\0")[0] in text


async def test_it_is_said_in_the_language_of_the_home(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path
) -> None:
    hass.config.language = "de"
    path = str(allowed / "tor.jpg")

    response = await _send(hass, {"path": path}, message="Alarm")

    reason = f"Der Anhang „{path}“ existiert nicht."
    assert response["missing"] == [{"name": path, "reason": reason}]
    assert text_of(only_mail(server)) == f"Alarm\n\nIn dieser E-Mail fehlt etwas. {reason}\n"


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"entity_id": "camera.broken"}, "the lens cap is on"),
        ({"entity_id": "camera.dark"}, "camera.dark"),
        ({"entity_id": "camera.buggy"}, "KeyError"),
        ({"entity_id": "camera.gone"}, "no camera or image camera.gone"),
        ({"media_source": "media-source://camera/camera.broken"}, "the lens cap is on"),
        ({"media_source": "media-source://nobody/x"}, "nobody/x"),
        ({"media_source": "nothing"}, "not a media source"),
    ],
)
async def test_a_source_that_gives_nothing_takes_no_mail_with_it(
    hass: HomeAssistant, server: ScriptedServer, wanted: dict[str, str], named: str
) -> None:
    class Buggy(StillCamera):
        async def async_camera_image(self, *_: Any, **__: Any) -> bytes | None:
            raise KeyError("http://ada:secret@camera.test/still")

    await add_entities(
        hass, "camera", StillCamera("Broken", None), StillCamera("Dark", b""), Buggy("Buggy")
    )

    response = await _send(hass, wanted)

    (missing,) = response["missing"]
    assert missing["name"] == next(iter(wanted.values()))
    assert named in missing["reason"]
    assert f"{LINE}{missing['reason']}" in text_of(only_mail(server))
    assert "secret" not in str(response)


async def test_addresses_in_the_words_of_a_camera_are_not_sent(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    class Talkative(StillCamera):
        async def async_camera_image(self, *_: Any, **__: Any) -> bytes | None:
            raise HomeAssistantError("no answer from rtsp://ada:pa/ss@10.0.0.7/live, again")

    await add_entities(hass, "camera", Talkative("Door"))

    await _send(hass, {"entity_id": "camera.door"})

    assert "no answer from rtsp://… again" in text_of(only_mail(server))


@pytest.mark.parametrize("stubborn", [False, True])
async def test_a_camera_that_hangs_does_not_hold_up_the_mail(
    hass: HomeAssistant,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    stubborn: bool,
) -> None:
    over = asyncio.Event()

    class Hanging(StillCamera):
        async def async_camera_image(self, *_: Any, **__: Any) -> bytes | None:
            try:
                await over.wait()
            except asyncio.CancelledError:
                if not stubborn:
                    raise
                await over.wait()
            return JPEG

    monkeypatch.setattr(attachments, "PICTURE_TIMEOUT", 0.2)
    await add_entities(hass, "camera", Hanging("Door"), StillCamera("Hall"))

    async with asyncio.timeout(5):
        response = await _send(hass, {"entity_id": "camera.door"}, {"entity_id": "camera.hall"})
    over.set()

    (missing,) = response["missing"]
    assert missing["reason"].startswith("camera.door took longer than")
    assert len(attached(only_mail(server))) == 1


async def test_of_too_much_altogether_the_largest_is_left_out(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MAX_TOTAL", 1_000)
    for name, size in (("a", 300), ("b", 900), ("c", 301), ("d", 300)):
        (allowed / name).write_bytes(b"x" * size)

    response = await _send(hass, *({"path": str(allowed / name)} for name in "abcd"))

    reason = "Too large to be sent with this mail: b."
    assert response["missing"] == [{"name": str(allowed / "b"), "reason": reason}]
    assert text_of(only_mail(server)) == f"Hello\n\n{reason}\n"
    assert [part.get_filename() for part in attached(only_mail(server))] == ["a", "c", "d"]


async def test_more_than_a_mail_can_have_are_missing(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MAX_COUNT", 1)
    for name in "ab":
        (allowed / name).write_bytes(b"x")

    response = await _send(hass, *({"path": str(allowed / name)} for name in "ab"))

    assert [one["name"] for one in response["missing"]] == [str(allowed / "b")]
    assert [part.get_filename() for part in attached(only_mail(server))] == ["a"]


async def test_a_file_that_breaks_while_the_mail_is_composed_is_missing(
    hass: HomeAssistant, bed: Bed, allowed: Path
) -> None:
    home, office = await bed.serve(), await bed.serve()
    await load_account(hass, home, recipient("Anna", [ANNA]))
    await load_account(hass, office, recipient("Bea", ["bea@example.test"]), title="Office")
    (allowed / "gate.log").write_bytes(b"x" * 5000)
    (allowed / "a.jpg").write_bytes(JPEG)
    compose = Account.async_compose

    async def change_and_compose(*arguments: Any) -> Any:
        os.truncate(allowed / "gate.log", 10)
        return await compose(*arguments)

    with patch.object(Account, "async_compose", change_and_compose):
        response = await send(
            hass,
            entity_id=["notify.anna", "notify.bea"],
            attachments=[{"path": str(allowed / name)} for name in ("gate.log", "a.jpg")],
        )

    (missing,) = response["missing"]
    assert missing["name"] == str(allowed / "gate.log")
    assert "became shorter" in missing["reason"]
    assert [mail["missing"] for mail in response["mails"]] == [[missing]] * 2
    for server in (home, office):
        assert [part.get_filename() for part in attached(only_mail(server))] == ["a.jpg"]
        assert text_of(only_mail(server)) == f"Hello\n\n{LINE}{missing['reason']}\n"


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        ('<img src="cid:door" alt="The &lt;door&gt;">', "The &lt;door&gt;"),
        ("<IMG alt='Door' SRC=cid:door />", "Door"),
        ('<img src="cid:door">', "door"),
        ('<img src="cid:doorbell">', '<img src="cid:doorbell">'),
    ],
)
async def test_html_describes_a_picture_that_is_not_there(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path, image: str, shown: str
) -> None:
    await _send(
        hass,
        {"path": str(allowed / "<b>.jpg"), "content_id": "door"},
        html=f"<body><p>{image}</p></body>",
    )

    page = text_of(only_mail(server), "html")
    assert page.startswith(f"<body><p>{shown}</p><p>{LINE}")
    assert "&lt;b&gt;.jpg" in page
    assert page.endswith("</p></body>\n")


async def test_markdown_says_it_as_text(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path
) -> None:
    await _send(
        hass,
        {"path": str(allowed / "*door*.jpg"), "content_id": "door"},
        markdown="# Alarm\n\n![Front door](cid:door)",
    )

    page = text_of(only_mail(server), "html")
    assert "Front door" in page
    assert "*door*.jpg" in page
    assert "cid:" not in page


async def test_classic_images_that_are_not_there_are_missing(
    hass: HomeAssistant, server: ScriptedServer, allowed: Path
) -> None:
    (allowed / "a.jpg").write_bytes(JPEG)
    images = [str(allowed / name) for name in ("gone.jpg", "a.jpg")]
    data = {"images": images, "html": '<img src="cid:gone.jpg"><img src="cid:a.jpg">'}

    response = await hass.services.async_call(
        "notify",
        "home",
        {"message": "Hi", "target": ANNA, "data": data},
        blocking=True,
        return_response=True,
    )

    assert response is not None
    missing: Any = response["missing"]
    assert [one["name"] for one in missing] == [images[0]]
    page = text_of(only_mail(server), "html")
    assert page.startswith('gone.jpg<img src="cid:a.jpg">')
    with pytest.raises(HomeAssistantError, match=r"gone\.jpg"):
        await hass.services.async_call(
            "notify",
            "home",
            {"message": "Hi", "target": ANNA, "data": {**data, "attachments_required": True}},
            blocking=True,
        )

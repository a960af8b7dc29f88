"""Pictures in one field: each is shown in the mail, with its entity's name below it."""

from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.email_courier.const import DOMAIN
from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import attached, only_mail, send, text_of
from tests.support.pictures import JPEG, StillCamera, add_entities
from tests.support.scripted_server import ScriptedServer

BEA = "bea@example.test"


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed) -> ScriptedServer:
    """The server of a house with two cameras."""
    server = await bed.serve()
    await load_account(hass, server, recipient("Bea", [BEA]), title="Home")
    cameras = (StillCamera("Front <door>"), StillCamera("Garden"), StillCamera("Broken", None))
    await add_entities(hass, "camera", *cameras)
    return server


@pytest.mark.parametrize(
    "body",
    [
        {"message": "Somebody\nis <here>."},
        {"message": "", "title": "x"},
        {"markdown": "Somebody *is* here."},
        {"html": "<html><body><p>Somebody is here.</p></BODY ></html>"},
        {"html": "Somebody is here."},
    ],
)
async def test_pictures_are_shown_with_their_names_in_whatever_body(
    hass: HomeAssistant, server: ScriptedServer, body: dict[str, str]
) -> None:
    await send(hass, to=BEA, camera=["camera.front_door", "camera.garden"], **body)

    mail = only_mail(server)
    page = text_of(mail, "html")
    for entity_id, name in (("front_door", "Front &lt;door&gt;"), ("garden", "Garden")):
        assert page.count(f"cid:camera.{entity_id}") == 1
        assert f"{name}</p>" in page
    assert "<here>" not in page
    assert page.rstrip().endswith(("</html>", "</table>"))
    pictures = attached(mail)
    assert [one.get_payload(decode=True) for one in pictures] == [JPEG, JPEG]
    assert {one.get_content_disposition() for one in pictures} == {"inline"}
    assert [one["Content-ID"] for one in pictures] == ["<camera.front_door>", "<camera.garden>"]


async def test_a_picture_alone_is_a_mail(hass: HomeAssistant, server: ScriptedServer) -> None:
    await hass.services.async_call(
        DOMAIN, "send_message", {"to": BEA, "camera": "camera.garden"}, blocking=True
    )

    mail = only_mail(server)
    assert text_of(mail).strip() == "[Garden]"
    assert "cid:camera.garden" in text_of(mail, "html")


@pytest.mark.parametrize(
    "body",
    [
        {"markdown": "Before ![The garden](cid:camera.garden) after"},
        {"html": "Before <img src='cid:camera.garden'> after"},
    ],
)
async def test_markdown_and_html_may_say_where_a_picture_stands(
    hass: HomeAssistant, server: ScriptedServer, body: dict[str, str]
) -> None:
    await send(hass, to=BEA, camera="camera.garden", message="x", **body)

    page = text_of(only_mail(server), "html")
    assert page.count("cid:camera.garden") == 1
    assert page.index("Before") < page.index("cid:") < page.index("after")


async def test_a_camera_named_twice_is_shown_once_and_attachments_stay_what_they_are(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(
        hass,
        to=BEA,
        camera=["camera.garden", "camera.garden"],
        attachments=[{"entity_id": "camera.front_door", "filename": "door.jpg"}],
    )

    parts = attached(only_mail(server))
    dispositions = {part.get_filename(): part.get_content_disposition() for part in parts}
    assert dispositions.pop("door.jpg") == "attachment"
    assert [*dispositions.values()] == ["inline"]


async def test_a_picture_that_cannot_be_had_is_said_to_be_missing(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    response = await send(hass, to=BEA, camera=["camera.broken", "camera.gone", "camera.garden"])

    assert [one["name"] for one in response["missing"]] == ["camera.broken", "camera.gone"]
    mail = only_mail(server)
    assert len(attached(mail)) == 1
    page = text_of(mail, "html")
    assert "camera.broken" in page
    assert "cid:camera.broken" not in page


async def test_the_classic_action_shows_them_too(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await hass.services.async_call(
        "notify", "home", {"message": "x", "data": {"camera": "camera.garden"}}, blocking=True
    )

    assert "cid:camera.garden" in text_of(only_mail(server), "html")


async def test_a_user_needs_to_see_what_is_sent(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    user = MockUser(groups=[]).add_to_hass(hass)
    user.mock_policy({"entities": {"entity_ids": {"notify.bea": True}}})
    data: dict[str, Any] = {"entity_id": "notify.bea", "camera": "camera.garden", "message": "x"}

    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN, "send_message", data, blocking=True, context=Context(user_id=user.id)
        )

    assert not server.record.mails

"""The classic action of an account, and those who call it."""

import logging
from pathlib import Path
from typing import Any, Final
from unittest.mock import MagicMock, patch

from homeassistant.auth.mfa_modules import auth_mfa_module_from_config
from homeassistant.auth.mfa_modules.notify import NotifyAuthModule
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.service import async_get_cached_service_description
from homeassistant.setup import async_setup_component
import pytest
import voluptuous as vol

from tests.support.accounts import account_entry, load, load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import attached, only_mail, read, text_of
from tests.support.pictures import JPEG, PNG, StillCamera, add_entities
from tests.support.script import HEALTHY, Step, say
from tests.support.scripted_server import ScriptedServer

RECIPIENTS = (
    recipient("Bea", ["Bea <bea@example.test>"]),
    recipient("Carl", ["carl@example.test"], cc=["dora@example.test"]),
)
BUSY = HEALTHY.but(answers={Step.GREETING: say("421 4.3.2 try later")})


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed) -> ScriptedServer:
    """The server of an account with two recipients."""
    server = await bed.serve()
    await load_account(hass, server, *RECIPIENTS)
    return server


async def _notify(hass: HomeAssistant, **fields: Any) -> None:
    await hass.services.async_call("notify", "home", {"message": "Hi", **fields}, blocking=True)


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and record.name.startswith("custom_components")
    ]


async def test_without_a_target_everyone_gets_one_mail(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await _notify(hass)

    mail = only_mail(server)
    assert mail["To"] == "Bea <bea@example.test>, carl@example.test"
    assert mail["Cc"] == "dora@example.test"
    assert mail["Subject"] == "Home Assistant"
    assert text_of(mail) == "Hi\n"


async def test_a_target_gets_the_mail_instead_of_the_recipients(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await _notify(hass, title="Door", target=["Emil <emil@example.test>", "f@example.test"])
    await _notify(hass, target="f@example.test")

    one, two = (read(mail.content) for mail in server.record.mails)
    assert one["To"] == "Emil <emil@example.test>, f@example.test"
    assert one["Subject"] == "Door"
    assert two["To"] == "f@example.test"


async def test_a_recipient_may_be_the_target_by_its_entity(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await _notify(hass, data={"entity_id": "notify.bea", "bcc": "x@example.test"})

    assert server.record.mails[0].recipients == ("bea@example.test", "x@example.test")


async def test_a_copy_goes_besides_everyone(hass: HomeAssistant, server: ScriptedServer) -> None:
    await _notify(hass, data={"cc": "emil@example.test"})

    assert only_mail(server)["Cc"] == "dora@example.test, emil@example.test"
    assert "carl@example.test" in only_mail(server)["To"]


async def test_data_takes_all_the_fields_of_the_new_action(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await add_entities(hass, "camera", StillCamera("Door"))

    await _notify(
        hass,
        data={
            "markdown": "**Somebody** is there ![](cid:door)",
            "attachments": [{"entity_id": "camera.door", "content_id": "door"}],
            "priority": "high",
            "sender_name": "Door",
            "reply_to": "emil@example.test",
            "headers": {"X-Room": "Hall"},
            "thread": "door",
            "queue": False,
            "expires_after": "01:00:00",
        },
    )

    mail = only_mail(server)
    assert "<strong>Somebody</strong>" in text_of(mail, "html")
    assert attached(mail)[0].get_payload(decode=True) == JPEG
    assert mail["X-Priority"] == "2 (High)"
    assert mail["From"] == "Door <anna@example.test>"
    assert mail["Reply-To"] == "emil@example.test"
    assert mail["X-Room"] == "Hall"
    assert mail["References"] is not None


async def test_what_is_meant_for_others_in_a_group_is_passed_over(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await _notify(hass, data={"push": {"sound": "none"}, "ttl": 0, "subject": "x"})

    assert only_mail(server)["Subject"] == "Home Assistant"


NO_FIT: Final[dict[str, list[Any]]] = {
    "attachments": ["/local/x.jpg", {"url": "https://a.test/x.jpg", "content-type": "jpeg"}],
    "attachments_required": ["perhaps"],
    "bcc": [{"a": 1}, [None]],
    "button": ["Open", ["Open"], {"text": "Open"}, {"url": "/", "text": "no Markdown"}],
    "cc": [{"a": 1}],
    "device_id": ["nothing", [None], {}],
    "entity_id": ["", "light.kitchen", ["media_player.hall"], 5],
    "expires_after": ["soon", [], -1, float("inf"), None],
    "headers": ["X-A: 1", ["X-A"], {"X-A": []}, {"Content-Type": "application/json"}, None],
    "html": [{}, [], None],
    "images": [{"a": 1}, [None]],
    "label_id": ["nothing"],
    "markdown": [{}, []],
    "priority": [1, 5, "time-sensitive", [], {}, None],
    "queue": ["maybe", [], None],
    "reply_to": [{"a": 1}],
    "sender_name": [[], {}],
    "thread": [{"id": 1}],
    "to": [{"a": 1}, [{}]],
}


@pytest.mark.parametrize(
    "data", [{name: value} for name, values in NO_FIT.items() for value in values], ids=repr
)
async def test_data_that_makes_no_sense_for_a_mail_is_passed_over_and_named(
    hass: HomeAssistant,
    server: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
    data: dict[str, Any],
) -> None:
    await _notify(hass, data=data)

    assert only_mail(server)["To"] == "Bea <bea@example.test>, carl@example.test"
    assert _warnings(caplog) == [
        f"notify.home: passed over what no mail can have: {next(iter(data))}"
    ]


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"data": "high"}, "data"),
        ({"data": [{"priority": "high"}]}, "data"),
        ({"target": {"a": 1}}, "target"),
        ({"title": ["a"], "data": {"priority": 1, "ttl": 0, "queue": "no way"}}, None),
    ],
)
async def test_one_warning_names_everything_that_was_passed_over(
    hass: HomeAssistant,
    server: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
    fields: dict[str, Any],
    names: str | None,
) -> None:
    await _notify(hass, **fields)

    assert text_of(only_mail(server)) == "Hi\n"
    (warning,) = _warnings(caplog)
    assert warning.endswith(f": {names or 'title, priority, queue'}")


@pytest.mark.parametrize(
    "fields",
    [
        {"data": None},
        {"data": []},
        {"data": ""},
        {"target": []},
        {"target": ""},
        {"data": {"to": ""}},
        {"data": {"entity_id": None}},
    ],
    ids=repr,
)
async def test_nothing_is_nothing(
    hass: HomeAssistant,
    server: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
    fields: dict[str, Any],
) -> None:
    await _notify(hass, **fields)

    assert only_mail(server)["To"] == "Bea <bea@example.test>, carl@example.test"
    assert _warnings(caplog) == []


@pytest.mark.parametrize(("message", "text"), [(5, "5\n"), (None, ""), (["a"], "['a']\n")])
async def test_any_message_is_a_text(
    hass: HomeAssistant, server: ScriptedServer, message: object, text: str
) -> None:
    await _notify(hass, message=message, title=7)

    assert text_of(only_mail(server)) == text
    assert only_mail(server)["Subject"] == "7"


async def test_what_fits_is_taken_from_beside_what_does_not(
    hass: HomeAssistant, server: ScriptedServer, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    (tmp_path / "a.jpg").write_bytes(JPEG)

    await _notify(
        hass,
        data={
            "attachments": [
                {"url": "https://a.test/x.jpg"},
                {"path": str(tmp_path / "a.jpg"), "hide-thumbnail": True},
            ],
            "headers": {"X-Room": "Hall", "X-Door": [], "Content-Type": "application/json"},
            "entity_id": ["light.kitchen", "notify.bea"],
            "thread": 5,
        },
    )

    mail = only_mail(server)
    assert mail["To"] == "Bea <bea@example.test>"
    assert mail["X-Room"] == "Hall"
    assert mail["References"] is not None
    assert [part.get_filename() for part in attached(mail)] == ["a.jpg"]
    (warning,) = _warnings(caplog)
    assert warning.endswith(": attachments, headers, entity_id")


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"target": 5}, "invalid_recipient"),
        ({"data": {"to": "emil at example"}}, "invalid_recipient"),
        ({"data": {"reply_to": ["emil at example", {}]}}, "invalid_recipient"),
        ({"data": {"entity_id": "notify.bee"}}, "recipient_not_found"),
        ({"data": {"entity_id": ["notify.bea", "notify.bee"]}}, "recipient_not_found"),
        ({"data": {"entity_id": "group.family"}}, "no_recipient"),
        ({"data": {"images": ["/etc/passwd"]}}, "path_not_allowed"),
        ({"data": {"attachments": {"path": "/etc/passwd", "url": "x"}}}, "path_not_allowed"),
        ({"data": {"html": "<p>", "markdown": "*"}}, "html_and_markdown"),
    ],
)
async def test_what_was_meant_for_a_mail_but_is_wrong_stays_an_error(
    hass: HomeAssistant, server: ScriptedServer, fields: dict[str, Any], key: str
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await _notify(hass, **fields)

    assert caught.value.translation_key == key
    assert server.record.connections == 0


@pytest.mark.parametrize(
    "fields",
    [{"x": 1}, {"data": {"exclude": "notify.bea"}}, {"data": {"exclude": {"room_id": "hall"}}}],
)
async def test_unknown_fields_and_people_to_leave_out_that_are_not_understood_are_refused(
    hass: HomeAssistant, server: ScriptedServer, fields: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await _notify(hass, **fields)

    assert server.record.connections == 0


async def test_a_malformed_target_is_an_error_that_quotes_it(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    with pytest.raises(ServiceValidationError, match='"emil at example"'):
        await _notify(hass, target="emil at example")

    assert server.record.connections == 0


async def test_an_account_without_recipients_needs_a_target(hass: HomeAssistant, bed: Bed) -> None:
    await load_account(hass, await bed.serve())

    with pytest.raises(ServiceValidationError) as caught:
        await _notify(hass)

    assert caught.value.translation_key == "no_recipient"


async def test_images_stand_inline_in_html_and_are_attached_without(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    (tmp_path / "a b.jpg").write_bytes(JPEG)
    (tmp_path / "plan.png").write_bytes(PNG)
    images = [str(tmp_path / "a b.jpg"), str(tmp_path / "plan.png")]

    await _notify(hass, data={"images": images})
    await _notify(
        hass, data={"images": images, "html": '<img src="cid:plan.png"><img src="cid:a b.jpg">'}
    )

    plain, rich = (read(mail.content) for mail in server.record.mails)
    assert [part.get_content_disposition() for part in attached(plain)] == ["attachment"] * 2
    assert [part.get_filename() for part in attached(plain)] == ["a b.jpg", "plan.png"]
    assert [part.get_content_disposition() for part in attached(rich)] == ["inline"] * 2
    assert 'src="cid:plan.png"' in text_of(rich, "html")
    for part in attached(rich):
        assert f"cid:{part['Content-ID'].strip('<>')}" in text_of(rich, "html")


async def test_an_image_from_elsewhere_is_an_error(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)

    with pytest.raises(ServiceValidationError, match="allowlist_external_dirs"):
        await _notify(hass, data={"images": [str(tmp_path / "a.jpg")]})

    assert server.record.connections == 0


async def test_the_action_answers_when_asked(hass: HomeAssistant, server: ScriptedServer) -> None:
    response = await hass.services.async_call(
        "notify", "home", {"message": "Hi"}, blocking=True, return_response=True
    )

    assert response is not None
    assert response["status"] == "sent"
    assert response["message_id"] == only_mail(server)["Message-ID"]


async def test_mail_waits_while_the_server_is_down(hass: HomeAssistant, bed: Bed) -> None:
    account = await load_account(hass, await bed.serve(BUSY), *RECIPIENTS)

    await _notify(hass)
    with pytest.raises(HomeAssistantError, match=r"421 4\.3\.2"):
        await _notify(hass, data={"queue": False})

    assert account.courier.state.waiting == 1


async def test_the_action_comes_goes_and_is_renamed_with_the_account(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = account_entry(await bed.serve(), title="Mail of Käte (new)")
    await load(hass, entry)
    assert hass.services.has_service("notify", "mail_of_kate_new")

    hass.config_entries.async_update_entry(entry, title="Office")
    await hass.async_block_till_done()
    assert not hass.services.has_service("notify", "mail_of_kate_new")
    assert hass.services.has_service("notify", "office")

    await hass.config_entries.async_remove(entry.entry_id)
    assert not hass.services.has_service("notify", "office")


async def test_two_accounts_of_one_name_and_a_name_that_is_taken_do_not_collide(
    hass: HomeAssistant, bed: Bed
) -> None:
    one, two = await bed.serve(), await bed.serve()
    await load_account(hass, one, *RECIPIENTS)
    account = await load_account(hass, two, *RECIPIENTS)
    await load_account(hass, await bed.serve(), title="Send message")

    await hass.services.async_call("notify", "home_2", {"message": "Hi"}, blocking=True)
    assert len(two.record.mails) == 1
    assert hass.services.has_service("notify", "send_message_2")

    await hass.config_entries.async_unload(account.entry.entry_id)
    assert hass.services.has_service("notify", "home")
    assert not hass.services.has_service("notify", "home_2")


@pytest.mark.usefixtures("server")
async def test_the_editor_describes_the_action(hass: HomeAssistant) -> None:
    description = async_get_cached_service_description(hass, "notify", "home")

    assert description is not None
    assert description["name"] == "Send an email from Home"
    assert description["fields"].keys() == {"message", "title", "target", "data"}
    assert all(field["name"] and field["description"] for field in description["fields"].values())


async def test_a_notify_group_sends_through_it(hass: HomeAssistant, bed: Bed) -> None:
    group = {
        "platform": "group",
        "name": "everybody",
        "services": [{"action": "home", "data": {"data": {"priority": "high"}}}],
    }
    assert await async_setup_component(hass, "notify", {"notify": [group]})
    server = await bed.serve()
    await load_account(hass, server, *RECIPIENTS)

    await hass.services.async_call(
        "notify",
        "everybody",
        {"message": "Hi", "title": "T", "data": {"ttl": 0, "html": "<p>Hi</p>"}},
        blocking=True,
    )

    mail = only_mail(server)
    assert mail["Subject"] == "T"
    assert mail["X-Priority"] == "2 (High)"
    assert text_of(mail, "html") == "<p>Hi</p>\n"


async def test_an_alert_sends_through_it(hass: HomeAssistant, server: ScriptedServer) -> None:
    alert = {
        "name": "Garage is open",
        "entity_id": "binary_sensor.garage",
        "state": "on",
        "repeat": 30,
        "title": "Garage",
        "message": "Open since {{ states('sensor.minutes') }} minutes",
        "data": {"priority": "high"},
        "notifiers": ["home"],
    }
    hass.states.async_set("sensor.minutes", "5")
    assert await async_setup_component(hass, "alert", {"alert": {"garage": alert}})

    hass.states.async_set("binary_sensor.garage", "on")
    await hass.async_block_till_done()

    mail = only_mail(server)
    assert mail["Subject"] == "Garage"
    assert text_of(mail) == "Open since 5 minutes\n"
    assert mail["X-Priority"] == "2 (High)"
    hass.states.async_set("binary_sensor.garage", "off")
    await hass.async_block_till_done()


async def test_a_login_code_is_sent_through_it(hass: HomeAssistant, server: ScriptedServer) -> None:
    module = await auth_mfa_module_from_config(hass, {"type": "notify"})
    assert isinstance(module, NotifyAuthModule)
    setup = await module.async_setup_flow("user")
    form = await setup.async_step_init()
    assert form["data_schema"] is not None
    form["data_schema"]({"notify_service": "home"})

    # Stands in for the package that makes up the codes.
    codes = MagicMock()
    codes.HOTP.return_value.at.return_value = "471100"
    with patch.dict("sys.modules", pyotp=codes):
        await module.async_setup_user(
            "user", {"notify_service": "home", "target": "emil@example.test"}
        )
        await module.async_initialize_login_mfa_step("user")
    await hass.async_block_till_done()

    mail = only_mail(server)
    assert mail["To"] == "emil@example.test"
    assert "471100" in text_of(mail)

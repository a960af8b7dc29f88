"""What an action's fields become on the wire."""

from datetime import timedelta
from typing import Any

from homeassistant.const import EVENT_CALL_SERVICE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
import voluptuous as vol

from custom_components.email_courier.account import Account
from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import only_mail, read, send, send_unasked, text_of
from tests.support.script import HEALTHY, Step, say
from tests.support.sending import state_of

ANNA = "Anna <anna@example.test>"
BUSY = HEALTHY.but(answers={Step.GREETING: say("421 4.3.2 try later")})
HOSTILE = 'x\r\nBcc: evil@example.test\r\n\r\n<script>alert(1)</script> "&<b>'


async def test_text_and_title_arrive_as_they_are(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server)

    await send(hass, to=ANNA, title="Türglocke 🔔", message="Jemand ist da.\n.\n..Ende")

    mail = only_mail(server)
    assert mail["Subject"] == "Türglocke 🔔"
    assert text_of(mail) == "Jemand ist da.\n.\n..Ende\n"
    assert mail["From"] == "anna@example.test"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"


@pytest.mark.parametrize("fields", [{}, {"title": ""}])
async def test_a_mail_without_a_title_is_called_home_assistant(
    hass: HomeAssistant, bed: Bed, fields: dict[str, Any]
) -> None:
    server = await bed.serve()
    await load_account(hass, server)

    await send(hass, to=ANNA, **fields)

    assert only_mail(server)["Subject"] == "Home Assistant"


async def test_html_stands_beside_the_message(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server)

    await send(hass, to=ANNA, message="plain", html="<p>rich</p>")

    mail = only_mail(server)
    assert mail.get_content_type() == "multipart/alternative"
    assert text_of(mail) == "plain\n"
    assert text_of(mail, "html") == "<p>rich</p>\n"


async def test_markdown_is_a_page_with_a_button_to_this_home(hass: HomeAssistant, bed: Bed) -> None:
    await hass.config.async_update(external_url="https://home.example.test")
    hass.config.location_name = "Villa"
    server = await bed.serve()
    await load_account(hass, server)

    await send(
        hass,
        to=ANNA,
        title="Report",
        layout="card",
        markdown="**All well** <script>alert(1)</script>",
        button={"text": "Open", "url": "/lovelace/home"},
    )

    page = text_of(only_mail(server), "html")
    assert "<strong>All well</strong>" in page
    assert "<script>" not in page
    assert 'href="https://home.example.test/lovelace/home"' in page
    assert "Villa" in page


async def test_a_home_that_does_not_know_its_address_says_what_a_button_needs(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server)
    hass.config.api = None

    with pytest.raises(ServiceValidationError, match="“/lovelace/home” leads nowhere") as caught:
        await send(hass, to=ANNA, markdown="x", button={"text": "Open", "url": "/lovelace/home"})
    assert caught.value.translation_key == "button_url_invalid"
    assert server.record.connections == 0

    await send(hass, to=ANNA, markdown="See [the page](/lovelace/home).")
    page = text_of(only_mail(server), "html")
    assert "the page" in page
    assert "/lovelace/home" not in page


async def test_a_template_can_leave_the_button_out(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server)

    await send(hass, to=ANNA, markdown="x", button={"text": "Open", "url": " "})

    assert 'class="button"' not in text_of(only_mail(server), "html")


async def test_the_fields_of_the_header_are_set(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server)

    for title in ("One", "Two"):
        await send(
            hass,
            to=ANNA,
            title=title,
            priority="highest",
            reply_to="Bea <bea@example.test>",
            sender_name="Front door",
            headers={"X-Room": "Hall", "X-Floor": 2},
            thread="door",
        )

    one, two = (read(mail.content) for mail in server.record.mails)
    assert one["X-Priority"] == "1 (Highest)"
    assert one["Importance"] == "high"
    assert one["Reply-To"] == "Bea <bea@example.test>"
    assert one["From"] == "Front door <anna@example.test>"
    assert (one["X-Room"], one["X-Floor"]) == ("Hall", "2")
    assert one["References"] == two["References"] is not None
    assert one["Message-ID"] != two["Message-ID"]


async def test_the_account_has_defaults_for_name_and_answers(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    options = {"sender_name": "Villa", "reply_to": ["bea@example.test"]}
    await load_account(hass, server, options=options)

    await send(hass, to=ANNA)

    assert only_mail(server)["From"] == "Villa <anna@example.test>"
    assert only_mail(server)["Reply-To"] == "bea@example.test"


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"headers": {"Bcc": "evil@example.test"}}, "header_reserved"),
        ({"headers": {"X-A": "1\r\nBcc: evil@example.test"}}, "header_value_invalid"),
        ({"headers": {"X A": "1"}}, "header_name_invalid"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "header_repeated"),
        ({"html": "<p>", "markdown": "**"}, "html_and_markdown"),
        ({"button": {"url": "/"}}, "button_needs_markdown"),
        ({"markdown": "x", "button": {"url": "javascript:alert(1)"}}, "button_url_invalid"),
    ],
)
async def test_what_cannot_be_part_of_a_mail_is_an_error_before_anything_is_sent(
    hass: HomeAssistant, bed: Bed, fields: dict[str, Any], key: str
) -> None:
    server = await bed.serve()
    await load_account(hass, server)

    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, to=ANNA, **fields)

    assert caught.value.translation_key == key
    assert "{" not in str(caught.value)
    assert server.record.connections == 0


async def test_hostile_values_in_templates_stay_values(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server)
    hass.states.async_set("sensor.friendly", "on", {"name": HOSTILE})
    value = "{{ state_attr('sensor.friendly', 'name') }}"
    action = {
        "action": "email_courier.send_message",
        "data": {
            "to": ["{{ 'anna@example.test' }}"],
            "title": f"Alarm {value}",
            "message": value,
            "markdown": f"## {value}",
            "sender_name": value,
            "thread": value,
        },
    }
    assert await async_setup_component(hass, "script", {"script": {"mail": {"sequence": action}}})

    await hass.services.async_call("script", "mail", blocking=True)

    (mail,) = server.record.mails
    message = read(mail.content)
    assert mail.recipients == ("anna@example.test",)
    assert message["Bcc"] is None
    assert message["Subject"].startswith("Alarm x Bcc: evil@example.test")
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert "<script>" not in text_of(message, "html")
    assert "<b>" not in text_of(message, "html")


async def test_a_hostile_address_in_a_template_is_refused(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server)
    hass.states.async_set("sensor.friendly", "on", {"name": HOSTILE})
    action = {
        "action": "email_courier.send_message",
        "data": {
            "to": "anna@example.test{{ state_attr('sensor.friendly', 'name') }}",
            "message": "Hello",
        },
    }
    assert await async_setup_component(hass, "script", {"script": {"mail": {"sequence": action}}})

    with pytest.raises(ServiceValidationError):
        await hass.services.async_call("script", "mail", blocking=True)

    assert server.record.connections == 0


@pytest.mark.parametrize(
    ("expires_after", "hours"),
    [
        (None, 24),
        (7200, 2),
        ("02:00:00", 2),
        ({"days": 1, "hours": 1}, 25),
    ],
)
async def test_a_kept_mail_expires_when_the_action_says(
    hass: HomeAssistant, bed: Bed, expires_after: Any, hours: int
) -> None:
    account = await load_account(hass, await bed.serve(BUSY))
    fields = {} if expires_after is None else {"expires_after": expires_after}

    response = await send(hass, to=ANNA, **fields)

    assert response["status"] == "queued"
    (record,) = await account.courier.waiting()
    left = record.id.expires - dt_util.utcnow().timestamp()
    assert timedelta(hours=hours).total_seconds() == pytest.approx(left, abs=60)


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_after": 0},
        {"expires_after": -5},
        {"expires_after": {"days": 31}},
        {"priority": "extreme"},
        {"attachments": [{"entity_id": "light.a"}]},
        {"subject": "no such field"},
    ],
)
async def test_fields_that_make_no_sense_are_refused(
    hass: HomeAssistant, bed: Bed, fields: dict[str, Any]
) -> None:
    server = await bed.serve()
    await load_account(hass, server)

    with pytest.raises(vol.Invalid):
        await send(hass, to=ANNA, **fields)

    assert server.record.connections == 0


@pytest.mark.parametrize(
    ("fields", "key", "field"),
    [
        ({"title": "x"}, "content_missing", "message"),
        ({"message": "x", "attachments": [{"filename": "x"}]}, "attachment_source", "attachments"),
        (
            {"message": "x", "attachments": [{"path": "/a", "entity_id": "camera.a"}]},
            "attachment_source",
            "attachments",
        ),
        ({"camera": "light.hall"}, "camera_invalid", "camera"),
        ({"message": "x", "html": "<p>", "markdown": "*"}, "html_and_markdown", "markdown"),
    ],
)
async def test_what_does_not_go_together_is_an_error_that_names_the_field(
    hass: HomeAssistant, bed: Bed, fields: dict[str, Any], key: str, field: str
) -> None:
    server = await bed.serve()
    await load_account(hass, server)

    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            "email_courier", "send_message", {"to": ANNA, **fields}, blocking=True
        )

    assert caught.value.translation_key == key
    assert (caught.value.translation_placeholders or {})["field"] == field
    assert server.record.connections == 0


async def test_an_empty_message_is_a_mail(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server)

    await send(hass, to=ANNA, message="")

    assert text_of(only_mail(server)) == ""


async def test_without_the_queue_a_busy_server_is_an_error_at_once(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await load_account(hass, await bed.serve(BUSY))

    with pytest.raises(HomeAssistantError, match=r"421 4\.3\.2 try later") as caught:
        await send(hass, to=ANNA, queue=False)

    assert caught.value.translation_key == "server_busy"
    assert account.courier.state.waiting == 0


async def test_the_entity_shows_when_mail_was_last_sent_to_it(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(
        hass, server, recipient("Bea", ["bea@example.test"]), recipient("Carl", ["c@example.test"])
    )

    await send(hass, entity_id="notify.bea")
    await hass.async_block_till_done()

    state = hass.states.get("notify.bea")
    assert state is not None
    assert dt_util.parse_datetime(state.state) is not None
    other = hass.states.get("notify.carl")
    assert other is not None
    assert other.state == "unknown"


async def test_the_fields_of_a_call_can_be_recorded(hass: HomeAssistant, bed: Bed) -> None:
    """What is fired as an event is what was typed, and JSON can hold it."""
    await load_account(hass, await bed.serve())
    calls = async_capture_events(hass, EVENT_CALL_SERVICE)

    await send_unasked(hass, to=ANNA, priority="high", expires_after={"hours": 1})
    await hass.async_block_till_done()

    data = calls[0].data["service_data"]
    assert data["priority"] == "high"
    assert data["expires_after"] == {"hours": 1}


async def test_what_nobody_foresaw_is_not_taken_for_a_mail_that_went_out(
    hass: HomeAssistant, bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await bed.serve()
    await load_account(hass, server, recipient("Anna", ["anna@example.test"]))

    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of the integration")

    monkeypatch.setattr(Account, "async_send", fail)
    with pytest.raises(RuntimeError, match="a fault of the integration"):
        await send(hass, entity_id="notify.anna")
    assert state_of(hass, "notify.anna").state == STATE_UNKNOWN

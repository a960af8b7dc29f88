"""The event entity: what becomes of each mail."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.email_courier.const import DOMAIN, EVENT_ACTION
from tests.support.accounts import load_account
from tests.support.answers import ask, be_reachable, press
from tests.support.fixtures import Bed
from tests.support.script import USERNAME, Script
from tests.support.sending import pass_time, send_from, state_of

ENTITY = "event.home_mail"


async def test_a_delivered_mail_is_an_event_that_says_all(hass: HomeAssistant, bed: Bed) -> None:
    account = await load_account(hass, await bed.serve())

    await send_from(account, "bea@example.test", "carl@example.test")

    attributes = state_of(hass, ENTITY).attributes
    assert attributes["event_type"] == "delivered"
    assert attributes["account"] == "Home"
    assert attributes["recipients"] == ["bea@example.test", "carl@example.test"]
    assert attributes["subject"] == "Washing machine"
    assert attributes["kind"] is None
    assert attributes["reply"].startswith("250 ")
    assert attributes["attempts"] == 1
    assert attributes["message_id"].endswith("@example.test>")


async def test_a_mail_that_has_to_wait_is_deferred_and_later_delivered(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await server.stop()

    await send_from(account, "bea@example.test")

    deferred = state_of(hass, ENTITY).attributes
    assert deferred["event_type"] == "deferred"
    assert deferred["kind"] == "connection_refused"
    assert deferred["attempts"] == 1

    await server.start()
    await pass_time(hass, minutes=1)

    delivered = state_of(hass, ENTITY).attributes
    assert delivered["event_type"] == "delivered"
    assert delivered["message_id"] == deferred["message_id"]
    assert delivered["attempts"] == 2
    assert len(server.record.mails) == 1


async def test_a_refusal_is_a_failure_that_quotes_the_server(hass: HomeAssistant, bed: Bed) -> None:
    script = Script(recipient_replies={"bea@example.test": "550 5.1.1 No such user here"})
    account = await load_account(hass, await bed.serve(script))

    with pytest.raises(HomeAssistantError):
        await send_from(account, "bea@example.test")

    attributes = state_of(hass, ENTITY).attributes
    assert attributes["event_type"] == "failed"
    assert attributes["kind"] == "recipient_rejected"
    assert attributes["reply"] == "550 5.1.1 No such user here"
    assert attributes["reason"] == "refused"


async def test_recipients_with_different_fates_have_events_of_their_own(
    hass: HomeAssistant, bed: Bed
) -> None:
    script = Script(recipient_replies={"bea@example.test": "550 5.1.1 No such user here"})
    account = await load_account(hass, await bed.serve(script))
    changes = async_capture_events(hass, "state_changed")

    await send_from(account, "bea@example.test", "carl@example.test", "dora@example.test")

    events = [
        change.data["new_state"].attributes
        for change in changes
        if change.data["entity_id"] == ENTITY
    ]
    told = [(event["event_type"], *event["recipients"]) for event in events]
    assert sorted(told) == [
        ("delivered", "carl@example.test", "dora@example.test"),
        ("failed", "bea@example.test"),
    ]


async def test_an_event_survives_a_reload(hass: HomeAssistant, bed: Bed) -> None:
    account = await load_account(hass, await bed.serve())
    await send_from(account, USERNAME)
    before = state_of(hass, ENTITY)

    await hass.config_entries.async_reload(account.entry.entry_id)
    await hass.async_block_till_done()

    after = state_of(hass, ENTITY)
    assert after.state == before.state
    assert after.attributes["message_id"] == before.attributes["message_id"]


async def test_an_answer_is_an_event_that_says_which_button_it_was(
    hass: HomeAssistant, bed: Bed, hass_client_no_auth: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    await be_reachable(hass)
    client = await hass_client_no_auth()
    told = async_capture_events(hass, EVENT_ACTION)
    links = await ask(hass, bed, thread="gate", actions=[{"action": "REPLY", "title": "Answer"}])

    await press(client, links["Answer"], reply_text="Yes")
    await hass.async_block_till_done()

    attributes = state_of(hass, ENTITY).attributes
    assert attributes["event_type"] == "answered"
    assert attributes["action"] == "REPLY"
    assert attributes["reply_text"] == "Yes"
    assert attributes["user"] is None
    assert attributes["subject"] == "Open the gate?"
    assert attributes["recipients"] == ["anna@example.test"]
    (event,) = told
    assert event.data["message_id"] == attributes["message_id"]
    assert event.data["title"] == "Answer"
    assert event.data["tag"] == "gate"
    assert event.data["account"] == "Home"
    assert event.data["entity_id"] == ENTITY

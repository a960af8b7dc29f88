"""The logbook: deliveries and failures stand there by their names."""

from datetime import timedelta
import json
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.core import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.email_courier.const import (
    CONF_BACKUP_ACCOUNT,
    CONF_BACKUP_AFTER,
    CONF_FLOOD_LIMIT,
    CONF_HIDE_SUBJECTS,
    DOMAIN,
    EVENT_MAIL,
)
import custom_components.email_courier.event
from custom_components.email_courier.event import ANSWERED, DEFERRED, DELIVERED, FAILED
from tests.support.accounts import account_entry, load, load_account, recipient
from tests.support.answers import ask, be_reachable, press
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY, Script, Step, say
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import let_pass, pass_time, send_from

ENTITY = "event.home_mail"


@pytest.fixture(autouse=True)
def _custom_integration(recorder_mock: Recorder, enable_custom_integrations: None) -> None:
    """Have the recorder there before Home Assistant, as it wants to be."""


async def test_a_delivery_and_a_failure_are_entries_of_their_own(
    hass: HomeAssistant, bed: Bed, hass_ws_client: WebSocketGenerator
) -> None:
    hass.config.components.add("frontend")  # for the page, which is not looked at here
    assert await async_setup_component(hass, "logbook", {})
    script = Script(recipient_replies={"bea@example.test": "550 5.1.1 No such user here"})
    account = await load_account(hass, await bed.serve(script))
    start = dt_util.utcnow() - timedelta(minutes=1)
    await send_from(account, "carl@example.test")
    with pytest.raises(HomeAssistantError):
        await send_from(account, "bea@example.test")
    await async_wait_recording_done(hass)

    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {
            "type": "logbook/get_events",
            "start_time": start.isoformat(),
            "entity_ids": [ENTITY],
        }
    )
    entries: list[dict[str, Any]] = (await client.receive_json())["result"]

    told = [entry["attributes"]["event_type"] for entry in entries if "attributes" in entry]
    assert told == [DELIVERED, FAILED]


def test_every_event_has_a_name_in_every_language() -> None:
    folder = Path(custom_components.email_courier.event.__file__).parent / "translations"
    for file in folder.glob("*.json"):
        event = json.loads(file.read_text(encoding="utf-8"))["entity"]["event"]["mail"]
        names = event["state_attributes"]["event_type"]["state"]
        assert set(names) == {DELIVERED, DEFERRED, FAILED, ANSWERED}


REFUSED = "Recipient refused (550 5.1.1 No such user here)"
FAMILY = recipient("Family", ["bea@example.test", "carl@example.test"])


async def lines(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, **of: list[str]
) -> list[dict[str, Any]]:
    """Return our own lines of the activity of devices or entities, the oldest first."""
    await async_wait_recording_done(hass)
    client = await hass_ws_client(hass)
    now, month = dt_util.utcnow(), timedelta(days=30)
    times = {"start_time": (now - month).isoformat(), "end_time": (now + month).isoformat()}
    await client.send_json_auto_id({"type": "logbook/get_events", **times, **of})
    entries: list[dict[str, Any]] = (await client.receive_json())["result"]
    return [entry for entry in entries if entry.get("domain") == DOMAIN]


def told(entries: list[dict[str, Any]]) -> list[str]:
    return [f"{entry['name']} {entry['message']}" for entry in entries]


def device_of(hass: HomeAssistant, entity_id: str) -> str:
    entity = er.async_get(hass).async_get(entity_id)
    assert entity is not None
    assert entity.device_id is not None
    return entity.device_id


async def with_logbook(hass: HomeAssistant) -> None:
    hass.config.components.add("frontend")  # for the page, which is not looked at here
    assert await async_setup_component(hass, "logbook", {})


async def smoke(hass: HomeAssistant, title: str = "Smoke", **fields: Any) -> str:
    """Send a mail as automations do; return its Message-ID."""
    response = await hass.services.async_call(
        DOMAIN,
        "send_message",
        {"title": title, "message": "In the hall.", **fields},
        blocking=True,
        return_response=True,
    )
    await hass.async_block_till_done()
    assert isinstance(response, dict)
    return str(response["message_id"])


async def switch(hass: HomeAssistant, action: str) -> None:
    target = {"entity_id": "switch.home_pause"}
    await hass.services.async_call("switch", action, target, blocking=True)
    await hass.async_block_till_done(wait_background_tasks=True)


async def answer(server: ScriptedServer, script: Script) -> None:
    """Have a server answer otherwise, with no connection left from before."""
    await server.stop()
    server.script = script
    await server.start()


async def ten_mails(hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory) -> None:
    """Have everything become of mail that can."""
    server, spare_server = await bed.serve(), await bed.serve()
    spare = await load_account(hass, spare_server, title="Spare", sender="spare@example.org")
    options = {CONF_FLOOD_LIMIT: 3, CONF_BACKUP_ACCOUNT: spare.entry.entry_id}
    entry = account_entry(server, FAMILY, options={**options, CONF_BACKUP_AFTER: 1440})
    account = await load(hass, entry)
    await smoke(hass, "Delivered", entity_id="notify.family")
    await smoke(hass, "Typed", to=["emil@example.test"], config_entry_id=entry.entry_id)
    await answer(
        server, Script(recipient_replies={"bea@example.test": "550 5.1.1 No such user here"})
    )
    await smoke(hass, "Refused in part", entity_id="notify.family")
    await answer(server, HEALTHY)
    await switch(hass, "turn_on")
    await smoke(hass, "Paused", entity_id="notify.family")
    await switch(hass, "turn_off")
    await smoke(hass, "Too many", entity_id="notify.family")
    await answer(server, HEALTHY.but(answers={Step.GREETING: say("421 4.3.2 Busy")}))
    urgent = {"entity_id": "notify.family", "priority": "high"}
    await smoke(hass, "Busy", **urgent)
    message_id = await smoke(hass, "Dropped", **urgent)
    data = {"message_id": message_id}
    await hass.services.async_call(DOMAIN, "drop_waiting", data, blocking=True)
    await smoke(hass, "Short-lived", **urgent, expires_after=60)
    await let_pass(hass, freezer, minutes=3)
    wrong = say("535 5.7.8 Username and Password not accepted")
    await answer(server, HEALTHY.but(answers={Step.AUTH_VERDICT: wrong}))
    account.courier.retry_now()
    await hass.async_block_till_done(wait_background_tasks=True)
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, CONF_HIDE_SUBJECTS: True}
    )
    await hass.async_block_till_done()
    await smoke(hass, "Hidden", **urgent)


async def test_ten_mails_of_all_outcomes_tell_what_became_of_them(
    hass: HomeAssistant,
    bed: Bed,
    freezer: FrozenDateTimeFactory,
    hass_ws_client: WebSocketGenerator,
) -> None:
    await with_logbook(hass)
    await ten_mails(hass, bed, freezer)

    family = await lines(hass, hass_ws_client, device_ids=[device_of(hass, "notify.family")])
    everything = await lines(
        hass, hass_ws_client, device_ids=[device_of(hass, ENTITY)], entity_ids=[ENTITY]
    )

    said = told(family)
    assert said[:3] == [
        "“Delivered” to Family – delivered",
        f"“Refused in part” to Family (bea@example.test) – not delivered: {REFUSED}",
        "“Refused in part” to Family (carl@example.test) – delivered",
    ]
    held = " – kept for later: the limit of emails an hour is reached"
    assert "“Paused” to Family – kept for later: the account is paused" in said
    assert "“Paused” to Family – delivered" in said
    assert f"“Too many” to Family (bea@example.test){held}" in said
    assert "“Busy” to Family – kept for later: Server busy" in said
    assert "“Dropped” to Family – removed while it was waiting" in said
    expired = "“Short-lived” to Family – given up because its time is over: Server busy"
    assert [line for line in said if line.startswith(expired)], "\n".join(said)
    assert "“Busy” to Family – handed over to Spare" in said
    assert [line for line in said if line.startswith("Email to Family – ")], "\n".join(said)
    assert not any("Hidden" in line for line in said)
    assert "“Typed” to emil@example.test – delivered" in told(everything)
    assert set(said[:10]) <= set(told(everything))
    # and of the account that took them over
    assert {"“Busy” to Family – kept for later", "“Busy” to Family – delivered"} <= set(said)


async def test_an_automation_is_the_cause_of_a_line_also_after_a_restart(
    hass: HomeAssistant, bed: Bed, hass_ws_client: WebSocketGenerator
) -> None:
    await with_logbook(hass)
    server = await bed.serve()
    entry = account_entry(server, FAMILY)
    await load(hass, entry)
    config = {
        "alias": "Smoke",
        "triggers": {"trigger": "event", "event_type": "smoke"},
        "actions": {
            "action": "notify.send_message",
            "target": {"entity_id": "notify.family"},
            "data": {"title": "Smoke", "message": "In the hall."},
        },
    }
    assert await async_setup_component(hass, "automation", {"automation": [config]})
    await server.stop()
    hass.bus.async_fire("smoke")
    await hass.async_block_till_done()
    await hass.config_entries.async_reload(entry.entry_id)
    await server.start()
    await pass_time(hass, minutes=1)

    found = await lines(hass, hass_ws_client, device_ids=[device_of(hass, "notify.family")])

    assert [line.split(" – ")[1].split(":")[0] for line in told(found)] == [
        "kept for later",
        "delivered",
    ]
    assert {line["context_entity_id"] for line in found} == {"automation.smoke"}


async def test_an_automation_can_begin_with_the_event(hass: HomeAssistant, bed: Bed) -> None:
    await load(hass, account_entry(await bed.serve(), FAMILY))
    events = async_capture_events(hass, EVENT_MAIL)

    message_id = await smoke(hass, entity_id="notify.family")

    [event] = events
    assert event.data == {
        "outcome": "delivered",
        "config_entry_id": hass.config_entries.async_entries(DOMAIN)[0].entry_id,
        "account": "Home",
        "device_id": device_of(hass, "notify.family"),
        "entity_id": ENTITY,
        "recipient": "Family",
        "recipients": ["bea@example.test", "carl@example.test"],
        "subject": "Smoke",
        "message_id": message_id,
        "attempts": 1,
        "digest": None,
        "kind": None,
        "reply": event.data["reply"],
        "reason": None,
    }
    assert event.data["reply"].startswith("250 ")


async def test_an_answer_is_a_line_that_names_the_button(
    hass: HomeAssistant,
    bed: Bed,
    hass_ws_client: WebSocketGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    hass.config.components.add("frontend")  # for the page, which is not looked at here
    assert await async_setup_component(hass, "logbook", {})
    assert await async_setup_component(hass, DOMAIN, {})
    await be_reachable(hass)
    client = await hass_client_no_auth()
    links = await ask(hass, bed)
    await press(client, links["Ignore"])

    entries = await lines(hass, hass_ws_client, entity_ids=[ENTITY])

    assert told(entries)[-1] == (
        "\u201cOpen the gate?\u201d to anna@example.test \N{EN DASH} answered: Ignore"
    )

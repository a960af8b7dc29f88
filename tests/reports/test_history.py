"""What became of a mail: history, the queue by hand, and the activity."""

from datetime import timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from tests.reports.driver import (
    DOMAIN,
    account_at,
    notify,
    options,
    pass_time,
    recipient,
    refused,
    refusing,
    send,
    waiting,
)
from tests.reports.reports import report
from tests.reports.servers import HEALTHY, Bed, Script, Step

BEA, CARL = "bea@example.test", "carl@example.test"
EVENT = "email_courier_mail"
NO_SUCH_USER = "550 5.1.1 No such user here"


async def act(hass: HomeAssistant, action: str, **fields: Any) -> list[dict[str, Any]]:
    """Call an action that answers with mails."""
    response = await hass.services.async_call(
        DOMAIN, action, fields, blocking=True, return_response=True
    )
    await hass.async_block_till_done()
    assert isinstance(response, dict)
    mails: Any = response["mails"]
    return list(mails)


async def press(hass: HomeAssistant, domain: str, action: str, entity_id: str) -> None:
    target = {"entity_id": entity_id}
    await hass.services.async_call(domain, action, target, blocking=True)
    await hass.async_block_till_done(wait_background_tasks=True)


async def switch_of(hass: HomeAssistant) -> str:
    (entity_id,) = hass.states.async_entity_ids("switch")
    return entity_id


@report(
    source="louislam/uptime-kuma#3187",
    symptom="Uptime Kuma: emails are sent, and nowhere stands that they were.",
    ours="list_recent answers with the last 200 outcomes of each account.",
    held_at_first=True,
)
async def test_what_was_sent_stands_in_the_history(hass: HomeAssistant, bed: Bed) -> None:
    await account_at(hass, await bed.serve())
    sent = await send(hass, to=BEA, title="Smoke")

    [mail] = await act(hass, "list_recent")

    assert mail["message_id"] == sent["message_id"]
    assert (mail["subject"], mail["state"]) == ("Smoke", "delivered")
    assert mail["recipients"] == [BEA]
    since = (dt_util.utcnow() + timedelta(minutes=1)).isoformat()
    assert await act(hass, "list_recent", since=since) == []


@report(
    source="louislam/uptime-kuma#6046",
    symptom="Uptime Kuma: a notification is lost, silently, while the line is down for seconds.",
    ours="It is kept, the history says why, and once it has gone it says that alone.",
    held_at_first=True,
)
async def test_a_short_outage_is_told_and_passes(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    await server.stop()
    await send(hass, to=BEA)
    [kept] = await act(hass, "list_recent")
    assert (kept["state"], kept["kind"]) == ("deferred", "connection_refused")

    await server.start()
    await pass_time(hass, minutes=1)

    [gone] = await act(hass, "list_recent")
    assert (gone["state"], gone["attempts"]) == ("delivered", 2)
    assert await act(hass, "list_recent", state="deferred") == []


@report(
    source="mailcow/mailcow-dockerized#1883",
    symptom="mailcow: no way in the web interface to delete or flush one mail of the queue.",
    ours="One mail is tried or dropped by its Message-ID, whichever account it is in.",
    held_at_first=True,
)
async def test_one_mail_of_the_queue_is_dropped_and_another_tried(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await account_at(hass, server)
    await server.stop()
    first, second = [await send(hass, to=BEA) for _ in range(2)]
    data = {"message_id": first["message_id"]}
    await hass.services.async_call(DOMAIN, "drop_waiting", data, blocking=True)
    await server.start()
    data = {"message_id": second["message_id"]}
    await hass.services.async_call(DOMAIN, "retry_waiting", data, blocking=True)
    await hass.async_block_till_done(wait_background_tasks=True)

    states = {mail["message_id"]: mail["state"] for mail in await act(hass, "list_recent")}

    assert states == {first["message_id"]: "dropped", second["message_id"]: "delivered"}


@report(
    source="mailwatch/MailWatch#1159",
    symptom="MailWatch: the server is mended, and the mail still waits for its next hour.",
    ours="A button of the account tries all waiting mail at once.",
    held_at_first=True,
)
async def test_a_button_tries_all_at_once(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await account_at(hass, server, refusing(Step.MAIL, "451 4.3.0 Try again later"))
    for _ in range(3):
        await send(hass, to=BEA)
    server.script = HEALTHY
    (button,) = [each for each in hass.states.async_entity_ids("button") if "try" in each]

    await press(hass, "button", "press", button)

    assert waiting(hass) == 0
    assert len(server.record.mails) == 3


@report(
    source="webmin/webmin#2210",
    symptom="Webmin: the queue shows an error, and not that the mail will be tried again, or when.",
    ours="Each waiting mail has its cause, its next attempt and its end.",
    held_at_first=True,
)
async def test_a_waiting_mail_says_when_it_is_tried_next(hass: HomeAssistant, bed: Bed) -> None:
    await account_at(hass, await bed.serve(), refusing(Step.RCPT, "450 4.2.0 Greylisted"))
    await send(hass, to=BEA)
    [mail] = await act(hass, "list_waiting")
    assert mail["reply"] == "450 4.2.0 Greylisted"
    assert dt_util.utcnow().isoformat() < mail["next_attempt"] < mail["expires"]


@report(
    source="postalserver/postal#84",
    symptom="Postal: a mail that failed for good, as for a full mailbox, cannot be sent again.",
    ours="send_again sends what was given up, as a new mail, to those who did not get it.",
    held_at_first=True,
)
async def test_a_refused_mail_can_be_sent_again(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await account_at(hass, server, Script(recipient_replies={CARL: NO_SUCH_USER}))
    sent = await send(hass, to=[BEA, CARL], title="Smoke")
    assert sent["status"] == "partial"
    server.script = HEALTHY

    [again] = await act(hass, "send_again", message_id=sent["message_id"])

    assert again["accepted"] == [CARL]
    assert again["message_id"] != sent["message_id"]
    assert [mail.recipients for mail in server.record.mails] == [(BEA,), (CARL,)]
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "send_again", message_id=sent["message_id"])
    assert caught.value.translation_key == "mail_not_given_up"


@report(
    source="elementary/mail#70",
    symptom="elementary Mail: nothing sends a failed mail again, or says why it failed.",
    ours="The history names recipient, cause, the server's words, and if it can be sent again.",
    held_at_first=True,
)
async def test_the_history_says_why_and_what_can_be_done(hass: HomeAssistant, bed: Bed) -> None:
    await account_at(hass, await bed.serve(), Script(recipient_replies={CARL: NO_SUCH_USER}))
    await refused(hass, to=CARL)
    [mail] = await act(hass, "list_recent", recipient=CARL, state="failed")
    assert (mail["kind"], mail["reply"]) == ("recipient_rejected", NO_SUCH_USER)
    assert (mail["reason"], mail["can_send_again"]) == ("refused", True)


@report(
    source="cloudamqp/lavinmq#446",
    symptom="LavinMQ: a queue that was paused sends again after a restart.",
    ours="A paused account stays so; what must not wait fails by name.",
    held_at_first=True,
)
async def test_a_pause_outlives_a_restart(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    pause = await switch_of(hass)
    await press(hass, "switch", "turn_on", pause)
    assert (await send(hass, to=BEA))["status"] == "queued"
    await hass.config_entries.async_reload(entry.entry_id)
    await pass_time(hass, hours=2)

    state = hass.states.get(pause)
    assert state is not None
    assert state.state == "on"
    assert (await refused(hass, to=BEA, queue=False)).translation_key == "account_paused"
    assert server.record.mails == []
    await press(hass, "switch", "turn_off", pause)
    assert len(server.record.mails) == 1


@report(
    source="mailcow/mailcow-dockerized#1569",
    symptom="mailcow: subjects stay in the logs, and no option leaves them out.",
    ours="An option keeps them out of events, activity and history, of the past too.",
    held_at_first=True,
)
async def test_an_option_leaves_subjects_out(hass: HomeAssistant, bed: Bed) -> None:
    entry = await account_at(hass, await bed.serve())
    await send(hass, to=BEA, title="Biopsy of Bea")
    await options(hass, entry, hide_subjects=True)
    events = async_capture_events(hass, EVENT)
    await send(hass, to=BEA, title="Biopsy of Bea")

    assert [mail["subject"] for mail in await act(hass, "list_recent")] == [None, None]
    assert [event.data["subject"] for event in events] == [None]
    (event,) = hass.states.async_entity_ids("event")
    state = hass.states.get(event)
    assert state is not None
    assert "Biopsy" not in str(state.attributes)


@report(
    source="rhizomatics/supernotify#175",
    symptom="Supernotify: why an alert did not arrive has to be read from pages of YAML.",
    ours="Each outcome is one event with recipient, cause and the server's words.",
    held_at_first=True,
)
async def test_each_outcome_is_one_event(hass: HomeAssistant, bed: Bed) -> None:
    entry: ConfigEntry = await account_at(
        hass, await bed.serve(), Script(recipient_replies={CARL: NO_SUCH_USER})
    )
    family, errors = await recipient(hass, entry, "Family", [BEA, CARL])
    assert not errors
    events = async_capture_events(hass, EVENT)

    await notify(hass, family, title="Lightning")

    assert [
        (event.data["recipient"], event.data["outcome"], event.data["kind"]) for event in events
    ] == [
        (f"Family ({CARL})", "failed", "recipient_rejected"),
        (f"Family ({BEA})", "delivered", None),
    ]
    assert events[0].data["reply"] == NO_SUCH_USER


@report(
    source="valentinfrlch/ha-llmvision#248",
    symptom="LLM Vision: the logbook does not name the automation behind an entry.",
    ours="Each event has the context of the call, also after a restart.",
    held_at_first=True,
)
async def test_an_event_names_who_began_it(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    config = {
        "alias": "Smoke",
        "triggers": {"trigger": "event", "event_type": "smoke"},
        "actions": {"action": f"{DOMAIN}.send_message", "data": {"to": BEA, "message": "Smoke"}},
    }
    assert await async_setup_component(hass, "automation", {"automation": config})
    triggered = async_capture_events(hass, "automation_triggered")
    events = async_capture_events(hass, EVENT)
    await server.stop()
    hass.bus.async_fire("smoke")
    await hass.async_block_till_done()
    await hass.config_entries.async_reload(entry.entry_id)
    await server.start()
    await pass_time(hass, minutes=1)

    assert [event.data["outcome"] for event in events] == ["deferred", "delivered"]
    assert {event.context.id for event in events} == {triggered[0].context.id}

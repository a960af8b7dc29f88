"""The sensors: what waits, what was delivered last, what went wrong last."""

from datetime import datetime, timedelta
import json
from pathlib import Path

from homeassistant.const import STATE_OFF, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import mock_restore_cache_with_extra_data

from custom_components.email_courier.mail.failure import FailureKind, Stage
import custom_components.email_courier.sensor
from tests.support.accounts import account_entry, load, load_account, recipient
from tests.support.fixtures import Bed
from tests.support.script import Script, Step, say
from tests.support.sending import pass_time, send_from, state_of

WAITING = "sensor.home_waiting_mail"
LAST_DELIVERY = "sensor.home_last_delivery"
LAST_FAILURE = "sensor.home_last_failure"


async def test_everything_is_there_at_once_while_the_server_is_down(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    entry = account_entry(server, recipient("Family", ["bea@example.test"]))
    await server.stop()

    await load(hass, entry)

    states = {state.entity_id: state.state for state in hass.states.async_all()}
    assert states == {
        "binary_sensor.home_connection": STATE_UNKNOWN,
        "button.family_send_test_mail": STATE_UNKNOWN,
        "button.home_send_test_mail": STATE_UNKNOWN,
        "button.home_try_waiting_emails_now": STATE_UNKNOWN,
        "event.home_mail": STATE_UNKNOWN,
        "sensor.family_addresses": "bea@example.test",
        "switch.home_pause": STATE_OFF,
        "notify.family": STATE_UNKNOWN,
        WAITING: "0",
        LAST_DELIVERY: STATE_UNKNOWN,
        LAST_FAILURE: "none",
    }
    assert server.record.connections == 0


async def test_no_entity_is_named_after_what_a_person_can_change(
    hass: HomeAssistant, bed: Bed, entity_registry: er.EntityRegistry
) -> None:
    account = await load_account(hass, await bed.serve())

    entry_id = account.entry.entry_id
    entities = er.async_entries_for_config_entry(entity_registry, entry_id)
    assert {entity.unique_id for entity in entities} == {
        f"{entry_id}_{key}"
        for key in (
            "connectivity",
            "last_delivery",
            "last_failure",
            "mail",
            "pause",
            "retry",
            "send_test_mail",
            "waiting",
        )
    }


async def test_waiting_mail_is_counted_until_it_is_delivered(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await server.stop()

    await send_from(account, "bea@example.test")
    await send_from(account, "carl@example.test")

    waiting = state_of(hass, WAITING)
    assert waiting.state == "2"
    assert waiting.attributes["bytes"] > 500
    next_attempt = datetime.fromisoformat(waiting.attributes["next_attempt"])
    assert timedelta(0) < next_attempt - dt_util.utcnow() < timedelta(minutes=1)

    await server.start()
    await pass_time(hass, minutes=1)

    waiting = state_of(hass, WAITING)
    assert waiting.state == "0"
    assert waiting.attributes["bytes"] == 0
    assert waiting.attributes["next_attempt"] is None


async def test_the_last_delivery_is_the_time_of_the_servers_yes(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await load_account(hass, await bed.serve())
    before = dt_util.utcnow()

    await send_from(account, "bea@example.test")

    delivered = datetime.fromisoformat(state_of(hass, LAST_DELIVERY).state)
    assert before - timedelta(seconds=1) <= delivered <= dt_util.utcnow()


async def test_the_last_failure_says_kind_stage_and_the_servers_words(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(Script(answers={Step.MAIL: say("553 5.7.1 Not your address")}))
    account = await load_account(hass, server)

    with pytest.raises(HomeAssistantError):
        await send_from(account, "bea@example.test", "carl@example.test")

    failure = state_of(hass, LAST_FAILURE)
    assert failure.state == "sender_rejected"
    assert failure.attributes["stage"] == "sender"
    assert failure.attributes["reply"] == "553 5.7.1 Not your address"
    assert failure.attributes["recipients"] == 2
    assert datetime.fromisoformat(failure.attributes["time"]) <= dt_util.utcnow()


async def test_a_mail_laid_down_without_an_attempt_is_no_new_failure(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await server.stop()
    await send_from(account, "bea@example.test")
    first = state_of(hass, LAST_FAILURE)

    await send_from(account, "carl@example.test")

    assert state_of(hass, LAST_FAILURE) == first
    assert first.state == "connection_refused"


async def test_the_last_delivery_and_the_last_failure_survive_a_restart(
    hass: HomeAssistant, bed: Bed
) -> None:
    failure = {
        "reply": "451 4.3.0 Later",
        "stage": "recipient",
        "recipients": 1,
        "time": "2026-11-01T12:00:00+00:00",
    }
    delivered = datetime.fromisoformat("2026-11-02T12:00:00+00:00")
    mock_restore_cache_with_extra_data(
        hass,
        (
            (
                State(LAST_DELIVERY, delivered.isoformat()),
                {
                    "native_value": {
                        "__type": "<class 'datetime.datetime'>",
                        "isoformat": delivered.isoformat(),
                    },
                    "native_unit_of_measurement": None,
                },
            ),
            (
                State(LAST_FAILURE, "deferred", failure),
                {"native_value": "deferred", "native_unit_of_measurement": None},
            ),
        ),
    )

    await load_account(hass, await bed.serve())

    assert state_of(hass, LAST_DELIVERY).state == delivered.isoformat()
    last_failure = state_of(hass, LAST_FAILURE)
    assert last_failure.state == "deferred"
    assert failure.items() <= last_failure.attributes.items()


async def test_a_failure_that_no_version_knows_any_more_is_not_restored(
    hass: HomeAssistant, bed: Bed
) -> None:
    mock_restore_cache_with_extra_data(
        hass,
        (
            (
                State(LAST_FAILURE, "sunspots"),
                {"native_value": "sunspots", "native_unit_of_measurement": None},
            ),
        ),
    )

    await load_account(hass, await bed.serve())

    assert state_of(hass, LAST_FAILURE).state == "none"


async def test_the_last_failure_is_none_until_there_is_one_and_once_mail_goes_through_again(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    none = state_of(hass, LAST_FAILURE)
    assert none.state == "none"
    assert none.attributes["reply"] is None
    await server.stop()
    await send_from(account, "bea@example.test")
    assert state_of(hass, LAST_FAILURE).state == "connection_refused"

    await server.start()
    await pass_time(hass, minutes=1)

    cleared = state_of(hass, LAST_FAILURE)
    assert cleared.state == "none"
    assert cleared.attributes == none.attributes


async def test_who_got_a_mail_does_not_hide_who_did_not(hass: HomeAssistant, bed: Bed) -> None:
    script = Script(recipient_replies={"carl@example.test": "550 5.1.1 No such user"})
    account = await load_account(hass, await bed.serve(script))

    await send_from(account, "bea@example.test", "carl@example.test")
    assert state_of(hass, LAST_FAILURE).state == "recipient_rejected"

    await send_from(account, "bea@example.test")
    assert state_of(hass, LAST_FAILURE).state == "none"


async def test_the_test_mail_of_the_set_up_is_a_delivery(hass: HomeAssistant, bed: Bed) -> None:
    delivered_at = "2026-11-02T12:00:00+00:00"

    await load_account(hass, await bed.serve(), delivered_at=delivered_at)

    assert state_of(hass, LAST_DELIVERY).state == delivered_at


@pytest.mark.parametrize("text", ["", "yesterday", 12, None])
async def test_a_time_that_cannot_be_read_is_none(
    hass: HomeAssistant, bed: Bed, text: object
) -> None:
    await load_account(hass, await bed.serve(), delivered_at=text, proven_at=text)

    assert state_of(hass, LAST_DELIVERY).state == STATE_UNKNOWN
    assert state_of(hass, "binary_sensor.home_connection").state == STATE_UNKNOWN


@pytest.mark.parametrize(
    ("delivered_at", "delivery", "failure"),
    [
        ("2026-11-01T11:00:00+00:00", "2026-11-01T11:30:00+00:00", "deferred"),
        ("2026-11-03T12:00:00+00:00", "2026-11-03T12:00:00+00:00", "none"),
    ],
    ids=["earlier", "later"],
)
async def test_of_a_test_mail_and_what_is_remembered_the_later_counts(
    hass: HomeAssistant, bed: Bed, delivered_at: str, delivery: str, failure: str
) -> None:
    remember(hass, delivery="2026-11-01T11:30:00+00:00", failed_at="2026-11-01T12:00:00+00:00")

    await load_account(hass, await bed.serve(), delivered_at=delivered_at)

    assert state_of(hass, LAST_DELIVERY).state == delivery
    assert state_of(hass, LAST_FAILURE).state == failure


def remember(hass: HomeAssistant, *, delivery: str, failed_at: str) -> None:
    """Let Home Assistant remember a delivery, and a failure, from before a restart."""
    time = {"__type": "<class 'datetime.datetime'>", "isoformat": delivery}
    mock_restore_cache_with_extra_data(
        hass,
        (
            (
                State(LAST_DELIVERY, delivery),
                {"native_value": time, "native_unit_of_measurement": None},
            ),
            (
                State(LAST_FAILURE, "deferred", {"time": failed_at}),
                {"native_value": "deferred", "native_unit_of_measurement": None},
            ),
        ),
    )


def test_every_kind_of_failure_and_every_stage_has_a_name() -> None:
    folder = Path(custom_components.email_courier.sensor.__file__).parent / "translations"
    for file in folder.glob("*.json"):
        texts = json.loads(file.read_text(encoding="utf-8"))["entity"]["sensor"]["last_failure"]
        assert set(texts["state"]) == {"none", *(kind.value for kind in FailureKind)}
        assert set(texts["state_attributes"]["stage"]["state"]) == {stage.value for stage in Stage}

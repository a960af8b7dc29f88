"""The binary sensor: whether the server let the account in when it was last asked."""

from datetime import datetime, timedelta

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import mock_restore_cache

from custom_components.email_courier.account import Account
from custom_components.email_courier.connectivity import failure_in, shows_contact
from custom_components.email_courier.entity import async_entity_id
from custom_components.email_courier.mail.failure import Failure, FailureKind, Permanence, Stage
from custom_components.email_courier.mail.outbox.events import Failed, GivenUp
from tests.support.accounts import load_account
from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.script import Script, Step, say
from tests.support.sending import pass_time, send_from, state_of

ENTITY = "binary_sensor.home_connection"


async def test_it_is_unknown_until_there_is_something_to_know(
    hass: HomeAssistant, bed: Bed
) -> None:
    await load_account(hass, await bed.serve())

    assert state_of(hass, ENTITY).state == STATE_UNKNOWN


@pytest.mark.parametrize("state", [STATE_ON, STATE_OFF])
async def test_what_was_known_survives_a_restart(hass: HomeAssistant, bed: Bed, state: str) -> None:
    mock_restore_cache(hass, (State(ENTITY, state),))

    await load_account(hass, await bed.serve(), proven_at="2026-11-01T12:00:00+00:00")

    assert state_of(hass, ENTITY).state == state


async def test_the_handshake_of_the_set_up_has_shown_that_the_server_is_there(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server))
    await dialog.submit(test_recipient="bea@example.test")
    await dialog.submit()  # after the server's reply to the test mail

    account = dialog.entry.runtime_data
    assert state_of(hass, of(hass, account, "binary_sensor", "connectivity")).state == STATE_ON
    delivered = state_of(hass, of(hass, account, "sensor", "last_delivery")).state
    assert abs(dt_util.utcnow() - datetime.fromisoformat(delivered)) < timedelta(minutes=5)
    assert state_of(hass, of(hass, account, "sensor", "last_failure")).state == "none"

    await hass.config_entries.async_reload(dialog.entry.entry_id)
    await hass.async_block_till_done()

    assert state_of(hass, of(hass, account, "binary_sensor", "connectivity")).state == STATE_ON


def of(hass: HomeAssistant, account: Account, platform: str, key: str) -> str:
    """Return the id of one of an account's entities."""
    entity_id = async_entity_id(hass, account.entry, platform, key)
    assert entity_id is not None
    return entity_id


async def test_a_later_handshake_knows_better_than_what_was_known(
    hass: HomeAssistant, bed: Bed
) -> None:
    mock_restore_cache(hass, (State(ENTITY, STATE_OFF),))
    later = dt_util.utcnow() + timedelta(minutes=1)

    await load_account(hass, await bed.serve(), proven_at=later.isoformat())

    assert state_of(hass, ENTITY).state == STATE_ON


async def test_a_delivery_switches_it_on_a_server_that_is_down_off_and_the_next_delivery_on(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)

    await send_from(account, "bea@example.test")
    assert state_of(hass, ENTITY).state == STATE_ON

    await server.stop()
    await pass_time(hass, minutes=1)
    await send_from(account, "bea@example.test")
    assert state_of(hass, ENTITY).state == STATE_OFF

    await server.start()
    await pass_time(hass, minutes=2)
    assert state_of(hass, ENTITY).state == STATE_ON


async def test_a_refused_login_is_no_connection(hass: HomeAssistant, bed: Bed) -> None:
    account = await load_account(hass, await bed.serve(), password="wrong")

    with pytest.raises(HomeAssistantError):
        await send_from(account, "bea@example.test")

    assert state_of(hass, ENTITY).state == STATE_OFF


async def test_a_refused_mail_shows_that_the_server_is_there(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(Script(answers={Step.RCPT: say("550 5.1.1 No such user")}))
    account = await load_account(hass, server)

    with pytest.raises(HomeAssistantError):
        await send_from(account, "bea@example.test")

    assert state_of(hass, ENTITY).state == STATE_ON


async def test_the_log_says_once_that_the_server_is_lost_and_once_that_it_is_back(
    hass: HomeAssistant, bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await send_from(account, "bea@example.test")
    await server.stop()
    await pass_time(hass, minutes=1)
    for _ in range(3):
        await send_from(account, "bea@example.test")
    await pass_time(hass, minutes=2)
    lost = [record for record in caplog.records if "does not take mail" in record.message]
    assert [record.levelname for record in lost] == ["INFO"]
    assert "connection_refused at connect" in lost[0].message
    assert "takes mail again" not in caplog.text

    await server.start()
    await pass_time(hass, minutes=10)

    assert len(server.record.mails) == 4
    assert caplog.text.count("The server of Home takes mail again") == 1


def test_a_mail_that_expires_says_nothing_about_the_server_now() -> None:
    failure = Failure(FailureKind.DEFERRED, Stage.RECIPIENT, Permanence.TEMPORARY)
    expired = Failed(
        at=0,
        message_id="<1@example.test>",
        subject="",
        recipients=("bea@example.test",),
        attempts=9,
        reason=GivenUp.EXPIRED,
        failure=failure,
    )

    assert not shows_contact(expired)
    assert failure_in(expired) is failure

"""The binary sensor: whether the server let the account in when it was last asked."""

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.email_courier.connectivity import failure_in, shows_contact
from custom_components.email_courier.mail.failure import Failure, FailureKind, Permanence, Stage
from custom_components.email_courier.mail.outbox.events import Failed, GivenUp
from tests.support.accounts import load_account
from tests.support.fixtures import Bed
from tests.support.script import Script, Step, say
from tests.support.sending import pass_time, send_from, state_of

ENTITY = "binary_sensor.home_connection"


async def test_it_is_unknown_until_there_is_something_to_know(
    hass: HomeAssistant, bed: Bed
) -> None:
    await load_account(hass, await bed.serve())

    assert state_of(hass, ENTITY).state == STATE_UNKNOWN


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

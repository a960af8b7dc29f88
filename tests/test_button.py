"""The button: a test mail from the account to itself."""

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from tests.support.accounts import load_account
from tests.support.fixtures import Bed
from tests.support.mails import only_mail
from tests.support.script import USERNAME
from tests.support.sending import state_of

ENTITY = "button.home_send_test_mail"


async def press(hass: HomeAssistant) -> None:
    await hass.services.async_call("button", "press", {"entity_id": ENTITY}, blocking=True)
    await hass.async_block_till_done()


async def test_it_sends_a_mail_to_the_accounts_own_address(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server)
    assert state_of(hass, ENTITY).state == STATE_UNKNOWN

    await press(hass)

    mail = only_mail(server)
    assert mail["To"] == USERNAME
    assert mail["Subject"] == "Test mail from test home"
    assert USERNAME in mail.get_content()


async def test_the_person_at_the_button_reads_the_servers_words(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server, password="wrong")

    with pytest.raises(HomeAssistantError, match=r"535 5\.7\.8"):
        await press(hass)

    assert server.record.auth_commands == 1


async def test_a_test_mail_does_not_wait_for_a_server_that_is_down(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server)
    await server.stop()

    with pytest.raises(HomeAssistantError) as raised:
        await press(hass)

    assert raised.value.translation_key == "connection_refused"
    assert state_of(hass, "sensor.home_waiting_mail").state == "0"

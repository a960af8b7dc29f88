"""System health: a glance at all accounts."""

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import get_system_health_info

from custom_components.email_courier.const import DOMAIN
from tests.support.accounts import account_entry, load_account
from tests.support.fixtures import Bed
from tests.support.sending import send_from


async def test_it_counts_accounts_and_waiting_mail_without_touching_the_network(
    hass: HomeAssistant, bed: Bed
) -> None:
    assert await async_setup_component(hass, "system_health", {})
    up, down = await bed.serve(), await bed.serve()
    await load_account(hass, up)
    account = await load_account(hass, down, title="Away", sender="away@example.test")
    account_entry(up, title="Not loaded", sender="third@example.test").add_to_hass(hass)
    await down.stop()
    await send_from(account, "bea@example.test")
    connections = up.record.connections

    info = await get_system_health_info(hass, DOMAIN)

    assert info == {
        "accounts": 3,
        "accounts_loaded": 2,
        "accounts_down": 1,
        "waiting_mails": 1,
        "waiting_megabytes": 0.0,
    }
    assert up.record.connections == connections

"""A glance at all accounts; nothing here touches the network."""

from __future__ import annotations

from typing import Any

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.core import HomeAssistant, callback

from .account import loaded_account
from .const import DOMAIN


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register what is shown."""
    register.async_register_info(_async_info)


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    entries = hass.config_entries.async_entries(DOMAIN)
    accounts = [loaded_account(hass, entry.entry_id) for entry in entries]
    states = [account.courier.state for account in accounts if account is not None]
    return {
        "accounts": len(entries),
        "accounts_loaded": len(states),
        "accounts_down": sum(state.down is not None for state in states),
        "waiting_mails": sum(state.waiting for state in states),
        "waiting_megabytes": round(sum(state.waiting_bytes for state in states) / 1_000_000, 1),
    }

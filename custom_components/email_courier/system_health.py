"""A glance at all accounts; nothing here touches the network."""

from __future__ import annotations

from typing import Any

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .account import Account
from .const import DOMAIN


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register what is shown."""
    register.async_register_info(_async_info)


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    entries = hass.config_entries.async_entries(DOMAIN)
    accounts: list[Account] = [
        entry.runtime_data for entry in entries if entry.state is ConfigEntryState.LOADED
    ]
    states = [account.courier.state for account in accounts]
    return {
        "accounts": len(entries),
        "accounts_loaded": len(accounts),
        "accounts_down": sum(state.down is not None for state in states),
        "waiting_mails": sum(state.waiting for state in states),
        "waiting_megabytes": round(sum(state.waiting_bytes for state in states) / 1_000_000, 1),
    }

"""Turns the Marketplace's sources to a server on loopback, with an account connected there.

Which hosts the Marketplace asks is written in its code and nowhere to be set; what it asks them,
and what it makes of the answers, stays its own.
"""

from __future__ import annotations

from homeassistant.components.marketplace import profiles
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

DOMAIN = "stand_in"


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Wait until the Marketplace has made its own entry, then have it begin anew."""
    url: str = config[DOMAIN]["url"]

    async def turn(_hass: HomeAssistant) -> None:
        for name, value in (
            ("api", f"{url}/api"),
            ("github", (f"{url}/github",)),
            ("raw", (f"{url}/raw",)),
            ("catalog", (f"{url}/catalog",)),
        ):
            object.__setattr__(profiles.GITHUB, name, value)
        (entry,) = hass.config_entries.async_entries("marketplace")
        connected: ConfigEntry = entry
        hass.config_entries.async_update_entry(connected, data={**entry.data, "token": "stand-in"})
        await hass.config_entries.async_reload(connected.entry_id)

    async_at_started(hass, turn)
    return True

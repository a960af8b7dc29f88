"""What automations may name of an account of Home Assistant's own SMTP integration."""

from __future__ import annotations

from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import slugify

CORE_DOMAIN: Final = "smtp"
CORE_SERVER: Final = "server"


@callback
def names_of(hass: HomeAssistant, core_entry: ConfigEntry) -> dict[str, str]:
    """Return what an automation may name of an account there, each with whom that writes to.

    That is one address, or nothing for what writes to all of them.
    """
    names = {f"{Platform.NOTIFY}.{slugify(core_entry.title)}": ""}
    for entity in er.async_entries_for_config_entry(er.async_get(hass), core_entry.entry_id):
        address = entity.unique_id.removeprefix(f"{core_entry.entry_id}_")
        names[entity.entity_id] = names[entity.id] = address
    for device in dr.async_entries_for_config_entry(dr.async_get(hass), core_entry.entry_id):
        names[device.id] = ""
    return names

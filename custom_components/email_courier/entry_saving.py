"""Saving changes to an account so that they take effect at once."""

from __future__ import annotations

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback


@callback
def async_save(hass: HomeAssistant, entry: ConfigEntry, **changes: Any) -> None:
    """Update an entry (title, data, options) and load it anew.

    A loaded entry does that by itself, but only where something has changed: the same password
    given again shall end a pause as well. And one that could not be loaded listens to nothing.
    """
    is_loaded = bool(entry.update_listeners)
    is_changed = hass.config_entries.async_update_entry(entry, **changes)
    if not (is_loaded and is_changed):
        hass.config_entries.async_schedule_reload(entry.entry_id)

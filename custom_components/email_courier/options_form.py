"""The form of the options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from .const import (
    CONF_BACKUP_ACCOUNT,
    CONF_BACKUP_AFTER,
    CONF_CA_FILE,
    CONF_DROP_LARGE_ATTACHMENTS,
    CONF_FLOOD_LIMIT,
    CONF_HELLO_NAME,
    CONF_MAX_MAILS,
    CONF_MAX_MEGABYTES,
    CONF_REPLY_TO,
    CONF_SENDER_NAME,
    CONF_TIMEOUT,
    CONF_WRITE_FIRST,
    DEFAULT_BACKUP_AFTER,
    DEFAULT_MAX_MAILS,
    DEFAULT_MAX_MEGABYTES,
    DEFAULT_TIMEOUT,
    DOMAIN,
    MAX_TIMEOUT,
    MIN_TIMEOUT,
)

_CONNECTION: Final = "connection"
_OUTBOX: Final = "outbox"
_BACKUP: Final = "backup"


def options_form(hass: HomeAssistant, entry: ConfigEntry) -> vol.Schema:
    """Return the form; the backup is offered where there is another account."""
    others = [
        SelectOptionDict(value=other.entry_id, label=other.title)
        for other in hass.config_entries.async_entries(DOMAIN)
        if other.entry_id != entry.entry_id
    ]
    return vol.Schema(_ALWAYS | (_backup(others) if others else {}))


def sorted_into(form: vol.Schema, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as the form shows them, section by section."""
    values: dict[str, Any] = {}
    for marker, field in form.schema.items():
        if isinstance(field, section):
            values[str(marker)] = sorted_into(field.schema, options)
        elif str(marker) in options:
            values[str(marker)] = options[str(marker)]
    return values


def typed_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed without sections and without empty fields."""
    return dict(_flat(values))


def shown_in(form: vol.Schema) -> frozenset[str]:
    """Return the names of the options that the form shows."""
    names: set[str] = set()
    for marker, field in form.schema.items():
        names |= shown_in(field.schema) if isinstance(field, section) else {str(marker)}
    return frozenset(names)


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value)
        elif value not in ("", []):
            yield name, value


def _number(least: int, most: int, unit: str | None = None) -> vol.All:
    config = NumberSelectorConfig(min=least, max=most, step=1, mode=NumberSelectorMode.BOX)
    if unit is not None:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _backup(others: list[SelectOptionDict]) -> dict[vol.Marker, section]:
    return {
        vol.Required(_BACKUP): section(
            vol.Schema(
                {
                    # A short list would come as radio buttons, and a choice of those is for good.
                    vol.Optional(CONF_BACKUP_ACCOUNT): SelectSelector(
                        SelectSelectorConfig(options=others, mode=SelectSelectorMode.DROPDOWN)
                    ),
                    vol.Required(CONF_BACKUP_AFTER, default=DEFAULT_BACKUP_AFTER): _number(
                        1, 1440, "min"
                    ),
                }
            ),
            {"collapsed": True},
        )
    }


_ALWAYS: Final = {
    vol.Optional(CONF_SENDER_NAME): TextSelector(),
    vol.Optional(CONF_REPLY_TO): TextSelector(TextSelectorConfig(multiple=True)),
    vol.Required(_CONNECTION): section(
        vol.Schema(
            {
                vol.Required(CONF_TIMEOUT, default=DEFAULT_TIMEOUT): _number(
                    MIN_TIMEOUT, MAX_TIMEOUT, "s"
                ),
                vol.Optional(CONF_HELLO_NAME): TextSelector(),
                vol.Optional(CONF_CA_FILE): TextSelector(),
            }
        ),
        {"collapsed": True},
    ),
    vol.Required(_OUTBOX): section(
        vol.Schema(
            {
                vol.Required(CONF_WRITE_FIRST, default=False): BooleanSelector(),
                vol.Required(CONF_MAX_MAILS, default=DEFAULT_MAX_MAILS): _number(1, 1_000_000),
                vol.Required(CONF_MAX_MEGABYTES, default=DEFAULT_MAX_MEGABYTES): _number(
                    1, 1_000_000, "MB"
                ),
                vol.Optional(CONF_FLOOD_LIMIT): _number(1, 10_000),
                vol.Required(CONF_DROP_LARGE_ATTACHMENTS, default=False): BooleanSelector(),
            }
        ),
        {"collapsed": True},
    ),
}

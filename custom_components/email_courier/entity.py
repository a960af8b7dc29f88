"""What all entities of an account have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity

from .const import DOMAIN

if TYPE_CHECKING:
    from .account import Account, EmailCourierConfigEntry

MANUFACTURER: Final = "Email Courier"
SEND_TEST_MAIL: Final = "send_test_mail"
"""The key of the button that sends a test mail."""


class AccountEntity(Entity):
    """An entity on an account's device; it is there whether the server is up or not."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, account: Account, key: str) -> None:
        """Belong to an account; the unique id holds nothing that a person can change."""
        self.account = account
        self._attr_unique_id = _unique_id(account.entry, key)
        self._attr_device_info = DeviceInfo(
            entry_type=DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, account.entry.entry_id)},
            name=account.entry.title,
            manufacturer=MANUFACTURER,
        )


@callback
def async_entity_id(
    hass: HomeAssistant, entry: EmailCourierConfigEntry, platform: str, key: str
) -> str | None:
    """Return the id that an account's entity goes by, None where it has been removed.

    A disabled entity has one, and so has one of an account that is not loaded.
    """
    return er.async_get(hass).async_get_entity_id(platform, DOMAIN, _unique_id(entry, key))


@callback
def async_test_button(hass: HomeAssistant, entry: EmailCourierConfigEntry) -> str | None:
    """Return the entity whose control lets a user write to any address from an account."""
    return async_entity_id(hass, entry, Platform.BUTTON, SEND_TEST_MAIL)


def _unique_id(entry: EmailCourierConfigEntry, key: str) -> str:
    return f"{entry.entry_id}_{key}"

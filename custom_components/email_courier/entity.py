"""What all entities of an account have in common."""

from __future__ import annotations

from typing import Final

from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity

from .account import Account
from .const import DOMAIN

MANUFACTURER: Final = "Email Courier"


class AccountEntity(Entity):
    """An entity on an account's device; it is there whether the server is up or not."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, account: Account, key: str) -> None:
        """Belong to an account; the unique id holds nothing that a person can change."""
        self.account = account
        self._attr_unique_id = f"{account.entry.entry_id}_{key}"
        self._attr_device_info = DeviceInfo(
            entry_type=DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, account.entry.entry_id)},
            name=account.entry.title,
            manufacturer=MANUFACTURER,
        )

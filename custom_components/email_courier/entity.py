"""What all entities of an account have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN, SIGNAL_REPORT, SUBENTRY_RECIPIENT
from .recipients import recipient_device

if TYPE_CHECKING:
    from .account import Account, EmailCourierConfigEntry

MANUFACTURER: Final = "Email Courier"
SEND_TEST_MAIL: Final = "send_test_mail"
"""The key of the button that sends a test mail."""
MAIL_EVENT: Final = "mail"
"""The key of the event entity."""


class AccountEntity(Entity):
    """An entity on an account's device; it is there whether the server is up or not."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, account: Account, key: str) -> None:
        """Belong to an account; the unique id holds nothing that a person can change."""
        self.account = account
        self._attr_unique_id = unique_id(account.entry, key)
        self._attr_device_info = DeviceInfo(
            entry_type=DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, account.entry.entry_id)},
            name=account.entry.title,
            manufacturer=MANUFACTURER,
            model_id=account.server,
        )


class SubentryDeviceEntity(AccountEntity):
    """An entity on the device of a recipient or a report, below that of the account."""

    def __init__(self, account: Account, subentry: ConfigSubentry, key: str | None = None) -> None:
        """Belong to a subentry. key: tells apart several entities of one subentry."""
        subentry_id = subentry.subentry_id
        super().__init__(account, subentry_id if key is None else f"{subentry_id}_{key}")
        self.subentry_id = subentry_id
        self._attr_device_info = DeviceInfo(
            entry_type=DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, recipient_device(account.entry.entry_id, subentry_id))},
            manufacturer=MANUFACTURER,
            name=subentry.title,
            via_device_id=_account_device(account),
        )

    async def async_added_to_hass(self) -> None:
        """Show what is changed in the subentry's dialog."""
        await super().async_added_to_hass()
        self.async_on_remove(self.account.async_on_change(self._async_take_up))

    @callback
    def _async_take_up(self) -> None:
        subentry = self.account.entry.subentries.get(self.subentry_id)
        if subentry is None:  # and this entity is about to go
            return
        if self.device_entry is not None and self.device_entry.name != subentry.title:
            dr.async_get(self.hass).async_update_device(self.device_entry.id, name=subentry.title)
        self.async_write_ha_state()


class ReportEntity(SubentryDeviceEntity):
    """An entity on the device of a report, which says when it is sent."""

    async def async_added_to_hass(self) -> None:
        """Follow the report."""
        await super().async_added_to_hass()
        signal = SIGNAL_REPORT.format(self.subentry_id)
        self.async_on_remove(async_dispatcher_connect(self.hass, signal, self.async_write_ha_state))


@callback
def async_add_for_subentries(
    account: Account,
    async_add_entities: AddConfigEntryEntitiesCallback,
    make: Callable[[ConfigSubentry], Iterable[Entity]],
    subentry_type: str = SUBENTRY_RECIPIENT,
) -> None:
    """Add entities for each recipient, or each report, and for those that come later.

    A device belongs to one subentry, so that each of them is a device below the account's.
    """
    entry = account.entry
    known: set[str] = set()

    @callback
    def add_new() -> None:
        found = {each.subentry_id: each for each in entry.get_subentries_of_type(subentry_type)}
        known.intersection_update(found)
        for subentry_id, subentry in found.items():
            if subentry_id not in known:
                known.add(subentry_id)
                async_add_entities(make(subentry), config_subentry_id=subentry_id)

    add_new()
    entry.async_on_unload(account.async_on_change(add_new))


def _account_device(account: Account) -> str:
    """Return the id of the account's device, which is made for its recipients if need be."""
    entry = account.entry
    device = dr.async_get(account.hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        entry_type=DeviceEntryType.SERVICE,
        identifiers={(DOMAIN, entry.entry_id)},
        manufacturer=MANUFACTURER,
        name=entry.title,
    )
    return device.id


@callback
def async_entity_id(
    hass: HomeAssistant, entry: EmailCourierConfigEntry, platform: str, key: str
) -> str | None:
    """Return the id that an account's entity goes by, None where it has been removed.

    A disabled entity has one, and so has one of an account that is not loaded.
    """
    return er.async_get(hass).async_get_entity_id(platform, DOMAIN, unique_id(entry, key))


@callback
def async_test_button(hass: HomeAssistant, entry: EmailCourierConfigEntry) -> str | None:
    """Return the entity whose control lets a user write to any address from an account."""
    return async_entity_id(hass, entry, Platform.BUTTON, SEND_TEST_MAIL)


def unique_id(entry: EmailCourierConfigEntry, key: str) -> str:
    """Return how an account's entity is known, whatever it is called."""
    return f"{entry.entry_id}_{key}"

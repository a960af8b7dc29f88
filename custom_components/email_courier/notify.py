"""One notify entity for each recipient of an account."""

from __future__ import annotations

from homeassistant.components.notify import NotifyEntity
from homeassistant.components.notify.const import NotifyEntityFeature
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import Account, EmailCourierConfigEntry
from .const import DOMAIN, SIGNAL_NOTIFIED, SUBENTRY_RECIPIENT
from .entity import MANUFACTURER, AccountEntity

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EmailCourierConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add one entity per recipient, tied to its subentry.

    A device belongs to one subentry, so that each recipient is a device below the account's.
    """
    account_device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        entry_type=DeviceEntryType.SERVICE,
        identifiers={(DOMAIN, entry.entry_id)},
        manufacturer=MANUFACTURER,
        name=entry.title,
    )
    for subentry in entry.get_subentries_of_type(SUBENTRY_RECIPIENT):
        async_add_entities(
            [RecipientEntity(entry.runtime_data, subentry, account_device.id)],
            config_subentry_id=subentry.subentry_id,
        )


class RecipientEntity(AccountEntity, NotifyEntity):
    """The addresses behind one name; a call is one mail to all of them."""

    _attr_supported_features = NotifyEntityFeature.TITLE
    _attr_name = None
    _attr_translation_key = "recipient"

    def __init__(self, account: Account, subentry: ConfigSubentry, account_device: str) -> None:
        """Belong to a subentry."""
        super().__init__(account, subentry.subentry_id)
        self._attr_device_info = DeviceInfo(
            entry_type=DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, f"{account.entry.entry_id}_{subentry.subentry_id}")},
            manufacturer=MANUFACTURER,
            name=subentry.title,
            via_device_id=account_device,
        )
        self._subentry_id = subentry.subentry_id
        self.recipients = account.recipients(subentry.subentry_id)

    async def async_added_to_hass(self) -> None:
        """Show mail that an action of our own has sent here, too."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(
                self.hass,
                SIGNAL_NOTIFIED.format(self._subentry_id),
                self._async_record_notification,
            )
        )

    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Send one plain mail to all addresses of the recipient."""
        await self.account.async_send(
            self.account.content(
                to=self.recipients.to,
                cc=self.recipients.cc,
                bcc=self.recipients.bcc,
                subject=title,
                text=message,
            )
        )

"""One notify entity for each recipient of an account."""

from __future__ import annotations

from homeassistant.components.notify import NotifyEntity
from homeassistant.components.notify.const import NotifyEntityFeature
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import EmailCourierConfigEntry, origin_of
from .caller import async_sent_by
from .const import SIGNAL_NOTIFIED
from .entity import SubentryDeviceEntity, async_add_for_subentries
from .errors import async_worded
from .mail.compose.content import Layout
from .recipients import Recipients

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EmailCourierConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add one entity per recipient, tied to its subentry."""

    def of_recipient(subentry: ConfigSubentry) -> list[RecipientEntity]:
        return [RecipientEntity(entry.runtime_data, subentry)]

    async_add_for_subentries(entry.runtime_data, async_add_entities, of_recipient)


class RecipientEntity(SubentryDeviceEntity, NotifyEntity):
    """The addresses behind one name; a call is one mail to all of them."""

    _attr_supported_features = NotifyEntityFeature.TITLE
    _attr_name = None
    _attr_translation_key = "recipient"

    @property
    def recipients(self) -> Recipients:
        """Return who is behind it."""
        return self.account.recipients(self.subentry_id)

    async def async_added_to_hass(self) -> None:
        """Show mail that an action of our own has sent here, too."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(
                self.hass,
                SIGNAL_NOTIFIED.format(self.subentry_id),
                self._async_record_notification,
            )
        )

    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Send one mail to all addresses of the recipient."""
        layout = self.account.layout_for(self.subentry_id)
        is_card = layout is Layout.CARD
        content = self.account.content(
            to=self.recipients.to,
            cc=self.recipients.cc,
            bcc=self.recipients.bcc,
            subject=title,
            heading=title or "",
            text=message,
            layout=layout,
            sent_by=async_sent_by(self.hass, self.account.words, self._context)
            if is_card
            else None,
        )
        async with async_worded(self.hass):
            await self.account.async_send(
                content, origin=origin_of(self._context, [self.subentry_id])
            )

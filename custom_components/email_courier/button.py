"""A button that sends a test mail."""

from __future__ import annotations

from homeassistant.components.button import ButtonEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import EmailCourierConfigEntry
from .entity import SEND_TEST_MAIL, AccountEntity
from .errors import async_worded
from .phrases import Phrases

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EmailCourierConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the account's button."""
    async_add_entities([TestMailButton(entry.runtime_data, SEND_TEST_MAIL)])


class TestMailButton(AccountEntity, ButtonEntity):
    """Sends a mail from the account to itself, the way every other mail goes."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "send_test_mail"

    async def async_press(self) -> None:
        """Send it now or say why not: a person is waiting for the answer."""
        phrases = await Phrases.async_load(self.hass)
        account = self.account
        content = account.content(
            to=(account.sender,),
            subject=phrases.say("test_subject", home=self.hass.config.location_name),
            text=phrases.say("button_test_text", sender=account.sender.address),
        )
        async with async_worded(self.hass):
            await account.async_send(content, queue=False)

"""A switch that pauses an account: its mail is kept until it is switched off again."""

from __future__ import annotations

from typing import Any

from homeassistant.components.switch import SwitchEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import EmailCourierConfigEntry
from .entity import AccountEntity
from .errors import async_worded, error_for_pause

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EmailCourierConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the account's switch."""
    async_add_entities([PauseSwitch(entry.runtime_data, "pause")])


class PauseSwitch(AccountEntity, SwitchEntity):
    """On while nothing is sent. The outbox remembers it across restarts, not this entity."""

    _attr_entity_category = EntityCategory.CONFIG
    _attr_translation_key = "pause"

    async def async_added_to_hass(self) -> None:
        """Begin to follow the account."""
        self.async_on_remove(self.account.async_on_change(self.async_write_ha_state))

    @property
    def is_on(self) -> bool:
        """Return whether nothing is sent."""
        return self.account.courier.is_suspended

    async def async_turn_on(self, **_options: Any) -> None:
        """Send nothing from now on."""
        await self._async_suspend(is_suspended=True)

    async def async_turn_off(self, **_options: Any) -> None:
        """Go on sending, with what has waited first."""
        await self._async_suspend(is_suspended=False)

    async def _async_suspend(self, *, is_suspended: bool) -> None:
        account = self.account
        async with async_worded(self.hass):
            try:
                await account.courier.suspend(is_suspended=is_suspended)
            except OSError as error:
                raise error_for_pause(error, account=account.entry.title) from error

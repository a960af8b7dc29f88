"""Whether the server can be reached, as far as the last mail has shown."""

from __future__ import annotations

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import STATE_OFF, STATE_ON, EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import RestoreEntity

from .account import EmailCourierConfigEntry
from .connectivity import contact_in
from .const import CONF_PROVEN_AT
from .entity import AccountEntity
from .entry import time_in
from .mail.outbox.events import CourierEvent

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EmailCourierConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the account's connectivity."""
    async_add_entities([ConnectivitySensor(entry.runtime_data, "connectivity")])


class ConnectivitySensor(AccountEntity, BinarySensorEntity, RestoreEntity):
    """On once the server has let the account in, off once it has not; unknown until then.

    The handshake of the dialog counts as well, and what was last known outlives a restart.
    """

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "connectivity"

    async def async_added_to_hass(self) -> None:
        """Remember what was, and begin to follow the account."""
        proven_at = time_in(self.account.entry.data, CONF_PROVEN_AT)
        last = await self.async_get_last_state()
        if last is None or last.state not in (STATE_ON, STATE_OFF):
            self._attr_is_on = True if proven_at else None
        else:
            is_older = proven_at is not None and last.last_changed < proven_at
            self._attr_is_on = is_older or last.state == STATE_ON
        self.async_on_remove(self.account.async_listen(self._async_follow))

    @callback
    def _async_follow(self, event: CourierEvent) -> None:
        is_on = contact_in(event)
        if is_on is not None and is_on is not self._attr_is_on:
            self._attr_is_on = is_on
            self.async_write_ha_state()

"""What waits in an account's outbox, what was delivered last, and what went wrong last."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import MAX_LENGTH_STATE_STATE, EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .account import Account, EmailCourierConfigEntry
from .connectivity import failure_in
from .const import CONF_DELIVERED_AT, SUBENTRY_REPORT
from .entity import AccountEntity, ReportEntity, SubentryDeviceEntity, async_add_for_subentries
from .entry import time_in
from .mail.failure import FailureKind
from .mail.outbox.events import CourierEvent, Deferred, Delivered, Failed, StateChanged
from .outbox_host import iso_time
from .report.schedule import async_reports

PARALLEL_UPDATES = 0

NO_FAILURE: Final = "none"

_OF_A_FAILURE = ("reply", "stage", "recipients", "time")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EmailCourierConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the account's sensors."""
    account = entry.runtime_data
    async_add_entities(
        [
            WaitingSensor(account, "waiting"),
            LastDeliverySensor(account, "last_delivery"),
            LastFailureSensor(account, "last_failure"),
        ]
    )

    def of_recipient(subentry: ConfigSubentry) -> list[AddressesSensor]:
        return [AddressesSensor(account, subentry, "addresses")]

    def of_report(subentry: ConfigSubentry) -> list[ReportEntity]:
        return [
            NextReportSensor(account, subentry, "next_report"),
            LastReportSensor(account, subentry, "last_report"),
        ]

    async_add_for_subentries(account, async_add_entities, of_recipient)
    async_add_for_subentries(account, async_add_entities, of_report, SUBENTRY_REPORT)


class AddressesSensor(SubentryDeviceEntity, SensorEntity):
    """The addresses behind a recipient, for those who may see its entities."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "addresses"

    @property
    def native_value(self) -> str:
        """Return all of them, as far as a state is long enough."""
        addresses = ", ".join(self.account.recipients(self.subentry_id).addresses)
        if len(addresses) <= MAX_LENGTH_STATE_STATE:
            return addresses
        return f"{addresses[: MAX_LENGTH_STATE_STATE - 1]}…"

    @property
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return how each of them gets the mail."""
        recipients = self.account.recipients(self.subentry_id)
        return {
            field: [mailbox.address for mailbox in mailboxes]
            for field, mailboxes in recipients._asdict().items()
        }


class NextReportSensor(ReportEntity, SensorEntity):
    """When a report is sent next."""

    _attr_device_class = SensorDeviceClass.TIMESTAMP
    _attr_translation_key = "next_report"

    @property
    def native_value(self) -> datetime | None:
        """Return the time in UTC."""
        return async_reports(self.account).next(self.subentry_id)


class LastReportSensor(ReportEntity, SensorEntity):
    """When a report was last sent."""

    _attr_device_class = SensorDeviceClass.TIMESTAMP
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "last_report"

    @property
    def native_value(self) -> datetime | None:
        """Return the time in UTC."""
        return async_reports(self.account).last(self.subentry_id)

    @property
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return why the last attempt sent nothing; None where it did."""
        return {"error": async_reports(self.account).error(self.subentry_id)}


class WaitingSensor(AccountEntity, SensorEntity):
    """How many mails lie on disk."""

    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_translation_key = "waiting"

    async def async_added_to_hass(self) -> None:
        """Begin to follow the account."""
        self.async_on_remove(self.account.async_listen(self._async_follow))

    @property
    def native_value(self) -> int:
        """Return the count of mails."""
        return self.account.courier.state.waiting

    @property
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return their size in bytes, and when the next of them is tried."""
        state = self.account.courier.state
        return {"bytes": state.waiting_bytes, "next_attempt": iso_time(state.next_attempt)}

    @callback
    def _async_follow(self, event: CourierEvent) -> None:
        if isinstance(event, StateChanged):
            self.async_write_ha_state()


class LastDeliverySensor(AccountEntity, RestoreSensor):
    """When the server last accepted a mail."""

    _attr_device_class = SensorDeviceClass.TIMESTAMP
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "last_delivery"

    async def async_added_to_hass(self) -> None:
        """Remember what was, the dialog's test mail included, and begin to follow the account."""
        last = await self.async_get_last_sensor_data()
        known = [last.native_value if last else None, _tested_at(self.account)]
        self._attr_native_value = max(
            (time for time in known if isinstance(time, datetime)), default=None
        )
        self.async_on_remove(self.account.async_listen(self._async_follow))

    @callback
    def _async_follow(self, event: CourierEvent) -> None:
        if isinstance(event, Delivered) and event.digest is None:
            delivered_at = dt_util.utc_from_timestamp(int(event.at))  # shown to the second
            if delivered_at != self._attr_native_value:
                self._attr_native_value = delivered_at
                self.async_write_ha_state()


class LastFailureSensor(AccountEntity, RestoreSensor):
    """What last kept a mail from being delivered, in the words of the one vocabulary.

    It is `none` until something does, and again once mail goes through.
    """

    _attr_device_class = SensorDeviceClass.ENUM
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "last_failure"

    def __init__(self, account: Account, key: str) -> None:
        """Belong to an account."""
        super().__init__(account, key)
        self._attr_options = [NO_FAILURE, *(kind.value for kind in FailureKind)]
        self._attempt: tuple[str, int] | None = None
        self._clear()

    async def async_added_to_hass(self) -> None:
        """Remember what was, and begin to follow the account."""
        last = await self.async_get_last_state()
        if last is not None and last.state in FailureKind:
            failed_at = dt_util.parse_datetime(str(last.attributes.get("time")))
            tested_at = _tested_at(self.account)
            if failed_at is None or tested_at is None or tested_at < failed_at:
                self._attr_native_value = last.state
                self._attr_extra_state_attributes = {
                    name: last.attributes.get(name) for name in _OF_A_FAILURE
                }
        self.async_on_remove(self.account.async_listen(self._async_follow))

    @callback
    def _async_follow(self, event: CourierEvent) -> None:
        if not isinstance(event, Deferred | Delivered | Failed) or event.digest is not None:
            return
        attempt = (event.message_id, event.attempts)
        if isinstance(event, Delivered):
            # That of an attempt which failed for others says nothing new.
            if self._attr_native_value == NO_FAILURE or attempt == self._attempt:
                return
            self._clear()
        elif (failure := failure_in(event)) is not None:
            self._attempt = attempt
            self._attr_native_value = failure.kind.value
            self._attr_extra_state_attributes = {
                "reply": failure.server_words or None,
                "stage": failure.stage.value,
                "recipients": len(event.recipients),
                "time": iso_time(event.at),
            }
        else:
            return
        self.async_write_ha_state()

    def _clear(self) -> None:
        self._attr_native_value = NO_FAILURE
        self._attr_extra_state_attributes = dict.fromkeys(_OF_A_FAILURE)


def _tested_at(account: Account) -> datetime | None:
    return time_in(account.entry.data, CONF_DELIVERED_AT)

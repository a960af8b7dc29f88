"""What becomes of each mail, as an event that automations can begin with."""

from __future__ import annotations

from typing import Any

from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import Account, EmailCourierConfigEntry
from .answer.question import Answer
from .const import SIGNAL_ANSWER
from .entity import MAIL_EVENT, AccountEntity
from .mail.failure import Failure
from .mail.outbox.events import CourierEvent, Deferred, Delivered, Failed

PARALLEL_UPDATES = 0

DELIVERED = "delivered"
DEFERRED = "deferred"
FAILED = "failed"
ANSWERED = "answered"


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EmailCourierConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the account's event."""
    async_add_entities([MailEvent(entry.runtime_data, MAIL_EVENT)])


class MailEvent(AccountEntity, EventEntity):
    """One event for all recipients of a mail whom the same thing has happened to."""

    _attr_translation_key = "mail"

    def __init__(self, account: Account, key: str) -> None:
        """Belong to an account."""
        super().__init__(account, key)
        self._attr_event_types = [DELIVERED, DEFERRED, FAILED, ANSWERED]

    async def async_added_to_hass(self) -> None:
        """Begin to follow the account."""
        await super().async_added_to_hass()
        self.async_on_remove(self.account.async_listen(self._async_follow))
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_ANSWER, self._async_take_answer)
        )

    @callback
    def _async_follow(self, event: CourierEvent) -> None:
        match event:
            case Delivered(reply=reply):
                self._tell(DELIVERED, event, reply=None if reply is None else str(reply))
            case Deferred(failure=failure):
                self._tell(DEFERRED, event, **_cause(failure))
            case Failed(failure=failure, reason=reason):
                self._tell(FAILED, event, **_cause(failure), reason=reason.value)

    @callback
    def _async_take_answer(self, answer: Answer) -> None:
        if answer.mail.entry_id != self.account.entry.entry_id:
            return
        self._trigger_event(
            ANSWERED, {"account": self.account.entry.title, **answer.as_event_data()}
        )
        self.async_write_ha_state()

    def _tell(
        self, event_type: str, event: Delivered | Deferred | Failed, **particulars: Any
    ) -> None:
        self._trigger_event(
            event_type,
            {
                "account": self.account.entry.title,
                "recipients": list(event.recipients),
                "subject": event.subject,
                "message_id": event.message_id,
                "attempts": event.attempts,
                "digest": event.digest,
                "kind": None,
                **particulars,
            },
        )
        self.async_write_ha_state()


def _cause(failure: Failure | None) -> dict[str, str | None]:
    if failure is None:
        return {"kind": None, "reply": None}
    return {"kind": failure.kind.value, "reply": failure.server_words or None}

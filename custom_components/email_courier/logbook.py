"""What becomes of mail, as events, and as lines that tell it in Home Assistant's activity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.const import Platform
from homeassistant.core import Context, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .const import DOMAIN, EVENT_ACTION, EVENT_MAIL
from .entity import MAIL_EVENT, unique_id
from .mail.failure import Failure
from .mail.outbox.events import CourierEvent, Deferred, Delivered, Failed, HandedOver, MailEvent
from .phrases import Phrases
from .recipients import Named, async_named, shortened

if TYPE_CHECKING:
    from .account import Account

_DASH: Final = "\N{EN DASH} "
_COLONS: Final = " :\N{FULLWIDTH COLON}\N{NO-BREAK SPACE}"
_ICONS: Final = {
    "delivered": "mdi:email-check-outline",
    "deferred": "mdi:email-sync-outline",
    "failed": "mdi:email-alert-outline",
    "handed_over": "mdi:email-arrow-right-outline",
    "dropped": "mdi:email-remove-outline",
}


class Activity:
    """Fires an event for each recipient of a mail whom something has happened to."""

    def __init__(self, account: Account) -> None:
        """Belong to an account."""
        self._account = account
        self._hass = account.hass
        self._event_id = unique_id(account.entry, MAIL_EVENT)

    @callback
    def async_start(self) -> None:
        """Begin to follow the account."""
        self._account.entry.async_on_unload(self._account.async_listen(self._async_follow))

    @callback
    def _async_follow(self, event: CourierEvent) -> None:
        if not isinstance(event, MailEvent):
            return
        entry = self._account.entry
        everyone = async_named(
            self._hass, entry, event.recipients, event.origin, self._account.recipients
        )
        entity_id = er.async_get(self._hass).async_get_entity_id(
            Platform.EVENT, DOMAIN, self._event_id
        )
        data = self._describe(event) | ({} if entity_id is None else {"entity_id": entity_id})
        for named in everyone:
            self._hass.bus.async_fire(
                EVENT_MAIL, data | self._whom(named), context=_context_of(event)
            )

    def _describe(self, event: MailEvent) -> dict[str, Any]:
        """Return what is the same for all recipients."""
        entry = self._account.entry
        data: dict[str, Any] = {
            "outcome": event.outcome,
            "config_entry_id": entry.entry_id,
            "account": entry.title,
            "subject": event.subject or None,
            "message_id": event.message_id,
            "attempts": event.attempts,
            "digest": event.digest,
            "kind": None,
            "reply": None,
            "reason": None,
        }
        match event:
            case Delivered(reply=reply):
                data["reply"] = None if reply is None else str(reply)
            case Deferred(failure=failure, reason=reason):
                data |= _cause(failure) | {"reason": reason and reason.value}
            case Failed(failure=failure, reason=reason):
                data |= _cause(failure) | {"reason": reason.value}
            case HandedOver(backup=backup):
                other = self._hass.config_entries.async_get_entry(backup)
                data["backup"] = backup if other is None else other.title
        return data

    def _whom(self, named: Named) -> dict[str, Any]:
        device = dr.async_get(self._hass).async_get_device_by_identifier(
            (DOMAIN, named.device), named.entry_id
        )
        return {
            "recipient": named.name,
            "recipients": list(named.addresses),
            "device_id": None if device is None else device.id,
        }


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, str]]], None],
) -> None:
    """Say in the language of the home what an event of a mail means."""

    @callback
    def describe(event: Event) -> dict[str, str]:
        phrases = Phrases.cached(hass)
        data = event.data
        outcome = str(data["outcome"])
        return {
            LOGBOOK_ENTRY_NAME: _name(phrases, data),
            LOGBOOK_ENTRY_MESSAGE: f"{_DASH}{_message(phrases, outcome, data)}",
            LOGBOOK_ENTRY_ICON: _ICONS.get(outcome, "mdi:email-outline"),
        }

    @callback
    def describe_answer(event: Event) -> dict[str, str]:
        phrases = Phrases.cached(hass)
        data = event.data
        title, user = str(data.get("title")), data.get("user")
        if user:
            said = phrases.say("activity_answered_by", action=title, user=str(user))
        else:
            said = phrases.say("activity_answered", action=title)
        return {
            LOGBOOK_ENTRY_NAME: _name(phrases, data),
            LOGBOOK_ENTRY_MESSAGE: f"{_DASH}{said}",
            LOGBOOK_ENTRY_ICON: "mdi:gesture-tap-button",
        }

    async_describe_event(DOMAIN, EVENT_MAIL, describe)
    async_describe_event(DOMAIN, EVENT_ACTION, describe_answer)


def _name(phrases: Phrases, data: Mapping[str, Any]) -> str:
    whom = data.get("recipient") or shortened(data.get("recipients") or ())
    if data.get("subject"):
        return phrases.say("activity_mail", subject=data["subject"], recipient=whom)
    return phrases.say("activity_mail_without_subject", recipient=whom)


def _message(phrases: Phrases, outcome: str, data: Mapping[str, Any]) -> str:
    if outcome == "handed_over":
        return phrases.say("activity_handed_over", account=str(data.get("backup")))
    kind, reason, reply = data.get("kind"), data.get("reason"), data.get("reply")
    cause = "" if kind is None else phrases.kind(kind)
    if outcome == "deferred":
        text = phrases.say(f"activity_{reason or outcome}", cause=cause)
    elif outcome == "failed":
        name = "activity_expired" if reason == "expired" else "activity_failed"
        text = phrases.say(name, cause=f"{cause} ({reply})" if reply else cause)
    else:
        text = phrases.say(f"activity_{outcome}")
    return text.rstrip(_COLONS)  # where no cause is known


def _context_of(event: MailEvent) -> Context | None:
    origin = event.origin
    if origin is None or origin.context is None:
        return None
    return Context(id=origin.context, parent_id=origin.parent, user_id=origin.user)


def _cause(failure: Failure | None) -> dict[str, str | None]:
    if failure is None:
        return {"kind": None, "reply": None}
    return {"kind": failure.kind.value, "reply": failure.server_words or None}

"""What automations can begin with: an email that failed, waits, was delivered, or answered.

Home Assistant looks for this module by its name. Its interface for triggers may still change:
nothing else here knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Final, override

from homeassistant.components.event.const import DOMAIN as EVENT_DOMAIN
from homeassistant.const import CONF_FOR, CONF_OPTIONS, CONF_TARGET
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids
from homeassistant.helpers.trigger import (
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .account import Account, EmailCourierConfigEntry, loaded_account
from .answer.question import Answer
from .const import DOMAIN, SIGNAL_ANSWER, SIGNAL_MAIL, SUBENTRY_RECIPIENT
from .mail.failure import Failure
from .mail.outbox.events import (
    CourierEvent,
    Deferred,
    Delivered,
    Dropped,
    Failed,
    HandedOver,
    MailEvent,
)
from .recipients import Recipients

type Run = Callable[[Account, MailEvent, Failure | None], None]

DEFAULT_FOR: Final = timedelta(hours=1)

_SCHEMA = vol.Schema(
    {vol.Optional(CONF_OPTIONS, default=dict): {}, vol.Optional(CONF_TARGET): object}
)
_WAITING_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_OPTIONS, default=dict): {
            vol.Optional(CONF_FOR, default=DEFAULT_FOR): cv.positive_time_period
        },
        vol.Optional(CONF_TARGET): object,
    }
)


CONF_ACTION: Final = "action"
_PRESSED_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_OPTIONS, default=dict): {
            vol.Optional(CONF_ACTION, default=list): vol.All(cv.ensure_list, [cv.string])
        },
        vol.Optional(CONF_TARGET): object,
    }
)


class MailTrigger(Trigger):
    """Fires for mail of the accounts and to the recipients that are its target.

    A recipient stands for its addresses, however they came into the mail. Without a target, all
    mail counts. What an account tells at its start of the past is not told again.
    """

    _schema = _SCHEMA

    @override
    @classmethod
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        validated: ConfigType = cls._schema(config)
        return validated

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Remember what is asked for."""
        super().__init__(hass, config)
        self.target = config.target
        self.options = config.options or {}

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        return self._async_follow(partial(self._run, run_action))

    def _async_follow(self, run: Run) -> CALLBACK_TYPE:
        raise NotImplementedError

    @callback
    def _run(
        self,
        run_action: TriggerActionRunner,
        account: Account,
        event: MailEvent,
        failure: Failure | None,
    ) -> None:
        """Run the actions if the mail is one of the target's."""
        if event.digest is not None or not self._concerns(account.entry, event.recipients):
            return
        reply = getattr(event, "reply", None)
        payload = {
            "account": account.entry.title,
            "config_entry_id": account.entry.entry_id,
            "subject": event.subject,
            "recipients": list(event.recipients),
            "message_id": event.message_id,
            "attempts": event.attempts,
            "kind": None if failure is None else failure.kind.value,
            "reply": (str(reply) if reply else None)
            if failure is None
            else failure.server_words or None,
        }
        run_action(payload, f"email {event.outcome}: {event.subject}")

    def _concerns(self, entry: EmailCourierConfigEntry, addresses: Collection[str]) -> bool:
        """Tell whether the target means an account, or somebody who is at one of the addresses."""
        if not self.target:
            return True
        selected = async_extract_referenced_entity_ids(
            self._hass, TargetSelection(self.target), primary_entities_only=False
        )
        registry = er.async_get(self._hass)
        wanted = {address.casefold() for address in addresses}
        return any(
            entity.config_entry_id == entry.entry_id
            and (entity.domain == EVENT_DOMAIN or not wanted.isdisjoint(_addresses(entry, entity)))
            for entity_id in selected.referenced | selected.indirectly_referenced
            if (entity := registry.async_get(entity_id)) is not None and entity.platform == DOMAIN
        )


class FailedTrigger(MailTrigger):
    """Some or all of a mail's recipients will not get it."""

    @override
    def _async_follow(self, run: Run) -> CALLBACK_TYPE:
        @callback
        def follow(account: Account, event: CourierEvent | None) -> None:
            if isinstance(event, Failed):
                run(account, event, event.failure)

        return async_dispatcher_connect(self._hass, SIGNAL_MAIL, follow)


class DeliveredTrigger(MailTrigger):
    """The server has accepted a mail."""

    @override
    def _async_follow(self, run: Run) -> CALLBACK_TYPE:
        @callback
        def follow(account: Account, event: CourierEvent | None) -> None:
            if isinstance(event, Delivered):
                run(account, event, None)

        return async_dispatcher_connect(self._hass, SIGNAL_MAIL, follow)


class WaitingTrigger(MailTrigger):
    """A mail that could not be delivered has waited for some time; once for each mail."""

    _schema = _WAITING_SCHEMA

    @override
    def _async_follow(self, run: Run) -> CALLBACK_TYPE:
        watch = _Watch(self._hass, self.options.get(CONF_FOR, DEFAULT_FOR).total_seconds(), run)
        return watch.async_start()


class ButtonPressedTrigger(MailTrigger):
    """Somebody has pressed a button in a mail: any, or one of those that are named."""

    _schema = _PRESSED_SCHEMA

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        @callback
        def follow(answer: Answer) -> None:
            mail, name = answer.mail, answer.action.name
            actions = self.options.get(CONF_ACTION)
            entry = self._hass.config_entries.async_get_entry(mail.entry_id)
            if entry is None or (actions and name not in actions):
                return
            if self._concerns(entry, mail.recipients):
                payload = {
                    "account": entry.title,
                    "config_entry_id": mail.entry_id,
                    **answer.as_event_data(),
                    "tag": answer.question.thread,
                }
                run_action(payload, f"button {name} pressed in an email")

        return async_dispatcher_connect(self._hass, SIGNAL_ANSWER, follow)


class _Waiting:
    """A mail that waits. due: UTC timestamp in seconds, None once that was told."""

    def __init__(
        self,
        account: Account,
        event: Deferred,
        due: float | None,
        failures: dict[str, Failure | None],
    ) -> None:
        self.account = account
        self.event = event
        self.due = due
        self.failures = failures


class _Watch:
    """Knows since when each mail has waited, and tells when that has been long enough.

    Time counts from when a mail was handed in, across restarts and reloads. Mail that had waited
    long enough before is not told again.
    """

    def __init__(self, hass: HomeAssistant, seconds: float, run: Run) -> None:
        self._hass = hass
        self._seconds = seconds
        self._run = run
        self._mails: dict[tuple[str, str], _Waiting] = {}
        self._timer: CALLBACK_TYPE | None = None
        self._is_over = False

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Follow all accounts, and return what ends that."""
        disconnect = async_dispatcher_connect(self._hass, SIGNAL_MAIL, self._async_follow)
        for entry in self._hass.config_entries.async_entries(DOMAIN):
            if (account := loaded_account(self._hass, entry.entry_id)) is not None:
                self._async_look_at(account)

        @callback
        def end() -> None:
            self._is_over = True
            disconnect()
            self._cancel()

        return end

    @callback
    def _async_follow(self, account: Account, event: CourierEvent | None) -> None:
        match event:
            case None:
                self._async_look_at(account)
            case Deferred():
                self._defer(account, event)
            case Delivered() | Failed() | HandedOver() | Dropped():
                self._settle(account, event)
            case _:
                return
        self._set_timer()

    def _async_look_at(self, account: Account) -> None:
        """Take note of mail that waits already."""
        self._hass.async_create_task(self._look_at(account), "email_courier waiting mail")

    async def _look_at(self, account: Account) -> None:
        now = dt_util.utcnow().timestamp()
        for record in await account.courier.waiting():
            key = (account.entry.entry_id, record.message_id)
            if key in self._mails or not (record.attempts or record.failure):
                continue  # that which the flood guard holds back has not been tried
            event = Deferred(
                at=record.born,
                message_id=record.message_id,
                subject=record.subject,
                recipients=record.addresses,
                attempts=record.attempts,
                failure=record.failure,
                next_attempt=None,
            )
            due = record.born + self._seconds
            failures = {one.address: one.failure for one in record.owed}
            self._mails[key] = _Waiting(account, event, due if due > now else None, failures)
        self._set_timer()

    def _defer(self, account: Account, event: Deferred) -> None:
        key = (account.entry.entry_id, event.message_id)
        if (waiting := self._mails.get(key)) is None:
            if event.failure is None and not event.attempts:
                return  # held back by the flood guard
            waiting = _Waiting(account, event, event.at + self._seconds, {})
            self._mails[key] = waiting
        waiting.account, waiting.event = account, event
        waiting.failures |= dict.fromkeys(event.recipients, event.failure)

    def _settle(self, account: Account, event: MailEvent) -> None:
        """Forget those for whom a mail does not wait any more."""
        key = (account.entry.entry_id, event.message_id)
        if (waiting := self._mails.get(key)) is not None:
            for address in event.recipients:
                waiting.failures.pop(address, None)
            if not waiting.failures:
                del self._mails[key]

    def _set_timer(self) -> None:
        self._cancel()
        dues = [one.due for one in self._mails.values() if one.due is not None]
        if dues and not self._is_over:
            delay = max(min(dues) - dt_util.utcnow().timestamp(), 0)
            self._timer = async_call_later(self._hass, delay, self._async_tell)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer()
            self._timer = None

    @callback
    def _async_tell(self, now: datetime) -> None:
        self._timer = None
        for key, waiting in [*self._mails.items()]:
            if waiting.due is None or waiting.due > now.timestamp():
                continue
            waiting.due = None
            if self._hass.config_entries.async_get_entry(key[0]) is None:
                del self._mails[key]  # went with its account
            else:
                event = _about(waiting)
                self._run(waiting.account, event, event.failure)
        self._set_timer()


def _about(waiting: _Waiting) -> Deferred:
    """Return the event for all for whom a mail waits still."""
    event = waiting.event
    return Deferred(
        at=event.at,
        message_id=event.message_id,
        subject=event.subject,
        recipients=tuple(waiting.failures),
        attempts=event.attempts,
        digest=event.digest,
        failure=next((one for one in waiting.failures.values() if one is not None), event.failure),
        next_attempt=event.next_attempt,
    )


def _addresses(entry: EmailCourierConfigEntry, entity: er.RegistryEntry) -> set[str]:
    """Return the addresses behind a recipient's entity; none behind another."""
    subentry = entry.subentries.get(entity.config_subentry_id or "")
    if subentry is None or subentry.subentry_type != SUBENTRY_RECIPIENT:
        return set()
    recipients = Recipients.of_subentry(subentry)
    return {
        mailbox.address.casefold() for mailbox in (*recipients.to, *recipients.cc, *recipients.bcc)
    }


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers by the names that automations know."""
    return {
        "failed": FailedTrigger,
        "waiting": WaitingTrigger,
        "delivered": DeliveredTrigger,
        "button_pressed": ButtonPressedTrigger,
    }

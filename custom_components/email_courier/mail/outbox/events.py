"""What the courier tells its listeners."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from copy import replace
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
import logging
from typing import Any, ClassVar, NamedTuple

from ..envelope import RecipientOutcome
from ..failure import Failure
from ..reply import Reply
from .record import MailRecord
from .submission import Origin

_LOGGER = logging.getLogger(__name__)


class GivenUp(StrEnum):
    """Why a mail will not be tried again."""

    REFUSED = "refused"
    EXPIRED = "expired"
    AMBIGUOUS = "ambiguous"
    NOT_KEPT = "not_kept"


class Kept(StrEnum):
    """Why a mail waits that nothing has gone wrong with."""

    HELD = "held"
    PAUSED = "paused"


@dataclass(frozen=True, kw_only=True)
class MailEvent:
    """Something became of a mail, for some of its recipients.

    outcome: what it is called.
    at: UTC timestamp in seconds.
    recipients: the addresses this event is about.
    attempts: how often the mail has been tried.
    digest: the Message-ID of the digest that the mail is in, whose outcome this is too. The digest
    has an event of its own, before those of its mails: who counts, counts the ones or the other.
    origin: who had the mail sent, where that is known.
    """

    outcome: ClassVar[str]

    at: float
    message_id: str
    subject: str
    recipients: tuple[str, ...]
    attempts: int
    digest: str | None = None
    origin: Origin | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {
            "outcome": self.outcome,
            "at": self.at,
            "message_id": self.message_id,
            "subject": self.subject,
            "recipients": list(self.recipients),
            "attempts": self.attempts,
            **({} if self.digest is None else {"digest": self.digest}),
        }


@dataclass(frozen=True, kw_only=True)
class Delivered(MailEvent):
    """The server accepted the mail for these recipients."""

    outcome = "delivered"

    reply: Reply | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        reply = None if self.reply is None else str(self.reply)
        return {**MailEvent.as_dict(self), "reply": reply}


@dataclass(frozen=True, kw_only=True)
class Deferred(MailEvent):
    """The mail waits on disk for these recipients.

    failure: why, if an attempt was made.
    next_attempt: UTC timestamp in seconds, None while the account is paused.
    reason: why, if it was not tried at all because it was not to be.
    """

    outcome = "deferred"

    failure: Failure | None
    next_attempt: float | None
    reason: Kept | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {
            **MailEvent.as_dict(self),
            "failure": None if self.failure is None else self.failure.as_dict(),
            "next_attempt": self.next_attempt,
            **({} if self.reason is None else {"reason": self.reason.value}),
        }


@dataclass(frozen=True, kw_only=True)
class Failed(MailEvent):
    """These recipients will not get the mail (or, when ambiguous, may not have got it).

    is_promised: whoever sent it has long been told that it is kept, and hears of it here alone.
    """

    outcome = "failed"

    reason: GivenUp
    failure: Failure | None
    is_promised: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {
            **MailEvent.as_dict(self),
            "reason": self.reason.value,
            "failure": None if self.failure is None else self.failure.as_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class HandedOver(MailEvent):
    """The backup account has taken the mail for these recipients."""

    outcome = "handed_over"

    backup: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {**MailEvent.as_dict(self), "backup": self.backup}


@dataclass(frozen=True, kw_only=True)
class Dropped(MailEvent):
    """Somebody had the mail removed."""

    outcome = "dropped"


class Damaged(NamedTuple):
    """Files of waiting mail were not what had been written, and have been set aside."""

    names: tuple[str, ...]


class Paused(NamedTuple):
    """The login was refused: this courier makes no further attempt."""

    failure: Failure


class DiskTrouble(NamedTuple):
    """The folder could not be read or written; the mails in it are still remembered."""

    detail: str


class OutboxState(NamedTuple):
    """The outbox at a glance.

    waiting: mails on disk, held ones included; waiting_bytes: their size.
    fullness: the fuller of the two limits, as a part of 1.
    down: why no connection could be made, while that is so.
    paused: the refused login that holds everything up.
    next_attempt: UTC timestamp in seconds of the next scheduled attempt.
    is_suspended: somebody wants nothing to be sent for now.
    """

    waiting: int = 0
    waiting_bytes: int = 0
    fullness: float = 0.0
    down: Failure | None = None
    paused: Failure | None = None
    next_attempt: float | None = None
    is_suspended: bool = False


class StateChanged(NamedTuple):
    """The outbox at a glance has changed."""

    state: OutboxState


type CourierEvent = (
    Delivered
    | Deferred
    | Failed
    | HandedOver
    | Dropped
    | Damaged
    | Paused
    | DiskTrouble
    | StateChanged
)


class Notifier:
    """Turns outcomes into events; recipients with the same answer share one."""

    def __init__(self, clock: Callable[[], float], shown: Callable[[float], float] = float) -> None:
        """Tell nobody yet.

        clock: returns the UTC timestamp in seconds. shown: returns a time of the run as one.
        """
        self.hides_subjects = False
        self._listeners: list[Callable[[CourierEvent], None]] = []
        self._clock = clock
        self._shown = shown
        self._state = OutboxState()
        self._untold: list[CourierEvent] = []

    def listen(self, listener: Callable[[CourierEvent], None]) -> Callable[[], None]:
        """Tell one more from now on, and return what ends that.

        A listener's error is logged and harms no mail.
        """
        self._listeners.append(listener)
        return partial(self._listeners.remove, listener)

    def tell(self, event: CourierEvent) -> None:
        """Pass an event on."""
        self.catch_up()
        self._pass_on(event)

    def catch_up(self) -> None:
        """Pass on what was left for a moment."""
        untold, self._untold = self._untold, []
        for event in untold:
            self._pass_on(event)

    def _tell_soon(self, event: CourierEvent) -> None:
        """Pass an event on when the loop comes to it: the next mail need not wait for listeners."""
        if not self._untold:
            asyncio.get_running_loop().call_soon(self.catch_up)
        self._untold.append(event)

    def _pass_on(self, event: CourierEvent) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:
                _LOGGER.exception("A listener of the outbox failed")

    def state(self, state: OutboxState) -> None:
        """Pass the state on if it has changed."""
        if state != self._state:
            self._state = state
            self.tell(StateChanged(state))

    def trouble(self, error: OSError | None) -> None:
        """Pass on that the disk did not do as it should, if so it was."""
        if error is not None:
            self.tell(DiskTrouble(error.strerror or str(error)))

    def delivered(self, record: MailRecord, outcomes: Iterable[RecipientOutcome]) -> None:
        """Tell that recipients have a mail."""
        for reply, group in _by_reply(outcomes):
            event = Delivered(**self._about(record, _addresses(group)), reply=reply)
            self._tell_of(record, event, self._tell_soon)

    def deferred(
        self,
        record: MailRecord,
        next_attempt: float | None,
        failure: Failure | None = None,
        reason: Kept | None = None,
    ) -> None:
        """Tell that a mail waits; the failure stands in where no attempt of its own has one.

        next_attempt: time of the run in seconds.
        """
        if next_attempt is not None:
            next_attempt = self._shown(next_attempt)
        for cause, group in _by_failure(record.outcomes):
            about = self._about(record, _addresses(group))
            self.tell(
                Deferred(
                    **about, failure=cause or failure, next_attempt=next_attempt, reason=reason
                )
            )

    def failed(
        self,
        record: MailRecord,
        outcomes: Iterable[RecipientOutcome],
        reason: GivenUp,
        failure: Failure | None = None,
        *,
        is_promised: bool = False,
    ) -> None:
        """Tell that recipients will not get a mail."""
        for cause, group in _by_failure(outcomes):
            about = self._about(record, _addresses(group))
            event = Failed(
                **about, reason=reason, failure=cause or failure, is_promised=is_promised
            )
            self._tell_of(record, event, self.tell)

    def handed_over(self, record: MailRecord, backup: str) -> None:
        """Tell that the backup account has a mail."""
        event = HandedOver(**self._about(record, record.addresses), backup=backup)
        self._tell_of(record, event, self.tell)

    def dropped(self, record: MailRecord) -> None:
        """Tell that somebody had a mail removed."""
        self._tell_of(record, Dropped(**self._about(record, record.addresses)), self.tell)

    def _about(self, record: MailRecord, recipients: tuple[str, ...]) -> dict[str, Any]:
        """Return what every event of a mail says."""
        return {
            "at": self._clock(),
            "message_id": record.message_id,
            "subject": "" if self.hides_subjects else record.subject,
            "recipients": recipients,
            "attempts": record.attempts,
            "origin": record.origin,
        }

    def _tell_of[E: (Delivered, Failed, HandedOver, Dropped)](
        self,
        record: MailRecord,
        event: E,
        tell: Callable[[CourierEvent], None],
    ) -> None:
        """Tell of a mail, and then of each that is in it."""
        tell(event)
        for part in record.stands_for:
            tell(
                replace(
                    event,
                    message_id=part.message_id,
                    subject="" if self.hides_subjects else part.subject,
                    digest=record.message_id,
                    origin=part.origin,
                )
            )


def _addresses(outcomes: Iterable[RecipientOutcome]) -> tuple[str, ...]:
    return tuple(outcome.address for outcome in outcomes)


def _by_failure(
    outcomes: Iterable[RecipientOutcome],
) -> list[tuple[Failure | None, list[RecipientOutcome]]]:
    groups: list[tuple[Failure | None, list[RecipientOutcome]]] = []
    for outcome in outcomes:
        group = next((found for failure, found in groups if failure == outcome.failure), None)
        if group is None:
            groups.append((outcome.failure, [outcome]))
        else:
            group.append(outcome)
    return groups


def _by_reply(
    outcomes: Iterable[RecipientOutcome],
) -> list[tuple[Reply | None, list[RecipientOutcome]]]:
    groups: dict[Reply | None, list[RecipientOutcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.reply, []).append(outcome)
    return list(groups.items())

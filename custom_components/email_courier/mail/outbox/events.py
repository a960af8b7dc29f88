"""What the courier tells the one who listens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from ..failure import Failure
from ..reply import Reply


class GivenUp(StrEnum):
    """Why a mail will not be tried again."""

    REFUSED = "refused"
    EXPIRED = "expired"
    AMBIGUOUS = "ambiguous"
    NOT_KEPT = "not_kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailEvent:
    """Something became of a mail, for some of its recipients.

    outcome: what it is called.
    at: UTC timestamp in seconds.
    recipients: the addresses this event is about.
    attempts: how often the mail has been tried.
    digest: the Message-ID of the digest that the mail is in, whose outcome this is too. The digest
    has an event of its own, before those of its mails: who counts, counts the ones or the other.
    """

    outcome: ClassVar[str]

    at: float
    message_id: str
    subject: str
    recipients: tuple[str, ...]
    attempts: int
    digest: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {
            "outcome": self.outcome,
            "at": self.at,
            "message_id": self.message_id,
            "subject": self.subject,
            "recipients": list(self.recipients),
            "attempts": self.attempts,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(MailEvent):
    """The server accepted the mail for these recipients."""

    outcome = "delivered"

    reply: Reply | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        reply = None if self.reply is None else str(self.reply)
        return {**MailEvent.as_dict(self), "reply": reply}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred(MailEvent):
    """The mail waits on disk for these recipients.

    failure: why, if an attempt was made.
    next_attempt: UTC timestamp in seconds, None while the account is paused.
    """

    outcome = "deferred"

    failure: Failure | None
    next_attempt: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {
            **MailEvent.as_dict(self),
            "failure": None if self.failure is None else self.failure.as_dict(),
            "next_attempt": self.next_attempt,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(MailEvent):
    """These recipients will not get the mail (or, when ambiguous, may not have got it)."""

    outcome = "failed"

    reason: GivenUp
    failure: Failure | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {
            **MailEvent.as_dict(self),
            "reason": self.reason.value,
            "failure": None if self.failure is None else self.failure.as_dict(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver(MailEvent):
    """The backup account has taken the mail for these recipients."""

    outcome = "handed_over"

    backup: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {**MailEvent.as_dict(self), "backup": self.backup}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped(MailEvent):
    """Somebody had the mail removed."""

    outcome = "dropped"


@dataclass(frozen=True, slots=True)
class Damaged:
    """Files of waiting mail were not what had been written, and have been set aside."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paused:
    """The login was refused: this courier makes no further attempt."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class DiskTrouble:
    """The folder could not be read or written; the mails in it are still remembered."""

    detail: str


@dataclass(frozen=True, slots=True)
class OutboxState:
    """The outbox at a glance.

    waiting: mails on disk, held ones included; waiting_bytes: their size.
    fullness: the fuller of the two limits, as a part of 1.
    down: why no connection could be made, while that is so.
    paused: the refused login that holds everything up.
    next_attempt: UTC timestamp in seconds of the next scheduled attempt.
    """

    waiting: int = 0
    waiting_bytes: int = 0
    fullness: float = 0.0
    down: Failure | None = None
    paused: Failure | None = None
    next_attempt: float | None = None


@dataclass(frozen=True, slots=True)
class StateChanged:
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

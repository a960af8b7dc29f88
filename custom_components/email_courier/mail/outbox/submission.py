"""What is handed to the outbox, and what its caller gets for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple, Self

from ..envelope import Envelope, RecipientOutcome
from ..failure import Failure
from ..payload import Payload


class OutboxReason(StrEnum):
    """Why the outbox did not take a mail."""

    FULL = "full"
    DISK = "disk"
    FLOOD = "flood"
    SUSPENDED = "suspended"


class OutboxError(Exception):
    """A mail was neither delivered nor kept, and nothing of it is left behind.

    detail: the cause in technical words. system: the error number of what the system refused.
    failure: what had kept the mail from being delivered, if an attempt was made.
    """

    def __init__(
        self,
        reason: OutboxReason,
        detail: str,
        failure: Failure | None = None,
        *,
        system: int | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}" if failure is None else f"{detail}; {failure}")
        self.reason = reason
        self.detail = detail
        self.failure = failure
        self.system = system

    def because_of(self, failure: Failure | None) -> OutboxError:
        """Return the same error for a mail that was tried before."""
        return OutboxError(self.reason, self.detail, failure, system=self.system)


class DamagedMailError(Exception):
    """A mail on disk is not what was written; str() says in what way."""


DAY = 86_400.0
"""Seconds."""


class Rank(IntEnum):
    """Which mail goes first; the lower rank does."""

    HIGH = 0
    NORMAL = 1


class Origin(NamedTuple):
    """Who had a mail sent, as the program around the outbox names it; events give it back.

    context, parent, user: what ran, what had that run, and for whom.
    recipients: those that were named, by their ids.
    """

    context: str | None = None
    parent: str | None = None
    user: str | None = None
    recipients: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {**self._asdict(), "recipients": list(self.recipients)}

    @classmethod
    def from_dict(cls, data: object) -> Self | None:
        """Restore what as_dict returned; None for anything else, which loses no mail."""
        if not isinstance(data, Mapping):
            return None
        context, parent, user = (
            each if isinstance(each, str) else None
            for each in (data.get("context"), data.get("parent"), data.get("user"))
        )
        named = data.get("recipients")
        recipients = tuple(map(str, named)) if isinstance(named, list) else ()
        return cls(context, parent, user, recipients)


class DigestPart(NamedTuple):
    """A mail that a digest stands for."""

    message_id: str
    subject: str
    origin: Origin | None = None


@dataclass(frozen=True)
class OutgoingMail:
    """A finished message with its envelope.

    data: the message as it goes over the wire (CRLF line ends, not dot-stuffed); every attempt
    sends exactly these bytes.
    expires_after: seconds after which it is given up and reported.
    queue: False fails now instead of waiting.
    visited_accounts: the accounts that have already given it to their backup account.
    stands_for: the mails that are in it where it is a digest; what becomes of it becomes of them.
    origin: who had it sent, where that is known.
    """

    envelope: Envelope
    data: Payload = field(repr=False)
    message_id: str
    subject: str = ""
    rank: Rank = Rank.NORMAL
    expires_after: float = DAY
    queue: bool = True
    visited_accounts: tuple[str, ...] = ()
    stands_for: tuple[DigestPart, ...] = ()
    origin: Origin | None = None


class Status(StrEnum):
    """Where a mail stands when the call returns."""

    SENT = "sent"
    QUEUED = "queued"
    PARTIAL = "partial"


class Receipt(NamedTuple):
    """The state of a mail for which nothing more is asked of the caller.

    accepted: recipients the server accepted the mail for.
    refused: recipients that will not get it, each with its failure.
    owed: recipients for whom the mail lies on disk, each with the failure of the last attempt
    if there was one.
    server_reply: the server's deciding words, else the technical cause, else nothing.
    attempts: how often this mail has been tried.
    """

    message_id: str
    accepted: tuple[RecipientOutcome, ...] = ()
    refused: tuple[RecipientOutcome, ...] = ()
    owed: tuple[RecipientOutcome, ...] = ()
    server_reply: str = ""
    attempts: int = 0

    @property
    def status(self) -> Status:
        """Sent to all, queued for all, or neither."""
        if not self.refused and not self.owed:
            return Status.SENT
        if not self.refused and not self.accepted:
            return Status.QUEUED
        return Status.PARTIAL


def refused_receipt(mail: OutgoingMail, failure: Failure) -> Receipt:
    """Return the receipt of a mail that nobody gets."""
    return Receipt(
        message_id=mail.message_id,
        refused=tuple(
            RecipientOutcome(address, failure.reply, failure)
            for address in mail.envelope.recipients
        ),
        server_reply=failure.server_words,
        attempts=1,
    )


def with_held(receipt: Receipt, addresses: Iterable[str]) -> Receipt:
    """Return a receipt for more recipients, for whom the mail is held back."""
    return receipt._replace(
        owed=receipt.owed + tuple(RecipientOutcome(address) for address in addresses)
    )

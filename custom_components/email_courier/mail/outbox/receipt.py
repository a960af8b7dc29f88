"""What the caller learns about a mail that has been taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from ..envelope import RecipientOutcome
from ..failure import Failure
from .outgoing import OutgoingMail
from .record import MailRecord


class Status(StrEnum):
    """Where a mail stands when the call returns."""

    SENT = "sent"
    QUEUED = "queued"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Receipt:
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


def refusal(mail: OutgoingMail, failure: Failure) -> Receipt:
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


def with_held(receipt: Receipt, held: Iterable[MailRecord]) -> Receipt:
    """Return a receipt for more recipients, for whom the mail is held back."""
    addresses = (address for record in held for address in record.addresses)
    return replace(receipt, owed=receipt.owed + tuple(RecipientOutcome(a) for a in addresses))

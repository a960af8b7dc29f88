"""A mail in hand: what the courier knows of it between taking it up and laying it down."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from ..failure import Failure
from ..payload import Payload
from .backlog import Entry
from .receipt import Receipt
from .record import MailRecord


@dataclass(slots=True, eq=False)
class Job:
    """One mail being handled.

    entry: its place among the mails on disk; None while it is in memory alone.
    answer: what the caller waits for; None when there is no caller any more.
    queue: whether it may be kept.
    dot_reached: whether its final dot may have been sent in the present attempt.
    is_concluding: its attempt has ended, and what that means is being written down.
    is_dropped: it is to be forgotten.
    """

    record: MailRecord
    data: Payload
    entry: Entry | None = None
    answer: asyncio.Future[Receipt] | None = None
    queue: bool = True
    dot_reached: bool = False
    is_concluding: bool = False
    is_dropped: bool = False
    keeping: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_awaited(self) -> bool:
        """Whether somebody still waits to hear how it went."""
        return self.answer is not None and not self.answer.done()

    def tell(self, receipt: Receipt) -> None:
        """Let the caller go with a receipt."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(receipt)

    def refuse(self, error: Exception) -> None:
        """Let the caller go with an error."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error)

    def queued(self, failure: Failure | None) -> Receipt:
        """Return the receipt of a mail that lies on disk for all it is owed to."""
        return Receipt(
            message_id=self.record.message_id,
            owed=tuple(owed.outcome for owed in self.record.owed),
            server_reply="" if failure is None else failure.server_words,
            attempts=self.record.attempts,
        )

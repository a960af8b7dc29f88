"""What keeps a mail from being kept."""

from __future__ import annotations

from enum import StrEnum

from ..failure import Failure


class OutboxReason(StrEnum):
    """Why the outbox did not take a mail."""

    FULL = "full"
    DISK = "disk"
    FLOOD = "flood"


class OutboxError(Exception):
    """A mail was neither delivered nor kept, and nothing of it is left behind.

    detail: the cause in technical words.
    failure: what had kept the mail from being delivered, if an attempt was made.
    """

    def __init__(self, reason: OutboxReason, detail: str, failure: Failure | None = None) -> None:
        """Carry a reason."""
        super().__init__(f"{reason}: {detail}" if failure is None else f"{detail}; {failure}")
        self.reason = reason
        self.detail = detail
        self.failure = failure


class DamagedMailError(Exception):
    """A mail on disk is not what was written; str() says in what way."""

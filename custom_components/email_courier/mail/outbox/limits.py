"""How much may wait."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import OutboxError, OutboxReason


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that an outbox takes: a count of mails, and their size in bytes together."""

    mails: int = 10_000
    size: int = 1024 * 1024 * 1024

    def admit(self, waiting: int, waiting_bytes: int, size: int) -> None:
        """Let one more mail of that size in. Raises OutboxError when there is no room."""
        if waiting + 1 > self.mails:
            raise OutboxError(OutboxReason.FULL, f"{waiting} mails are waiting")
        if waiting_bytes + size > self.size:
            detail = f"{waiting_bytes} bytes are waiting, {size} more would pass {self.size}"
            raise OutboxError(OutboxReason.FULL, detail)

    def fullness(self, waiting: int, waiting_bytes: int) -> float:
        """Return the fuller of the two limits, as a part of 1."""
        return max(waiting / self.mails, waiting_bytes / self.size)

"""How much may wait."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import OutboxError, OutboxReason


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that an outbox takes: a count of mails, and their size in bytes together."""

    mails: int = 10_000
    size: int = 1024 * 1024 * 1024


class Room:
    """Counts what is on disk against the limits.

    A mail is counted before it is written, so that calls at the same time cannot pass the limits
    together.
    """

    def __init__(self, limits: Limits) -> None:
        """Begin empty."""
        self.mails = 0
        self.size = 0
        self._limits = limits

    @property
    def fullness(self) -> float:
        """The fuller of the two limits, as a part of 1."""
        return max(self.mails / self._limits.mails, self.size / self._limits.size)

    def claim(self, size: int) -> None:
        """Count one more mail of so many bytes. Raises OutboxError when there is no room for it."""
        limits = self._limits
        if self.mails + 1 > limits.mails:
            raise OutboxError(OutboxReason.FULL, f"{self.mails} mails are waiting")
        if self.size + size > limits.size:
            detail = f"{self.size} bytes are waiting, {size} more would pass {limits.size}"
            raise OutboxError(OutboxReason.FULL, detail)
        self.count(size)

    def count(self, size: int) -> None:
        """Count a mail that is there already, whether or not there is room."""
        self.mails += 1
        self.size += size

    def free(self, size: int) -> None:
        """Count a mail no more."""
        self.mails -= 1
        self.size -= size

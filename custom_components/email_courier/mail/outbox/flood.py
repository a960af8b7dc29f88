"""How many mails an hour one recipient gets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from .outgoing import OutgoingMail, Rank

HOUR = 3600.0


class Pictures(Enum):
    """What becomes of the pictures in a digest."""

    AS_THEY_ARE = auto()
    SMALLER = auto()
    LEFT_OUT = auto()


class DigestDraft(Protocol):
    """One mail that is made of several to the same recipient. Every method blocks."""

    def add(self, mail: OutgoingMail) -> bool:
        """Take in one more; False, and nothing has changed, if the digest grew too large with it.

        Holds on to no more of it than its text: the rest goes into files.
        """
        ...

    def finish(self) -> OutgoingMail:
        """Return the digest."""
        ...

    def close(self) -> None:
        """Remove the files."""
        ...


class DigestWriter(Protocol):
    """Writes digests."""

    def limit(self) -> int:
        """Return how many bytes a digest may have on the wire."""
        ...

    def begin(self, pictures: Pictures) -> DigestDraft:
        """Begin one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodLimit:
    """At most so many mails an hour to one recipient; the others come together in one."""

    per_hour: int
    digests: DigestWriter


@dataclass(slots=True)
class _Window:
    ends: float
    mails: int


class FloodGuard:
    """Counts mails by recipient; a recipient's hour begins with the first one."""

    def __init__(self, per_hour: int) -> None:
        """Allow so many."""
        self._per_hour = per_hour
        self._windows: dict[str, _Window] = {}

    def count(self, mail: OutgoingMail, now: float) -> dict[str, float]:
        """Count a mail; return until when it is held back, for each recipient who has had enough.

        now and the times returned are UTC timestamps in seconds. High rank counts, and is never
        held back.
        """
        held: dict[str, float] = {}
        for address in mail.envelope.recipients:
            window = self._charge(address, now)
            if window.mails > self._per_hour and mail.rank is not Rank.HIGH:
                held[address] = window.ends
        return held

    def count_digest(self, address: str, now: float) -> None:
        """Count a digest for a recipient; it is never held back."""
        self._charge(address, now)

    def fill(self, address: str, ends: float) -> None:
        """Know a recipient who has had enough until a UTC timestamp in seconds."""
        self._windows[address.casefold()] = _Window(ends, self._per_hour)

    def _charge(self, address: str, now: float) -> _Window:
        self._windows = {a: w for a, w in self._windows.items() if w.ends > now}
        window = self._windows.setdefault(address.casefold(), _Window(now + HOUR, 0))
        window.mails += 1
        return window

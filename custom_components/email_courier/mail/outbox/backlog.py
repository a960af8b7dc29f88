"""Which waiting mail is next, without looking at all that wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import heapq

from .mail_id import MailId


@dataclass(slots=True, eq=False)
class Entry:
    """A mail on disk.

    next_attempt: UTC timestamp in seconds.
    is_busy: it is being attempted, handed over or removed; nobody else may begin with it.
    went_early: it has been tried ahead of its time once since its last scheduled attempt.
    place: grows with every move, so that a heap's older items are known to be void.
    """

    id: MailId
    next_attempt: float = 0.0
    is_busy: bool = False
    went_early: bool = False
    place: int = 0


type _Due = tuple[MailId, int, Entry]
type _Later = tuple[float, MailId, int, Entry]


class Backlog:
    """Mails on disk: those that are due by rank and age, the others by their time.

    No method's cost grows faster than the logarithm of what waits; release() and
    release_early() move every mail at most once between two of its scheduled attempts.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.size = 0
        self._entries: dict[MailId, Entry] = {}
        self._due: list[_Due] = []
        self._later: list[_Later] = []
        self._later_again: list[_Later] = []
        self._expiries: list[tuple[int, MailId]] = []

    def __len__(self) -> int:
        """Count the mails."""
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        """Go through all mails, in no order."""
        return iter(tuple(self._entries.values()))

    def get(self, mail_id: MailId) -> Entry | None:
        """Find a mail."""
        return self._entries.get(mail_id)

    def add(self, mail_id: MailId) -> Entry:
        """Add a mail as busy: it takes part once it is put back."""
        entry = Entry(mail_id, is_busy=True)
        self._entries[mail_id] = entry
        self.size += mail_id.size
        return entry

    def remove(self, entry: Entry) -> None:
        """Forget a mail."""
        if self._entries.pop(entry.id, None) is not None:
            self.size -= entry.id.size
            entry.place += 1

    def take(self, entry: Entry) -> None:
        """Make a mail busy."""
        entry.is_busy = True
        entry.place += 1

    def put_back(self, entry: Entry, next_attempt: float) -> None:
        """Let a busy mail wait until a UTC timestamp in seconds; 0 is at once."""
        entry.is_busy = False
        entry.place += 1
        entry.next_attempt = next_attempt
        heapq.heappush(self._expiries, (entry.id.expires_ms, entry.id))
        if next_attempt <= 0:
            heapq.heappush(self._due, (entry.id, entry.place, entry))
        else:
            line = self._later_again if entry.went_early else self._later
            heapq.heappush(line, (next_attempt, entry.id, entry.place, entry))

    def next_due(self, now: float) -> Entry | None:
        """Return the mail whose turn it is, if one's time has come."""
        for line in (self._later, self._later_again):
            while line and (line[0][0] <= now or _is_void(line[0][2], line[0][3])):
                _, mail_id, place, entry = heapq.heappop(line)
                if not _is_void(place, entry):
                    entry.went_early = False
                    heapq.heappush(self._due, (mail_id, place, entry))
        while self._due and _is_void(*self._due[0][1:]):
            heapq.heappop(self._due)
        return self._due[0][2] if self._due else None

    def next_time(self) -> float | None:
        """Return when the next mail is due, 0 if one is, None if none waits."""
        if self.next_due(0) is not None:
            return 0
        return min((line[0][0] for line in (self._later, self._later_again) if line), default=None)

    def release(self) -> None:
        """Make every mail due."""
        for line in (self._later, self._later_again):
            for _, mail_id, place, entry in line:
                if not _is_void(place, entry):
                    entry.went_early = False
                    heapq.heappush(self._due, (mail_id, place, entry))
            line.clear()

    def release_early(self) -> None:
        """Make every mail due that has not gone early since its last scheduled attempt."""
        for _, mail_id, place, entry in self._later:
            if not _is_void(place, entry):
                entry.went_early = True
                heapq.heappush(self._due, (mail_id, place, entry))
        self._later.clear()

    def take_expired(self, now: float) -> list[Entry]:
        """Take every mail out of the line whose time is over, except busy ones."""
        expired: list[Entry] = []
        while self._expiries and self._expiries[0][0] <= now * 1000:
            _, mail_id = heapq.heappop(self._expiries)
            entry = self._entries.get(mail_id)
            if entry is not None and not entry.is_busy:
                self.take(entry)
                expired.append(entry)
        return expired

    def next_expiry(self) -> float | None:
        """Return the UTC timestamp in seconds at which the next mail expires."""
        while self._expiries and self._expiries[0][1] not in self._entries:
            heapq.heappop(self._expiries)
        return self._expiries[0][0] / 1000 if self._expiries else None


def _is_void(place: int, entry: Entry) -> bool:
    return entry.place != place

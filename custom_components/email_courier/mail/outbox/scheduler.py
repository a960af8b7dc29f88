"""Which waiting mail is next, without looking at all that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
import heapq
import itertools
import math

from ..failure import Failure
from ..payload import Payload
from .record import MailId, MailRecord
from .submission import Rank, Receipt


class Deadlines:
    """One time for each mail, and the earliest of all at hand."""

    def __init__(self) -> None:
        """Begin empty."""
        self._times: dict[MailId, float] = {}
        self._heap: list[tuple[float, MailId]] = []

    def set(self, mail_id: MailId, when: float) -> None:
        """Set a mail's time (UTC timestamp in seconds) in place of the one it had."""
        if self._times.get(mail_id) != when:
            self._times[mail_id] = when
            heapq.heappush(self._heap, (when, mail_id))

    def remove(self, mail_id: MailId) -> None:
        """Forget a mail."""
        self._times.pop(mail_id, None)

    def next(self) -> float | None:
        """Return the earliest time of all, if there is any."""
        heap = self._heap
        while heap and self._times.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def take_due(self, now: float) -> list[MailId]:
        """Return all mails whose time has come, in its order, and forget them."""
        due: list[MailId] = []
        while (when := self.next()) is not None and when <= now:
            _, mail_id = heapq.heappop(self._heap)
            del self._times[mail_id]
            due.append(mail_id)
        return due


@dataclass(slots=True, eq=False)
class Entry:
    """A mail on disk.

    next_attempt: UTC timestamp in seconds.
    is_busy: it is being attempted, handed over or removed; nobody else may begin with it.
    offer_at: UTC timestamp in seconds from which the backup account may have it.
    went_early: it has been tried ahead of its time once since its last scheduled attempt.
    place: grows with every move, so that a heap's older items are known to be void.
    """

    id: MailId
    next_attempt: float = 0.0
    offer_at: float = math.inf
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

    def __init__(self, offer_after: float = math.inf) -> None:
        """Begin empty.

        offer_after: the age in seconds at which a mail is offered to the backup account.
        """
        self._offer_after = offer_after
        self._offers = Deadlines()
        self._entries: dict[MailId, Entry] = {}
        self._due: list[_Due] = []
        self._later: list[_Later] = []
        self._later_again: list[_Later] = []
        self._expiries = Deadlines()

    def __len__(self) -> int:
        """Count the mails."""
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        """Go through all mails, in no order."""
        return iter(tuple(self._entries.values()))

    def find(self, mail_id: MailId) -> Entry | None:
        """Return a mail by its id, if it is here."""
        return self._entries.get(mail_id)

    def add(self, mail_id: MailId) -> Entry:
        """Add a mail as busy: it takes part once it is put back."""
        entry = Entry(mail_id, offer_at=mail_id.created + self._offer_after, is_busy=True)
        self._entries[mail_id] = entry
        return entry

    def remove(self, entry: Entry) -> bool:
        """Forget a mail; False if it was forgotten already."""
        if self._entries.pop(entry.id, None) is None:
            return False
        entry.place += 1
        self._expiries.remove(entry.id)
        self._offers.remove(entry.id)
        return True

    def take(self, entry: Entry) -> None:
        """Make a mail busy."""
        entry.is_busy = True
        entry.place += 1

    def put_back(self, entry: Entry, next_attempt: float) -> None:
        """Let a busy mail wait until a UTC timestamp in seconds; 0 is at once."""
        entry.is_busy = False
        entry.place += 1
        entry.next_attempt = next_attempt
        self._expiries.set(entry.id, entry.id.expires)
        if entry.offer_at < math.inf:
            self._offers.set(entry.id, entry.offer_at)
        if next_attempt <= 0:
            heapq.heappush(self._due, (entry.id, entry.place, entry))
        else:
            line = self._later_again if entry.went_early else self._later
            heapq.heappush(line, (next_attempt, entry.id, entry.place, entry))

    def put_off_expiry(self, entry: Entry, when: float) -> None:
        """Let a busy mail whose time is over wait for nothing but to be given up later.

        when: UTC timestamp in seconds.
        """
        entry.is_busy = False
        entry.place += 1
        entry.offer_at = math.inf
        self._offers.remove(entry.id)
        self._expiries.set(entry.id, when)

    def next_due(self, now: float) -> Entry | None:
        """Return the mail whose turn it is, if one's time has come."""
        for line in (self._later, self._later_again):
            while line and (line[0][0] <= now or _is_void(*line[0][2:])):
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

    def release_some(self, names: Collection[str]) -> None:
        """Make mails due, by their ids as text."""
        for entry in self:
            if str(entry.id) in names and not entry.is_busy:
                self.put_back(entry, 0)

    def release_early(self) -> None:
        """Make every mail due that has not gone early since its last scheduled attempt."""
        for _, mail_id, place, entry in self._later:
            if not _is_void(place, entry):
                entry.went_early = True
                heapq.heappush(self._due, (mail_id, place, entry))
        self._later.clear()

    def take_expired(self, now: float) -> list[Entry]:
        """Take every mail out of the line whose time is over; a busy one's turn comes later."""
        return self._take(self._expiries.take_due(now))

    def take_offered(self, now: float) -> list[Entry]:
        """Take every mail out of the line that is to be offered to the backup account by now."""
        return self._take(self._offers.take_due(now))

    def offer(self, entry: Entry, when: float) -> None:
        """Let the backup account have a mail from then on, if it may be offered at all."""
        if entry.offer_at < math.inf:
            entry.offer_at = min(entry.offer_at, when)

    def offer_all(self, now: float) -> None:
        """Let the backup account have every mail that may be offered to it at all."""
        for entry in self._entries.values():
            self.offer(entry, now)
            if entry.offer_at < math.inf:
                self._offers.set(entry.id, entry.offer_at)

    def next_offer(self) -> float | None:
        """Return the UTC timestamp in seconds at which the next mail is to be offered."""
        return self._offers.next()

    def next_expiry(self) -> float | None:
        """Return the UTC timestamp in seconds at which the next mail expires."""
        return self._expiries.next()

    def _take(self, mail_ids: list[MailId]) -> list[Entry]:
        taken: list[Entry] = []
        for mail_id in mail_ids:
            entry = self._entries[mail_id]
            if not entry.is_busy:
                self.take(entry)
                taken.append(entry)
        return taken


def _is_void(place: int, entry: Entry) -> bool:
    return entry.place != place


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


class Line:
    """High rank first, then first come, first served."""

    def __init__(self) -> None:
        """Begin empty."""
        self._heap: list[tuple[Rank, int, Job]] = []
        self._numbers = itertools.count()
        self._members: set[Job] = set()

    def __len__(self) -> int:
        """Count the jobs."""
        return len(self._members)

    def __contains__(self, job: Job) -> bool:
        """Whether a job is still in the line."""
        return job in self._members

    def add(self, job: Job) -> None:
        """Let a job queue up."""
        self._members.add(job)
        heapq.heappush(self._heap, (job.record.id.rank, next(self._numbers), job))

    def leave(self, job: Job) -> None:
        """Let a job go, if it is in the line."""
        self._members.discard(job)

    def first(self) -> Job | None:
        """Return the job whose turn it is."""
        while self._heap and self._heap[0][2] not in self._members:
            heapq.heappop(self._heap)
        return self._heap[0][2] if self._heap else None

    def clear(self) -> list[Job]:
        """Let everyone go; return them in their order."""
        jobs = [job for *_, job in sorted(self._heap)]
        left = [job for job in jobs if job in self._members]
        self._heap.clear()
        self._members.clear()
        return left

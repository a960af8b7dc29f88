"""The queue in memory: which mail is next, without looking at all that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
import heapq
import itertools
import math

from ..failure import Failure
from ..payload import Payload
from .record import MailId, MailRecord
from .submission import DAY, Rank, Receipt


class Deadlines:
    """One time for each mail, and the earliest of all at hand."""

    def __init__(self) -> None:
        self._times: dict[MailId, float] = {}
        self._heap: list[tuple[float, MailId]] = []

    def set(self, mail_id: MailId, when: float) -> None:
        """Set a mail's time (time of the run in seconds) in place of the one it had."""
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


class QueueEntry:
    """The place of a mail on disk in the queue.

    Times are those of the run in seconds.

    born: when it was handed in, or would have been, had it waited in this run alone.
    stood_still: for how many seconds its life stood still.
    is_estimated: its record has not been read in this run, and its age is that of its name.
    next_attempt: 0 is as soon as its turn comes.
    offer_at: from when the backup account may have it.
    is_over_quota: it waits for the provider to take more of the account's mail.
    is_busy: it is being attempted, handed over or removed; nobody else may begin with it.
    went_early: it has been tried ahead of its time once since its last scheduled attempt.
    place: grows with every move, so that a heap's older items are known to be void.
    """

    __slots__ = (
        "born",
        "id",
        "is_busy",
        "is_estimated",
        "is_over_quota",
        "next_attempt",
        "offer_at",
        "place",
        "stood_still",
        "went_early",
    )

    def __init__(self, mail_id: MailId, born: float, offer_at: float = math.inf) -> None:
        self.id = mail_id
        self.born = born
        self.stood_still = 0.0
        self.is_estimated = False
        self.is_over_quota = False
        self.next_attempt = 0.0
        self.offer_at = offer_at
        self.is_busy = True
        self.went_early = False
        self.place = 0

    @property
    def expires(self) -> float:
        """When it is given up."""
        return self.born + self.id.life + self.stood_still

    def stand_still(self, seconds: float) -> None:
        """Let its life stand still for a while, a day at most altogether."""
        self.stood_still = min(self.stood_still + seconds, max(DAY, self.stood_still))


type _Due = tuple[MailId, int, QueueEntry]
type _Later = tuple[float, MailId, int, QueueEntry]


class DeferredQueue:
    """Mails on disk: those that are due by rank and age, the others by their time.

    No method's cost grows faster than the logarithm of what waits; release() and
    release_early() move every mail at most once between two of its scheduled attempts.
    """

    def __init__(self, offer_after: float, changed: Callable[[], None]) -> None:
        """Hold no mail.

        offer_after: the age in seconds at which a mail is offered to the backup account; infinity
        where there is none.
        changed: called whenever a mail has come, moved or gone.
        """
        self.entries: dict[MailId, QueueEntry] = {}
        self._offer_after = offer_after
        self.changed = changed
        self._offers = Deadlines()
        self._due: list[_Due] = []
        self._later: list[_Later] = []
        self._later_again: list[_Later] = []
        self._expiries = Deadlines()

    def __len__(self) -> int:
        """Count the mails."""
        return len(self.entries)

    def __iter__(self) -> Iterator[QueueEntry]:
        """Go through all mails, in no order."""
        return iter(tuple(self.entries.values()))

    def find(self, mail_id: MailId) -> QueueEntry | None:
        """Return a mail by its id, if it is here."""
        return self.entries.get(mail_id)

    def add(self, mail_id: MailId, born: float | None = None) -> QueueEntry:
        """Add a mail as busy: it takes part once it is put back.

        born: see QueueEntry; that of its name where it was handed in in this run.
        """
        born = mail_id.created if born is None else born
        entry = QueueEntry(mail_id, born, born + self._offer_after)
        self.entries[mail_id] = entry
        self.changed()
        return entry

    def remove(self, entry: QueueEntry) -> bool:
        """Forget a mail; False if it was forgotten already."""
        if self.entries.pop(entry.id, None) is None:
            return False
        entry.place += 1
        self._expiries.remove(entry.id)
        self._offers.remove(entry.id)
        self.changed()
        return True

    def take(self, entry: QueueEntry) -> None:
        """Make a mail busy."""
        entry.is_busy = True
        entry.place += 1
        self.changed()

    def put_back(self, entry: QueueEntry, next_attempt: float) -> None:
        """Let a busy mail wait until a time of the run in seconds; 0 is at once."""
        entry.is_busy = False
        entry.place += 1
        entry.next_attempt = next_attempt
        self._expiries.set(entry.id, entry.expires)
        if entry.offer_at < math.inf:
            self._offers.set(entry.id, entry.offer_at)
        if next_attempt <= 0:
            heapq.heappush(self._due, (entry.id, entry.place, entry))
        else:
            later = self._later_again if entry.went_early else self._later
            heapq.heappush(later, (next_attempt, entry.id, entry.place, entry))
        self.changed()

    def set_times(self, entry: QueueEntry) -> None:
        """Go by what has been learned of a mail that waits."""
        if not entry.is_busy:
            self._expiries.set(entry.id, entry.expires)
            if entry.offer_at < math.inf:
                self._offers.set(entry.id, entry.offer_at)
            self.changed()

    def put_off_expiry(self, entry: QueueEntry, when: float) -> None:
        """Let a busy mail whose time is over wait for nothing but to be given up later.

        when: time of the run in seconds.
        """
        entry.is_busy = False
        entry.place += 1
        entry.offer_at = math.inf
        self._offers.remove(entry.id)
        self._expiries.set(entry.id, when)
        self.changed()

    def next_due(self, now: float) -> QueueEntry | None:
        """Return the mail whose turn it is, if one's time has come."""
        for later in (self._later, self._later_again):
            while later and (later[0][0] <= now or _is_void(*later[0][2:])):
                _, mail_id, place, entry = heapq.heappop(later)
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
        times = (later[0][0] for later in (self._later, self._later_again) if later)
        return min(times, default=None)

    def release(self) -> None:
        """Make every mail due."""
        for later in (self._later, self._later_again):
            for _, mail_id, place, entry in later:
                if not _is_void(place, entry):
                    entry.went_early = False
                    heapq.heappush(self._due, (mail_id, place, entry))
            later.clear()
        self.changed()

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
        self.changed()

    def take_expired(self, now: float) -> list[QueueEntry]:
        """Take every mail whose time is over; a busy one's turn comes later."""
        return self._take(self._expiries.take_due(now))

    def take_offered(self, now: float) -> list[QueueEntry]:
        """Take every mail that is to be offered to the backup account by now."""
        return self._take(self._offers.take_due(now))

    def offer(self, entry: QueueEntry, when: float) -> None:
        """Let the backup account have a mail from then on, if it may be offered at all."""
        if entry.offer_at < math.inf:
            entry.offer_at = min(entry.offer_at, when)

    def stand_still(self, seconds: float) -> None:
        """Let the life of every mail stand still for a while."""
        for entry in self.entries.values():
            entry.stand_still(seconds)
            self.set_times(entry)

    def ask_backup(self, entry: QueueEntry, now: float) -> bool:
        """Have the backup account asked for a busy mail before anything else is done with it.

        False where there is none.
        """
        if self._offer_after == math.inf:
            return False
        entry.offer_at = now
        self.put_back(entry, now + self._offer_after)
        return True

    def set_offer_after(self, seconds: float) -> None:
        """Offer every mail to the backup account at another age; infinity is never."""
        self._offer_after = seconds
        for entry in self.entries.values():
            entry.offer_at = entry.born + seconds
            self._offers.remove(entry.id)
            self.set_times(entry)
        self.changed()

    def offer_all(self, now: float) -> None:
        """Let the backup account have every mail that may be offered to it at all."""
        for entry in self.entries.values():
            self.offer(entry, now)
            if entry.offer_at < math.inf:
                self._offers.set(entry.id, entry.offer_at)
        self.changed()

    def next_offer(self) -> float | None:
        """Return the time of the run in seconds at which the next mail is to be offered."""
        return self._offers.next()

    def next_expiry(self) -> float | None:
        """Return the time of the run in seconds at which the next mail expires."""
        return self._expiries.next()

    def _take(self, mail_ids: list[MailId]) -> list[QueueEntry]:
        taken: list[QueueEntry] = []
        for mail_id in mail_ids:
            entry = self.entries[mail_id]
            if not entry.is_busy:
                self.take(entry)
                taken.append(entry)
        return taken


def _is_void(place: int, entry: QueueEntry) -> bool:
    return entry.place != place


class ActiveMail:
    """One mail being handled.

    entry: its place among the mails on disk; None while it is in memory alone.
    answer: what the caller waits for; None when there is no caller any more.
    queue: whether it may be kept.
    dot_reached: whether its final dot may have been sent in the present attempt.
    is_concluding: its attempt has ended, and what that means is being written down.
    is_dropped: it is to be forgotten.
    is_spooled: it is on disk, or being written there.
    writing: held by whoever writes it to the disk or removes it from there.
    """

    def __init__(
        self,
        record: MailRecord,
        data: Payload,
        entry: QueueEntry | None = None,
        *,
        queue: bool = True,
    ) -> None:
        self.record = record
        self.data = data
        self.entry = entry
        self.queue = queue
        self.answer: asyncio.Future[Receipt] | None = None
        self.dot_reached = False
        self.is_concluding = False
        self.is_dropped = False
        self.is_spooled = entry is not None
        self.writing = asyncio.Lock()

    @property
    def is_awaited(self) -> bool:
        """Whether a caller waits for what becomes of it."""
        return self.answer is not None and not self.answer.done()

    def resolve(self, receipt: Receipt) -> None:
        """Let the caller go with a receipt."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(receipt)

    def reject(self, error: Exception) -> None:
        """Let the caller go with an error."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error)

    def resolve_queued(self, failure: Failure | None) -> None:
        """Let the caller go: the mail is on disk for all it is owed to.

        failure: why it waits, where that is known.
        """
        self.resolve(
            Receipt(
                message_id=self.record.message_id,
                owed=self.record.outcomes,
                server_reply="" if failure is None else failure.server_words,
                attempts=self.record.attempts,
            )
        )


class NewMail:
    """Mails handed in that have not been tried: high rank first, then first come, first served."""

    def __init__(self) -> None:
        self.mails: dict[MailId, ActiveMail] = {}
        # Holds no mail, so that one that is taken out before its turn does not stay in memory.
        self._heap: list[tuple[Rank, int, MailId]] = []
        self._numbers = itertools.count()

    def add(self, mail: ActiveMail) -> None:
        """Let a mail wait for its turn."""
        mail_id = mail.record.id
        self.mails[mail_id] = mail
        heapq.heappush(self._heap, (mail_id.rank, next(self._numbers), mail_id))

    def remove(self, mail: ActiveMail) -> None:
        """Take a mail out, if it is here."""
        self.mails.pop(mail.record.id, None)

    def first(self) -> ActiveMail | None:
        """Return the mail whose turn it is."""
        while self._heap and self._heap[0][2] not in self.mails:
            heapq.heappop(self._heap)
        return self.mails[self._heap[0][2]] if self._heap else None

    def take_all(self) -> list[ActiveMail]:
        """Take out all mails; return them in their order."""
        mails = [self.mails[mail_id] for *_, mail_id in sorted(self._heap) if mail_id in self.mails]
        self._heap.clear()
        self.mails.clear()
        return mails

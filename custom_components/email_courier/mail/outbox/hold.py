"""The hold queue: mail that its recipients get later, because they have had enough for now."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from copy import replace
import logging
import math
from typing import NamedTuple

from ..envelope import Envelope
from ..failure import Failure
from .digests import Digests, DigestWriter, HeldSpool
from .events import GivenUp, Kept, Notifier
from .record import MailRecord
from .runtime import Host, TaskGroup, Timers
from .spool import Recovered, Spool
from .store import Store
from .submission import OutboxError, OutboxReason, OutgoingMail, Rank

_LOGGER = logging.getLogger(__name__)

HOUR = 3600.0
MARGIN = 300.0
"""Seconds of its life that a mail is left when it has been held back."""
RETRY_AFTER = 300.0
"""Seconds until a digest is made again for which there was no room."""


class FloodLimit(NamedTuple):
    """At most so many mails an hour to one recipient; the others come together in one."""

    per_hour: int
    digests: DigestWriter


class _Window:
    """The hour of one recipient (ends: time of the run in seconds), and the mails in it."""

    __slots__ = ("ends", "mails")

    def __init__(self, ends: float, mails: int) -> None:
        self.ends = ends
        self.mails = mails


class FloodGuard:
    """Counts mails by recipient; a recipient's hour begins with the first one."""

    def __init__(self, per_hour: int) -> None:
        self.per_hour = per_hour
        self._windows: dict[str, _Window] = {}
        self._first_end = math.inf

    def count(self, mail: OutgoingMail, now: float) -> dict[str, float]:
        """Count a mail; return until when it is held back, for each recipient who has had enough.

        now and the times returned are times of the run in seconds. High rank counts, and is never
        held back.
        """
        held: dict[str, float] = {}
        for address in mail.envelope.recipients:
            window = self._charge(address, now)
            if window.mails > self.per_hour and mail.rank is not Rank.HIGH:
                held[address] = window.ends
        return held

    def count_digest(self, address: str, now: float) -> None:
        """Count a digest for a recipient; it is never held back."""
        self._charge(address, now)

    def fill(self, address: str, ends: float) -> None:
        """Know a recipient who has had enough until a time of the run in seconds."""
        self._windows[address.casefold()] = _Window(ends, self.per_hour)
        self._first_end = min(self._first_end, ends)

    def _charge(self, address: str, now: float) -> _Window:
        if now >= self._first_end:
            self._windows = {a: w for a, w in self._windows.items() if w.ends > now}
            self._first_end = min((w.ends for w in self._windows.values()), default=math.inf)
        window = self._windows.setdefault(address.casefold(), _Window(now + HOUR, 0))
        self._first_end = min(self._first_end, window.ends)
        window.mails += 1
        return window


class _Batch:
    """Held mails of one recipient, oldest first, and when they go (time of the run in seconds)."""

    __slots__ = ("ends", "records")

    def __init__(self, ends: float, records: list[MailRecord]) -> None:
        self.ends = ends
        self.records = records


class HoldQueue:
    """The held mails of one account: each on disk, one recipient each."""

    def __init__(
        self,
        limit: FloodLimit,
        waiting: Store,
        spool: Spool,
        notifier: Notifier,
        host: Host,
        timers: Timers,
        tasks: TaskGroup,
    ) -> None:
        """Hold mails in a folder within that of the deferred ones."""
        self._limit = limit
        self._notifier = notifier
        self._host = host
        self._timers = timers
        self._tasks = tasks
        self._guard = FloodGuard(limit.per_hour)
        self._held = HeldSpool(waiting, host, spool.quota, notifier, timers, tasks)
        self._digests = Digests(
            limit.digests, self._held, spool, notifier, timers, host.run_blocking
        )
        self._batches: dict[str, _Batch] = {}
        self._timer = timers.register(self._release)

    async def open(self) -> Recovered:
        """Take up what an earlier run has held back. Raises OSError.

        What cannot be read yet is counted all the same, and read the next time.
        """
        records, recovered = await self._held.open()
        for batch in self._batches.values():
            batch.records = [held for held in batch.records if held.id in self._held.known]
        now, clock = self._timers.measured(), self._timers.clock()
        for read in records:
            record = read.taken_up(now, clock)
            ends = min(record.next_attempt, self._timers.now() + HOUR)
            batch = self._add(replace(record, next_attempt=min(ends, _latest(record))))
            batch.records.sort(key=lambda held: held.id)
            self._guard.fill(record.addresses[0], ends)
        return recovered

    def set_limit(self, limit: FloodLimit) -> None:
        """Go by another limit from the next mail on; what is held goes when it would have gone."""
        self._limit = limit
        self._guard.per_hour = limit.per_hour
        self._digests.writer = limit.digests

    async def idle(self) -> None:
        """Wait until nothing is being written any more."""
        await self._held.idle()

    def stop(self) -> None:
        """Begin no further digest; what is held stays so."""
        self._digests.stop()

    async def hold_back(
        self, mail: OutgoingMail
    ) -> tuple[OutgoingMail | None, tuple[MailRecord, ...]]:
        """Keep a mail from recipients who have had enough.

        Return the mail for all others, if there are any, and a record for each who does not get
        it yet. Raises OutboxError when it can neither go nor be held, and holds nothing then.
        """
        until = self._guard.count(mail, self._timers.now())
        if not until:
            return mail, ()
        if not mail.queue:
            raise OutboxError(OutboxReason.FLOOD, f"more than {self._limit.per_hour} an hour")
        # Whoever asked may leave meanwhile: what has begun is brought to its end.
        work = self._host.spawn(self._hold_all(mail, until), "outbox hold")
        held = await asyncio.shield(work)
        others = tuple(a for a in mail.envelope.recipients if a not in until)
        rest = replace(mail, envelope=replace(mail.envelope, recipients=others))
        return rest if others else None, held

    async def give_up(self, records: Sequence[MailRecord], failure: Failure | None) -> None:
        """Forget held mails again, because the caller is told that all of it has failed.

        failure: why. One that has gone into a digest meanwhile stays there.
        """
        for record in records:
            if await self._forget(record):
                self._notifier.failed(record, record.outcomes, GivenUp.NOT_KEPT, failure)

    def records(self) -> list[MailRecord]:
        """Return the records of all held mails, in the time of the run."""
        return [record for batch in self._batches.values() for record in batch.records]

    async def drop(self, names: Collection[str] | None) -> int:
        """Forget held mails by their ids as text, or all of them; return how many."""
        dropped = 0
        for record in self.records():
            if (names is None or str(record.id) in names) and await self._forget(record):
                self._notifier.dropped(record)
                dropped += 1
        for mail_id in tuple(self._held.unread):
            if (names is None or str(mail_id) in names) and mail_id in self._held.known:
                await self._held.remove(mail_id)
                dropped += 1
        return dropped

    async def _forget(self, record: MailRecord) -> bool:
        """Remove a held mail; False if it is not held any more."""
        batch = self._batches.get(_key(record))
        if batch is None or record not in batch.records:
            return False
        batch.records.remove(record)
        await self._held.remove(record.id)
        return True

    async def _hold_all(
        self, mail: OutgoingMail, until: Mapping[str, float]
    ) -> tuple[MailRecord, ...]:
        held: list[MailRecord] = []
        try:
            for address, ends in until.items():
                held.append(await self._hold(mail, address, ends))
        except OutboxError:
            await self.give_up(held, None)
            raise
        return tuple(held)

    async def _hold(self, mail: OutgoingMail, address: str, ends: float) -> MailRecord:
        envelope = Envelope(mail.envelope.sender, (address,), mail.envelope.smtputf8)
        alone = replace(mail, envelope=envelope)
        record = MailRecord.new(alone, self._timers.now())
        ends = min(ends, _latest(record))
        record = replace(record, next_attempt=ends)
        await self._held.write(record, mail.data)
        self._add(record)
        self._notifier.deferred(record, ends, reason=Kept.HELD)
        return record

    def _add(self, record: MailRecord) -> _Batch:
        ends = record.next_attempt
        batch = self._batches.setdefault(_key(record), _Batch(ends, []))
        batch.records.append(record)
        batch.ends = min(batch.ends, ends)
        self._timer.set_earlier(batch.ends)
        return batch

    def _release(self) -> None:
        now = self._timers.now()
        for address, batch in tuple(self._batches.items()):
            if batch.ends <= now:
                del self._batches[address]
                self._guard.count_digest(address, now)
                self._tasks.start(self._send(address, batch.records))
        self._timer.set(min((batch.ends for batch in self._batches.values()), default=None))

    async def _send(self, address: str, records: list[MailRecord]) -> None:
        is_done = False
        try:
            await self._digests.send(records)
            is_done = not records
        except (OSError, OutboxError) as error:
            _LOGGER.warning("Held mail cannot be put in the queue yet: %s", error)
        if not is_done:
            newer = self._batches.pop(address, None)
            ends = self._timers.now() + RETRY_AFTER
            self._batches[address] = _Batch(ends, records + (newer.records if newer else []))
            self._timer.set_earlier(ends)


def _latest(record: MailRecord) -> float:
    """Return until when a mail may be held, as the time of the run: it must go before it dies."""
    return record.expires - min(MARGIN, record.id.life / 2)


def _key(record: MailRecord) -> str:
    [address] = record.addresses
    return address.casefold()

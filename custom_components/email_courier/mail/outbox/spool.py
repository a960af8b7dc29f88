"""Mail on disk: the store as the event loop uses it, and the queue in step with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
import contextlib
from copy import replace
import logging
import math
from typing import NamedTuple

from ..envelope import RecipientOutcome
from ..payload import Payload
from .backoff import is_quota
from .disk import Disk
from .events import Damaged, Notifier
from .record import PLAUSIBLE, MailId, MailRecord
from .runtime import TaskGroup, Timers, in_pieces
from .scheduler import ActiveMail, DeferredQueue, QueueEntry
from .store import Store, TakenMail
from .submission import DAY, DamagedMailError, OutboxError, OutboxReason

_LOGGER = logging.getLogger(__name__)

AT_ONCE = 500
"""Records that are read in one turn of the disk."""
RETRY_AFTER = 300.0
"""Seconds until a folder is read again that could not be read."""


class QuotaLimits(NamedTuple):
    """The most that an outbox takes: a count of mails, and their size in bytes together."""

    mails: int = 10_000
    size: int = 1024 * 1024 * 1024


class Quota:
    """Counts what is on disk against the limits.

    A mail is counted before it is written, so that calls at the same time cannot pass the limits
    together.
    """

    def __init__(self, limits: QuotaLimits, changed: Callable[[], None]) -> None:
        """Count nothing yet. changed: called whenever the count has changed."""
        self.mails = 0
        self.size = 0
        self.limits = limits
        self._changed = changed

    @property
    def fullness(self) -> float:
        """The fuller of the two limits, as a part of 1."""
        return max(self.mails / self.limits.mails, self.size / self.limits.size)

    def claim(self, size: int) -> None:
        """Count one more mail of so many bytes. Raises OutboxError when there is no room for it."""
        limits = self.limits
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
        self._changed()

    def free(self, size: int) -> None:
        """Count a mail no more."""
        self.mails -= 1
        self.size -= size
        self._changed()


class Recovered(NamedTuple):
    """What came of recovering what an earlier run has left.

    damaged: names of files that are set aside. trouble: why something is to be read again later.
    """

    damaged: tuple[str, ...] = ()
    trouble: OSError | None = None


class Loader:
    """Reads deferred and held mails alike."""

    def __init__(self, disk: Disk, notifier: Notifier, forget: Callable[[MailId], None]) -> None:
        """Read from a disk.

        forget: called for a damaged mail, which takes part in nothing any more.
        """
        self._disk = disk
        self._notifier = notifier
        self._forget = forget

    async def read[*Ts, T](self, mail_id: MailId, read: Callable[[*Ts], T], *args: *Ts) -> T | None:
        """Return what a call of the store reads; None when the mail was damaged and is set aside.

        Raises OSError, which says nothing about the mail: it may be readable later.
        """
        try:
            return await self._disk.run(read, *args)
        except DamagedMailError as error:
            await self._set_aside({mail_id: error})
        return None

    async def read_records(
        self, mail_ids: Sequence[MailId], is_idle: Callable[[MailId], bool]
    ) -> tuple[list[MailRecord], list[OSError]]:
        """Return the records that can be read, and why others cannot be for now.

        is_idle: whether a mail is here still and in nobody's hands; another one that seems
        damaged is left to whoever has it.
        """
        records: list[MailRecord] = []
        errors: list[OSError] = []
        for start in range(0, len(mail_ids), AT_ONCE):
            some = mail_ids[start : start + AT_ONCE]
            found, faults = await self._disk.run(self._disk.store.read_records, some)
            records += found
            errors += [fault for fault in faults.values() if isinstance(fault, OSError)]
            await self._set_aside(
                {
                    mail_id: fault
                    for mail_id, fault in faults.items()
                    if isinstance(fault, DamagedMailError) and is_idle(mail_id)
                }
            )
        return records, errors

    async def _set_aside(self, damaged: dict[MailId, DamagedMailError]) -> None:
        for mail_id, error in damaged.items():
            _LOGGER.warning("A mail was damaged and is set aside: %s", error)
            self._forget(mail_id)
        for mail_id in damaged:
            with contextlib.suppress(OSError):  # the next start finds it again
                await self._disk.run(self._disk.store.set_aside, mail_id)
        if damaged:
            self._notifier.tell(Damaged(tuple(map(str, damaged))))


class Spool:
    """Keeps the files of deferred mail, their queue and the quota in step."""

    def __init__(
        self,
        disk: Disk,
        queue: DeferredQueue,
        quota: Quota,
        notifier: Notifier,
        timers: Timers,
        keep: Keep,
    ) -> None:
        self.queue = queue
        self.keep = keep
        self.quota = quota
        self._disk = disk
        self._notifier = notifier
        self._timers = timers
        self._taken = TakenMail(disk.store.folder)
        self._visiting: set[tuple[str, str]] = set()
        self._loader = Loader(disk, notifier, self._lose)
        self._unsaved: dict[MailId, MailRecord] = {}

    @property
    def _store(self) -> Store:
        return self._disk.store

    async def open(self) -> Recovered:
        """Put all mails on disk into the queue. Raises OSError."""
        found = await self._disk.run(self._store.open)
        known = self._disk.unremoved.union(self.queue.entries)
        now, clock = self._timers.measured(), self._timers.clock()
        doubtful: list[MailId] = []
        for number, mail_id in enumerate(m for m in found.mails if m not in known):
            self.quota.count(mail_id.size)
            is_plausible = PLAUSIBLE <= mail_id.created <= clock
            age = clock - mail_id.created if is_plausible else 0.0
            entry = self.queue.add(mail_id, now - age)
            entry.is_estimated = True
            self.queue.put_back(entry, 0)
            if not is_plausible:
                doubtful.append(mail_id)
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
        await self._read_ages(doubtful)
        return Recovered(found.damaged)

    async def _read_ages(self, mail_ids: Sequence[MailId]) -> None:
        """Learn from the records of mails how long they have waited."""
        found, _ = await self._loader.read_records(mail_ids, self._is_idle)
        for record in found:
            if (entry := self.queue.find(record.id)) is not None:
                self._place(entry, record)
                self.queue.set_times(entry)

    async def write(self, mail: ActiveMail) -> None:
        """Put a mail on disk as it stands now, if it is not there. Raises OutboxError.

        It does not wait for an attempt yet: somebody is handling it. One whose attempt is being
        concluded is left to that.
        """
        async with mail.writing:
            if mail.entry is None and not mail.is_concluding:
                await self._write(mail)

    async def defer(
        self,
        mail: ActiveMail,
        next_attempt: float,
        *,
        offer_at: float = math.inf,
        still_for: float = 0.0,
        is_fixed: bool = False,
    ) -> None:
        """Let a mail wait on disk until a time of the run in seconds; 0 is until its turn comes.

        offer_at: time of the run in seconds from which the backup account may have it, if that is
        before it may have it anyway.
        still_for: seconds for which its life stands still.
        is_fixed: it goes at that time, and no success of another mail lets it go before.
        Raises OutboxError for a mail that was not on disk and cannot be put there. For one that
        was, what could not be written is told, and remembered until the next time.
        """
        async with mail.writing:
            error = None
            stood_still = (mail.entry or mail.record).stood_still
            if still_for:
                stood_still = max(stood_still, min(stood_still + still_for, DAY))
            mail.record = replace(mail.record, next_attempt=next_attempt, stood_still=stood_still)
            if mail.entry is None:
                entry = await self._write(mail)
            else:
                entry = mail.entry
                entry.stood_still = stood_still
                error = await self._update(mail.record)
            entry.is_over_quota = still_for > 0
            entry.went_early = entry.went_early or is_fixed
            self.queue.offer(entry, offer_at)
            self.queue.put_back(entry, next_attempt)
        self._notifier.trouble(error)

    async def mark_dot(self, mail: ActiveMail) -> None:
        """Note on disk that the final dot of a mail is about to be sent, where the mail is there.

        A disk that takes no note of it does not stop the mail.
        """
        async with mail.writing:
            if mail.entry is not None:
                with contextlib.suppress(OSError):
                    await self._disk.run(self._store.mark_dot, mail.record.id)

    async def load(self, entry: QueueEntry) -> ActiveMail | None:
        """Read a mail for an attempt; None when it was damaged, which is told. Raises OSError."""
        unsaved = self._unsaved.get(entry.id)
        if unsaved is not None:
            data = await self._loader.read(entry.id, self._store.read_message, unsaved)
            return None if data is None else ActiveMail(unsaved, data, entry)
        found = await self._loader.read(entry.id, self._store.read, entry.id)
        if found is None:
            return None
        record, data = found
        await self._remember_taken(record)
        return ActiveMail(self._place(entry, record), data, entry)

    async def record(self, entry: QueueEntry) -> MailRecord | None:
        """Read a mail's record; None when it was damaged, which is told. Raises OSError."""
        if entry.id in self._unsaved:
            return self._unsaved[entry.id]
        record = await self._loader.read(entry.id, self._store.read_record, entry.id)
        if record is None:
            return None
        await self._remember_taken(record)
        return self._place(entry, record)

    async def message(self, record: MailRecord) -> Payload | None:
        """Read the message of a mail that is over; None where it cannot be read."""
        try:
            return await self._disk.run(self._store.read_message, record)
        except (DamagedMailError, OSError) as error:
            _LOGGER.debug("A mail that was given up cannot be read: %s", error)
        return None

    async def learn_ages(self) -> None:
        """Learn from their records how long mails have waited that were not read in this run."""
        await self._read_ages(sorted(entry.id for entry in self.queue if entry.is_estimated))

    async def note(self, mail: ActiveMail, record: MailRecord) -> None:
        """Replace the record of a mail on disk before something is done with it.

        A disk that takes no note of it does not stop the mail.
        """
        mail.record = record
        async with mail.writing:
            self._notifier.trouble(await self._update(mail.record))

    async def taken(self, message_id: str, addresses: Iterable[str]) -> set[str]:
        """Return those recipients for whom a mail is or was here by a hand-over. Raises OSError."""
        asked = set(addresses)
        await self.learn_ages()
        visiting = {address for address in asked if (message_id, address) in self._visiting}
        return visiting | await self._disk.run(self._taken.known, message_id, asked)

    async def _remember_taken(self, record: MailRecord) -> None:
        """Remember a mail from another account before anything becomes of it."""
        if not record.visited_accounts:
            return
        try:
            await self._disk.run(self._taken.add, record.message_id, record.addresses)
        except OSError as error:
            self._notifier.trouble(error)

    async def records(self) -> Sequence[MailRecord]:
        """Read the records of all deferred mails, in the order of their delivery.

        One that cannot be read is told and left out.
        """
        ids = sorted(self.queue.entries)
        found, errors = await self._loader.read_records(ids, self._is_idle)
        if errors:
            self._notifier.trouble(errors[0])
        placed = await in_pieces(found, self._placed)
        return [record for record in placed if record is not None]

    def _placed(self, record: MailRecord) -> MailRecord | None:
        entry = self.queue.find(record.id)
        if entry is None:
            return None
        unsaved = self._unsaved.get(record.id)
        return self._place(entry, record) if unsaved is None else unsaved

    async def remove(self, mail: ActiveMail) -> OSError | None:
        """Forget a mail, wherever it is. Returns why the disk did not let go of it."""
        async with mail.writing:
            return None if mail.entry is None else await self.remove_entry(mail.entry)

    async def remove_entry(self, entry: QueueEntry) -> OSError | None:
        """Forget a mail on disk. Returns why the disk did not let go of it."""
        self._forget(entry)
        try:
            await self._disk.remove(entry.id)
        except OSError as error:
            return error
        return None

    async def idle(self) -> None:
        """Wait until nothing is being written any more."""
        await self._disk.idle()

    async def _write(self, mail: ActiveMail) -> QueueEntry:
        record = mail.record.with_lost_reply() if mail.dot_reached else mail.record
        self.quota.claim(record.id.size)
        entry = self.queue.add(record.id, record.born)
        entry.stood_still = record.stood_still
        mail.is_spooled = True
        self._visit(record)
        try:
            await self._disk.write(self._noted(record), mail.data)
        except BaseException:
            mail.is_spooled = False
            self._visiting.difference_update((record.message_id, a) for a in record.addresses)
            self._forget(entry)
            raise
        mail.entry = entry
        return entry

    async def _update(self, record: MailRecord) -> OSError | None:
        try:
            await self._disk.run(self._store.update, self._noted(record))
        except OSError as error:
            self._unsaved[record.id] = record
            return error
        self._unsaved.pop(record.id, None)
        return None

    def _noted(self, record: MailRecord) -> MailRecord:
        return record.noted_at(self._timers.measured(), self._timers.clock())

    def _place(self, entry: QueueEntry, record: MailRecord) -> MailRecord:
        """Return a record from the disk in the time of the run, and learn its age from it."""
        if entry.is_estimated:
            entry.is_estimated = False
            taken_up = record.taken_up(self._timers.measured(), self._timers.clock())
            entry.offer_at += taken_up.born - entry.born
            entry.born = taken_up.born
            entry.stood_still += record.stood_still
            entry.is_over_quota = is_quota(record.failure)
            self._visit(record)
        return replace(
            record,
            born=entry.born,
            stood_still=entry.stood_still,
            next_attempt=entry.next_attempt,
        )

    def _visit(self, record: MailRecord) -> None:
        if record.visited_accounts:
            self._visiting.update((record.message_id, address) for address in record.addresses)

    def _forget(self, entry: QueueEntry) -> None:
        if self.queue.remove(entry):
            self.quota.free(entry.id.size)
        self._unsaved.pop(entry.id, None)

    def _lose(self, mail_id: MailId) -> None:
        entry = self.queue.find(mail_id)
        if entry is not None:
            self._forget(entry)

    def _is_idle(self, mail_id: MailId) -> bool:
        entry = self.queue.find(mail_id)
        return entry is not None and not entry.is_busy


type Keep = Callable[[MailRecord, Sequence[RecipientOutcome], Payload | None], Awaitable[None]]
"""Keeps a mail that is given up, so that a person may have it sent again; never raises."""

type Recover = Callable[[], Awaitable[Recovered]]
"""Recovers one folder. May be done again, and is done again after trouble or an OSError."""


class Recovery:
    """Has each folder recovered once at the start; one that cannot be read holds up no other."""

    def __init__(
        self, folders: Iterable[Recover], notifier: Notifier, timers: Timers, tasks: TaskGroup
    ) -> None:
        self._left = list(folders)
        self._notifier = notifier
        self._timers = timers
        self._timer = timers.register(lambda: tasks.start(self.recover()))

    async def recover(self) -> None:
        """Recover what is left to be recovered, and try again later what cannot be read."""
        for folder in tuple(self._left):
            try:
                found = await folder()
            except OSError as error:
                found = Recovered(trouble=error)
            if found.damaged:
                self._notifier.tell(Damaged(found.damaged))
            if found.trouble is None:
                self._left.remove(folder)
            self._notifier.trouble(found.trouble)
        self._timer.set(self._timers.now() + RETRY_AFTER if self._left else None)

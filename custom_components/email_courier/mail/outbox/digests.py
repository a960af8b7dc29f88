"""Digests: from the held mails of a recipient to the one that goes out for them, or the few."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
import contextlib
from copy import replace
from enum import Enum, auto
import json
import logging
from pathlib import Path
from typing import Protocol

from ..payload import Payload
from .disk import Disk
from .events import GivenUp, Notifier
from .record import MailId, MailRecord
from .runtime import Host, RunBlocking, TaskGroup, Timers
from .scheduler import ActiveMail, QueueEntry
from .spool import Loader, Quota, Recovered, Spool
from .store import Store, set_aside, write_file
from .submission import DamagedMailError, DigestPart, OutboxError, OutgoingMail

_LOGGER = logging.getLogger(__name__)

MAX_WITH_PICTURES = 5
"""So many digests at a time carry pictures: more would be the flood again that was held back."""
MERGE = ".merge"


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


class DigestJournal:
    """Notes of digests that are being made, in the folder of the held mail.

    A digest is put on disk between begin() and commit(), and not attempted before commit().
    Every method blocks and raises OSError.

    superseded: mails for which a digest waits or has gone, whether or not the disk has let go of
    them. They are held no more.
    """

    def __init__(self, held: Store, waiting: Store) -> None:
        """Note what moves from the one store to the other."""
        self._held = held
        self._waiting = waiting
        self._begun: set[Path] = set()
        self._unread: set[Path] = set()
        self.superseded: set[MailId] = set()

    def begin(self, digest: MailId, parts: Sequence[MailId]) -> None:
        """Note that these mails are about to become that one."""
        data = json.dumps([str(part) for part in parts]).encode()
        path = self._path(str(digest))
        self._begun.add(path)
        write_file(path, data)
        self._held.sync()

    def commit(self, digest: MailId, parts: Sequence[MailId]) -> None:
        """Forget the mails that have become another one."""
        for part in parts:
            self._held.remove(part)
        self._path(str(digest)).unlink(missing_ok=True)

    @property
    def is_unclear(self) -> bool:
        """Whether there is a note that cannot be read yet."""
        return bool(self._unread)

    def recover(self) -> Recovered:
        """Commit what a crash has interrupted, if it had come so far, or forget about it.

        May be done again: each note is looked at until that has succeeded once. A damaged one is
        set aside, and its mails may come both by themselves and in the digest.
        """
        damaged: list[str] = []
        trouble: OSError | None = None
        for path in sorted(self._held.folder.glob(f"*{MERGE}")):
            if path in self._begun:
                continue
            try:
                self._recover(path)
            except DamagedMailError:
                damaged.append(path.name)
                self._unread.discard(path)
                with contextlib.suppress(OSError):  # the next start finds it again
                    set_aside([path])
            except OSError as error:
                trouble = error
        return Recovered(tuple(damaged), trouble)

    def _recover(self, path: Path) -> None:
        digest = MailId.parse(path.name.removesuffix(MERGE))
        # A digest that waited when its note could not be read may have gone since.
        if digest is not None and (path in self._unread or self._waiting.holds(digest)):
            self._unread.add(path)
            parts = _read(path)
            self.superseded.update(parts)
            for part in parts:
                self._held.remove(part)
        path.unlink()
        self._unread.discard(path)

    def _path(self, digest: str) -> Path:
        return self._held.folder / f"{digest}{MERGE}"


def _read(path: Path) -> list[MailId]:
    """Return the parts. Raises DamagedMailError, and OSError that may pass."""
    try:
        names = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DamagedMailError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(names, list):
        raise DamagedMailError(f"{path.name} holds no list")
    return [part for name in names if (part := MailId.parse(str(name))) is not None]


class _HeldStore(Store):
    """Mails of one recipient each."""

    def read_record(self, mail_id: MailId) -> MailRecord:
        record = super().read_record(mail_id)
        if len(record.addresses) != 1:
            raise DamagedMailError(f"{mail_id} is held for {len(record.addresses)} recipients")
        return record


class HeldSpool:
    """The held mails on disk, in a folder within that of the deferred ones.

    known: all that count in the quota, whoever has them in hand.
    unread: those of which the record could not be read yet.
    """

    def __init__(
        self,
        waiting: Store,
        host: Host,
        quota: Quota,
        notifier: Notifier,
        timers: Timers,
        tasks: TaskGroup,
    ) -> None:
        self.known: set[MailId] = set()
        self.unread: set[MailId] = set()
        self._store = _HeldStore(waiting.folder / "held")
        self.journal = DigestJournal(self._store, waiting)
        self._quota = quota
        self._timers = timers
        self._disk = Disk(self._store, host, notifier.trouble, timers, tasks)
        self._loader = Loader(self._disk, notifier, self.lose)
        self._is_recovered = False
        self.run = self._disk.run
        self.idle = self._disk.idle

    async def open(self) -> tuple[list[MailRecord], Recovered]:
        """Return the records that an earlier run has left and that are not read yet.

        What cannot be read yet is counted all the same, and read the next time. Raises OSError.
        """
        recovered = Recovered()
        if not self._is_recovered:
            recovered = await self.run(self.journal.recover)
        found = await self.run(self._store.open)
        self._is_recovered = recovered.trouble is None
        gone = self.journal.superseded | self._disk.unremoved
        for mail_id in self.journal.superseded:
            self.lose(mail_id)
        for mail_id in found.mails:
            if mail_id not in self.known and mail_id not in gone:
                self.known.add(mail_id)
                self.unread.add(mail_id)
                self._quota.count(mail_id.size)
        # A mail may be in a digest already that nobody can read of yet.
        ids = [] if self.journal.is_unclear else sorted(self.unread)
        records, errors = await self._loader.read_records(ids, self.unread.__contains__)
        records = [record for record in records if record.id in self.unread]
        self.unread.difference_update(record.id for record in records)
        troubles = [error for error in (recovered.trouble, *errors) if error is not None]
        damaged = recovered.damaged + found.damaged
        return records, Recovered(damaged, next(iter(troubles), None))

    async def write(self, record: MailRecord, data: Payload) -> None:
        """Put a mail on disk. Raises OutboxError."""
        self._quota.claim(record.id.size)
        self.known.add(record.id)
        try:
            stamped = record.noted_at(self._timers.measured(), self._timers.clock())
            await self._disk.write(stamped, data)
        except OutboxError:
            self.lose(record.id)
            raise

    async def read(self, record: MailRecord) -> Payload | None:
        """Return a mail's message; None when it was damaged, which is told. Raises OSError."""
        return await self._loader.read(record.id, self._store.read_message, record)

    async def message(self, record: MailRecord) -> Payload | None:
        """Read the message of a mail that is over; None where it cannot be read."""
        try:
            return await self.run(self._store.read_message, record)
        except (DamagedMailError, OSError) as error:
            _LOGGER.debug("A mail that was given up cannot be read: %s", error)
        return None

    async def remove(self, mail_id: MailId) -> None:
        """Forget a mail; from now on it does not count, whatever the disk says. Raises OSError."""
        self.lose(mail_id)
        await self._disk.remove(mail_id)

    def lose(self, mail_id: MailId) -> None:
        """Count a mail no more."""
        if mail_id in self.known:
            self.known.remove(mail_id)
            self.unread.discard(mail_id)
            self._quota.free(mail_id.size)


class Digests:
    """Puts held mails into the queue, several as one, and has one of them in memory at a time."""

    def __init__(
        self,
        writer: DigestWriter,
        held: HeldSpool,
        spool: Spool,
        notifier: Notifier,
        timers: Timers,
        run_blocking: RunBlocking,
    ) -> None:
        self.writer = writer
        self._held = held
        self._spool = spool
        self._notifier = notifier
        self._timers = timers
        self._run_blocking = run_blocking
        self._is_stopped = False
        self._turn = asyncio.Lock()
        self._uncommitted: list[tuple[QueueEntry, Sequence[MailId]]] = []

    def stop(self) -> None:
        """Begin no further digest."""
        self._is_stopped = True

    async def send(self, records: list[MailRecord]) -> None:
        """Put the held mails of one recipient into the queue.

        What cannot be read yet is left in the list. Raises OSError and OutboxError; what is held
        still is then left in the list too.
        """
        async with self._turn:
            await self._commit_begun()
            await self._send(records)

    async def _send(self, records: list[MailRecord]) -> None:
        await self._give_up_expired(records)
        is_small = sum(record.id.size for record in records) <= self.writer.limit()
        coming = deque(records)
        sent = 0
        while coming and not self._is_stopped:
            pictures = Pictures.SMALLER if sent < MAX_WITH_PICTURES else Pictures.LEFT_OUT
            draft = self.writer.begin(Pictures.AS_THEY_ARE if is_small else pictures)
            try:
                taken = await self._fill(draft, coming, records)
                digest = await self._finish(draft) if len(taken) > 1 else None
            finally:
                await self._run_blocking(draft.close)
            if digest is not None:
                await self._move(digest, taken, records)
                sent += 1
            else:
                await self._move_alone(taken, records)

    async def _give_up_expired(self, records: list[MailRecord]) -> None:
        now = self._timers.measured()
        for record in tuple(records):
            if record.expires > now:
                continue
            records.remove(record)
            message = await self._held.message(record)
            await self._spool.keep(record, record.outcomes, message)
            self._notifier.failed(record, record.outcomes, GivenUp.EXPIRED, is_promised=True)
            try:
                await self._held.remove(record.id)
            except OSError as error:
                self._notifier.trouble(error)

    async def _fill(
        self, draft: DigestDraft, coming: deque[MailRecord], records: list[MailRecord]
    ) -> list[MailRecord]:
        """Move mails into a draft while they fit; one that fits in none is taken by itself."""
        taken: list[MailRecord] = []
        while coming and not self._is_stopped:
            record = coming[0]
            mail = await self._load(record, records)
            if mail is not None and not await self._fits(draft, mail):
                return taken or [coming.popleft()]
            coming.popleft()
            if mail is not None:
                taken.append(record)
        return taken

    async def _fits(self, draft: DigestDraft, mail: OutgoingMail) -> bool:
        if len(mail.data) > self.writer.limit():
            return False
        try:
            return await self._run_blocking(draft.add, mail)
        except Exception:
            _LOGGER.exception("A held mail could not be put into a digest")
            return False

    async def _finish(self, draft: DigestDraft) -> OutgoingMail | None:
        try:
            return await self._run_blocking(draft.finish)
        except Exception:
            _LOGGER.exception("Held mails could not be made into one")
            return None

    async def _load(self, record: MailRecord, records: list[MailRecord]) -> OutgoingMail | None:
        """Read a held mail; None, and off the list, if it was damaged; None if it comes later."""
        try:
            data = await self._held.read(record)
        except OSError as error:
            self._notifier.trouble(error)
            return None
        if data is None:
            records.remove(record)
            return None
        return record.outgoing(data, self._timers.now())

    async def _move_alone(self, taken: Sequence[MailRecord], records: list[MailRecord]) -> None:
        """Put mails into the queue as they are."""
        for record in taken:
            mail = await self._load(record, records)
            if mail is not None:
                await self._move(mail, [record], records)

    async def _move(
        self, mail: OutgoingMail, taken: Sequence[MailRecord], records: list[MailRecord]
    ) -> None:
        """Put a mail into the queue in place of those that it stands for."""
        if len(taken) > 1:
            parts = tuple(
                DigestPart(record.message_id, record.subject, record.origin) for record in taken
            )
            mail = replace(mail, stands_for=parts)
        active = ActiveMail(MailRecord.new(mail, self._timers.now()), mail.data)
        ids = [record.id for record in taken]
        await self._held.run(self._held.journal.begin, active.record.id, ids)
        quota = self._spool.quota
        for mail_id in ids:
            quota.free(mail_id.size)
        try:
            await self._spool.write(active)
        except BaseException:
            for mail_id in ids:
                quota.count(mail_id.size)
            raise
        if active.entry is not None:
            self._uncommitted.append((active.entry, ids))
        # They count no more, whatever the disk says: nothing may count them off a second time.
        self._held.known.difference_update(ids)
        self._held.journal.superseded.update(ids)
        for record in taken:
            records.remove(record)
        await self._commit_begun()

    async def _commit_begun(self) -> None:
        """Put mails into the queue in whose place nothing is held any more. Raises OSError."""
        while self._uncommitted:
            entry, ids = self._uncommitted[0]
            await self._held.run(self._held.journal.commit, entry.id, ids)
            del self._uncommitted[0]
            self._held.journal.superseded.difference_update(ids)
            self._spool.queue.put_back(entry, 0)

"""What has been promised: the mails on disk together with their places in the line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
import contextlib
from dataclasses import replace
import math

from .backlog import Backlog, Entry
from .disk import Disk
from .job import Job
from .limits import Room
from .loader import AT_ONCE, Loader, TakenUp
from .mail_id import MailId
from .record import MailRecord
from .reporter import Reporter
from .store import Store


class Keeper:
    """Keeps disk and backlog in step."""

    def __init__(self, disk: Disk, backlog: Backlog, room: Room, reporter: Reporter) -> None:
        """Keep mails on a disk, as far as there is room."""
        self._disk = disk
        self._backlog = backlog
        self._room = room
        self._reporter = reporter
        self._loader = Loader(disk, reporter, self._lose)
        self._unsaved: dict[MailId, MailRecord] = {}

    @property
    def _store(self) -> Store:
        return self._disk.store

    async def open(self) -> TakenUp:
        """Let all mails on disk into the line. Raises OSError."""
        found = await self._disk.run(self._store.open)
        known = {entry.id for entry in self._backlog}
        for number, mail_id in enumerate(m for m in found.mails if m not in known):
            self._room.count(mail_id.size)
            self._backlog.put_back(self._backlog.add(mail_id), 0)
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
        return TakenUp(found.damaged)

    async def keep(self, job: Job) -> None:
        """Put a job's mail on disk as it stands now, if it is not there. Raises OutboxError.

        The mail does not wait yet: the job is still in hand. One that is being concluded is left
        to that.
        """
        async with job.keeping:
            if job.entry is None and not job.is_concluding:
                await self._write(job)

    async def lay_down(
        self, job: Job, next_attempt: float, *, offer_at: float = math.inf
    ) -> OSError | None:
        """Let a mail wait on disk until a UTC timestamp in seconds; 0 is until its turn comes.

        offer_at: UTC timestamp in seconds from which the backup account may have it, if that is
        before it may have it anyway.
        Raises OutboxError for a mail that was not on disk and cannot be put there. For one that
        was, what could not be written is remembered until the next time, and the error returned.
        """
        job.record = replace(job.record, next_attempt=next_attempt)
        async with job.keeping:
            error = None
            if job.entry is None:
                entry = await self._write(job)
            else:
                entry = job.entry
                error = await self._update(job.record)
            self._backlog.offer(entry, offer_at)
            self._backlog.put_back(entry, next_attempt)
            return error

    async def _write(self, job: Job) -> Entry:
        record = job.record.with_lost_reply() if job.dot_reached else job.record
        self._room.claim(record.id.size)
        entry = self._backlog.add(record.id)
        try:
            await self._disk.write(record, job.data)
        except BaseException:
            self._forget(entry)
            raise
        job.entry = entry
        return entry

    def _forget(self, entry: Entry) -> None:
        if self._backlog.remove(entry):
            self._room.free(entry.id.size)
        self._unsaved.pop(entry.id, None)

    def _lose(self, mail_id: MailId) -> None:
        entry = self._backlog.find(mail_id)
        if entry is not None:
            self._forget(entry)

    def _is_idle(self, mail_id: MailId) -> bool:
        entry = self._backlog.find(mail_id)
        return entry is not None and not entry.is_busy

    async def _update(self, record: MailRecord) -> OSError | None:
        try:
            await self._disk.run(self._store.update, record)
        except OSError as error:
            self._unsaved[record.id] = record
            return error
        self._unsaved.pop(record.id, None)
        return None

    async def mark_dot(self, job: Job) -> None:
        """Note that the final dot is about to be sent; on disk too where the mail is there.

        A disk that takes no note of it does not stop the mail.
        """
        job.dot_reached = True
        async with job.keeping:
            if job.entry is not None:
                with contextlib.suppress(OSError):
                    await self._disk.run(self._store.mark_dot, job.record.id)

    async def load(self, entry: Entry) -> Job | None:
        """Read a mail for an attempt; None when it was damaged, which is told. Raises OSError."""
        unsaved = self._unsaved.get(entry.id)
        if unsaved is not None:
            data = await self._loader.read(entry.id, self._store.read_message, unsaved)
            return None if data is None else Job(unsaved, data, entry)
        found = await self._loader.read(entry.id, self._store.read, entry.id)
        return None if found is None else Job(*found, entry)

    async def record(self, entry: Entry) -> MailRecord | None:
        """Read a mail's record; None when it was damaged, which is told. Raises OSError."""
        if entry.id in self._unsaved:
            return self._unsaved[entry.id]
        return await self._loader.read(entry.id, self._store.read_record, entry.id)

    async def discard(self, job: Job) -> OSError | None:
        """Forget a mail, wherever it is. Returns what went wrong."""
        async with job.keeping:
            return None if job.entry is None else await self.discard_entry(job.entry)

    async def discard_entry(self, entry: Entry) -> OSError | None:
        """Forget a mail on disk. Returns what went wrong."""
        self._forget(entry)
        try:
            await self._disk.run(self._store.remove, entry.id)
        except OSError as error:
            return error
        return None

    async def records(self) -> Sequence[MailRecord]:
        """Read the records of all waiting mails, first in line first.

        One that cannot be read is told and left out.
        """
        ids = sorted(entry.id for entry in self._backlog)
        found, errors = await self._loader.read_records(ids, self._is_idle)
        if errors:
            self._reporter.trouble(errors[0])
        return [self._unsaved.get(record.id, record) for record in found]

    async def idle(self) -> None:
        """Wait until nothing is being written any more."""
        await self._disk.idle()

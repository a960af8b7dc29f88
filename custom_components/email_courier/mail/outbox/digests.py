"""From held mails to the one that goes out for them, or the few."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
import logging

from .desk import Desk
from .disk import Disk
from .events import GivenUp
from .flood import DigestDraft, DigestWriter, Pictures
from .job import Job
from .limits import Room
from .loader import Loader
from .mail_id import MailId
from .merges import Merges
from .outgoing import DigestPart, OutgoingMail
from .record import MailRecord

_LOGGER = logging.getLogger(__name__)

MAX_WITH_PICTURES = 5
"""So many digests at a time carry pictures: more would be the flood again that was held back."""


class Digests:
    """Puts held mails into the line, several as one, and has one of them in memory at a time."""

    def __init__(
        self,
        desk: Desk,
        room: Room,
        disk: Disk,
        merges: Merges,
        writer: DigestWriter,
        loader: Loader,
        known: set[MailId],
    ) -> None:
        """Work at a desk, with the disk of the held mails.

        known: the mails that are held; those that have gone are taken out.
        """
        self._desk = desk
        self._room = room
        self._disk = disk
        self._merges = merges
        self._writer = writer
        self._loader = loader
        self._known = known
        self._is_stopped = False
        self._turn = asyncio.Lock()
        self._unended: list[tuple[Job, Sequence[MailId]]] = []

    def stop(self) -> None:
        """Begin no further digest."""
        self._is_stopped = True

    async def send(self, records: list[MailRecord]) -> None:
        """Put the held mails of one recipient into the line.

        What cannot be read yet is left in the list. Raises OSError and OutboxError; what is held
        still is then left in the list too.
        """
        async with self._turn:
            await self._end_begun()
            await self._send(records)

    async def _send(self, records: list[MailRecord]) -> None:
        await self._give_up_expired(records)
        is_small = sum(record.id.size for record in records) <= self._writer.limit()
        coming = deque(records)
        sent = 0
        while coming and not self._is_stopped:
            pictures = Pictures.SMALLER if sent < MAX_WITH_PICTURES else Pictures.LEFT_OUT
            draft = self._writer.begin(Pictures.AS_THEY_ARE if is_small else pictures)
            try:
                taken = await self._fill(draft, coming, records)
                digest = await self._finish(draft) if len(taken) > 1 else None
            finally:
                await self._desk.host.run_blocking(draft.close)
            if digest is not None:
                await self._move(digest, taken, records)
                sent += 1
            else:
                await self._move_alone(taken, records)

    async def _give_up_expired(self, records: list[MailRecord]) -> None:
        now = self._desk.alarm.now()
        for record in tuple(records):
            if record.id.expires > now:
                continue
            await self._disk.run(self._disk.store.remove, record.id)
            self._known.discard(record.id)
            self._room.free(record.id.size)
            records.remove(record)
            outcomes = [owed.outcome for owed in record.owed]
            self._desk.reporter.failed(record, outcomes, GivenUp.EXPIRED)

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
        if len(mail.data) > self._writer.limit():
            return False
        try:
            return await self._desk.host.run_blocking(draft.add, mail)
        except Exception:
            _LOGGER.exception("A held mail could not be put into a digest")
            return False

    async def _finish(self, draft: DigestDraft) -> OutgoingMail | None:
        try:
            return await self._desk.host.run_blocking(draft.finish)
        except Exception:
            _LOGGER.exception("Held mails could not be made into one")
            return None

    async def _load(self, record: MailRecord, records: list[MailRecord]) -> OutgoingMail | None:
        """Read a held mail; None, and off the list, if it was damaged; None if it comes later."""
        try:
            data = await self._loader.read(record.id, self._disk.store.read_message, record)
        except OSError as error:
            self._desk.reporter.trouble(error)
            return None
        if data is None:
            records.remove(record)
            return None
        return record.outgoing(data, self._desk.alarm.now())

    async def _move_alone(self, taken: Sequence[MailRecord], records: list[MailRecord]) -> None:
        """Put mails into the line as they are."""
        for record in taken:
            mail = await self._load(record, records)
            if mail is not None:
                await self._move(mail, [record], records)

    async def _move(
        self, mail: OutgoingMail, taken: Sequence[MailRecord], records: list[MailRecord]
    ) -> None:
        """Put a mail into the line in place of those that it stands for."""
        desk = self._desk
        if len(taken) > 1:
            parts = tuple(DigestPart(record.message_id, record.subject) for record in taken)
            mail = replace(mail, stands_for=parts)
        job = Job(MailRecord.new(mail, desk.alarm.now()), mail.data)
        ids = [record.id for record in taken]
        await self._disk.run(self._merges.begin, job.record.id, ids)
        for mail_id in ids:
            self._room.free(mail_id.size)
        try:
            await desk.keeper.keep(job)
        except BaseException:
            for mail_id in ids:
                self._room.count(mail_id.size)
            raise
        self._unended.append((job, ids))
        for record in taken:
            records.remove(record)
        await self._end_begun()

    async def _end_begun(self) -> None:
        """Let mails into the line in whose place nothing is held any more. Raises OSError."""
        while self._unended:
            job, ids = self._unended[0]
            await self._disk.run(self._merges.end, job.record.id, ids)
            del self._unended[0]
            self._known.difference_update(ids)
            if job.entry is not None:
                self._desk.backlog.put_back(job.entry, 0)

"""From held mails to the one that goes out for them."""

from __future__ import annotations

from collections.abc import Sequence
import logging

from .desk import Desk
from .disk import Disk
from .errors import DamagedMailError
from .events import Damaged, GivenUp
from .flood import ComposeDigest
from .job import Job
from .limits import Room
from .merges import Merges
from .outgoing import OutgoingMail
from .record import MailRecord

_LOGGER = logging.getLogger(__name__)

type _Part = tuple[MailRecord, OutgoingMail]


class Digests:
    """Puts held mails into the line, several as one."""

    def __init__(
        self, desk: Desk, room: Room, disk: Disk, merges: Merges, compose: ComposeDigest
    ) -> None:
        """Work at a desk, with the disk of the held mails."""
        self._desk = desk
        self._room = room
        self._disk = disk
        self._merges = merges
        self._compose = compose

    async def send(self, records: list[MailRecord]) -> None:
        """Put the held mails of one recipient into the line.

        Raises OSError and OutboxError; what is held still is then left in the list.
        """
        parts: list[_Part] = []
        for record in tuple(records):
            mail = await self._load(record)
            if mail is None:
                records.remove(record)
            else:
                parts.append((record, mail))
        for mail, stands_for in await self._merge(parts):
            await self._move(mail, stands_for)
            for record in stands_for:
                records.remove(record)

    async def _load(self, record: MailRecord) -> OutgoingMail | None:
        """Read a held mail; one that is damaged or has expired is reported."""
        desk = self._desk
        store = self._disk.store
        now = desk.alarm.now()
        try:
            data = await self._disk.run(store.read_message, record)
        except DamagedMailError as error:
            _LOGGER.warning("A held mail was damaged and has been set aside: %s", error)
            await self._disk.run(store.set_aside, record.id)
            self._room.free(record.id.size)
            desk.reporter.tell(Damaged((str(record.id),)))
            return None
        if record.id.expires > now:
            return record.outgoing(data, now)
        await self._disk.run(store.remove, record.id)
        self._room.free(record.id.size)
        outcomes = [owed.outcome for owed in record.owed]
        desk.reporter.failed(record, outcomes, GivenUp.EXPIRED)
        return None

    async def _merge(self, parts: list[_Part]) -> list[tuple[OutgoingMail, list[MailRecord]]]:
        """Make one mail of several; where that fails, each goes as it is."""
        single = [(mail, [record]) for record, mail in parts]
        if len(parts) < 2:
            return single
        mails = [mail for _, mail in parts]
        try:
            digest = await self._desk.host.run_blocking(self._compose, mails)
        except Exception:
            _LOGGER.exception("Held mails could not be made into one")
            return single
        return [(digest, [record for record, _ in parts])]

    async def _move(self, mail: OutgoingMail, stands_for: Sequence[MailRecord]) -> None:
        desk = self._desk
        job = Job(MailRecord.new(mail, desk.alarm.now()), mail.data)
        parts = [record.id for record in stands_for]
        await self._disk.run(self._merges.begin, job.record.id, parts)
        for part in parts:
            self._room.free(part.size)
        try:
            await desk.keeper.keep(job)
        except BaseException:
            for part in parts:
                self._room.count(part.size)
            raise
        await self._disk.run(self._merges.end, job.record.id, parts)
        if job.entry is not None:
            desk.backlog.put_back(job.entry, 0)

"""Mail that the flood guard holds back, until it goes out as one digest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
import logging

from ..envelope import Envelope
from ..failure import Failure
from .desk import Desk
from .digests import Digests
from .disk import Disk
from .errors import DamagedMailError, OutboxError, OutboxReason
from .events import GivenUp
from .flood import HOUR, FloodGuard, FloodLimit
from .limits import Room
from .loader import Loader, TakenUp
from .mail_id import MailId
from .merges import Merges
from .outgoing import OutgoingMail
from .record import MailRecord
from .store import Store

_LOGGER = logging.getLogger(__name__)

RETRY_AFTER = 300.0
"""Seconds until a digest is made again for which there was no room."""


@dataclass(slots=True)
class _Pile:
    """Held mails of one recipient, oldest first, and when they go (UTC timestamp in seconds)."""

    ends: float
    records: list[MailRecord] = field(default_factory=list)


class _HeldStore(Store):
    """Mails of one recipient each."""

    def read_record(self, mail_id: MailId) -> MailRecord:
        record = super().read_record(mail_id)
        if len(record.addresses) != 1:
            raise DamagedMailError(f"{mail_id} is held for {len(record.addresses)} recipients")
        return record


class Held:
    """The held mails of one account: each on disk, one recipient each."""

    def __init__(
        self,
        desk: Desk,
        room: Room,
        *,
        waiting: Store,
        limit: FloodLimit,
        returned: Callable[[], None],
    ) -> None:
        """Hold mails in a folder within that of the waiting ones.

        returned: called when a digest waits in the line.
        """
        self._desk = desk
        self._room = room
        self._limit = limit
        self._returned = returned
        self._guard = FloodGuard(limit.per_hour)
        self._store = _HeldStore(waiting.folder / "held")
        self._disk = Disk(self._store, desk.host, desk.reporter.trouble)
        self._merges = Merges(self._store, waiting)
        self._known: set[MailId] = set()  # all that is counted, whoever has it in hand
        self._unread: set[MailId] = set()
        self._loader = Loader(self._disk, desk.reporter, self._lose)
        self._digests = Digests(
            desk, room, self._disk, self._merges, limit.digests, self._loader, self._known
        )
        self._piles: dict[str, _Pile] = {}
        self._is_mended = False
        desk.alarm.serve(self._next_end, self._release)

    async def open(self) -> TakenUp:
        """Take up what an earlier run has held back. Raises OSError.

        What cannot be read yet is counted all the same, and read the next time.
        """
        mended = TakenUp()
        if not self._is_mended:
            mended = await self._disk.run(self._merges.mend)
        found = await self._disk.run(self._store.open)
        self._is_mended = mended.trouble is None
        for mail_id in found.mails:
            if mail_id not in self._known:
                self._known.add(mail_id)
                self._unread.add(mail_id)
                self._room.count(mail_id.size)
        errors = await self._read()
        troubles = [error for error in (mended.trouble, *errors) if error is not None]
        return TakenUp(mended.damaged + found.damaged, next(iter(troubles), None))

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
        until = self._guard.count(mail, self._desk.alarm.now())
        if not until:
            return mail, ()
        if not mail.queue:
            raise OutboxError(OutboxReason.FLOOD, f"more than {self._limit.per_hour} an hour")
        # Whoever asked may leave meanwhile: what has begun is brought to its end.
        work = self._desk.host.finish(self._hold_all(mail, until), "outbox hold")
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
                outcomes = [owed.outcome for owed in record.owed]
                self._desk.reporter.failed(record, outcomes, GivenUp.NOT_KEPT, failure)

    def records(self) -> list[MailRecord]:
        """Return the records of all held mails."""
        return [record for pile in self._piles.values() for record in pile.records]

    async def drop(self, names: Collection[str] | None) -> int:
        """Forget held mails by their ids as text, or all of them; return how many."""
        dropped = 0
        for record in self.records():
            if (names is None or str(record.id) in names) and await self._forget(record):
                self._desk.reporter.dropped(record)
                dropped += 1
        for mail_id in tuple(self._unread):
            if (names is None or str(mail_id) in names) and mail_id in self._known:
                self._lose(mail_id)
                await self._disk.run(self._store.remove, mail_id)
                dropped += 1
        return dropped

    async def _forget(self, record: MailRecord) -> bool:
        """Remove a held mail; False if it is not held any more."""
        pile = self._piles.get(_key(record))
        if pile is None or record not in pile.records:
            return False
        pile.records.remove(record)
        self._lose(record.id)
        await self._disk.run(self._store.remove, record.id)
        return True

    def _lose(self, mail_id: MailId) -> None:
        """Count a mail no more."""
        if mail_id in self._known:
            self._known.remove(mail_id)
            self._unread.discard(mail_id)
            self._room.free(mail_id.size)

    async def _read(self) -> list[OSError]:
        """Read what is not read yet, and return why some of it cannot be."""
        ids = sorted(self._unread)
        records, errors = await self._loader.read_records(ids, self._unread.__contains__)
        for record in records:
            if record.id not in self._unread:
                continue
            self._unread.remove(record.id)
            ends = min(record.next_attempt, self._desk.alarm.now() + HOUR)
            pile = self._pile(replace(record, next_attempt=ends))
            pile.records.sort(key=lambda held: held.id)
            self._guard.fill(record.addresses[0], ends)
        return errors

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
        record = replace(MailRecord.new(alone, self._desk.alarm.now()), next_attempt=ends)
        self._room.claim(record.id.size)
        self._known.add(record.id)
        try:
            await self._disk.write(record, mail.data)
        except OutboxError:
            self._lose(record.id)
            raise
        self._pile(record)
        self._desk.reporter.deferred(record, ends)
        self._desk.alarm.changed()
        return record

    def _pile(self, record: MailRecord) -> _Pile:
        pile = self._piles.setdefault(_key(record), _Pile(record.next_attempt))
        pile.records.append(record)
        return pile

    def _next_end(self) -> float | None:
        return min((pile.ends for pile in self._piles.values()), default=None)

    def _release(self) -> None:
        now = self._desk.alarm.now()
        for address, pile in tuple(self._piles.items()):
            if pile.ends <= now:
                del self._piles[address]
                self._guard.count_digest(address, now)
                self._desk.chores.do(self._send(address, pile))

    async def _send(self, address: str, pile: _Pile) -> None:
        is_done = False
        try:
            await self._digests.send(pile.records)
            is_done = not pile.records
        except (OSError, OutboxError) as error:
            _LOGGER.warning("Held mail cannot be put in the line yet: %s", error)
        if not is_done:
            newer = self._piles.pop(address, _Pile(0))
            ends = self._desk.alarm.now() + RETRY_AFTER
            self._piles[address] = _Pile(ends, pile.records + newer.records)
        self._returned()


def _key(record: MailRecord) -> str:
    [address] = record.addresses
    return address.casefold()

"""From held mails to the one that goes out for them, or the few."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
import contextlib
from dataclasses import dataclass, field, replace
from enum import Enum, auto
import json
import logging
from pathlib import Path
from typing import Protocol

from ..envelope import Envelope
from ..failure import Failure
from .desk import Desk
from .events import GivenUp
from .record import MailId, MailRecord
from .scheduler import Job
from .spool import Disk, Loader, Room, TakenUp
from .store import Store, set_aside, write_file
from .submission import DamagedMailError, DigestPart, OutboxError, OutboxReason, OutgoingMail, Rank

HOUR = 3600.0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodLimit:
    """At most so many mails an hour to one recipient; the others come together in one."""

    per_hour: int
    digests: DigestWriter


@dataclass(slots=True)
class _Window:
    ends: float
    mails: int


class FloodGuard:
    """Counts mails by recipient; a recipient's hour begins with the first one."""

    def __init__(self, per_hour: int) -> None:
        """Allow so many."""
        self._per_hour = per_hour
        self._windows: dict[str, _Window] = {}

    def count(self, mail: OutgoingMail, now: float) -> dict[str, float]:
        """Count a mail; return until when it is held back, for each recipient who has had enough.

        now and the times returned are UTC timestamps in seconds. High rank counts, and is never
        held back.
        """
        held: dict[str, float] = {}
        for address in mail.envelope.recipients:
            window = self._charge(address, now)
            if window.mails > self._per_hour and mail.rank is not Rank.HIGH:
                held[address] = window.ends
        return held

    def count_digest(self, address: str, now: float) -> None:
        """Count a digest for a recipient; it is never held back."""
        self._charge(address, now)

    def fill(self, address: str, ends: float) -> None:
        """Know a recipient who has had enough until a UTC timestamp in seconds."""
        self._windows[address.casefold()] = _Window(ends, self._per_hour)

    def _charge(self, address: str, now: float) -> _Window:
        self._windows = {a: w for a, w in self._windows.items() if w.ends > now}
        window = self._windows.setdefault(address.casefold(), _Window(now + HOUR, 0))
        window.mails += 1
        return window


MERGE = ".merge"


class Merges:
    """Notes in the folder of held mail; every method blocks and raises OSError.

    A digest is put on disk between begin() and end(), and not attempted before end().
    """

    def __init__(self, held: Store, waiting: Store) -> None:
        """Note what moves from the one store to the other."""
        self._held = held
        self._waiting = waiting
        self._begun: set[Path] = set()
        self._unread: set[Path] = set()

    def begin(self, digest: MailId, parts: Sequence[MailId]) -> None:
        """Note that these mails are about to become that one."""
        data = json.dumps([str(part) for part in parts]).encode()
        path = self._path(str(digest))
        self._begun.add(path)
        write_file(path, data)
        self._held.sync()

    def end(self, digest: MailId, parts: Sequence[MailId]) -> None:
        """Forget the mails that have become another one."""
        for part in parts:
            self._held.remove(part)
        self._path(str(digest)).unlink(missing_ok=True)

    def mend(self) -> TakenUp:
        """End what a crash has interrupted, if it had come so far, or forget about it.

        May be done again: each note is looked at until that has succeeded once. A damaged one is
        set aside, and its mails may come both by themselves and in the digest.
        """
        damaged: list[str] = []
        trouble: OSError | None = None
        for path in sorted(self._held.folder.glob(f"*{MERGE}")):
            if path in self._begun:
                continue
            try:
                self._mend(path)
            except DamagedMailError:
                damaged.append(path.name)
                with contextlib.suppress(OSError):  # the next start finds it again
                    set_aside([path])
            except OSError as error:
                trouble = error
        return TakenUp(tuple(damaged), trouble)

    def _mend(self, path: Path) -> None:
        digest = MailId.parse(path.name.removesuffix(MERGE))
        # A digest that waited when its note could not be read may have gone since.
        if digest is not None and (path in self._unread or self._waiting.holds(digest)):
            self._unread.add(path)
            for part in _read(path):
                self._held.remove(part)
        path.unlink()

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

"""The courier of one account: takes mail, delivers it or keeps it, and tells what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
import contextlib
from dataclasses import dataclass, field
import logging
from typing import Any

from ..failure import Failure, MailError
from .backup import Backup, TakeOver
from .desk import Desk
from .dispatcher import Deliver, Dispatcher, Expiry
from .events import CourierEvent, OutboxState, Reporter
from .history import Chronicle, History
from .hold import FloodLimit, Held
from .record import MailRecord
from .runtime import Alarm, Chores, Host
from .scheduler import Backlog, Entry, Job
from .spool import Disk, Keeper, Limits, Revival, Room
from .store import Store
from .submission import OutboxError, OutgoingMail, Receipt, refusal, with_held


class Entrance:
    """Counts the callers who have come in and not left."""

    def __init__(self) -> None:
        """Begin with nobody inside."""
        self._inside = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @contextlib.contextmanager
    def visit(self) -> Iterator[None]:
        """Be inside."""
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    async def empty(self) -> None:
        """Wait until everybody has left."""
        await self._empty.wait()


class Intake:
    """Turns each mail into a job for the dispatcher, and lets its caller go in time."""

    def __init__(
        self, desk: Desk, dispatcher: Dispatcher, *, write_first: bool, patience: float
    ) -> None:
        """Work at a desk.

        write_first: whether a mail is on disk before its first attempt.
        patience: seconds after which a caller is let go and the mail kept.
        """
        self._desk = desk
        self._dispatcher = dispatcher
        self._write_first = write_first
        self._patience = patience

    async def submit(self, mail: OutgoingMail) -> Receipt:
        """Deliver a mail or keep it. Raises MailError and OutboxError."""
        job = self._job(mail)
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        job.answer = answer
        self._desk.chores.do(self._for(job, self._take_in(job)))
        try:
            await asyncio.wait({answer}, timeout=self._patience if mail.queue else None)
            if not answer.done():
                self._desk.chores.do(self._for(job, self._dispatcher.let_go(job)))
            return await answer
        except asyncio.CancelledError:
            self._dispatcher.withdraw(job)
            raise

    async def accept(self, mail: OutgoingMail) -> None:
        """Keep a mail, and deliver it later. Raises MailError and OutboxError."""
        obstacle = self._dispatcher.reason_to_wait
        if obstacle is not None:
            raise MailError(obstacle)
        await self._dispatcher.shelve(self._job(mail), None)

    def _job(self, mail: OutgoingMail) -> Job:
        record = MailRecord.new(mail, self._desk.alarm.now())
        return Job(record, mail.data, queue=mail.queue)

    async def _take_in(self, job: Job) -> None:
        refusal = self._dispatcher.reason_to_refuse
        if refusal is not None and not job.queue:
            raise MailError(refusal)
        obstacle = self._dispatcher.reason_to_wait if job.queue else None
        if obstacle is not None:
            await self._dispatcher.shelve(job, obstacle)
            return
        if self._write_first and job.queue:
            await self._desk.keeper.keep(job)
        self._dispatcher.take(job)

    async def _for(self, job: Job, work: Coroutine[None, None, None]) -> None:
        """Do something for a caller, who gets to know what goes wrong."""
        try:
            await work
        except (MailError, OutboxError) as error:
            job.refuse(error)
        except Exception as error:
            job.refuse(error)
            raise


_LOGGER = logging.getLogger(__name__)


class Inventory:
    """Lists and drops waiting mail, held or in the line."""

    def __init__(self, desk: Desk, dispatcher: Dispatcher, held: Held | None) -> None:
        """Look over a desk."""
        self._desk = desk
        self._dispatcher = dispatcher
        self._held = held

    async def records(self) -> Sequence[MailRecord]:
        """Return the records of all waiting mail, first in line first, held ones last."""
        held = () if self._held is None else self._held.records()
        return [*await self._desk.keeper.records(), *held]

    async def drop(self, names: Collection[str] | None) -> int:
        """Forget waiting mails by their ids as text, or all of them; return how many.

        Raises OSError.
        """
        desk = self._desk
        dropped = 0 if self._held is None else await self._held.drop(names)
        for entry in desk.backlog:
            if names is not None and str(entry.id) not in names:
                continue
            if not entry.is_busy:
                desk.backlog.take(entry)
                desk.chores.do(self._drop(entry))
                dropped += 1
            elif self._dispatcher.drop(entry):
                dropped += 1
        await desk.chores.done()
        return dropped

    async def _drop(self, entry: Entry) -> None:
        desk = self._desk
        try:
            record = await desk.keeper.record(entry)
        except OSError as error:
            _LOGGER.warning("The record of a dropped mail could not be read: %s", error)
        else:
            if record is not None:
                desk.reporter.dropped(record)
        desk.reporter.trouble(await desk.keeper.discard_entry(entry))


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierConfig:
    """How an account treats its mail.

    write_first: every mail is on disk before its first attempt.
    patience: seconds after which a caller is let go and the mail kept, while the attempt goes on.
    backup: the account that takes over.
    flood_limit: how many mails one recipient gets.
    """

    write_first: bool = False
    patience: float = 20.0
    limits: Limits = field(default_factory=Limits)
    backup: Backup | None = None
    flood_limit: FloodLimit | None = None


class Courier:
    """One account's outgoing mail.

    A mail goes straight to the server. It is on disk, synced, before anybody is told that it will
    be delivered later.
    """

    def __init__(
        self,
        *,
        deliver: Deliver,
        store: Store,
        host: Host,
        listener: Callable[[CourierEvent], None],
        config: CourierConfig | None = None,
    ) -> None:
        """Deliver through a session, keep in a store, and tell a listener."""
        self._host = host
        self._config = config or CourierConfig()
        backup = self._config.backup
        self._alarm = Alarm(host)
        self._reporter = Reporter(self._alarm.now)
        self._room = Room(self._config.limits)
        self._backlog = Backlog() if backup is None else Backlog(backup.after)
        disk = Disk(store, host, self._reporter.trouble)
        self._keeper = Keeper(disk, self._backlog, self._room, self._reporter)
        self._chores = Chores(host, self._changed)
        desk = Desk(
            host, self._alarm, self._backlog, self._keeper, self._reporter, self._chores, backup
        )
        self._dispatcher = Dispatcher(deliver, desk)
        self._intake = Intake(
            desk,
            self._dispatcher,
            write_first=self._config.write_first,
            patience=self._config.patience,
        )
        self._expiry = Expiry(desk, lambda: self._dispatcher.gate.failure)
        self._alarm.serve(self._dispatcher.next_attempt, self._dispatcher.pump)
        self._history = History(store.folder / "history")
        self._chronicle = Chronicle(desk, self._history)
        pump = self._dispatcher.pump
        self._takeover = None if backup is None else TakeOver(desk, backup, pump)
        limit = self._config.flood_limit
        self._held = (
            None
            if limit is None
            else Held(desk, self._room, waiting=store, limit=limit, returned=pump)
        )
        self._inventory = Inventory(desk, self._dispatcher, self._held)
        kept = (self._held, self._keeper)  # what a crash left half merged is mended first
        self._revival = Revival(desk, [part.open for part in kept if part is not None], pump)
        self._reporter.listen(listener)
        self._opening: asyncio.Task[None] | None = None
        self._entrance = Entrance()

    @property
    def state(self) -> OutboxState:
        """The outbox at a glance."""
        return OutboxState(
            waiting=self._room.mails,
            waiting_bytes=self._room.size,
            fullness=self._room.fullness,
            down=self._dispatcher.gate.failure,
            paused=self._dispatcher.gate.paused,
            next_attempt=self._dispatcher.next_attempt(),
        )

    @property
    def history(self) -> tuple[Mapping[str, Any], ...]:
        """The last outcomes as plain data, oldest first, with addresses and subjects."""
        return self._history.outcomes

    @property
    def paused(self) -> Failure | None:
        """The refused login that holds everything up; another one means another courier."""
        return self._dispatcher.gate.paused

    def open(self) -> None:
        """Begin to take note of all that waits on disk, without holding anybody up.

        What is wrong there is told to the listener. Whatever is asked meanwhile is done after it.
        """
        if self._opening is None:
            self._opening = self._host.finish(self._read(), "outbox open")

    async def start(self) -> None:
        """Begin to deliver what waits."""
        await self._opened()
        self._alarm.ring()
        self._changed()

    async def stop(self) -> None:
        """End the attempt under way, and put on disk what is in memory alone.

        Callers who still wait are told that their mail is queued, and have left when this returns:
        from then on nothing is written, unless mail is handed in afterwards, which goes to disk.
        """
        await self._opened()
        self._alarm.stop()
        self._dispatcher.stop()
        if self._held is not None:
            self._held.stop()
        await self._entrance.empty()
        await self._dispatcher.stopped()
        await self._keeper.idle()
        self._reporter.catch_up()
        await self._chronicle.save()

    def retry_now(self, names: Collection[str] | None = None) -> None:
        """Try waiting mails now, whatever the schedule says; a refused login stays refused.

        names: ids as text; None is all.
        """
        self._dispatcher.gate.try_now()
        if names is None:
            self._backlog.release()
        else:
            self._backlog.release_some(names)
        self._dispatcher.pump()
        self._changed()

    async def waiting(self) -> Sequence[MailRecord]:
        """Return the records of all waiting mail, first in line first, held ones last."""
        await self._opened()
        return await self._inventory.records()

    async def drop(self, names: Collection[str] | None = None) -> int:
        """Forget waiting mails by their ids as text, or all of them; return how many.

        Raises OSError.
        """
        await self._opened()
        dropped = await self._inventory.drop(names)
        self._changed()
        return dropped

    async def submit(self, mail: OutgoingMail) -> Receipt:
        """Deliver a mail or keep it.

        Raises MailError when no recipient got it and none will: refused for good, or not to be
        queued. Raises OutboxError when it could neither be delivered nor kept.
        """
        with self._entrance.visit():
            await self._opened()
            return await self._take(mail)

    async def _take(self, mail: OutgoingMail) -> Receipt:
        if self._held is None:
            return await self._intake.submit(mail)
        rest, held = await self._held.hold_back(mail)
        self._changed()
        addresses = [address for record in held for address in record.addresses]
        if rest is None:
            return with_held(Receipt(mail.message_id), addresses)
        try:
            return with_held(await self._intake.submit(rest), addresses)
        except MailError as error:
            if not held:
                raise
            return with_held(refusal(rest, error.failure), addresses)
        except OutboxError as error:
            await self._held.give_up(held, error.failure)
            raise

    async def accept(self, mail: OutgoingMail) -> None:
        """Keep a mail that another account hands over, and deliver it from here.

        Raises MailError while this account cannot deliver either, and OutboxError when it cannot
        keep the mail.
        """
        with self._entrance.visit():
            await self._opened()
            await self._intake.accept(mail)

    async def _opened(self) -> None:
        self.open()
        if self._opening is not None and not self._opening.done():
            await asyncio.shield(self._opening)

    async def _read(self) -> None:
        await self._chronicle.load()
        await self._revival.take_up()
        self._changed()

    def _changed(self) -> None:
        self._reporter.state(self.state)

"""The courier of one account: takes mail, delivers it or keeps it, and tells what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
import contextlib
from copy import replace
import logging
import math
from typing import Any, NamedTuple

from ..failure import Failure, MailError
from .backoff import Backoff
from .backup import Backup, HandOver
from .disk import Disk
from .dispatcher import Deliver, Dispatcher
from .events import CourierEvent, Notifier, OutboxState
from .history import History, HistorySaver
from .hold import FloodLimit, HoldQueue
from .outcome import OutcomeHandler
from .record import MailRecord
from .runtime import Host, TaskGroup, Timers
from .scheduler import ActiveMail, DeferredQueue, QueueEntry
from .spool import Quota, QuotaLimits, Recovery, Spool
from .store import Store
from .submission import (
    OutboxError,
    OutboxReason,
    OutgoingMail,
    Receipt,
    refused_receipt,
    with_held,
)

_LOGGER = logging.getLogger(__name__)


class CourierConfig(NamedTuple):
    """How an account treats its mail.

    write_first: every mail is on disk before its first attempt.
    patience: seconds after which a caller is let go and the mail kept, while the attempt goes on.
    backup: the account that takes over.
    flood_limit: how many mails one recipient gets.
    """

    write_first: bool = False
    patience: float = 20.0
    limits: QuotaLimits = QuotaLimits()
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
        backup, limit = self._config.backup, self._config.flood_limit
        self._timers = timers = Timers(host)
        self._tasks = tasks = TaskGroup(host)
        self._notifier = notifier = Notifier(host.clock, timers.shown)
        self._backoff = Backoff(host.chance, self._changed)
        self._quota = Quota(self._config.limits, self._changed)
        self._queue = DeferredQueue(math.inf if backup is None else backup.after, self._changed)
        disk = Disk(store, host, notifier.trouble, timers, tasks)
        self._spool = spool = Spool(disk, self._queue, self._quota, notifier, timers)
        accepts = None if backup is None else backup.accepts
        outcome = OutcomeHandler(self._backoff, spool, notifier, timers, accepts)
        self._dispatcher = Dispatcher(deliver, outcome, spool, notifier, host, timers, tasks)
        self._history = History(store.folder / "history")
        self._history_saver = HistorySaver(self._history, host, notifier, timers, tasks)
        self._hand_over = backup and HandOver(backup, spool, notifier, timers, tasks)
        self._hold = limit and HoldQueue(limit, store, spool, notifier, host, timers, tasks)
        # What a crash has left of a digest is settled before the deferred mail is looked through.
        folders = [spool.open] if self._hold is None else [self._hold.open, spool.open]
        self._recovery = Recovery(folders, notifier, timers, tasks)
        notifier.listen(listener)
        self._opening: asyncio.Task[None] | None = None
        self._is_stale = False
        self._calls = 0
        self._no_call = asyncio.Event()
        self._no_call.set()

    @property
    def state(self) -> OutboxState:
        """The outbox at a glance."""
        next_attempt = self._dispatcher.next_attempt()
        return OutboxState(
            waiting=self._quota.mails,
            waiting_bytes=self._quota.size,
            fullness=self._quota.fullness,
            down=self._backoff.failure,
            paused=self._backoff.paused,
            next_attempt=None if next_attempt is None else self._timers.shown(next_attempt),
        )

    @property
    def history(self) -> tuple[Mapping[str, Any], ...]:
        """The last outcomes as plain data, oldest first, with addresses and subjects."""
        return self._history.outcomes

    @property
    def paused(self) -> Failure | None:
        """The refused login that holds everything up; another one means another courier."""
        return self._backoff.paused

    def listen(self, listener: Callable[[CourierEvent], None]) -> Callable[[], None]:
        """Tell one more of all that becomes of mail, and return what ends that."""
        return self._notifier.listen(listener)

    def open(self) -> None:
        """Begin to take note of all that waits on disk, without holding anybody up.

        What is wrong there is told to the listener. Whatever is asked meanwhile is done after it.
        """
        if self._opening is None:
            self._opening = self._host.spawn(self._read(), "outbox open")

    async def start(self) -> None:
        """Begin to deliver what waits."""
        await self._opened()
        self._timers.start()
        self._refresh()

    async def stop(self) -> None:
        """End the attempt under way, and put on disk what is in memory alone.

        Callers who still wait are told that their mail is queued, and have left when this returns:
        from then on nothing is written, unless mail is handed in afterwards, which goes to disk.
        """
        await self._opened()
        self._timers.stop()
        self._dispatcher.stop()
        if self._hold is not None:
            self._hold.stop()
        await self._no_call.wait()
        await self._dispatcher.stopped()
        await self._spool.idle()
        if self._hold is not None:
            await self._hold.idle()
        self._notifier.catch_up()
        self._refresh()
        await self._history_saver.save()

    def retry_now(self, names: Collection[str] | None = None) -> None:
        """Try waiting mails now, whatever the schedule says; a refused login stays refused.

        names: ids as text; None is all.
        """
        self._backoff.reset()
        if names is None:
            self._queue.release()
        else:
            self._queue.release_some(names)
        self._dispatcher.pump()

    async def waiting(self) -> Sequence[MailRecord]:
        """Return the records of all waiting mail, first in the queue first, held ones last.

        Their times are UTC timestamps, by the clock as it is now.
        """
        await self._opened()
        held = () if self._hold is None else self._hold.records()
        shown = self._timers.shown
        return [
            replace(
                record,
                born=shown(record.born),
                next_attempt=record.next_attempt and shown(record.next_attempt),
            )
            for record in (*await self._spool.records(), *held)
        ]

    async def drop(self, names: Collection[str] | None = None) -> int:
        """Forget waiting mails by their ids as text, or all of them; return how many.

        Raises OSError.
        """
        await self._opened()
        dropped = 0 if self._hold is None else await self._hold.drop(names)
        for entry in self._queue:
            if names is not None and str(entry.id) not in names:
                continue
            if not entry.is_busy:
                self._queue.take(entry)
                self._tasks.start(self._drop(entry))
                dropped += 1
            elif self._dispatcher.drop(entry):
                dropped += 1
        await self._tasks.wait()
        return dropped

    async def _drop(self, entry: QueueEntry) -> None:
        try:
            record = await self._spool.record(entry)
        except OSError as error:
            _LOGGER.warning("The record of a dropped mail could not be read: %s", error)
        else:
            if record is not None:
                self._notifier.dropped(record)
        self._notifier.trouble(await self._spool.remove_entry(entry))

    async def submit(self, mail: OutgoingMail) -> Receipt:
        """Deliver a mail or keep it.

        Raises MailError when no recipient got it and none will: refused for good, or not to be
        queued. Raises OutboxError when it could neither be delivered nor kept.
        """
        with self._call():
            await self._opened()
            if self._hold is None:
                return await self._deliver(mail)
            rest, held = await self._hold.hold_back(mail)
            if not held and rest is not None:
                return await self._deliver(rest)
            return await self._deliver_rest(self._hold, mail, rest, held)

    async def _deliver_rest(
        self,
        hold: HoldQueue,
        mail: OutgoingMail,
        rest: OutgoingMail | None,
        held: Sequence[MailRecord],
    ) -> Receipt:
        """Deliver a mail to those for whom it is not held back, if there are any."""
        addresses = [address for record in held for address in record.addresses]
        if rest is None:
            return with_held(Receipt(mail.message_id), addresses)
        try:
            return with_held(await self._deliver(rest), addresses)
        except MailError as error:
            return with_held(refused_receipt(rest, error.failure), addresses)
        except OutboxError as error:
            await hold.give_up(held, error.failure)
            raise

    async def accept(self, mail: OutgoingMail) -> None:
        """Keep a mail that another account hands over, and deliver it from here.

        One that it has taken before is not taken again, whatever has become of it: the other
        account may have been interrupted before it heard of that. Raises MailError while this
        account cannot deliver either, and OutboxError when it cannot keep the mail.
        """
        with self._call():
            await self._opened()
            obstacle = self._dispatcher.reason_to_wait
            try:
                taken = await self._spool.taken(mail.message_id, mail.envelope.recipients)
            except OSError as error:
                raise OutboxError(OutboxReason.DISK, str(error), system=error.errno) from error
            others = tuple(a for a in mail.envelope.recipients if a not in taken)
            if not others:
                return
            mail = replace(mail, envelope=replace(mail.envelope, recipients=others))
            if obstacle is not None:
                raise MailError(obstacle)
            await self._dispatcher.defer(self._activate(mail), None)

    def _activate(self, mail: OutgoingMail) -> ActiveMail:
        return ActiveMail(MailRecord.new(mail, self._timers.now()), mail.data, queue=mail.queue)

    async def _deliver(self, outgoing: OutgoingMail) -> Receipt:
        """Hand a mail to the dispatcher, and let its caller go in time.

        A caller who leaves takes the mail along, unless it may have arrived or is on disk.
        """
        mail = self._activate(outgoing)
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        mail.answer = answer
        self._begin(mail)
        try:
            await asyncio.wait({answer}, timeout=self._config.patience if mail.queue else None)
            if not answer.done():
                self._tasks.start(self._for_caller(mail, self._dispatcher.let_go(mail)))
            return await answer
        except asyncio.CancelledError:
            self._dispatcher.withdraw(mail)
            raise

    def _begin(self, mail: ActiveMail) -> None:
        """Have a mail tried, or kept where it cannot be tried now. Raises MailError."""
        dispatcher = self._dispatcher
        obstacle = dispatcher.reason_to_wait if mail.queue else dispatcher.reason_to_refuse
        if obstacle is None and not (mail.queue and self._config.write_first):
            dispatcher.take(mail)
        elif obstacle is None:
            self._tasks.start(self._for_caller(mail, self._write_first(mail)))
        elif mail.queue:
            self._tasks.start(self._for_caller(mail, dispatcher.defer(mail, obstacle)))
        else:
            raise MailError(obstacle)

    async def _write_first(self, mail: ActiveMail) -> None:
        await self._spool.write(mail)
        self._dispatcher.take(mail)

    async def _for_caller(self, mail: ActiveMail, work: Coroutine[Any, Any, None]) -> None:
        """Do something for a caller, who gets to know what goes wrong."""
        try:
            await work
        except (MailError, OutboxError) as error:
            mail.reject(error)
        except Exception as error:
            mail.reject(error)
            raise

    @contextlib.contextmanager
    def _call(self) -> Iterator[None]:
        """Count a caller, for whom stop() waits."""
        self._calls += 1
        self._no_call.clear()
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._no_call.set()

    async def _opened(self) -> None:
        self.open()
        if self._opening is not None and not self._opening.done():
            await asyncio.shield(self._opening)

    async def _read(self) -> None:
        await self._history_saver.load()
        await self._recovery.recover()

    def _changed(self) -> None:
        """Look at everything anew when the loop comes to it, once for all changes until then."""
        if not self._is_stale:
            self._is_stale = True
            asyncio.get_running_loop().call_soon(self._refresh)

    def _refresh(self) -> None:
        """Begin what is due, set the timers to what is next, and tell the state if it is new."""
        self._is_stale = False
        if self._timers.is_running:
            self._dispatcher.run()
            if self._hand_over is not None:
                self._hand_over.run()
        self._notifier.state(self.state)

"""The courier of one account: takes mail, delivers it or keeps it, and tells what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
import contextlib
from copy import replace
import logging
import math
from secrets import token_hex
from typing import Any, NamedTuple

from ..failure import Failure, MailError
from .backoff import Backoff
from .backup import Backup, HandOver, readdress, renamed
from .disk import Disk
from .dispatcher import Deliver, Dispatcher, error_of
from .events import CourierEvent, Notifier, OutboxState
from .given_up import GivenUpMail, KeptMail
from .history import History, HistorySaver
from .hold import FloodLimit, HoldQueue
from .outcome import OutcomeHandler
from .record import MailRecord
from .runtime import Host, TaskGroup, Timers, in_pieces
from .scheduler import ActiveMail, DeferredQueue, QueueEntry
from .spool import Quota, QuotaLimits, Recovery, Spool
from .store import Store
from .submission import (
    Origin,
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
    hides_subjects: nobody is told the subject of a mail, and the history holds none.
    """

    write_first: bool = False
    patience: float = 20.0
    limits: QuotaLimits = QuotaLimits()
    backup: Backup | None = None
    flood_limit: FloodLimit | None = None
    hides_subjects: bool = False


class Overdue(NamedTuple):
    """Mails that have waited too long for no reason that is known to pass by itself.

    mails: how many. record: that of the oldest one. failure: what keeps it.
    """

    mails: int
    record: MailRecord
    failure: Failure | None


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
        self._disk = disk = Disk(store, host, notifier.trouble, timers, tasks)
        self._given_up = given_up = GivenUpMail(
            store.folder, host, self._quota, notifier, timers, tasks
        )
        self._spool = spool = Spool(disk, self._queue, self._quota, notifier, timers, given_up.keep)
        accepts = None if backup is None else backup.accepts
        self._outcome = outcome = OutcomeHandler(self._backoff, spool, notifier, timers, accepts)
        self._dispatcher = Dispatcher(deliver, outcome, spool, notifier, host, timers, tasks)
        self._history = History(store.folder / "history")
        self._history_saver = HistorySaver(self._history, host, notifier, timers, tasks)
        self._hand_over = HandOver(backup, spool, self._backoff, notifier, timers, tasks)
        self._hold = limit and HoldQueue(limit, store, spool, notifier, host, timers, tasks)
        # What a crash has left of a digest is settled before the deferred mail is looked through.
        folders = [spool.open] if self._hold is None else [self._hold.open, spool.open]
        folders.append(given_up.open)
        self._recovery = Recovery(folders, notifier, timers, tasks)
        notifier.hides_subjects = self._config.hides_subjects
        notifier.listen(listener)
        self._counts_from = -math.inf
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
            is_suspended=self._backoff.is_suspended,
        )

    def configure(self, config: CourierConfig) -> None:
        """Treat mail in another way from now on; what waits goes on waiting.

        Whether there is a flood limit at all stays as it was at the beginning.
        """
        before, self._config = self._config, config
        self._quota.limits = config.limits
        if _terms(before.backup) != _terms(config.backup):
            backup = config.backup
            self._hand_over.backup = backup
            self._hand_over.run()
            self._outcome.may_hand_over = None if backup is None else backup.accepts
            self._queue.set_offer_after(math.inf if backup is None else backup.after)
        if self._hold is not None and config.flood_limit is not None:
            self._hold.set_limit(config.flood_limit)
        self._notifier.hides_subjects = config.hides_subjects
        if config.hides_subjects:
            self._history_saver.hide_subjects()
        self._changed()

    @property
    def is_up(self) -> bool:
        """Whether nothing is known that would keep a mail from being tried at once."""
        is_open = self._opening is not None and self._opening.done()
        reason = self._backoff.failure or self._dispatcher.reason_to_wait
        return is_open and reason is None

    @property
    def is_suspended(self) -> bool:
        """Whether somebody wants nothing to be sent for now."""
        return self._backoff.is_suspended

    async def suspend(self, *, is_suspended: bool) -> None:
        """Send nothing from now on, or go on, across restarts. Raises OSError.

        Mail is kept meanwhile, and its life runs; one that is on its way arrives.
        """
        await self._opened()
        await self._disk.run(self._disk.store.suspend, is_suspended)
        self._backoff.suspend(is_suspended=is_suspended)
        self._dispatcher.pump()

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
        await self._given_up.idle()
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

    async def overdue(self, after: float) -> Overdue | None:
        """Return which mails have waited longer than so many seconds, if any has.

        None counts that the flood limit holds back, and no time in which the account is suspended,
        its login is refused or its provider's quota is used up. Raises OSError.
        """
        await self._opened()
        if self._backoff.is_known_cause:
            return None
        if not self._overdue(after):
            return None
        await self._spool.learn_ages()
        if not (entries := self._overdue(after)):
            return None
        record = await self._spool.record(min(entries, key=lambda entry: entry.born))
        if record is None:
            return None
        return Overdue(len(entries), record, record.failure or self._backoff.failure)

    def _overdue(self, after: float) -> list[QueueEntry]:
        now = self._timers.measured()
        return [
            entry
            for entry in self._queue
            if not entry.is_over_quota and now - max(entry.born, self._counts_from) >= after
        ]

    async def given_up(self) -> Sequence[MailRecord]:
        """Return the records of all given-up mail that can be sent again, the latest first."""
        await self._opened()
        return await self._given_up.records()

    def can_send_again(self, message_id: str) -> bool:
        """Whether a mail was given up in this run and is kept."""
        return self._given_up.holds(message_id)

    async def send_again(
        self, message_id: str, *, sender: str, origin: Origin | None = None
    ) -> Receipt | None:
        """Send a given-up mail to those who did not get it, as a new one; None where none is kept.

        message_id: with or without its brackets. sender: the bare address of the account as it is
        now. Raises MailError and OutboxError as submit() does, and OSError.
        """
        with self._call():
            await self._opened()
            kept = await self._given_up.take(message_id)
            if kept is None:
                return None
            new_id = f"<{token_hex(16)}@{sender.rpartition('@')[2]}>"
            is_over = False
            try:
                mail = await self._host.run_blocking(_anew, kept, new_id, sender)
                receipt = await self.submit(replace(mail, origin=origin))
                is_over = True
            except MailError:
                is_over = self._given_up.holds(new_id)
                raise
            finally:
                if is_over:
                    await self._given_up.remove(kept)
                else:
                    self._given_up.put_back(kept)
            return receipt

    async def waiting(self) -> Sequence[MailRecord]:
        """Return the records of all waiting mail, first in the queue first, held ones last.

        Their times are UTC timestamps, by the clock as it is now.
        """
        await self._opened()
        held = () if self._hold is None else self._hold.records()
        return await in_pieces([*await self._spool.records(), *held], self._shown)

    def _shown(self, record: MailRecord) -> MailRecord:
        shown = self._timers.shown
        return replace(
            record,
            born=shown(record.born),
            next_attempt=record.next_attempt and shown(record.next_attempt),
        )

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
        loop = asyncio.get_running_loop()
        mail.answer = loop.create_future()
        self._begin(mail)
        patience = loop.call_later(self._config.patience, self._let_go, mail)
        try:
            return await mail.answer
        except asyncio.CancelledError:
            self._dispatcher.withdraw(mail)
            raise
        finally:
            patience.cancel()

    def _let_go(self, mail: ActiveMail) -> None:
        if mail.queue and mail.is_awaited:
            self._tasks.start(self._for_caller(mail, self._dispatcher.let_go(mail)))

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
            raise error_of(obstacle)

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
        try:
            is_suspended = await self._disk.run(self._disk.store.is_suspended)
        except OSError as error:
            self._notifier.trouble(error)
        else:
            self._backoff.is_suspended = is_suspended
        await self._history_saver.load()
        await self._recovery.recover()

    def _count_time(self) -> None:
        """Count time as waited in vain only while nothing is known to hold mail up."""
        if self._backoff.is_known_cause:
            self._counts_from = math.inf
        elif self._counts_from == math.inf:
            self._counts_from = self._timers.measured()

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
            if self._hand_over.backup is not None:
                self._hand_over.run()
        if self._queue.entries:
            self._count_time()
        if self._quota.mails:
            self._given_up.make_room()
        self._notifier.state(self.state)


def _terms(backup: Backup | None) -> tuple[str, float] | None:
    return None if backup is None else (backup.account, backup.after)


def _anew(kept: KeptMail, message_id: str, sender: str) -> OutgoingMail:
    """Return a given-up mail as a new one, from the account as it is now. Blocks."""
    record = kept.record
    mail = OutgoingMail(
        envelope=record.envelope,
        data=kept.data,
        message_id=message_id,
        subject=record.subject,
        rank=record.id.rank,
        stands_for=record.stands_for,
    )
    if record.sender != sender:
        mail = readdress(mail, sender)
    return renamed(mail, message_id)

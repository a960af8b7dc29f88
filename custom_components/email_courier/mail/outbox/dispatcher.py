"""One attempt after another: which mail is next, and which is given up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
import logging
import math
from typing import Protocol

from ..envelope import Delivery, Envelope, Peek, Upcoming
from ..failure import STOPPED, Cause, Failure, FailureKind, MailError, Permanence, Stage
from ..payload import Payload
from .backoff import SUSPENDED, is_quota
from .events import Kept, Notifier
from .outcome import OutcomeHandler, blames_account
from .record import MailId
from .runtime import Host, TaskGroup, Timers
from .scheduler import ActiveMail, NewMail, QueueEntry
from .spool import Spool
from .submission import OutboxError, OutboxReason

_LOGGER = logging.getLogger(__name__)

RETRY_AFTER = 300.0
"""Seconds until an expired mail is read again that could not be read."""

REPLY_GRACE = 5.0
"""Seconds for which stopping waits for the reply to a final dot."""


class Deliver(Protocol):
    """One attempt at one mail; never raises a MailError."""

    def __call__(
        self,
        envelope: Envelope,
        data: Payload,
        *,
        before_dot: Callable[[], Awaitable[None]] | None,
        peek: Peek | None,
    ) -> Awaitable[Delivery]:
        """Return what became of each recipient.

        peek: returns the mail that is to be the next one, as it stands at the final dot.
        """
        ...


class Dispatcher:
    """Carries mails to the server one at a time, and defers what it does not take.

    High rank goes before normal, what a caller waits for before what has waited on disk, and old
    before new.
    """

    def __init__(
        self,
        deliver: Deliver,
        outcome: OutcomeHandler,
        spool: Spool,
        notifier: Notifier,
        host: Host,
        timers: Timers,
        tasks: TaskGroup,
    ) -> None:
        self._deliver = deliver
        self._outcome = outcome
        self._backoff = outcome.backoff
        self._spool = spool
        self._queue = spool.queue
        self._notifier = notifier
        self._host = host
        self._timers = timers
        self._timer = timers.register(self.run)
        self._expiry_timer = timers.register(self.run, is_believed=False)
        self._tasks = tasks
        self._new = NewMail()
        self._is_busy = False
        self._is_stopped = False
        self._active: ActiveMail | None = None
        self._announced: MailId | None = None
        self._attempt: asyncio.Task[Delivery] | None = None
        self._conclusion: asyncio.Task[None] | None = None

    @property
    def reason_to_wait(self) -> Failure | None:
        """Why a mail that may be kept is not tried now."""
        failure = self._backoff.failure
        if self._is_stopped:
            return failure or STOPPED
        if self._backoff.is_suspended:
            return SUSPENDED
        if failure is None or self._backoff.paused is not None:
            return failure
        is_scheduled = bool(self._queue.entries) or is_quota(failure)
        return failure if is_scheduled and self._backoff.is_known_down(self._timers.now()) else None

    @property
    def reason_to_refuse(self) -> Failure | None:
        """Why a mail that may not be kept is not tried at all."""
        if self._is_stopped:
            return STOPPED
        return SUSPENDED if self._backoff.is_suspended else self._backoff.paused

    def next_attempt(self) -> float | None:
        """Return the time of the run in seconds of the next scheduled attempt.

        None when there is none, or when an attempt is under way.
        """
        backoff = self._backoff
        if self._is_busy or self._is_stopped or backoff.is_suspended or backoff.paused is not None:
            return None
        due = self._queue.next_time()
        return None if due is None else max(due, self._backoff.opens_at)

    def run(self) -> None:
        """Begin what is due, and set the timers to the next attempt and the next expiry."""
        self.pump()
        self._timer.set(self.next_attempt())
        self._expiry_timer.set(self._queue.next_expiry())

    def take(self, mail: ActiveMail) -> None:
        """Try a mail as soon as its turn comes, which is now where nothing else is to be done."""
        if self._is_busy or self._queue.entries or self.reason_to_wait is not None:
            self._new.add(mail)
            if not mail.is_awaited:
                self._leave_on_disk(mail)
            self.pump()
        else:
            self._begin(mail)

    async def defer(self, mail: ActiveMail, failure: Failure | None) -> None:
        """Put a mail on disk without an attempt, and let its caller go. Raises OutboxError.

        failure: what keeps it from being tried now.
        """
        now = self._timers.now()
        offer_at = now if blames_account(failure) else math.inf
        still_for = max(self._backoff.opens_at - now, 0.0) if is_quota(failure) else 0.0
        await self._spool.defer(mail, 0, offer_at=offer_at, still_for=still_for)
        if failure is SUSPENDED:
            self._notifier.deferred(mail.record, None, reason=Kept.PAUSED)
        else:
            self._notifier.deferred(mail.record, self.next_attempt(), failure)
        mail.resolve_queued(failure)
        self.pump()

    async def let_go(self, mail: ActiveMail) -> None:
        """Put a mail on disk so that its caller need not wait any longer.

        Where that cannot be, the caller goes on waiting: nothing can be promised.
        """
        if not mail.is_awaited:
            return
        try:
            await self._spool.write(mail)
        except OutboxError as error:
            _LOGGER.warning("A mail that takes long cannot be kept: %s", error)
            return
        if mail.is_concluding:
            return
        if self._leave_on_disk(mail):
            self._notifier.deferred(mail.record, None)
        mail.resolve_queued(None)

    def _leave_on_disk(self, mail: ActiveMail) -> bool:
        """Let a mail that is on disk wait there for its turn, and not in memory."""
        if mail.record.id not in self._new.mails or mail.entry is None:
            return False
        self._new.remove(mail)
        self._queue.put_back(mail.entry, 0)
        return True

    def withdraw(self, mail: ActiveMail) -> None:
        """Forget a mail whose caller has left, unless it may have arrived or is on disk."""
        mail.answer = None
        if mail.dot_reached or mail.is_spooled:
            self._leave_on_disk(mail)
            return
        self._new.remove(mail)
        if self._active is mail:
            self._abandon(mail)

    def drop(self, entry: QueueEntry) -> bool:
        """Have a mail forgotten whose attempt is under way; False if it is not."""
        mail = self._active
        if mail is None or mail.entry is not entry or mail.is_concluding:
            return False
        self._abandon(mail)
        return True

    def stop(self) -> None:
        """Begin no attempt any more, and end the one under way.

        One that only waits for the final reply is left some seconds: without that reply the mail
        would be sent once more.
        """
        self._is_stopped = True
        self._defer_new(STOPPED)
        attempt, mail = self._attempt, self._active
        if attempt is None or mail is None:
            return
        if mail.dot_reached:
            self._tasks.start(self._end_later(attempt))
        else:
            attempt.cancel()

    async def _end_later(self, attempt: asyncio.Task[Delivery]) -> None:
        await asyncio.wait({attempt}, timeout=REPLY_GRACE)
        attempt.cancel()

    async def stopped(self) -> None:
        """Wait until what stop() has ended is written down."""
        while self._is_busy or self._tasks:
            for task in (self._attempt, self._conclusion):
                if task is not None:
                    await asyncio.wait({task})
            await self._tasks.wait()
            await asyncio.sleep(0)

    def pump(self) -> None:
        """Begin the next attempt if one is due and none is under way."""
        failure = self.reason_to_wait
        if failure is not None:
            self._defer_new(failure)
        if self._is_stopped:
            return
        if self._queue.entries:
            self._give_up_expired()
        if not self._is_busy:
            self._begin_next()

    def _begin_next(self) -> None:
        mail, entry = self._next()
        if mail is not None:
            self._new.remove(mail)
            self._begin(mail)
        elif entry is not None:
            self._is_busy = True
            self._queue.take(entry)
            self._tasks.start(self._begin_deferred(entry))

    def _next(self) -> tuple[ActiveMail | None, QueueEntry | None]:
        """Return whose turn it is: a new mail, or else one that waits on disk, if any is due."""
        mail = self._new.first()
        if self._announced is not None:
            mail = self._new.mails.get(self._announced, mail)
        if not self._queue.entries:
            return mail, None
        now = self._timers.now()
        entry = self._queue.next_due(now) if self._backoff.is_open(now) else None
        if mail is None or (entry is not None and entry.id.rank < mail.record.id.rank):
            return None, entry
        return mail, None

    def _announce(self) -> Upcoming | None:
        """Return the mail that is to be the next one, and let none go before it from then on."""
        if self._is_stopped or self.reason_to_wait is not None:
            return None
        mail, _ = self._next()
        if mail is None:
            return None
        self._announced = mail.record.id
        return Upcoming(mail.record.envelope, len(mail.data))

    async def _begin_deferred(self, entry: QueueEntry) -> None:
        """Read a mail that has waited, and begin its attempt."""
        mail: ActiveMail | None = None
        try:
            mail = await self._load(entry)
        except Exception:
            self._try_later(entry)
            raise
        finally:
            if mail is None:
                self._end()
            else:
                self._begin(mail)

    async def _load(self, entry: QueueEntry) -> ActiveMail | None:
        """Read a mail that has waited; return None where that comes to nothing."""
        try:
            mail = await self._spool.load(entry)
        except OSError as error:
            self._try_later(entry)
            self._notifier.trouble(error)
            return None
        if mail is None:
            return None
        if mail.record.is_offered:
            if self._queue.ask_backup(entry, self._timers.now()):
                return None
            await self._spool.note(mail, mail.record.with_lost_reply())
        if not await self._outcome.drop_exhausted(mail):
            return None
        if entry.expires <= self._timers.measured():
            await self._outcome.expire(entry)
            return None
        if self._is_stopped or self._backoff.is_suspended:
            self._queue.put_back(entry, 0)
            return None
        return mail

    def _try_later(self, entry: QueueEntry) -> None:
        self._queue.put_back(entry, self._timers.now() + self._backoff.delay(1))

    def _begin(self, mail: ActiveMail) -> None:
        self._is_busy = True
        self._active = mail
        self._announced = None
        self._attempt = self._host.spawn(self._try(mail), "outbox attempt")
        self._attempt.add_done_callback(partial(self._ended, mail))

    async def _try(self, mail: ActiveMail) -> Delivery:
        return await self._deliver(
            mail.record.envelope,
            mail.data,
            before_dot=partial(self._note_dot, mail),
            peek=self._announce,
        )

    async def _note_dot(self, mail: ActiveMail) -> None:
        mail.dot_reached = True
        if mail.is_spooled:
            await self._spool.mark_dot(mail)

    def _ended(self, mail: ActiveMail, attempt: asyncio.Task[Delivery]) -> None:
        self._attempt = None
        mail.is_concluding = True
        self._conclusion = self._host.spawn(self._conclude(mail, attempt), "outbox")

    async def _conclude(self, mail: ActiveMail, attempt: asyncio.Task[Delivery]) -> None:
        try:
            if mail.is_dropped:
                await self._outcome.drop(mail)
            elif attempt.cancelled():
                await self._outcome.interrupt(mail, STOPPED)
            else:
                await self._outcome.apply(mail, _delivery_of(mail, attempt))
        except Exception as error:
            _LOGGER.exception("The outcome of an attempt could not be written down")
            mail.reject(error)
        finally:
            self._end()

    def _end(self) -> None:
        self._is_busy = False
        self._active = None
        if self._new.mails or self._queue.entries:
            self.pump()
        if self._queue.entries:
            self._queue.changed()

    def _abandon(self, mail: ActiveMail) -> None:
        mail.is_dropped = True
        if self._attempt is not None:
            self._attempt.cancel()

    def _defer_new(self, failure: Failure) -> None:
        """Put on disk what has not been tried; refuse what may not be kept, if it must be."""
        refusal = self.reason_to_refuse
        for mail in self._new.take_all():
            if mail.queue:
                self._tasks.start(self._defer_waiting(mail, failure))
            elif refusal is None:
                self._new.add(mail)
            else:
                mail.reject(error_of(refusal))

    async def _defer_waiting(self, mail: ActiveMail, failure: Failure) -> None:
        try:
            await self.defer(mail, failure)
        except OutboxError as error:
            mail.reject(error.because_of(failure))

    def _give_up_expired(self) -> None:
        expired = self._queue.take_expired(self._timers.measured())
        if expired:
            self._tasks.start(self._expire(expired))

    async def _expire(self, entries: list[QueueEntry]) -> None:
        for entry in entries:
            try:
                await self._outcome.expire(entry)
            except OSError as error:
                _LOGGER.warning("An expired mail cannot be read yet: %s", error)
                self._queue.put_off_expiry(entry, self._timers.measured() + RETRY_AFTER)
                self._notifier.trouble(error)


def error_of(refusal: Failure) -> MailError | OutboxError:
    """Return the error for a mail that may not be kept and cannot be tried."""
    if refusal is SUSPENDED:
        return OutboxError(OutboxReason.SUSPENDED, refusal.detail)
    return MailError(refusal)


def _delivery_of(mail: ActiveMail, attempt: asyncio.Task[Delivery]) -> Delivery:
    """Return what an attempt has returned; an error nobody thought of loses no mail either."""
    error = attempt.exception()
    if error is None:
        return attempt.result()
    _LOGGER.error("An attempt failed in a way it should not", exc_info=error)
    return Delivery.failed(
        mail.record.envelope,
        Failure(
            FailureKind.PROTOCOL_ERROR,
            Stage.DATA,
            Permanence.AMBIGUOUS if mail.dot_reached else Permanence.TEMPORARY,
            detail=type(error).__name__,
            facts={"cause": Cause.OWN_FAULT.value},
        ),
    )

"""One attempt after another: which mail is next, and what its attempt has decided."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
import logging
import math
from typing import Protocol

from ..envelope import Delivery, Envelope
from ..failure import Failure, FailureKind, MailError, Permanence, Stage
from ..payload import Payload
from .backoff import Gate, retry_delay
from .backup import blames_account
from .desk import Desk
from .events import GivenUp
from .outcome import Conclusions
from .scheduler import Entry, Job, Line
from .submission import OutboxError

_LOGGER = logging.getLogger(__name__)

STOPPED = Failure(
    FailureKind.DISCONNECTED,
    Stage.RESOLVE,
    Permanence.TEMPORARY,
    detail="the account is being stopped",
)


class Deliver(Protocol):
    """One attempt at one mail; never raises a MailError."""

    def __call__(
        self,
        envelope: Envelope,
        data: Payload,
        *,
        before_dot: Callable[[], Awaitable[None]] | None,
    ) -> Awaitable[Delivery]:
        """Return what became of each recipient."""
        ...


def delivery_of(job: Job, task: asyncio.Task[Delivery]) -> Delivery:
    """Return what an attempt has returned; an error nobody thought of loses no mail either."""
    error = task.exception()
    if error is None:
        return task.result()
    _LOGGER.error("An attempt failed in a way it should not", exc_info=error)
    return Delivery.failed(
        job.record.envelope,
        Failure(
            FailureKind.PROTOCOL_ERROR,
            Stage.DATA,
            Permanence.AMBIGUOUS if job.dot_reached else Permanence.TEMPORARY,
            detail=type(error).__name__,
        ),
    )


class Dispatcher:
    """Carries mails to the server one at a time, and lays down what the server does not take.

    High rank goes before normal, what a caller waits for before what has waited on disk, and old
    before new.
    """

    def __init__(self, deliver: Deliver, desk: Desk) -> None:
        """Deliver through a session what comes over the desk."""
        self.gate = Gate(desk.host.chance)
        self._deliver = deliver
        self._desk = desk
        self._conclusions = Conclusions(desk, self.gate)
        self._line = Line()
        self._is_busy = False
        self._is_stopped = False
        self._job: Job | None = None
        self._attempt: asyncio.Task[Delivery] | None = None

    @property
    def reason_to_wait(self) -> Failure | None:
        """Why a mail that may be kept is not tried now."""
        gate = self.gate
        if self._is_stopped:
            return gate.failure or STOPPED
        if gate.paused is not None:
            return gate.paused
        is_scheduled = len(self._desk.backlog) > 0
        return gate.failure if is_scheduled and gate.is_known_down(self._desk.alarm.now()) else None

    @property
    def reason_to_refuse(self) -> Failure | None:
        """Why a mail that may not be kept is not tried at all."""
        return STOPPED if self._is_stopped else self.gate.paused

    def next_attempt(self) -> float | None:
        """Return the UTC timestamp in seconds of the next scheduled attempt.

        None when there is none, or when an attempt is under way.
        """
        if self._is_busy or self._is_stopped or self.gate.paused is not None:
            return None
        due = self._desk.backlog.next_time()
        return None if due is None else max(due, self.gate.opens_at)

    def take(self, job: Job) -> None:
        """Try a mail as soon as its turn comes."""
        self._line.add(job)
        self.pump()

    async def shelve(self, job: Job, failure: Failure | None) -> None:
        """Lay a mail down without an attempt, and let its caller go. Raises OutboxError.

        failure: what keeps it from being tried now.
        """
        offer_at = self._desk.alarm.now() if blames_account(failure) else math.inf
        await self._desk.keeper.lay_down(job, 0, offer_at=offer_at)
        self._desk.reporter.deferred(job.record, self.next_attempt(), failure)
        job.tell(job.queued(failure))
        self.pump()

    async def let_go(self, job: Job) -> None:
        """Put a mail on disk so that its caller need not wait any longer.

        Where that cannot be, the caller goes on waiting: nothing can be promised.
        """
        desk = self._desk
        try:
            await desk.keeper.keep(job)
        except OutboxError as error:
            _LOGGER.warning("A mail that takes long cannot be kept: %s", error)
            return
        if job.is_concluding:
            return
        if job in self._line and job.entry is not None:
            self._line.leave(job)
            desk.backlog.put_back(job.entry, 0)
            desk.reporter.deferred(job.record, None)
        job.tell(job.queued(None))

    def withdraw(self, job: Job) -> None:
        """Forget a mail whose caller has left, unless it may have arrived or is on disk."""
        job.answer = None
        if job.entry is not None or job.keeping.locked() or job.dot_reached:
            return
        self._line.leave(job)
        if self._job is job:
            self._abandon(job)

    def drop(self, entry: Entry) -> bool:
        """Have a mail forgotten whose attempt is under way; False if it is not."""
        job = self._job
        if job is None or job.entry is not entry or job.is_concluding:
            return False
        self._abandon(job)
        return True

    def stop(self) -> None:
        """Begin no attempt any more, and end the one under way."""
        self._is_stopped = True
        self._shelve_line(STOPPED)
        if self._attempt is not None:
            self._attempt.cancel()

    async def stopped(self) -> None:
        """Wait until what stop() has ended is written down."""
        while self._is_busy or self._desk.chores:
            if self._attempt is not None:
                await asyncio.wait({self._attempt})
            await self._desk.chores.done()
            await asyncio.sleep(0)

    def pump(self) -> None:
        """Begin the next attempt if one is due and none is under way."""
        if self._line and (failure := self.reason_to_wait) is not None:
            self._shelve_line(failure)
        if self._is_stopped:
            return
        if not self._is_busy:
            self._begin_next()
        self._desk.alarm.changed()

    def _begin_next(self) -> None:
        fresh = self._line.first()
        now = self._desk.alarm.now()
        entry = self._desk.backlog.next_due(now) if self.gate.is_open(now) else None
        if fresh is not None and (entry is None or fresh.record.id.rank <= entry.id.rank):
            self._line.leave(fresh)
            self._begin(fresh)
        elif entry is not None:
            self._is_busy = True
            self._desk.backlog.take(entry)
            self._desk.chores.do(self._take_up(entry))

    async def _take_up(self, entry: Entry) -> None:
        """Read a mail that has waited, and begin its attempt."""
        job: Job | None = None
        try:
            job = await self._load(entry)
        except Exception:
            self._try_later(entry)
            raise
        finally:
            if job is None:
                self._end()
            else:
                self._begin(job)

    async def _load(self, entry: Entry) -> Job | None:
        """Read a mail that has waited; return None where that comes to nothing."""
        desk = self._desk
        try:
            job = await desk.keeper.load(entry)
        except OSError as error:
            self._try_later(entry)
            desk.reporter.trouble(error)
            return None
        if job is None or not await self._conclusions.take_leave(job):
            return None
        if self._is_stopped:
            desk.backlog.put_back(entry, 0)
            return None
        return job

    def _try_later(self, entry: Entry) -> None:
        delay = retry_delay(1, self._desk.host.chance)
        self._desk.backlog.put_back(entry, self._desk.alarm.now() + delay)

    def _begin(self, job: Job) -> None:
        self._is_busy = True
        self._job = job
        self._attempt = self._desk.host.spawn(self._try(job), "outbox attempt")
        self._attempt.add_done_callback(partial(self._ended, job))

    async def _try(self, job: Job) -> Delivery:
        return await self._deliver(
            job.record.envelope, job.data, before_dot=partial(self._desk.keeper.mark_dot, job)
        )

    def _ended(self, job: Job, task: asyncio.Task[Delivery]) -> None:
        self._attempt = None
        job.is_concluding = True
        self._desk.chores.do(self._conclude(job, task))

    async def _conclude(self, job: Job, task: asyncio.Task[Delivery]) -> None:
        try:
            if job.is_dropped:
                await self._conclusions.forget(job)
            elif task.cancelled():
                await self._conclusions.interrupt(job, STOPPED)
            else:
                await self._conclusions.settle(job, delivery_of(job, task))
        except Exception as error:
            job.refuse(error)
            raise
        finally:
            self._end()

    def _end(self) -> None:
        self._is_busy = False
        self._job = None
        self.pump()

    def _abandon(self, job: Job) -> None:
        job.is_dropped = True
        if self._attempt is not None:
            self._attempt.cancel()

    def _shelve_line(self, failure: Failure) -> None:
        refusal = self.reason_to_refuse
        for job in self._line.clear():
            if job.queue:
                self._desk.chores.do(self._shelve_waiting(job, failure))
            elif refusal is None:
                self._line.add(job)
            else:
                job.refuse(MailError(refusal))

    async def _shelve_waiting(self, job: Job, failure: Failure) -> None:
        try:
            await self.shelve(job, failure)
        except OutboxError as error:
            job.refuse(OutboxError(error.reason, error.detail, failure))


RETRY_AFTER = 300.0
"""Seconds until an expired mail is read again that could not be read."""


class Expiry:
    """Takes mails out of the line whose time is over, and reports them."""

    def __init__(self, desk: Desk, reason: Callable[[], Failure | None]) -> None:
        """Work at a desk.

        reason: returns what stands in the way of the whole account.
        """
        self._desk = desk
        self._reason = reason
        desk.alarm.serve(desk.backlog.next_expiry, self.run)

    def run(self) -> None:
        """Give up what is to be given up by now."""
        expired = self._desk.backlog.take_expired(self._desk.alarm.now())
        if expired:
            self._desk.chores.do(self._give_up(expired))

    async def _give_up(self, entries: list[Entry]) -> None:
        for entry in entries:
            await self._report(entry)

    async def _report(self, entry: Entry) -> None:
        desk = self._desk
        try:
            record = await desk.keeper.record(entry)
        except OSError as error:
            _LOGGER.warning("An expired mail cannot be read yet: %s", error)
            desk.backlog.put_off_expiry(entry, desk.alarm.now() + RETRY_AFTER)
            desk.alarm.changed()
            desk.reporter.trouble(error)
            return
        if record is None:
            return
        outcomes = [owed.outcome for owed in record.owed]
        desk.reporter.failed(record, outcomes, GivenUp.EXPIRED, self._reason())
        desk.reporter.trouble(await desk.keeper.discard_entry(entry))

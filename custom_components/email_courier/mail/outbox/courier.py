"""The courier of one account: takes mail, delivers it or keeps it, and tells what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field

from ..failure import Failure, MailError
from .alarm import Alarm
from .backlog import Backlog, Entry
from .chores import Chores
from .desk import Desk
from .disk import Disk
from .dispatcher import Deliver, Dispatcher
from .errors import DamagedMailError
from .events import CourierEvent, Damaged, DiskTrouble, OutboxState
from .expiry import Expiry
from .host import Host
from .job import Job
from .keeper import Keeper
from .limits import Limits
from .outgoing import OutgoingMail
from .receipt import Receipt
from .record import MailRecord
from .reporter import Reporter
from .store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierConfig:
    """How an account treats its mail.

    write_first: every mail is on disk before its first attempt.
    patience: seconds after which a caller is let go and the mail kept, while the attempt goes on.
    """

    write_first: bool = False
    patience: float = 20.0
    limits: Limits = field(default_factory=Limits)


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
        self._config = config or CourierConfig()
        alarm = Alarm(host)
        self._backlog = Backlog()
        self._keeper = Keeper(Disk(store, host), self._backlog, self._config.limits)
        self._reporter = Reporter(listener, alarm.now)
        self._chores = Chores(host, self._changed)
        self._alarm = alarm
        desk = Desk(host, alarm, self._backlog, self._keeper, self._reporter, self._chores)
        self._dispatcher = Dispatcher(deliver, desk)
        self._expiry = Expiry(desk, lambda: self._dispatcher.gate.failure)
        alarm.serve(self._dispatcher.next_attempt, self._dispatcher.pump)

    @property
    def state(self) -> OutboxState:
        """The outbox at a glance."""
        waiting = len(self._backlog)
        return OutboxState(
            waiting=waiting,
            waiting_bytes=self._backlog.size,
            fullness=self._config.limits.fullness(waiting, self._backlog.size),
            down=self._dispatcher.gate.failure,
            paused=self._dispatcher.gate.paused,
            next_attempt=self._dispatcher.next_attempt(),
        )

    @property
    def paused(self) -> Failure | None:
        """The refused login that holds everything up until resume() is called."""
        return self._dispatcher.gate.paused

    async def start(self) -> None:
        """Take up all that waits on disk. What is wrong there is told to the listener."""
        try:
            damaged = await self._keeper.open()
        except OSError as error:
            self._reporter.tell(DiskTrouble(str(error)))
        else:
            if damaged:
                self._reporter.tell(Damaged(damaged))
        self._expiry.run()
        self._dispatcher.pump()
        self._changed()

    async def stop(self) -> None:
        """End the attempt under way, and put on disk what is in memory alone.

        Callers who still wait are told that their mail is queued. Mail handed in afterwards goes
        to disk.
        """
        self._alarm.stop()
        self._dispatcher.stop()
        await self._dispatcher.stopped()
        await self._keeper.idle()

    def retry_now(self) -> None:
        """Try everything now, whatever the schedule says; a refused login stays refused."""
        self._dispatcher.gate.try_now()
        self._release()

    def resume(self) -> None:
        """Try everything now, the login too: it has been mended."""
        self._dispatcher.gate.open()
        self._release()

    async def waiting(self) -> Sequence[MailRecord]:
        """Return the records of all waiting mail, first in line first."""
        return await self._keeper.records()

    async def drop(self, names: Collection[str] | None = None) -> int:
        """Forget waiting mails by their ids as text, or all of them; return how many."""
        dropped = 0
        for entry in self._backlog:
            if names is not None and str(entry.id) not in names:
                continue
            if not entry.is_busy:
                self._backlog.take(entry)
                self._chores.do(self._drop(entry))
                dropped += 1
            elif self._dispatcher.drop(entry):
                dropped += 1
        await self._chores.done()
        return dropped

    async def submit(self, mail: OutgoingMail) -> Receipt:
        """Deliver a mail or keep it.

        Raises MailError when no recipient got it and none will: refused for good, or not to be
        queued. Raises OutboxError when it could neither be delivered nor kept.
        """
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        record = MailRecord.new(mail, self._alarm.now())
        job = Job(record, mail.data, answer=answer, queue=mail.queue)
        self._chores.do(self._for(job, self._take_in(job)))
        try:
            await asyncio.wait({answer}, timeout=self._config.patience if mail.queue else None)
            if not answer.done():
                self._chores.do(self._for(job, self._dispatcher.let_go(job)))
            return await answer
        except asyncio.CancelledError:
            self._dispatcher.withdraw(job)
            raise

    def _release(self) -> None:
        self._backlog.release()
        self._dispatcher.pump()
        self._changed()

    async def _take_in(self, job: Job) -> None:
        refusal = self._dispatcher.reason_to_refuse
        if refusal is not None and not job.queue:
            raise MailError(refusal)
        obstacle = self._dispatcher.reason_to_wait if job.queue else None
        if obstacle is not None:
            await self._dispatcher.shelve(job, obstacle)
            return
        if self._config.write_first and job.queue:
            await self._keeper.keep(job)
        self._dispatcher.take(job)

    async def _drop(self, entry: Entry) -> None:
        try:
            self._reporter.dropped(await self._keeper.record(entry))
        except (DamagedMailError, OSError) as error:
            self._reporter.tell(DiskTrouble(str(error)))
        await self._keeper.discard_entry(entry)

    async def _for(self, job: Job, work: Coroutine[None, None, None]) -> None:
        """Do something for a caller, who gets to know what goes wrong."""
        try:
            await work
        except Exception as error:
            if not job.is_awaited:
                raise
            job.refuse(error)

    def _changed(self) -> None:
        self._reporter.state(self.state)

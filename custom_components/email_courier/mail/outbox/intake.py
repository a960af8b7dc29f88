"""Where callers hand mail in, and wait to hear how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from ..failure import MailError
from .desk import Desk
from .dispatcher import Dispatcher
from .errors import OutboxError
from .job import Job
from .outgoing import OutgoingMail
from .receipt import Receipt
from .record import MailRecord


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

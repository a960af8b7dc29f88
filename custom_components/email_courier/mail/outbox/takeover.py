"""Giving to the backup account what this one does not bring away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import logging
import math

from ..failure import MailError
from .backlog import Entry
from .backup import Backup
from .desk import Desk
from .errors import OutboxError
from .job import Job

_LOGGER = logging.getLogger(__name__)


class TakeOver:
    """Offers mails to the backup account, one after the other, once each has waited long enough."""

    def __init__(self, desk: Desk, backup: Backup, returned: Callable[[], None]) -> None:
        """Work at a desk.

        returned: called when a mail was not taken and waits in the line again.
        """
        self._desk = desk
        self._backup = backup
        self._returned = returned
        desk.alarm.serve(desk.backlog.next_offer, self.run)

    def run(self) -> None:
        """Offer what is to be offered by now."""
        offered = self._desk.backlog.take_offered(self._desk.alarm.now())
        if offered:
            self._desk.chores.do(self._offer_all(offered))

    async def _offer_all(self, entries: list[Entry]) -> None:
        for entry in entries:
            await self._offer(entry)
        self._returned()

    async def _offer(self, entry: Entry) -> None:
        desk = self._desk
        backup = self._backup
        entry.offer_at = math.inf
        try:
            job = await desk.keeper.load(entry)
        except OSError as error:
            _LOGGER.warning("A mail cannot be read for the backup account yet: %s", error)
            entry.offer_at = desk.alarm.now() + backup.after
            desk.backlog.put_back(entry, entry.next_attempt)
            desk.reporter.trouble(error)
            return
        if job is None:
            return
        passed = job.record.passed
        if not backup.may_have(passed):
            desk.backlog.put_back(entry, entry.next_attempt)
            return
        now = desk.alarm.now()
        await desk.keeper.mark_dot(job)  # a crash now leaves as much in doubt as one at a dot
        try:
            await backup.hand_over(
                replace(job.record.outgoing(job.data, now), passed=(*passed, backup.own))
            )
        except (MailError, OutboxError) as error:
            _LOGGER.debug("The backup account did not take a mail: %s", error)
            entry.offer_at = now + backup.after
            desk.reporter.trouble(await desk.keeper.lay_down(job, entry.next_attempt))
        else:
            await self._let_go(job)

    async def _let_go(self, job: Job) -> None:
        desk = self._desk
        trouble = await desk.keeper.discard(job)
        desk.reporter.handed_over(job.record, self._backup.account)
        desk.reporter.trouble(trouble)

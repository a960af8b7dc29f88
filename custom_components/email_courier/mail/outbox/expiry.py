"""Giving up what has waited too long."""

from __future__ import annotations

from collections.abc import Callable
import logging

from ..failure import Failure
from .backlog import Entry
from .desk import Desk
from .events import GivenUp

_LOGGER = logging.getLogger(__name__)

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

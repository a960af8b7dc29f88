"""What waits, for a person who looks at it or does not want it any more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
import logging

from .backlog import Entry
from .desk import Desk
from .dispatcher import Dispatcher
from .held import Held
from .record import MailRecord

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

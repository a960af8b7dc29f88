"""Keeping the history across starts without a write for every mail."""

from __future__ import annotations

import logging

from .desk import Desk
from .errors import DamagedMailError
from .events import CourierEvent, Damaged
from .history import History

_LOGGER = logging.getLogger(__name__)

SAVE_AFTER = 900.0
"""Seconds after an outcome by which it is on disk; stopping writes it at once."""


class Chronicle:
    """Listens to the courier and saves what it has heard from time to time."""

    def __init__(self, desk: Desk, history: History) -> None:
        """Work at a desk."""
        self._desk = desk
        self._history = history
        self._due: float | None = None
        self._is_loaded = False
        desk.reporter.listen(self._hear)
        desk.alarm.serve(lambda: self._due, self._save_in_time)

    async def load(self) -> None:
        """Take up what an earlier run has saved, once."""
        if self._is_loaded:
            return
        try:
            earlier = await self._desk.host.run_blocking(self._history.load)
        except OSError as error:
            self._desk.reporter.trouble(error)
            return
        except DamagedMailError as error:
            _LOGGER.warning("The history was damaged and is set aside: %s", error)
            self._desk.reporter.tell(Damaged((self._history.name,)))
        else:
            self._history.put_before(earlier)
        self._is_loaded = True

    async def save(self) -> None:
        """Write down what is not written yet, but never over what could not be read yet."""
        if self._due is None:
            return
        self._due = None
        await self.load()
        if not self._is_loaded:
            self._due = self._desk.alarm.now() + SAVE_AFTER
            self._desk.alarm.changed()
            return
        try:
            await self._desk.host.run_blocking(self._history.save, self._history.outcomes)
        except OSError as error:
            self._desk.reporter.trouble(error)

    def _hear(self, event: CourierEvent) -> None:
        if self._history.add(event) and self._due is None:
            self._due = self._desk.alarm.now() + SAVE_AFTER
            self._desk.alarm.changed()

    def _save_in_time(self) -> None:
        if self._due is not None and self._desk.alarm.now() >= self._due:
            self._desk.chores.do(self.save())

"""Taking up what an earlier run has left on disk, however often that takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from .desk import Desk
from .events import Damaged
from .loader import TakenUp

RETRY_AFTER = 300.0
"""Seconds until a folder is read again that could not be read."""

type TakeUp = Callable[[], Awaitable[TakenUp]]
"""Takes up one folder. May be done again, and is done again after trouble or an OSError."""


class Revival:
    """Has each folder taken up once; one that cannot be read holds up no other."""

    def __init__(self, desk: Desk, folders: Iterable[TakeUp], returned: Callable[[], None]) -> None:
        """Work at a desk. returned: called when a later round has ended."""
        self._desk = desk
        self._left = list(folders)
        self._returned = returned
        self._again_at: float | None = None
        desk.alarm.serve(lambda: self._again_at, self._try_again_in_time)

    async def take_up(self) -> None:
        """Take up what is left to be taken up."""
        reporter = self._desk.reporter
        for folder in tuple(self._left):
            try:
                found = await folder()
            except OSError as error:
                found = TakenUp(trouble=error)
            if found.damaged:
                reporter.tell(Damaged(found.damaged))
            if found.trouble is None:
                self._left.remove(folder)
            reporter.trouble(found.trouble)
        self._again_at = self._desk.alarm.now() + RETRY_AFTER if self._left else None

    def _try_again_in_time(self) -> None:
        if self._again_at is not None and self._desk.alarm.now() >= self._again_at:
            self._again_at = None
            self._desk.chores.do(self._try_again())

    async def _try_again(self) -> None:
        await self.take_up()
        self._returned()

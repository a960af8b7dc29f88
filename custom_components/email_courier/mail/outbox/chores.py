"""Short work that is left to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
import logging

from .host import Host

_LOGGER = logging.getLogger(__name__)


class Chores:
    """Tasks that nobody cancels, and that are waited for before the courier stops."""

    def __init__(self, host: Host, ended: Callable[[], None]) -> None:
        """Start them through the host.

        ended: called whenever one has ended.
        """
        self._host = host
        self._tell = ended
        self._tasks: set[asyncio.Task[None]] = set()

    def __bool__(self) -> bool:
        """Whether anything is still being done."""
        return bool(self._tasks)

    def do(self, work: Coroutine[None, None, None]) -> None:
        """Begin one."""
        task = self._host.finish(work, "outbox")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def done(self) -> None:
        """Wait for all that have begun by now."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOGGER.error("The outbox failed in a way it should not", exc_info=error)
        self._tell()

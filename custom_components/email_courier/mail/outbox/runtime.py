"""One timer, and the time it makes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
import logging
import random
from typing import Any, Protocol


class RunBlocking(Protocol):
    """Runs a blocking call in another thread, to its end, even while the program stops."""

    def __call__[*Ts, T](self, call: Callable[[*Ts], T], /, *args: *Ts) -> Awaitable[T]:
        """Return what the call returns. Raises what it raises."""
        ...


class Spawn(Protocol):
    """Starts a task, now or soon, and keeps it alive."""

    def __call__[T](self, work: Coroutine[Any, Any, T], name: str, /) -> asyncio.Task[T]:
        """Return the task."""
        ...


class CallAt(Protocol):
    """Sets a timer."""

    def __call__(self, when: float, callback: Callable[[], None], /) -> Callable[[], None]:
        """Call back at a UTC timestamp in seconds; return what cancels that."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The program around the outbox.

    clock: the UTC timestamp in seconds.
    spawn: for work that may take long and may be cancelled at any time.
    finish: for short work that is left to end even while the program stops.
    chance: a number in [0, 1).
    """

    clock: Callable[[], float]
    run_blocking: RunBlocking
    spawn: Spawn
    finish: Spawn
    call_at: CallAt
    chance: Callable[[], float] = random.random


class Alarm:
    """Rings at the earliest time that matters to any of those it asks.

    A timer that has fired says that its time has come, whatever the clock says; so that the two
    cannot disagree, time never stands before the last one that fired.
    """

    def __init__(self, host: Host) -> None:
        """Ring for nobody yet."""
        self._host = host
        self._times: list[Callable[[], float | None]] = []
        self._actions: list[Callable[[], None]] = []
        self._when: float | None = None
        self._passed = 0.0
        self._cancel: Callable[[], None] | None = None

    def now(self) -> float:
        """Return the UTC timestamp in seconds."""
        return max(self._host.clock(), self._passed)

    def serve(self, time: Callable[[], float | None], action: Callable[[], None]) -> None:
        """Ring for one more.

        time: returns the UTC timestamp in seconds at which to ring, or None.
        action: called whenever it rings, whoever it was for.
        """
        self._times.append(time)
        self._actions.append(action)

    def changed(self) -> None:
        """Ask everybody anew."""
        self._set(min((when for time in self._times if (when := time()) is not None), default=None))

    def stop(self) -> None:
        """Ring no more."""
        self._times.clear()
        self._set(None)

    def _set(self, when: float | None) -> None:
        if when == self._when:
            return
        if self._cancel is not None:
            self._cancel()
        self._when = when
        self._cancel = None if when is None else self._host.call_at(when, self._fired)

    def ring(self) -> None:
        """Ring now."""
        for action in tuple(self._actions):
            action()
        self.changed()

    def _fired(self) -> None:
        self._passed = max(self._passed, self._when or 0.0)
        self._when = None
        self._cancel = None
        self.ring()


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

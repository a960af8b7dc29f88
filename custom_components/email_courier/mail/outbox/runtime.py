"""What the outbox needs of the program around it: the time, timers, tasks and threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
import logging
import random
from typing import Any, NamedTuple, Protocol

_LOGGER = logging.getLogger(__name__)


class RunBlocking(Protocol):
    """Runs a blocking call in another thread, to its end, even while the program stops."""

    def __call__[*Ts, T](self, call: Callable[[*Ts], T], /, *args: *Ts) -> Awaitable[T]:
        """Return what the call returns. Raises what it raises."""
        ...


class Spawn(Protocol):
    """Starts a task, now or soon, keeps it alive, and lets it end while the program stops."""

    def __call__[T](self, work: Coroutine[Any, Any, T], name: str, /) -> asyncio.Task[T]:
        """Return the task."""
        ...


class CallAt(Protocol):
    """Sets a timer."""

    def __call__(self, when: float, callback: Callable[[], None], /) -> Callable[[], None]:
        """Call back at a time of Host.monotonic in seconds; return what cancels that."""
        ...


class Host(NamedTuple):
    """The program around the outbox.

    clock: the UTC timestamp in seconds, which may be set forward and back at any time.
    monotonic: seconds from some start on, whatever becomes of the clock.
    chance: a number in [0, 1).
    """

    clock: Callable[[], float]
    monotonic: Callable[[], float]
    run_blocking: RunBlocking
    spawn: Spawn
    call_at: CallAt
    chance: Callable[[], float] = random.random


PIECE = 100
"""Records of which something is made before the event loop has its turn again."""


async def in_pieces[T, R](items: Collection[T], make: Callable[[T], R]) -> list[R]:
    """Return what is made of each of many items, without holding the event loop up."""
    made: list[R] = []
    for number, item in enumerate(items, 1):
        made.append(make(item))
        if number % PIECE == 0:
            await asyncio.sleep(0)
    return made


STEADY = 1.0
"""Seconds by which the clock may be set and seems not to be, so that no time shown flickers."""


class Timers:
    """The time within a run, and the timers of the outbox, which run between start() and stop().

    Time is what the clock said at the start of the run, and the seconds that have passed since:
    whoever sets the clock moves nothing. Only what people see, and what outlives the run, is given
    in the time of the clock.

    A timer that has fired says that its time has come; so that the two cannot disagree, now()
    never stands before the last one that fired. measured() does not follow timers.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._zero = host.clock() - host.monotonic()
        self._offset = 0.0
        self._fired_at = 0.0
        self._timers: list[Timer] = []
        self.is_running = False

    def now(self) -> float:
        """Return the time of the run in seconds, as far as its timers know."""
        return max(self.measured(), self._fired_at)

    def measured(self) -> float:
        """Return the time of the run in seconds, as measured."""
        return self._zero + self._host.monotonic()

    def clock(self) -> float:
        """Return the UTC timestamp in seconds."""
        return self._host.clock()

    def shown(self, when: float) -> float:
        """Return a time of the run as a UTC timestamp in seconds, by the clock as it is now."""
        offset = self._host.clock() - self.measured()
        if abs(offset - self._offset) > STEADY:
            self._offset = offset
        return when + self._offset

    def register(self, action: Callable[[], object], *, is_believed: bool = True) -> Timer:
        """Return a timer that is not set; it calls the action whenever it fires.

        is_believed: that it fires says that its time has come.
        """
        timer = Timer(self, action, is_believed=is_believed)
        self._timers.append(timer)
        return timer

    def start(self) -> None:
        """Let timers run from now on, and fire those whose time has come."""
        self.is_running = True
        for timer in self._timers:
            timer.resume()

    def stop(self) -> None:
        """Let no timer run any more."""
        self.is_running = False
        for timer in self._timers:
            timer.cancel()

    def call_at(self, when: float, action: Callable[[], None]) -> Callable[[], None]:
        """Call an action at a time of the run, and return what cancels that."""
        return self._host.call_at(when - self._zero, action)

    def believe(self, when: float) -> None:
        """Know that a time of the run has come."""
        self._fired_at = max(self._fired_at, when)


class Timer:
    """One thing that is waited for. when: time of the run, None while it is not set."""

    def __init__(
        self, timers: Timers, action: Callable[[], object], *, is_believed: bool = True
    ) -> None:
        self.when: float | None = None
        self._is_believed = is_believed
        self._timers = timers
        self._action = action
        self._cancel: Callable[[], None] | None = None

    def set(self, when: float | None) -> None:
        """Fire at a time of the run instead of what was set before; None is never."""
        if when == self.when:
            return
        self.cancel()
        self.when = when
        self._run()

    def set_earlier(self, when: float) -> None:
        """Fire at a time of the run, unless it is set to fire before."""
        if self.when is None or when < self.when:
            self.set(when)

    def resume(self) -> None:
        """Run if it is set; fire if its time has come."""
        if self.when is not None and self.when <= self._timers.now():
            self.cancel()
            self._fire()
        else:
            self._run()

    def cancel(self) -> None:
        """Stop running; what is set stays so."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def _run(self) -> None:
        if self.when is not None and self._cancel is None and self._timers.is_running:
            self._cancel = self._timers.call_at(self.when, self._fire)

    def _fire(self) -> None:
        self._cancel = None
        if self.when is not None and self._is_believed:
            self._timers.believe(self.when)
        self.when = None
        self._action()


class TaskGroup:
    """Short tasks that nobody cancels, and that are waited for before the courier stops."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._tasks: set[asyncio.Task[None]] = set()

    def __bool__(self) -> bool:
        """Whether any task is under way."""
        return bool(self._tasks)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task; an error in it is logged."""
        task = self._host.spawn(work, "outbox")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def wait(self) -> None:
        """Wait for all that have begun by now."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOGGER.error("The outbox failed in a way it should not", exc_info=error)

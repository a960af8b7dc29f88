"""What the outbox needs of the program around it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
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

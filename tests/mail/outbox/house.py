"""A courier in a house whose clock the test turns."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
import heapq
import itertools
from pathlib import Path
from typing import Any

from custom_components.email_courier.mail.envelope import Envelope
from custom_components.email_courier.mail.outbox.courier import Courier, CourierConfig
from custom_components.email_courier.mail.outbox.digests import Pictures
from custom_components.email_courier.mail.outbox.dispatcher import Deliver
from custom_components.email_courier.mail.outbox.events import CourierEvent, StateChanged
from custom_components.email_courier.mail.outbox.runtime import Host
from custom_components.email_courier.mail.outbox.store import Store
from custom_components.email_courier.mail.outbox.submission import DAY, OutgoingMail, Rank
from tests.mail.outbox.servers import FakeServer

START = 1_795_000_000.0
MINUTE = 60.0
HOUR = 3600.0


class Clock:
    """Stands still until it is turned; its timers fire as it passes their time.

    ahead: seconds by which the clock on the wall has been set forward, or back.
    """

    def __init__(self) -> None:
        """Begin at START."""
        self.time = START
        self.ahead = 0.0
        self._numbers = itertools.count()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []

    def __call__(self) -> float:
        """Tell the time on the wall."""
        return self.time + self.ahead

    def monotonic(self) -> float:
        """Tell what has passed."""
        return self.time

    @property
    def timers(self) -> list[float]:
        """When the timers that are set will fire."""
        return sorted(when for when, _, _ in self._timers)

    def call_at(self, when: float, callback: Callable[[], None], /) -> Callable[[], None]:
        """Set a timer."""
        item = (when, next(self._numbers), callback)
        heapq.heappush(self._timers, item)

        def cancel() -> None:
            if item in self._timers:
                self._timers.remove(item)
                heapq.heapify(self._timers)

        return cancel

    def next_before(self, time: float) -> Callable[[], None] | None:
        """Turn on to the next timer that is due by a time, and return what it calls."""
        if not self._timers or self._timers[0][0] > time:
            return None
        when, _, callback = heapq.heappop(self._timers)
        self.time = max(self.time, when)
        return callback

    def fire_early(self) -> None:
        """Fire the next timer although its time has not come on this clock."""
        _, _, callback = heapq.heappop(self._timers)
        callback()


class House:
    """Holds a courier together with its server, its clock, its folder and what it has told."""

    def __init__(
        self, folder: Path, *, eager: bool = False, deliver: Deliver | None = None
    ) -> None:
        """Move in; the courier is not started.

        eager: whether the program runs a new task at once up to where it has to wait.
        deliver: a real session in place of the server that needs none.
        """
        self.eager = eager
        self.folder = folder
        self.server = FakeServer()
        self._deliver = deliver
        self.clock = Clock()
        self.config = CourierConfig(patience=30)
        self.events: list[CourierEvent] = []
        self.background: set[asyncio.Task[Any]] = set()
        self.ghosts: list[Courier] = []
        self._life = object()
        self.disk_jobs = 0
        self.disk_error: OSError | None = None
        self.disk_is_ready = asyncio.Event()
        self.disk_is_ready.set()
        self.courier = self.make_courier()

    def make_courier(self) -> Courier:
        """Make a courier on this folder, as a new start of the program would."""
        return Courier(
            deliver=self._deliver or self.server.deliver,
            store=Store(self.folder),
            host=self.host(),
            listener=self.events.append,
            config=self.config,
        )

    def host(self) -> Host:
        """Be the program around the courier."""
        life = self._life

        async def run_blocking[*Ts, T](call: Callable[[*Ts], T], /, *args: *Ts) -> T:
            if life is not self._life:
                raise OSError("crashed")
            return await self._run_blocking(call, *args)

        return Host(
            clock=self.clock,
            monotonic=self.clock.monotonic,
            run_blocking=run_blocking,
            spawn=self._spawn,
            call_at=self.clock.call_at,
            chance=lambda: 0.5,
        )

    def crash(self) -> None:
        """Let the present courier neither go on with what is held up nor write anything."""
        self._life = object()
        self.ghosts.append(self.courier)
        self.background.clear()
        self.server.hold_nothing()

    async def restart(self) -> None:
        """Begin anew on the same folder, without stopping what was before."""
        self.courier = self.make_courier()
        await self.courier.start()
        await self.quiet()

    async def turn(self, seconds: float) -> None:
        """Let time pass."""
        end = self.clock.time + seconds
        await self.quiet()
        while (callback := self.clock.next_before(end)) is not None:
            callback()
            await self.quiet()
        self.clock.time = end

    async def quiet(self) -> None:
        """Wait until nothing happens any more, except what the server holds up."""
        for _ in range(3):
            while tasks := [task for task in self.background if not self._is_held(task)]:
                await asyncio.wait(tasks, timeout=0.05)
            await asyncio.sleep(0)

    def told[E](self, kind: type[E]) -> list[E]:
        """Return the events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def stories(self) -> list[str]:
        """Return the names of all events but those of the state."""
        return [type(e).__name__ for e in self.events if not isinstance(e, StateChanged)]

    @property
    def files(self) -> list[str]:
        """Return the kinds of files in the folder that belong to mails, sorted."""
        if not self.folder.exists():
            return []
        return sorted(p.suffix for p in self.folder.iterdir() if p.suffix)

    def _is_held(self, task: asyncio.Task[Any]) -> bool:
        server = self.server
        is_open = server.upload.is_set() and server.verdict.is_set()
        return task.get_name() == "outbox attempt" and not is_open

    async def _run_blocking[*Ts, T](self, call: Callable[[*Ts], T], /, *args: *Ts) -> T:
        self.disk_jobs += 1
        await self.disk_is_ready.wait()
        if self.disk_error is not None:
            raise self.disk_error
        return await asyncio.to_thread(call, *args)

    def _spawn[T](self, work: Coroutine[Any, Any, T], name: str, /) -> asyncio.Task[T]:
        loop = asyncio.get_running_loop()
        task = asyncio.Task(work, loop=loop, name=name, eager_start=self.eager)
        self.background.add(task)
        task.add_done_callback(self.background.discard)
        return task


_numbers = itertools.count(1)


def mail(
    *to: str,
    text: str | None = None,
    rank: Rank = Rank.NORMAL,
    queue: bool = True,
    expires_after: float = DAY,
    visited_accounts: Sequence[str] = (),
) -> OutgoingMail:
    """Return a mail unlike any other."""
    number = next(_numbers)
    recipients = to or ("anna@example.test",)
    body = f"Message-ID: <{number}@house.test>\r\n\r\n{text or number}\r\n"
    return OutgoingMail(
        envelope=Envelope("house@house.test", recipients),
        data=body.encode(),
        message_id=f"<{number}@house.test>",
        subject=f"Mail {text or number}",
        rank=rank,
        expires_after=expires_after,
        queue=queue,
        visited_accounts=tuple(visited_accounts),
    )


class Digest:
    """Mails that become one, by a function."""

    def __init__(
        self, compose: Callable[[Sequence[OutgoingMail]], OutgoingMail], limit: int, count: int
    ) -> None:
        """Take in so many bytes, and so many mails."""
        self._compose = compose
        self._limit = limit
        self._count = count
        self._mails: list[OutgoingMail] = []

    def add(self, mail: OutgoingMail) -> bool:
        """Take in a mail if there is room for it."""
        size = sum(len(each.data) for each in self._mails) + len(mail.data)
        if size > self._limit or len(self._mails) == self._count:
            return False
        self._mails.append(mail)
        return True

    def finish(self) -> OutgoingMail:
        """Make one of them."""
        return self._compose(self._mails)

    def close(self) -> None:
        """Let go of the mails."""
        self._mails.clear()


class Digests:
    """Makes one mail of several by a function. pictures: what was asked for, digest by digest."""

    def __init__(
        self,
        compose: Callable[[Sequence[OutgoingMail]], OutgoingMail],
        *,
        limit: int = 10_000_000,
        count: int = 1_000_000,
    ) -> None:
        """Let a digest have so many bytes, and so many mails."""
        self._compose = compose
        self._limit = limit
        self._count = count
        self.pictures: list[Pictures] = []

    def limit(self) -> int:
        """Return the bytes a digest may have."""
        return self._limit

    def begin(self, pictures: Pictures) -> Digest:
        """Begin a digest."""
        self.pictures.append(pictures)
        return Digest(self._compose, self._limit, self._count)

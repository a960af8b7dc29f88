"""Time, timers, and short tasks that are left to end."""

import asyncio
from collections.abc import Callable, Coroutine
import logging
from typing import Any

import pytest

from custom_components.email_courier.mail.outbox.runtime import (
    PIECE,
    Host,
    TaskGroup,
    Timers,
    in_pieces,
)
from tests.mail.outbox.house import START, House


def _host() -> Host:
    async def run_blocking[*Ts, T](call: Callable[[*Ts], T], /, *args: *Ts) -> T:
        return call(*args)

    def spawn[T](work: Coroutine[Any, Any, T], name: str, /) -> asyncio.Task[T]:
        return asyncio.create_task(work, name=name)

    return Host(
        clock=lambda: START,
        monotonic=lambda: START,
        run_blocking=run_blocking,
        spawn=spawn,
        call_at=lambda _when, _action: lambda: None,
    )


async def test_a_task_counts_until_it_has_ended() -> None:
    tasks = TaskGroup(_host())
    may_end = asyncio.Event()

    async def work() -> None:
        await may_end.wait()

    assert not tasks
    tasks.start(work())
    assert tasks
    waiting = asyncio.create_task(tasks.wait())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    may_end.set()
    await waiting
    await asyncio.sleep(0)
    assert not tasks


async def test_the_error_of_a_task_is_in_the_log_and_a_cancelled_one_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks = TaskGroup(_host())

    async def fail() -> None:
        raise LookupError("nobody thought of this")

    async def leave() -> None:
        raise asyncio.CancelledError

    tasks.start(leave())
    await tasks.wait()
    await asyncio.sleep(0)
    assert not caplog.records
    tasks.start(fail())
    await tasks.wait()
    await asyncio.sleep(0)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)


@pytest.fixture
def timers(house: House) -> Timers:
    timers = Timers(house.host())
    timers.start()
    return timers


def test_each_timer_fires_at_its_own_time_and_is_believed(house: House, timers: Timers) -> None:
    fired: list[str] = []
    late = timers.register(lambda: fired.append("late"))
    early = timers.register(lambda: fired.append("early"))
    timers.register(lambda: fired.append("never"))
    late.set(START + 20)
    early.set(START + 10)
    assert house.clock.timers == [START + 10, START + 20]
    house.clock.fire_early()
    assert timers.now() == START + 10
    assert fired == ["early"]
    assert early.when is None
    assert house.clock.timers == [START + 20]
    house.clock.fire_early()
    assert timers.now() == START + 20
    assert fired == ["early", "late"]
    assert house.clock.timers == []


def test_a_timer_whose_time_has_not_changed_runs_on(house: House, timers: Timers) -> None:
    timer = timers.register(lambda: None)
    timer.set(START + 10)
    [before] = house.clock.timers
    timer.set(START + 10)
    assert house.clock.timers == [before]
    timer.set(None)
    assert house.clock.timers == []
    timer.set(START + 10)
    timers.stop()
    assert house.clock.timers == []


def test_a_timer_can_be_moved_both_ways_or_only_to_an_earlier_time(
    house: House, timers: Timers
) -> None:
    timer = timers.register(lambda: None)
    for when in (30.0, 10.0, 20.0):
        timer.set(START + when)
        assert house.clock.timers == [START + when]
    timer.set_earlier(START + 25)
    assert house.clock.timers == [START + 20]
    timer.set_earlier(START + 15)
    assert house.clock.timers == [START + 15]


def test_timers_that_are_set_before_the_start_run_from_then_on(house: House) -> None:
    timers = Timers(house.host())
    fired: list[str] = []
    due = timers.register(lambda: fired.append("due"))
    coming = timers.register(lambda: fired.append("coming"))
    due.set(START)
    coming.set(START + 1)
    assert house.clock.timers == []
    assert fired == []
    timers.start()
    assert fired == ["due"]
    assert house.clock.timers == [START + 1]


def test_the_time_never_stands_before_a_timer_that_has_fired(house: House, timers: Timers) -> None:
    timers.register(lambda: None).set(START + 100)
    house.clock.fire_early()
    assert house.clock.time == START
    assert timers.now() == START + 100
    house.clock.time = START + 200
    assert timers.now() == START + 200


async def test_what_is_made_of_many_leaves_the_event_loop_to_others_in_between() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    assert await in_pieces(range(10 * PIECE), str) == [str(each) for each in range(10 * PIECE)]
    task.cancel()
    assert turns == 10

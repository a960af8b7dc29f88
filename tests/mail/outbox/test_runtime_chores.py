"""Short work that is left to end."""

import asyncio
from collections.abc import Callable, Coroutine
import logging
from typing import Any

import pytest

from custom_components.email_courier.mail.outbox.runtime import Chores, Host
from tests.mail.outbox.house import START


def _host() -> Host:
    async def run_blocking[*Ts, T](call: Callable[[*Ts], T], /, *args: *Ts) -> T:
        return call(*args)

    def spawn[T](work: Coroutine[Any, Any, T], name: str, /) -> asyncio.Task[T]:
        return asyncio.create_task(work, name=name)

    return Host(
        clock=lambda: START,
        run_blocking=run_blocking,
        spawn=spawn,
        finish=spawn,
        call_at=lambda _when, _action: lambda: None,
    )


async def test_a_chore_counts_until_it_has_ended_and_its_end_is_told() -> None:
    ended: list[bool] = []
    chores = Chores(_host(), lambda: ended.append(bool(chores)))
    may_end = asyncio.Event()

    async def work() -> None:
        await may_end.wait()

    assert not chores
    chores.do(work())
    assert chores
    waiting = asyncio.create_task(chores.done())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    may_end.set()
    await waiting
    await asyncio.sleep(0)
    assert not chores
    assert ended == [False]


async def test_the_error_of_a_chore_is_in_the_log_and_a_cancelled_one_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chores = Chores(_host(), lambda: None)

    async def fail() -> None:
        raise LookupError("nobody thought of this")

    async def leave() -> None:
        raise asyncio.CancelledError

    chores.do(leave())
    await chores.done()
    await asyncio.sleep(0)
    assert not caplog.records
    chores.do(fail())
    await chores.done()
    await asyncio.sleep(0)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)

"""Home Assistant runs a new task at once, up to the first time it has to wait."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from custom_components.email_courier.mail.outbox.record import MailRecord
from custom_components.email_courier.mail.outbox.runtime import Host, TaskGroup, Timers
from custom_components.email_courier.mail.outbox.spool import Disk
from custom_components.email_courier.mail.outbox.store import Store
from tests.mail.outbox.house import START, mail


def eager_host() -> Host:
    def spawn[T](work: Coroutine[Any, Any, T], name: str, /) -> asyncio.Task[T]:
        return asyncio.Task(work, name=name, loop=asyncio.get_running_loop(), eager_start=True)

    async def run_blocking[*Ts, T](call: Callable[[*Ts], T], /, *args: *Ts) -> T:
        return await asyncio.to_thread(call, *args)

    def call_at(_when: float, _callback: Callable[[], None], /) -> Callable[[], None]:
        raise AssertionError("the disk sets no timers")

    return Host(
        clock=lambda: START,
        monotonic=lambda: START,
        run_blocking=run_blocking,
        spawn=spawn,
        call_at=call_at,
    )


async def test_every_mail_is_on_disk_when_its_write_returns(tmp_path: Path) -> None:
    store = Store(tmp_path)
    troubles: list[OSError] = []
    host = eager_host()
    timers, tasks = Timers(host), TaskGroup(host)
    disk = Disk(store, host, troubles.append, timers, tasks)

    async def write(delay: float) -> None:
        await asyncio.sleep(delay)
        outgoing = mail("bea@example.test")
        record = MailRecord.new(outgoing, START)
        await disk.write(record, outgoing.data)
        assert store.read_message(record) == outgoing.data

    await asyncio.gather(*(write(number / 10_000) for number in range(20)))

    assert len(store.open().mails) == 20
    assert troubles == []

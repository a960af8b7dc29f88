"""Measures what waiting mail costs: with 100 mails on disk, with 10,000, and the ratio.

Run by `scripts/waiting`; each measurement has a process of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
import contextlib
import itertools
import json
import os
from pathlib import Path
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any
from unittest import mock

from tests.support import pure

pure.install()

from custom_components.email_courier.mail.envelope import (  # noqa: E402
    Delivery,
    Envelope,
    Peek,
    RecipientOutcome,
)
from custom_components.email_courier.mail.outbox.courier import Courier  # noqa: E402
from custom_components.email_courier.mail.outbox.record import MailRecord  # noqa: E402
from custom_components.email_courier.mail.outbox.runtime import Host  # noqa: E402
from custom_components.email_courier.mail.outbox.store import Store  # noqa: E402
from custom_components.email_courier.mail.outbox.submission import OutgoingMail  # noqa: E402
from custom_components.email_courier.mail.payload import Payload  # noqa: E402

FEW, MANY = 100, 10_000
MESSAGE = 8_000
"""Bytes of each waiting message."""
ROUNDS = 7
DELIVERIES = 30

_LINE = "{what:<44} {few:>12} {many:>12} {ratio:>8}"


class Bench:
    """One courier on a folder with waiting mail, at a server that takes everything at once."""

    def __init__(self, folder: Path) -> None:
        """Hold every attempt up until the server is opened."""
        self.open = asyncio.Event()
        self.first_attempt = asyncio.Event()
        self.has_delivered = asyncio.Event()
        self.times: list[float] = []
        loop = asyncio.get_running_loop()

        def spawn[T](work: Coroutine[Any, Any, T], name: str, /) -> asyncio.Task[T]:
            return loop.create_task(work, name=name)

        def call_at(when: float, callback: Callable[[], None], /) -> Callable[[], None]:
            return loop.call_later(max(0.0, when - time.monotonic()), callback).cancel

        self.courier = Courier(
            deliver=self._deliver,
            store=Store(folder),
            host=Host(
                clock=time.time,
                monotonic=time.monotonic,
                run_blocking=asyncio.to_thread,
                spawn=spawn,
                call_at=call_at,
            ),
            listener=lambda _: None,
        )

    async def _deliver(
        self,
        envelope: Envelope,
        data: Payload,  # noqa: ARG002
        *,
        before_dot: Callable[[], Awaitable[None]] | None,
        peek: Peek | None,  # noqa: ARG002
    ) -> Delivery:
        self.first_attempt.set()
        await self.open.wait()
        if before_dot is not None:
            await before_dot()
        self.times.append(time.perf_counter())
        if len(self.times) == DELIVERIES:
            self.has_delivered.set()
        return Delivery(tuple(RecipientOutcome(address) for address in envelope.recipients))


def mail() -> OutgoingMail:
    """Return a mail of the usual size."""
    return OutgoingMail(
        envelope=Envelope("house@house.test", ("anna@example.test",)),
        data=os.urandom(MESSAGE // 2).hex().encode(),
        message_id="<1@house.test>",
        subject="The washing machine is done",
    )


def prepare(folder: Path, count: int) -> None:
    """Put so many mails on disk; they need not outlive a power cut."""
    store = Store(folder)
    with mock.patch("os.fsync"):
        for _ in range(count):
            waiting = mail()
            store.write([(MailRecord.new(waiting, time.time()), waiting.data)])


async def longest_gap(gaps: list[float]) -> None:
    """Note how long the event loop was kept from running this."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0)
        gaps.append(time.perf_counter() - before)


async def measure(folder: Path) -> dict[str, float]:
    """Return milliseconds and bytes."""
    memory = _memory()
    gaps: list[float] = []
    watch = asyncio.ensure_future(longest_gap(gaps))
    await asyncio.sleep(0.1)
    gaps.clear()

    bench = Bench(folder)
    before = time.perf_counter()
    bench.courier.open()
    opened = time.perf_counter() - before
    await bench.courier.start()
    await bench.first_attempt.wait()
    begun = time.perf_counter() - before
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch
    used = _memory() - memory

    bench.open.set()
    await bench.has_delivered.wait()
    times = bench.times[:DELIVERIES]
    delivery = statistics.median(b - a for a, b in itertools.pairwise(times))

    fresh: list[float] = []
    for _ in range(DELIVERIES):
        before = time.perf_counter()
        await bench.courier.submit(mail())
        fresh.append(time.perf_counter() - before)
    await bench.courier.stop()
    return {
        "opened": opened * 1000,
        "begun": begun * 1000,
        "stall": max(gaps) * 1000,
        "memory": used,
        "delivery": delivery * 1000,
        "fresh": statistics.median(fresh) * 1000,
        "process": _memory(),
    }


def _memory() -> int:
    """Return the memory that this process has at present (Linux), else the most it has had."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize()


def rounds() -> tuple[dict[str, float], dict[str, float]]:
    """Return the medians of some rounds, with few and with many mails in turn."""
    found: dict[int, list[dict[str, float]]] = {FEW: [], MANY: []}
    for _ in range(ROUNDS):
        for count, results in found.items():
            with tempfile.TemporaryDirectory() as folder:
                prepare(Path(folder), count)
                command = [sys.executable, __file__, folder]
                output = subprocess.run(command, check=True, capture_output=True).stdout
                results.append(json.loads(output))
    few, many = (
        {name: statistics.median(each[name] for each in results) for name in results[0]}
        for results in found.values()
    )
    return few, many


def main() -> None:
    """Print the table."""
    few, many = rounds()
    print(f"Medians of {ROUNDS} rounds; messages of {MESSAGE} bytes\n")
    print(_LINE.format(what="", few=f"{FEW:,} wait", many=f"{MANY:,} wait", ratio="ratio"))
    for name, what, unit in (
        ("opened", "start: until the account is ready for mail", "ms"),
        ("begun", "start: until the first waiting mail goes", "ms"),
        ("stall", "longest stall of the event loop meanwhile", "ms"),
        ("delivery", "delivery of a waiting mail", "ms"),
        ("fresh", "delivery of a fresh mail meanwhile", "ms"),
        ("memory", "memory for what waits", "MiB"),
        ("process", "memory of the whole process", "MiB"),
    ):
        scale = 1 if unit == "ms" else 1024 * 1024
        values = [each[name] / scale for each in (few, many)]
        print(
            _LINE.format(
                what=what,
                few=f"{values[0]:.2f} {unit}",
                many=f"{values[1]:.2f} {unit}",
                ratio=f"{values[1] / max(values[0], 0.01):.2f}",
            )
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(asyncio.run(measure(Path(sys.argv[1])))))
    else:
        main()

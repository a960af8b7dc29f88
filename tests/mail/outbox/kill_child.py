"""A program that sends mail until it is killed, again and again on the same folder.

`serve` reads commands, one a line; everything is imported by then, so that a life begins at once:
`live SEED` forks a process that hands in mails and prints its id; `drain SEED` forks one that only
delivers what waits; `wait` waits for the process to end and prints its status.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
import json
import os
from pathlib import Path
import random
import ssl
import sys
import time
from typing import Any

from custom_components.email_courier.mail.envelope import Delivery, Envelope
from custom_components.email_courier.mail.failure import MailError
from custom_components.email_courier.mail.outbox.courier import Courier, CourierConfig
from custom_components.email_courier.mail.outbox.events import CourierEvent, Delivered, Failed
from custom_components.email_courier.mail.outbox.runtime import Host
from custom_components.email_courier.mail.outbox.store import Store
from custom_components.email_courier.mail.outbox.submission import OutboxError, OutgoingMail, Rank
from custom_components.email_courier.mail.payload import Payload
from custom_components.email_courier.mail.settings import Deadlines, Encryption, ServerSettings
from custom_components.email_courier.mail.smtp.keepalive import WarmSession

SPEED = 100
"""How much faster than real time the outbox's clock goes."""
CALLERS = 3
RECIPIENTS = [f"r{number}@example.test" for number in range(6)]
DEADLINES = Deadlines(
    handshake=2.0, connect=2.0, greeting=1.0, transaction=2.0, stall=1.0, final_reply=1.0
)


class Log:
    """A file that keeps what was written even when the process is killed right after."""

    def __init__(self, path: Path) -> None:
        """Append to a file."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, what: str, message_id: str, **more: object) -> None:
        """Write one line in one call."""
        line = json.dumps({"what": what, "id": message_id, "pid": os.getpid(), **more})
        os.write(self._file, line.encode() + b"\n")


class Life:
    """One process between its start and the kill."""

    def __init__(self, folder: Path, port: int, log: Log, *, write_first: bool, seed: str) -> None:
        """Set up a courier as the program would."""
        self._chance = random.Random(f"{seed} {os.getpid()}")
        self._name = seed
        self._log = log
        settings = ServerSettings(
            host="127.0.0.1",
            port=port,
            encryption=Encryption.NONE,
            hello_name=f"{os.getpid()}.house.test",
            deadlines=DEADLINES,
        )
        self._session = WarmSession(settings, ssl.create_default_context())
        self._courier = Courier(
            deliver=self._deliver,
            store=Store(folder),
            host=_host(),
            listener=self._hear,
            config=CourierConfig(write_first=write_first, patience=0.2),
        )

    async def live(self) -> None:
        """Hand in mails, and wait for the end."""
        await self._courier.start()
        await asyncio.gather(*(self._call(number) for number in range(CALLERS)))
        await asyncio.Event().wait()

    async def drain(self) -> None:
        """Deliver what waits."""
        await self._courier.start()
        while self._courier.state.waiting:
            await asyncio.sleep(0.02)
        await self._courier.stop()
        self._session.close()

    async def _call(self, caller: int) -> None:
        for number in range(4):
            mail = self._mail(f"{caller}.{number}")
            self._log.write("begun", mail.message_id, to=mail.envelope.recipients)
            try:
                receipt = await self._courier.submit(mail)
            except (MailError, OutboxError) as error:
                self._log.write("raised", mail.message_id, error=str(error))
            else:
                refused = [outcome.address for outcome in receipt.refused]
                self._log.write("returned", mail.message_id, refused=refused)
            await asyncio.sleep(self._chance.random() * 0.02)

    def _mail(self, name: str) -> OutgoingMail:
        message_id = f"<{self._name}.{os.getpid()}.{name}@house.test>"
        size = self._chance.choice((10, 1_000, 20_000, 200_000, 1_500_000))
        text = b"Message-ID: %b\r\n\r\n%b\r\n" % (message_id.encode(), b"x" * 70 + b"\r\n.\r\n")
        return OutgoingMail(
            envelope=Envelope(
                "house@house.test",
                tuple(self._chance.sample(RECIPIENTS, self._chance.randint(1, 3))),
            ),
            data=text + b"line of a long mail\r\n" * (size // 20),
            message_id=message_id,
            rank=self._chance.choice(list(Rank)),
        )

    async def _deliver(
        self,
        envelope: Envelope,
        data: Payload,
        *,
        before_dot: Callable[[], Awaitable[None]] | None,
    ) -> Delivery:
        message_id = bytes(data).split(b"\r\n", 1)[0].removeprefix(b"Message-ID: ").decode()
        self._log.write("attempted", message_id)
        return await self._session.deliver(envelope, data, before_dot=before_dot)

    def _hear(self, event: CourierEvent) -> None:
        if isinstance(event, Delivered):
            self._log.write("delivered", event.message_id, to=event.recipients)
        elif isinstance(event, Failed):
            self._log.write("failed", event.message_id, to=event.recipients, why=event.reason)


def _host() -> Host:
    loop = asyncio.get_running_loop()

    def clock() -> float:
        # The base keeps the clock near the present, and every process at the same rate.
        base = 1_750_000_000
        return base + (time.time() - base) * SPEED % 3e9

    def monotonic() -> float:
        return time.monotonic() * SPEED

    def call_at(when: float, callback: Callable[[], None], /) -> Callable[[], None]:
        return loop.call_later(max(0.0, (when - monotonic()) / SPEED), callback).cancel

    def spawn[T](work: Coroutine[Any, Any, T], name: str, /) -> asyncio.Task[T]:
        return loop.create_task(work, name=name)

    return Host(
        clock=clock,
        monotonic=monotonic,
        run_blocking=asyncio.to_thread,
        spawn=spawn,
        call_at=call_at,
    )


async def _run(command: str, seed: str, arguments: list[str]) -> None:
    folder, port, log, mode = arguments
    life = Life(Path(folder), int(port), Log(Path(log)), write_first=mode == "first", seed=seed)
    await (life.live() if command == "live" else life.drain())


def serve(arguments: list[str]) -> None:
    """Begin and end lives: FOLDER PORT LOG first|straight."""
    child = 0
    for line in sys.stdin:
        command, _, seed = line.strip().partition(" ")
        if command == "wait":
            _, status = os.waitpid(child, 0)
            _say(os.waitstatus_to_exitcode(status))
            continue
        child = os.fork()
        if child == 0:
            asyncio.run(_run(command, seed, arguments))
            os._exit(0)
        _say(child)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()

"""A program that sends mail until it is killed, again and again on the same folder.

In the mode `pair` it is two accounts that back each other, each with a flood guard; mail is dropped
and accounts are reloaded now and then.

`serve` reads commands, one a line; everything is imported by then, so that a life begins at once:
`live SEED` forks a process that hands in mails and prints its id; `drain SEED` forks one that only
delivers what waits; `wait` waits for the process to end and prints its status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from copy import replace
import itertools
import json
import math
import os
from pathlib import Path
import random
import ssl
import sys
import time
from typing import Any

from custom_components.email_courier.mail.envelope import Delivery, Envelope, Peek
from custom_components.email_courier.mail.failure import STOPPED, FailureKind, MailError
from custom_components.email_courier.mail.outbox.backup import AbsentError, Backup
from custom_components.email_courier.mail.outbox.courier import Courier, CourierConfig
from custom_components.email_courier.mail.outbox.dispatcher import REPLY_GRACE
from custom_components.email_courier.mail.outbox.events import (
    CourierEvent,
    Delivered,
    Failed,
    HandedOver,
)
from custom_components.email_courier.mail.outbox.hold import FloodLimit
from custom_components.email_courier.mail.outbox.runtime import Host
from custom_components.email_courier.mail.outbox.store import Store
from custom_components.email_courier.mail.outbox.submission import (
    DAY,
    OutboxError,
    OutgoingMail,
    Rank,
)
from custom_components.email_courier.mail.payload import Payload
from custom_components.email_courier.mail.settings import Deadlines, Encryption, ServerSettings
from custom_components.email_courier.mail.smtp.keepalive import KeepaliveSession
from tests.mail.outbox.house import Digests

SPEEDS = {"first": 100, "straight": 100, "pair": 2000}
"""How much faster than real time the outbox's clock goes."""
CALLERS = 3
RECIPIENTS = [f"r{number}@example.test" for number in range(6)]
DEADLINES = Deadlines(
    handshake=10.0, connect=10.0, greeting=10.0, transaction=10.0, stall=10.0, final_reply=10.0
)


class Log:
    """A file that keeps what was written even when the process is killed right after.

    A line that a kill has cut off stays one by itself.
    """

    def __init__(self, path: Path) -> None:
        """Append to a file."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, what: str, message_id: str, **more: object) -> None:
        """Write one line in one call."""
        line = json.dumps({"what": what, "id": message_id, "pid": os.getpid(), **more})
        os.write(self._file, b"\n" + line.encode() + b"\n")


class Account:
    """A courier with its session, which can be reloaded."""

    def __init__(self, life: Life, name: str, folder: Path) -> None:
        """Set up a courier as the program would."""
        self.name = name
        self.other: Account | None = None
        self._life = life
        self._folder = folder
        self._is_loaded = asyncio.Event()
        self._session: KeepaliveSession
        self.courier: Courier

    async def load(self) -> None:
        """Begin with what is on disk."""
        self._session = KeepaliveSession(
            self._life.settings(self.name), ssl.create_default_context()
        )
        self.courier = Courier(
            deliver=self._deliver,
            store=Store(self._folder),
            host=_host(self._life.speed),
            listener=self._life.hear,
            config=self._config(),
        )
        await self.courier.start()
        self._is_loaded.set()

    async def unload(self) -> None:
        """End as the program would."""
        self._is_loaded.clear()
        await self.courier.stop()
        self._session.close()

    async def loaded(self) -> Courier:
        """Return the courier, after a reload that is under way."""
        await self._is_loaded.wait()
        return self.courier

    def _config(self) -> CourierConfig:
        config = CourierConfig(write_first=self._life.mode == "first", patience=0.2)
        if self.other is None:
            return config
        backup = Backup(own=self.name, account=self.other.name, hand_over=self.other.accept)
        limit = FloodLimit(per_hour=1, digests=Digests(self._life.digest, count=20))
        return config._replace(backup=backup, flood_limit=limit)

    async def accept(self, mail: OutgoingMail) -> None:
        """Take a mail over, as a backup account does."""
        try:
            # Longer than the minute for which it is asked again, by a clock 2,000 times as fast.
            async with asyncio.timeout(2):
                courier = await self.loaded()
        except TimeoutError:
            raise AbsentError(STOPPED) from None
        await courier.accept(mail)

    async def _deliver(
        self,
        envelope: Envelope,
        data: Payload,
        *,
        before_dot: Callable[[], Awaitable[None]] | None,
        peek: Peek | None,
    ) -> Delivery:
        message_id = bytes(data).split(b"\r\n", 1)[0].removeprefix(b"Message-ID: ").decode()
        self._life.log.write("attempted", message_id)
        loop = asyncio.get_running_loop()
        dot_at = math.inf

        async def note_dot() -> None:
            nonlocal dot_at
            if before_dot is not None:
                await before_dot()
            dot_at = loop.time()

        try:
            delivery = await self._session.deliver(envelope, data, before_dot=note_dot, peek=peek)
        except asyncio.CancelledError:
            if loop.time() - dot_at >= REPLY_GRACE:
                self._life.log.write("waited", message_id, to=envelope.recipients, why="stopped")
            raise
        for outcome in delivery.outcomes:
            if (failure := outcome.failure) is not None:
                is_late = failure.kind is FailureKind.SERVER_TOO_SLOW
                what, why = "waited" if is_late else "unheard", str(failure)
                self._life.log.write(
                    what, message_id, to=[outcome.address], account=self.name, why=why
                )
        return delivery


class Life:
    """One process between its start and the kill."""

    def __init__(self, folder: Path, port: int, log: Log, *, mode: str, seed: str) -> None:
        """Set up one account, or two."""
        self.log = log
        self.mode = mode
        self.speed = SPEEDS[mode]
        self._port = port
        self._chance = random.Random(f"{seed} {os.getpid()}")
        self._name = seed
        self._numbers = itertools.count()
        if mode == "pair":
            first, second = Account(self, "a", folder / "a"), Account(self, "b", folder / "b")
            first.other, second.other = second, first
            self._accounts = [first, second]
        else:
            self._accounts = [Account(self, "a", folder)]

    def settings(self, account: str) -> ServerSettings:
        """Return how an account greets the server."""
        return ServerSettings(
            host="127.0.0.1",
            port=self._port,
            encryption=Encryption.NONE,
            hello_name=f"{os.getpid()}.{account}.house.test",
            deadlines=DEADLINES,
        )

    async def live(self) -> None:
        """Hand in mails, and wait for the end."""
        await asyncio.gather(*(account.load() for account in self._accounts))
        work = [self._call(number) for number in range(CALLERS)]
        if self.mode == "pair":
            work += [self._drop(), self._reload()]
        await asyncio.gather(*work)
        await asyncio.Event().wait()

    async def drain(self) -> None:
        """Deliver what waits."""
        await asyncio.gather(*(account.load() for account in self._accounts))
        while any(account.courier.state.waiting for account in self._accounts):
            await asyncio.sleep(0.02)
        await asyncio.gather(*(account.unload() for account in self._accounts))

    async def _call(self, caller: int) -> None:
        for number in range(4):
            mail = self._mail(f"{caller}.{number}")
            courier = await self._chance.choice(self._accounts).loaded()
            self.log.write("begun", mail.message_id, to=mail.envelope.recipients)
            try:
                receipt = await courier.submit(mail)
            except (MailError, OutboxError) as error:
                self.log.write("raised", mail.message_id, error=str(error))
            else:
                refused = [outcome.address for outcome in receipt.refused]
                self.log.write("returned", mail.message_id, refused=refused)
            await asyncio.sleep(self._chance.random() * 0.02)

    async def _drop(self) -> None:
        """Have some mail forgotten."""
        await asyncio.sleep(self._chance.random() * 0.6)
        courier = await self._chance.choice(self._accounts).loaded()
        for record in (await courier.waiting())[:1]:
            for part in record.stands_for or (record,):
                self.log.write("dropped", part.message_id, to=record.addresses)
            await courier.drop([str(record.id)])

    async def _reload(self) -> None:
        """Have an account reloaded."""
        await asyncio.sleep(self._chance.random() * 0.3)
        account = self._chance.choice(self._accounts)
        await account.loaded()
        await account.unload()
        await account.load()
        self.log.write("reloaded", account.name)

    def digest(self, mails: Sequence[OutgoingMail]) -> OutgoingMail:
        """Make one mail that names those it stands for."""
        message_id = f"<digest.{self._name}.{os.getpid()}.{next(self._numbers)}@house.test>"
        self.log.write("digested", message_id)
        parts = b"".join(b"Part: %b\r\n" % mail.message_id.encode() for mail in mails)
        data = b"Message-ID: %b\r\n%b\r\nDigest\r\n" % (message_id.encode(), parts)
        return replace(mails[0], data=data, message_id=message_id, expires_after=500 * DAY)

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
            expires_after=500 * DAY,
        )

    def hear(self, event: CourierEvent) -> None:
        """Write down what has become of a mail."""
        if isinstance(event, Delivered):
            self.log.write("delivered", event.message_id, to=event.recipients)
        elif isinstance(event, HandedOver):
            self.log.write("handed_over", event.message_id)
        elif isinstance(event, Failed):
            self.log.write("failed", event.message_id, to=event.recipients, why=event.reason)


def _host(speed: int) -> Host:
    loop = asyncio.get_running_loop()

    def clock() -> float:
        # The base keeps the clock near the present, and every process at the same rate.
        base = 1_790_000_000
        return base + (time.time() - base) * speed % 3e9

    def monotonic() -> float:
        return time.monotonic() * speed

    def call_at(when: float, callback: Callable[[], None], /) -> Callable[[], None]:
        return loop.call_later(max(0.0, (when - monotonic()) / speed), callback).cancel

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
    life = Life(Path(folder), int(port), Log(Path(log)), mode=mode, seed=seed)
    await (life.live() if command == "live" else life.drain())


def serve(arguments: list[str]) -> None:
    """Begin and end lives: FOLDER PORT LOG first|straight|pair."""
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

"""Other clients that send the same short mail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
import json
from pathlib import Path
import ssl
import time
from typing import Any

import aiosmtplib

from tests.servers.people import PASSWORD, RECIPIENT, SENDER, USERNAME

from .endpoint import HOST, Endpoint
from .house import TEXT
from .prepared import Prepared
from .servers import smtp_source

_SCRIPT = Path(__file__).with_name("nodemailer.js")


@dataclass(frozen=True)
class Peer:
    """A client. keeps: whether one connection carries many mails.

    send: sends so many mails to an endpoint and returns the seconds that it took.
    bursts_only: it shows what bursts could come to, and is no client to compare with.
    """

    name: str
    keeps: bool
    send: Callable[[Endpoint, int], Awaitable[float]]
    encrypts: bool = True
    bursts_only: bool = False


def peers(authority: Path, nodemailer: Path | None) -> list[Peer]:
    """Return all clients there are here.

    authority: the file with the servers' authority. nodemailer: the folder of that module.
    """
    library = _Library(ssl.create_default_context(cafile=authority))
    prepared = Prepared(authority)
    found = [
        Peer("aiosmtplib, fresh", keeps=False, send=library.fresh),
        Peer("aiosmtplib, kept", keeps=True, send=library.kept),
        Peer("smtp-source, fresh", keeps=False, send=_source(keep=False), encrypts=False),
        Peer("smtp-source, kept", keeps=True, send=_source(keep=True), encrypts=False),
        Peer("prepared bytes", keeps=True, send=prepared.two_flights, bursts_only=True),
        Peer("prepared, envelope ahead", keeps=True, send=prepared.one_flight, bursts_only=True),
    ]
    if nodemailer is not None:
        script = _Nodemailer(nodemailer, authority)
        found[2:2] = [
            Peer("nodemailer, fresh", keeps=False, send=script.fresh),
            Peer("nodemailer, pool of 1", keeps=True, send=script.pool),
        ]
    return found


class _Library:
    """aiosmtplib alone, in this process."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    async def fresh(self, endpoint: Endpoint, count: int) -> float:
        start = time.perf_counter()
        for number in range(count):
            async with self._client(endpoint) as client:
                await client.send_message(_message(number))
        return time.perf_counter() - start

    async def kept(self, endpoint: Endpoint, count: int) -> float:
        async with self._client(endpoint) as client:
            await client.send_message(_message(0))
            start = time.perf_counter()
            for number in range(count):
                await client.send_message(_message(number))
            return time.perf_counter() - start

    def _client(self, endpoint: Endpoint) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=HOST,
            port=endpoint.port,
            use_tls=endpoint.encryption == "tls",
            start_tls=endpoint.encryption == "starttls",
            tls_context=self._context,
            username=USERNAME if endpoint.login else None,
            password=PASSWORD if endpoint.login else None,
        )


class _Nodemailer:
    """nodemailer, in a process of its own whose start does not count."""

    def __init__(self, module: Path, authority: Path) -> None:
        self._module = module
        self._authority = authority

    async def fresh(self, endpoint: Endpoint, count: int) -> float:
        return await self._run(endpoint, count, pool=False)

    async def pool(self, endpoint: Endpoint, count: int) -> float:
        return await self._run(endpoint, count, pool=True)

    async def _run(self, endpoint: Endpoint, count: int, *, pool: bool) -> float:
        options = {
            "transport": self._transport(endpoint),
            "mail": {"from": SENDER, "to": RECIPIENT, "text": TEXT},
            "count": count,
            "pool": pool,
        }
        process = await asyncio.create_subprocess_exec(
            *("node", _SCRIPT, self._module, json.dumps(options)), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"nodemailer ended with {process.returncode}")
        return float(output)

    def _transport(self, endpoint: Endpoint) -> Mapping[str, Any]:
        login = {"auth": {"user": USERNAME, "pass": PASSWORD}} if endpoint.login else {}
        return {
            "host": HOST,
            "port": endpoint.port,
            "secure": endpoint.encryption == "tls",
            "requireTLS": endpoint.encryption == "starttls",
            "ignoreTLS": endpoint.encryption == "none",
            "tls": {"ca": self._authority.read_text(encoding="utf-8")},
            **login,
        }


def _source(*, keep: bool) -> Callable[[Endpoint, int], Awaitable[float]]:
    async def send(endpoint: Endpoint, count: int) -> float:
        return await smtp_source(endpoint, count, keep=keep)

    return send


def _message(number: int) -> EmailMessage:
    message = EmailMessage()
    message["From"] = SENDER
    message["To"] = RECIPIENT
    message["Subject"] = f"Mail {number}"
    message.set_content(TEXT)
    return message

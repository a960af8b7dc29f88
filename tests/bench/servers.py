"""The servers that mail is measured against, and Postfix's own client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import time

from tests.servers.installation import root_folder
from tests.servers.people import RECIPIENT, SENDER
from tests.servers.ports import free_ports, listens
from tests.servers.postfix import Postfix

from .endpoint import HOST, Endpoint

_START_TIMEOUT = 10.0
_DRAIN_TIMEOUT = 60.0
_QUEUES = ("maildrop", "incoming", "active")


@asynccontextmanager
async def sink(name: str, *options: str) -> AsyncIterator[Endpoint]:
    """Run Postfix's smtp-sink(1), which takes all mail and keeps none."""
    [port] = free_ports(1, HOST)
    process = await _start("smtp-sink", "-u", "nobody", *options, f"{HOST}:{port}", "1000")
    try:
        async with asyncio.timeout(_START_TIMEOUT):
            while not listens(port, HOST):
                await asyncio.sleep(0.05)
        yield Endpoint(name, port, "none", login=False)
    finally:
        process.terminate()
        await process.wait()


def endpoints_of(postfix: Postfix) -> list[Endpoint]:
    """Return the two ports of a Postfix that want a login."""
    return [
        Endpoint("Postfix, STARTTLS and login", postfix.ports["starttls"], "starttls", login=True),
        Endpoint("Postfix, TLS and login", postfix.ports["tls"], "tls", login=True),
    ]


async def settle(postfix: Postfix) -> None:
    """Wait until a Postfix has delivered all that it has taken, and throw that away."""
    folders = [postfix.folder / "queue" / name for name in _QUEUES]
    async with asyncio.timeout(_DRAIN_TIMEOUT):
        while any(any(it.is_file() for it in folder.rglob("*")) for folder in folders):
            await asyncio.sleep(0.05)
    await asyncio.to_thread(postfix.clear)


async def smtp_source(endpoint: Endpoint, count: int, *, keep: bool) -> float:
    """Send with Postfix's smtp-source(1), over one connection or many; return the seconds."""
    start = time.perf_counter()
    process = await _start(
        "smtp-source",
        *(("-d",) if keep else ()),
        *("-s", "1", "-m", str(count), "-l", "200", "-f", SENDER, "-t", RECIPIENT),
        f"{HOST}:{endpoint.port}",
    )
    if status := await process.wait():
        raise RuntimeError(f"smtp-source ended with {status}")
    return time.perf_counter() - start


async def _start(program: str, *arguments: str) -> asyncio.subprocess.Process:
    root = root_folder("bookworm")
    return await asyncio.create_subprocess_exec("chroot", root, f"/usr/sbin/{program}", *arguments)

"""What a client leaves behind in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import os
from pathlib import Path
import socket
import stat

from tests.support.listener import Listener

_DESCRIPTORS = Path("/dev/fd")


def connections_to(port: int) -> int:
    """Return how many sockets of this process are connected to a port."""
    return sum(_peer_port(int(entry.name)) == port for entry in _DESCRIPTORS.iterdir())


def _peer_port(descriptor: int) -> int | None:
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return None
        with socket.socket(fileno=os.dup(descriptor)) as connection:
            name = connection.getpeername()
    except OSError:
        return None
    return name[1] if isinstance(name, tuple) else None


@asynccontextmanager
async def nothing_left(server: Listener) -> AsyncIterator[None]:
    """Assert that what is done inside leaves no task, and no connection to this server."""
    before = asyncio.all_tasks()
    yield
    # A transport closes its socket in the event loop's next round.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert connections_to(server.port) == 0, "a socket was left open"
    assert await server.all_closed(), "the server still sees the connection"
    left = asyncio.all_tasks() - before
    assert not left, f"tasks were left running: {left}"

"""From a host name to a connected socket, whichever address family answers first (RFC 8305)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import socket

from aiohappyeyeballs import start_connection

from .failure import Stage
from .names import host_to_ascii

_SECOND_FAMILY_AFTER = 0.25
"""Seconds until the other address family is tried as well (RFC 8305 section 8)."""


async def open_socket(
    host: str, port: int, *, limit: float, enter: Callable[[Stage], None]
) -> socket.socket:
    """Resolve a host and connect to it within limit seconds.

    enter: told of each stage as it begins. Raises OSError, UnicodeError or TimeoutError.
    """
    loop = asyncio.get_running_loop()
    enter(Stage.RESOLVE)
    addresses = await loop.getaddrinfo(
        host_to_ascii(host), port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )
    enter(Stage.CONNECT)
    async with asyncio.timeout(limit):
        return await start_connection(
            addresses, happy_eyeballs_delay=_SECOND_FAMILY_AFTER, interleave=1
        )

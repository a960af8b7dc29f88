"""Commands out, replies in, over one connection; nothing is sent after an abort."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
import contextlib
import re
import socket
import ssl
import struct
from typing import cast

from .engine import ENGINE_ERRORS, Engine
from .redaction import Redactor
from .replies import MalformedReplyError
from .reply import Reply

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_FINAL_DOT = b".\r\n"


class Wire:
    """One connection to a server."""

    def __init__(self, engine: Engine, sock: socket.socket) -> None:
        """Use Wire.connect instead."""
        self._engine = engine
        self._socket = sock

    @classmethod
    async def connect(cls, sock: socket.socket, *, paused: bool) -> Wire:
        """Speak over a connected socket, which belongs to the wire from then on.

        paused: read nothing until begin_tls. Raises OSError.
        """
        loop = asyncio.get_running_loop()
        try:
            _, engine = await loop.create_connection(lambda: Engine(paused=paused), sock=sock)
        except BaseException:
            sock.close()
            raise
        return cls(engine, sock)

    @property
    def heard(self) -> bytes:
        """The first bytes that the server sent."""
        return self._engine.heard

    @property
    def is_open(self) -> bool:
        """Whether the connection can be written to."""
        return self._engine.is_open

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS layer, once there is one."""
        transport = self._engine.transport
        return None if transport is None else transport.get_extra_info("ssl_object")

    @property
    def tls_version(self) -> str | None:
        """Such as "TLSv1.3"; None without TLS."""
        return None if self.tls is None else self.tls.version()

    @property
    def local_address(self) -> str:
        """The IP address of this end."""
        transport = self._engine.transport
        name = None if transport is None else transport.get_extra_info("sockname")
        return name[0] if name else "127.0.0.1"

    @property
    def redactor(self) -> Redactor:
        """What every reply goes through before it is returned."""
        return self._engine.redactor

    @redactor.setter
    def redactor(self, redactor: Redactor) -> None:
        self._engine.redactor = redactor

    async def begin_tls(self, context: ssl.SSLContext, server_name: str) -> None:
        """Go over to TLS before a word is said (RFC 8314 section 3). Raises OSError, SSLError."""
        transport = cast("asyncio.WriteTransport", self._engine.transport)
        self._engine.transport = await asyncio.get_running_loop().start_tls(
            transport, self._engine, context, server_hostname=server_name
        )
        self._engine.acknowledge_promptly()

    async def greeting(self) -> Reply:
        """Read what the server says first, after which nothing may follow."""
        greeting = await self._engine.reply()
        self._engine.check()
        return greeting

    async def command(self, *parts: bytes) -> Reply:
        """Send one command line and read its reply. No part may hold a control character."""
        return await self._engine.command(*parts)

    async def ask_openly(self, *parts: bytes) -> tuple[Reply, Reply]:
        """Send one command line; return its reply, and the reply as it was really said.

        The second is for what a machine reads and must never be shown or kept.
        """
        return await self._engine.ask_openly(*parts)

    def send_ahead(self, commands: Sequence[bytes]) -> None:
        """Send several commands at once (RFC 2920); read_ahead() returns their replies in turn."""
        for command in commands:
            if _CONTROL.search(command):
                raise ValueError("a command holds a control character")
            self._engine.ask()
        self._engine.write(b"".join(command + b"\r\n" for command in commands))

    async def read_ahead(self, patience: float | None = None) -> Reply:
        """Return the reply to the next of the commands that were sent ahead.

        patience: seconds to wait for it.
        """
        if patience is None or self._engine.has_reply:
            return await self._engine.reply()
        async with asyncio.timeout(patience):
            return await self._engine.reply()

    async def start_tls(self, context: ssl.SSLContext, server_name: str) -> Reply:
        """Send STARTTLS and go over to TLS if the server agrees.

        Returns the reply; only 220 means that TLS is up.
        """
        return await self._engine.negotiate_tls(context, server_name)

    async def upload(
        self,
        pieces: AsyncIterable[bytes],
        *,
        before_dot: Callable[[], Awaitable[None]],
        stall: float,
        final_reply: float,
    ) -> Reply:
        """Send a body in dot-stuffed pieces with the final dot, and read the reply.

        before_dot: awaited before the last piece, which takes the dot with it; from its return on
        the outcome is uncertain until the reply is there.
        stall: seconds without progress; final_reply: seconds from the dot to the reply.
        A reply that comes before the dot ends the upload and is returned.
        """
        engine = self._engine
        engine.ask()
        try:
            last = b""
            async for piece in pieces:
                if engine.has_reply or engine.has_ended:
                    return await engine.reply()
                if last:
                    await self._send(last, stall)
                last = piece
            if engine.has_reply or engine.has_ended:
                return await engine.reply()
            await before_dot()
            engine.write(last + _FINAL_DOT)
            async with asyncio.timeout(final_reply):
                return await engine.reply()
        except (*ENGINE_ERRORS, MalformedReplyError, OSError):
            if engine.has_reply:
                return await engine.reply()
            raise

    async def _send(self, data: bytes, stall: float) -> None:
        self._engine.write(data)
        if self._engine.is_congested:
            async with asyncio.timeout(stall):
                await self._engine.drain()

    def abort(self) -> None:
        """Drop the connection at once; nothing that is still buffered goes out."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._engine.abort()

    def quit(self) -> None:
        """Say goodbye without waiting for an answer, and close."""
        if self._engine.is_open:
            with contextlib.suppress(OSError):
                self._engine.write(b"QUIT\r\n")
        self._engine.abort()

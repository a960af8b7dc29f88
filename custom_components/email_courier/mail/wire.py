"""Commands out, replies in, over one connection.

The only module that imports aiosmtplib, which is the protocol engine. Added here: every byte
must belong to a reply that was asked for, and nothing is sent after an abort.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator, Sequence
import contextlib
import re
import socket
import ssl
import struct
from typing import cast

from aiosmtplib import (
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from aiosmtplib.esmtp import parse_esmtp_extensions
from aiosmtplib.protocol import SMTPProtocol

from .replies import MalformedReplyError, ReplyBuffer, split_reply
from .reply import Reply

ENGINE_ERRORS = (SMTPException,)
"""What the engine itself raises, for the one place that maps errors."""

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_HEARD = 512
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class _Protocol(SMTPProtocol):
    """The engine's protocol behind a gate that lets through one reply per request.

    Replies wait in order until they are read, so that several commands can be on their way.
    """

    def __init__(self, *, paused: bool) -> None:
        super().__init__(asyncio.get_running_loop())
        self._paused_at_first = paused
        self._incoming = ReplyBuffer()
        self._awaited = 1  # the greeting
        self._replies: deque[bytes] = deque()
        self._arrival = asyncio.Event()
        self._is_lost = False
        self.heard = b""
        self.fault: MalformedReplyError | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._paused_at_first:
            cast("asyncio.ReadTransport", transport).pause_reading()

    def data_received(self, data: bytes) -> None:
        if self.fault is not None:
            return
        if len(self.heard) < _HEARD:
            self.heard += data[:_HEARD]
        try:
            for raw in self._incoming.feed(data):
                if self._awaited == 0:
                    raise MalformedReplyError("a reply that was not asked for", raw)  # noqa: TRY301
                self._awaited -= 1
                self._replies.append(raw)
            if self._awaited == 0 and self._incoming.pending:
                raise MalformedReplyError("bytes after a reply", self._incoming.pending)  # noqa: TRY301
        except MalformedReplyError as fault:
            self.fault = fault
            self.abort()
        self._arrival.set()

    def eof_received(self) -> bool:
        self._lose()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose()
        super().connection_lost(exc)

    def _lose(self) -> None:
        """Wake whoever waits for a reply that will not come."""
        self._is_lost = True
        self._arrival.set()

    async def read_response(self, timeout: float | None = None) -> SMTPResponse:  # noqa: ASYNC109
        """Return the next reply in order; deadlines are the caller's (timeout is not used)."""
        while not self._replies:
            if self.fault is not None:
                raise self.fault
            if self._is_lost:
                raise SMTPServerDisconnected("the server hung up")
            self._arrival.clear()
            await self._arrival.wait()
        code, text = split_reply(self._replies.popleft())
        return SMTPResponse(code, text)

    def ask(self) -> None:
        """Let one more reply through."""
        if self.fault is not None:
            raise self.fault
        self._awaited += 1

    def abort(self) -> None:
        if self.transport is not None:
            cast("asyncio.WriteTransport", self.transport).abort()

    async def drain(self) -> None:
        """Wait until the transport's buffer has room again."""
        await self._drain_helper()


class Wire:
    """One connection to a server."""

    def __init__(self, protocol: _Protocol, sock: socket.socket) -> None:
        """Use Wire.connect instead."""
        self._protocol = protocol
        self._socket = sock

    @classmethod
    async def connect(cls, sock: socket.socket, *, paused: bool) -> Wire:
        """Speak over a connected socket, which belongs to the wire from then on.

        paused: read nothing until begin_tls. Raises OSError.
        """
        loop = asyncio.get_running_loop()
        try:
            _, protocol = await loop.create_connection(lambda: _Protocol(paused=paused), sock=sock)
        except BaseException:
            sock.close()
            raise
        return cls(protocol, sock)

    @property
    def heard(self) -> bytes:
        """The first bytes that the server sent."""
        return self._protocol.heard

    @property
    def is_open(self) -> bool:
        """Whether the connection can be written to."""
        return self._protocol.fault is None and self._protocol.is_connected

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS layer, once there is one."""
        transport = self._protocol.transport
        return None if transport is None else transport.get_extra_info("ssl_object")

    @property
    def local_address(self) -> str:
        """The IP address of this end."""
        transport = self._protocol.transport
        name = None if transport is None else transport.get_extra_info("sockname")
        return name[0] if name else "127.0.0.1"

    async def begin_tls(self, context: ssl.SSLContext, server_name: str) -> None:
        """Go over to TLS before a word is said (RFC 8314 section 3). Raises OSError, SSLError."""
        transport = cast("asyncio.WriteTransport", self._protocol.transport)
        self._protocol.transport = await asyncio.get_running_loop().start_tls(
            transport, self._protocol, context, server_hostname=server_name
        )

    async def greeting(self) -> Reply:
        """Read what the server says first."""
        return await self._reply()

    def send_ahead(self, commands: Sequence[bytes]) -> None:
        """Send several commands at once (RFC 2920); read_ahead() returns their replies in turn."""
        for command in commands:
            if _CONTROL.search(command):
                raise ValueError("a command holds a control character")
            self._protocol.ask()
        with self._faults():
            self._protocol.write(b"".join(command + b"\r\n" for command in commands))

    async def read_ahead(self) -> Reply:
        """Return the reply to the next of the commands that were sent ahead."""
        return await self._reply(strict=False)

    async def command(self, *parts: bytes) -> Reply:
        """Send one command line and read its reply. No part may hold a control character."""
        self._protocol.ask()
        with self._faults():
            response = await self._protocol.execute_command(*parts)
        self._check()
        return Reply.parse(response.code, response.message)

    async def start_tls(self, context: ssl.SSLContext, server_name: str) -> Reply:
        """Send STARTTLS and go over to TLS if the server agrees (RFC 3207 section 4).

        Returns the reply; only 220 means that TLS is up.
        """
        self._protocol.ask()
        with self._faults():
            try:
                response = await self._protocol.start_tls(context, server_hostname=server_name)
            except SMTPResponseException as refusal:
                if self._protocol.fault is not None:
                    raise
                return Reply.parse(refusal.code, refusal.message)
        self._check()
        return Reply.parse(response.code, response.message)

    async def upload(
        self,
        pieces: AsyncIterable[bytes],
        *,
        before_dot: Callable[[], Awaitable[None]],
        stall: float,
        final_reply: float,
    ) -> Reply:
        """Send a body in dot-stuffed pieces, then the final dot, and read the reply.

        before_dot: awaited once everything but the dot was handed over; from its return on the
        outcome is uncertain until the reply is there.
        stall: seconds without progress; final_reply: seconds from the dot to the reply.
        A reply that comes before the dot ends the upload and is returned.
        """
        self._protocol.ask()
        reply = asyncio.ensure_future(self._reply(strict=False))
        try:
            async for piece in pieces:
                if reply.done():
                    return await reply
                async with asyncio.timeout(stall):
                    self._protocol.write(piece)
                    await self._protocol.drain()
            if reply.done():
                return await reply
            await before_dot()
            self._protocol.write(b".\r\n")
            async with asyncio.timeout(final_reply):
                return await reply
        except (*ENGINE_ERRORS, OSError):
            if reply.done() and not reply.cancelled() and reply.exception() is None:
                return reply.result()
            raise
        finally:
            if not reply.done():
                reply.cancel()
            await asyncio.wait([reply])
            if not reply.cancelled():
                reply.exception()

    def abort(self) -> None:
        """Drop the connection at once; nothing that is still buffered goes out."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._protocol.abort()

    def quit(self) -> None:
        """Say goodbye without waiting for an answer, and close."""
        with contextlib.suppress(*ENGINE_ERRORS, OSError):
            self._protocol.write(b"QUIT\r\n")
        self._protocol.abort()

    async def _reply(self, *, strict: bool = True) -> Reply:
        with self._faults():
            response = await self._protocol.read_response()
        if strict:
            self._check()
        return Reply.parse(response.code, response.message)

    def _check(self) -> None:
        if self._protocol.fault is not None:
            raise self._protocol.fault

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        """Name the fault behind a connection that was dropped because of it."""
        try:
            yield
        except ENGINE_ERRORS as error:
            if self._protocol.fault is not None:
                raise self._protocol.fault from error
            raise


def parse_extensions(hello: Reply) -> tuple[dict[str, str], frozenset[str]]:
    """Return a server's EHLO keywords with their parameters and its login mechanisms.

    Keywords are lower case, mechanisms upper case; "AUTH=" is read like "AUTH ".
    """
    extensions, mechanisms = parse_esmtp_extensions("\n".join(hello.lines))
    return extensions, frozenset(name.upper() for name in mechanisms)

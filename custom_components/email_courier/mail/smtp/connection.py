"""From a host name to a connected socket, whichever address family answers first (RFC 8305)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
import contextlib
import re
import socket
import ssl
import struct
from typing import cast

from aiohappyeyeballs import start_connection
from aiosmtplib import (
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from aiosmtplib.esmtp import parse_esmtp_extensions
from aiosmtplib.protocol import SMTPProtocol

from ..failure import Stage
from ..hostname import host_to_ascii
from ..redaction import NOTHING_HIDDEN, Redactor
from ..reply import Reply
from .protocol import MalformedReplyError, ReplyBuffer, split_reply

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


ENGINE_ERRORS = (SMTPException,)
"""What the engine itself raises, for the one place that maps errors."""

_HEARD = 512
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""None outside Linux."""


class Engine(SMTPProtocol):
    """A connection on which every byte must belong to a reply that was asked for.

    Replies wait in order until they are read, so that several commands can be on their way.
    heard: the first bytes that the server sent.
    fault: what the server broke the rules with; the connection has been dropped then.
    redactor: what every reply goes through.
    """

    def __init__(self, *, paused: bool) -> None:
        """Begin with the greeting as the one reply asked for.

        paused: read nothing until TLS is up.
        """
        super().__init__(asyncio.get_running_loop())
        self._paused_at_first = paused
        self._incoming = ReplyBuffer()
        self._awaited = 1
        self._replies: deque[bytes] = deque()
        self._arrival = asyncio.Event()
        self._is_lost = False
        self.heard = b""
        self.fault: MalformedReplyError | None = None
        self.redactor = NOTHING_HIDDEN

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read, unless TLS comes first."""
        super().connection_made(transport)
        if self._paused_at_first:
            cast("asyncio.ReadTransport", transport).pause_reading()

    def data_received(self, data: bytes) -> None:
        """Take in whole replies; drop the connection at the first byte nobody asked for."""
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
        """Note that no further reply will come, and close."""
        self._lose()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that no further reply will come."""
        self._lose()
        super().connection_lost(exc)

    @property
    def is_open(self) -> bool:
        """Whether the connection can be written to."""
        return self.fault is None and self.is_connected

    @property
    def has_reply(self) -> bool:
        """Whether a reply waits to be read."""
        return bool(self._replies)

    @property
    def has_ended(self) -> bool:
        """Whether no further reply will come."""
        return self.fault is not None or self._is_lost

    @property
    def is_congested(self) -> bool:
        """Whether the transport's buffer is full."""
        return self._paused

    def ask(self) -> None:
        """Let one more reply through."""
        self.check()
        self._awaited += 1

    def check(self) -> None:
        """Raise MalformedReplyError where the server has broken the rules."""
        if self.fault is not None:
            raise self.fault

    async def command(self, *parts: bytes) -> Reply:
        """Send one command line and read its reply, after which nothing may follow."""
        return (await self.ask_openly(*parts))[0]

    async def ask_openly(self, *parts: bytes) -> tuple[Reply, Reply]:
        """Send one command line; return its reply, and the reply as it was really said.

        The second is for what a machine reads and must never be shown or kept.
        """
        self.ask()
        response = await self.execute_command(*parts)
        self.check()
        said = Reply(response.code, tuple(response.message.split("\n")))
        return self._reply(response), said

    async def reply(self) -> Reply:
        """Read the next reply in order."""
        return self._reply(await self.read_response())

    async def read_response(self, timeout: float | None = None) -> SMTPResponse:  # noqa: ASYNC109
        """Return the next reply in order; deadlines are the caller's (timeout is not used)."""
        while not self._replies:
            self.check()
            if self._is_lost:
                raise SMTPServerDisconnected("the server hung up")
            self._arrival.clear()
            await self._arrival.wait()
        code, text = split_reply(self._replies.popleft())
        return SMTPResponse(code, text)

    def write(self, data: bytes) -> None:
        """Hand bytes to the transport. Raises MalformedReplyError after a fault."""
        self.check()
        super().write(data)
        self.acknowledge_promptly()

    def acknowledge_promptly(self) -> None:
        """Have the kernel acknowledge what comes next at once, where it can (tcp(7)).

        A server may hold back the rest of what it says until the beginning is acknowledged (RFC
        896), which this end would put off for as long as 40 ms (RFC 1122 section 4.2.3.2): such as
        its first reply after the tickets of TLS.
        """
        sock = None if self.transport is None else self.transport.get_extra_info("socket")
        if sock is not None and _QUICK_ACK is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)

    async def negotiate_tls(self, context: ssl.SSLContext, server_name: str) -> Reply:
        """Send STARTTLS and go over to TLS if the server agrees (RFC 3207 section 4)."""
        self.ask()
        try:
            response = await self.start_tls(context, server_hostname=server_name)
        except SMTPResponseException as refusal:
            self.check()
            return Reply.parse(refusal.code, refusal.message, self.redactor)
        except ENGINE_ERRORS:
            self.check()
            raise
        self.check()
        return self._reply(response)

    def abort(self) -> None:
        """Drop the connection with all that is still buffered."""
        if self.transport is not None:
            cast("asyncio.WriteTransport", self.transport).abort()

    async def drain(self) -> None:
        """Wait until the transport's buffer has room again."""
        await self._drain_helper()

    def _reply(self, response: SMTPResponse) -> Reply:
        """Make a reply, the one way for it to get in."""
        return Reply.parse(response.code, response.message, self.redactor)

    def _lose(self) -> None:
        """Wake whoever waits for a reply that will not come."""
        self._is_lost = True
        self._arrival.set()


def parse_extensions(hello: Reply) -> tuple[dict[str, str], frozenset[str]]:
    """Return a server's EHLO keywords with their parameters and its login mechanisms.

    Keywords are lower case, mechanisms upper case; "AUTH=" is read like "AUTH ".
    """
    extensions, mechanisms = parse_esmtp_extensions("\n".join(hello.lines))
    return extensions, frozenset(name.upper() for name in mechanisms)


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

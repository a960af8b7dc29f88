"""One connection to a server: socket, TLS, commands out, replies in."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
import contextlib
import re
import socket
import ssl
import struct
from typing import cast

from aiohappyeyeballs import start_connection
from aiosmtplib import SMTPException, SMTPResponse, SMTPResponseException, SMTPServerDisconnected
from aiosmtplib.esmtp import parse_esmtp_extensions
from aiosmtplib.protocol import SMTPProtocol

from ..hostname import host_to_ascii
from ..payload import FilePayload, Payload
from ..redaction import NOTHING_HIDDEN, Redactor
from ..reply import Reply
from .protocol import Capabilities, MalformedReplyError, ReplyBuffer, dot_stuffed, split_reply

CONNECTION_ERRORS = (SMTPException,)
"""What aiosmtplib raises, for the one place that maps errors."""

_SECOND_FAMILY_AFTER = 0.25
"""Seconds until the other address family is tried as well (RFC 8305 section 8)."""
_HEARD = 512
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""None outside Linux."""
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_FINAL_DOT = b".\r\n"


async def open_socket(
    host: str, port: int, *, limit: float, resolved: Callable[[], None]
) -> socket.socket:
    """Resolve a host and connect to it within limit seconds, whichever address answers first.

    resolved: called before the first address is tried (RFC 8305). Raises OSError, UnicodeError or
    TimeoutError.
    """
    loop = asyncio.get_running_loop()
    addresses = await loop.getaddrinfo(
        host_to_ascii(host), port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )
    resolved()
    async with asyncio.timeout(limit):
        return await start_connection(
            addresses, happy_eyeballs_delay=_SECOND_FAMILY_AFTER, interleave=1
        )


class _SmtpProtocol(SMTPProtocol):
    """Takes replies out of what arrives; every byte must belong to one that was asked for.

    Replies wait in order until they are read, so that several commands can be on their way.
    heard: the first bytes that the server sent.
    fault: what the server broke the rules with; the connection has been dropped then.
    """

    def __init__(self, *, paused: bool) -> None:
        """Begin with the greeting asked for. paused: read nothing until TLS is up."""
        super().__init__(asyncio.get_running_loop())
        self._paused_at_first = paused
        self._incoming = ReplyBuffer()
        self._awaited = 1
        self._arrival = asyncio.Event()
        self._is_lost = False
        self._last_code = 0
        self.replies: deque[SMTPResponse] = deque()
        self.heard = b""
        self.fault: MalformedReplyError | None = None

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
                self.replies.append(SMTPResponse(*split_reply(raw)))
            if self._awaited == 0 and self._incoming.pending:
                raise MalformedReplyError("bytes after a reply", self._incoming.pending)  # noqa: TRY301
        except MalformedReplyError as fault:
            self.fault = fault
            self.abort()
        self._arrival.set()

    def eof_received(self) -> bool:
        """Wake whoever waits for a reply that will not come, and close."""
        self._is_lost = True
        self._arrival.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits for a reply that will not come."""
        self._is_lost = True
        self._arrival.set()
        super().connection_lost(exc)

    @property
    def is_answered(self) -> bool:
        """Whether no reply is awaited, and none of those that came asks for more (3yz)."""
        return self._awaited == 0 and not self.replies and not 300 <= self._last_code < 400

    @property
    def is_settled(self) -> bool:
        """Whether a reply waits to be read, or none will come."""
        return bool(self.replies) or self.fault is not None or self._is_lost

    def expect(self, replies: int = 1) -> None:
        """Let further replies through. Raises MalformedReplyError after a fault."""
        self.check()
        self._awaited += replies

    def check(self) -> None:
        """Raise MalformedReplyError where the server has broken the rules."""
        if self.fault is not None:
            raise self.fault

    async def read_response(self, timeout: float | None = None) -> SMTPResponse:  # noqa: ASYNC109
        """Return the next reply in order; deadlines are the caller's (timeout is not used)."""
        while not self.is_settled:
            self._arrival.clear()
            await self._arrival.wait()
        if self.replies:
            reply = self.replies.popleft()
            self._last_code = reply.code
            return reply
        self.check()
        raise SMTPServerDisconnected("the server hung up")

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

    async def drain(self, stall: float) -> None:
        """Wait until the transport's buffer has room again, at most stall seconds."""
        if self._paused:
            async with asyncio.timeout(stall):
                await self._drain_helper()

    def abort(self) -> None:
        """Drop the connection with all that is still buffered."""
        if self.transport is not None:
            cast("asyncio.WriteTransport", self.transport).abort()


class Connection:
    """A connection that is open; what it does raises one of the errors that map_errors takes.

    redactor: what every reply goes through before it is returned.
    local_address: the IP address of this end.
    tls_version: such as "TLSv1.3"; None without TLS.
    certificate: what the server showed, in DER.
    dot_sent: the final dot of the last upload was handed to the network.
    """

    def __init__(self, protocol: _SmtpProtocol, sock: socket.socket, server_name: str) -> None:
        """Use Connection.open instead."""
        self._protocol = protocol
        self._socket = sock
        self._server_name = server_name
        self.redactor: Redactor = NOTHING_HIDDEN
        self.local_address: str = sock.getsockname()[0]
        self.tls_version: str | None = None
        self.certificate: bytes | None = None
        self.dot_sent = False
        self._is_half_sent = False

    @classmethod
    async def open(
        cls, host: str, port: int, *, limit: float, resolved: Callable[[], None], paused: bool
    ) -> Connection:
        """Connect as open_socket does. paused: read nothing until begin_tls."""
        sock = await open_socket(host, port, limit=limit, resolved=resolved)
        try:
            _, protocol = await asyncio.get_running_loop().create_connection(
                lambda: _SmtpProtocol(paused=paused), sock=sock
            )
            return cls(protocol, sock, host_to_ascii(host).partition("%")[0])
        except BaseException:
            sock.close()
            raise

    @property
    def heard(self) -> bytes:
        """The first bytes that the server sent."""
        return self._protocol.heard

    @property
    def is_open(self) -> bool:
        """Whether the connection can be written to."""
        return self._protocol.fault is None and self._protocol.is_connected

    @property
    def is_in_step(self) -> bool:
        """Whether every command has its reply and the server awaits the next one."""
        protocol = self._protocol
        return self.is_open and protocol.is_answered and not self._is_half_sent

    async def begin_tls(self, context: ssl.SSLContext) -> None:
        """Go over to TLS before a word is said (RFC 8314 section 3)."""
        transport = cast("asyncio.WriteTransport", self._protocol.transport)
        self._protocol.transport = await asyncio.get_running_loop().start_tls(
            transport, self._protocol, context, server_hostname=self._server_name
        )
        self._protocol.acknowledge_promptly()
        self._note_tls()

    async def start_tls(self, context: ssl.SSLContext) -> Reply:
        """Send STARTTLS and go over to TLS if the server agrees (RFC 3207 section 4).

        Returns the reply; only 220 means that TLS is up.
        """
        self._protocol.expect()
        try:
            response = await self._protocol.start_tls(context, server_hostname=self._server_name)
        except SMTPResponseException as refusal:
            self._protocol.check()
            return Reply.parse(refusal.code, refusal.message, self.redactor)
        except CONNECTION_ERRORS:
            self._protocol.check()
            raise
        self._protocol.check()
        self._note_tls()
        return Reply.parse(response.code, response.message, self.redactor)

    async def reply(self, *, ends: bool = False, within: float | None = None) -> Reply:
        """Return the greeting, or the next reply to what was sent.

        ends: nothing may follow it. within: seconds that it may take where it is not there yet.
        """
        if within is None or self._protocol.replies:
            response = await self._response(ends=ends)
        else:
            async with asyncio.timeout(within):
                response = await self._response(ends=ends)
        return Reply.parse(response.code, response.message, self.redactor)

    async def command(self, *parts: bytes) -> Reply:
        """Send one command line and return its reply, after which nothing may follow."""
        return (await self.ask_openly(*parts))[0]

    async def ask_openly(self, *parts: bytes) -> tuple[Reply, Reply]:
        """Send one command line; return its reply, and the reply as it was really said.

        The second is for what a machine reads and must never be shown or kept.
        """
        self.send(b" ".join(parts))
        response = await self._response(ends=True)
        said = Reply(response.code, tuple(response.message.split("\n")))
        return Reply.parse(response.code, response.message, self.redactor), said

    async def hello(self, name: bytes) -> tuple[Reply, Capabilities]:
        """Say EHLO and return the reply, and what it offers where it agrees.

        Of what was really said, only words that are known are taken.
        """
        reply, said = await self.ask_openly(b"EHLO", name)
        shown, really = (parse_esmtp_extensions("\n".join(one.lines)) for one in (reply, said))
        return reply, Capabilities.read(shown, really)

    def send(self, *commands: bytes) -> None:
        """Send commands at once (RFC 2920); reply() returns their replies in turn."""
        lines = _lines(commands)
        self._protocol.expect(len(commands))
        self._protocol.write(lines)

    async def upload(
        self,
        data: Payload,
        *,
        before_dot: Callable[[], Awaitable[None]] | None,
        then: Callable[[], Sequence[bytes]] | None,
        stall: float,
        final_reply: float,
    ) -> Reply:
        """Send a message and the final dot, and return the reply.

        before_dot: awaited before the last piece, which takes the dot with it; from its return on
        the outcome is uncertain until the reply is there.
        then: returns commands that go out with the dot; their replies are left to be read.
        stall: seconds without progress; final_reply: seconds from the dot to the reply.
        A reply that comes before the dot ends the upload and is returned.
        """
        protocol = self._protocol
        protocol.expect()
        self._is_half_sent = True
        executor = asyncio.get_running_loop().run_in_executor
        pieces, blocks = dot_stuffed(data), isinstance(data, FilePayload)
        try:
            last = b""
            while piece := await executor(None, next, pieces, b"") if blocks else next(pieces, b""):
                if protocol.is_settled:
                    return await self.reply()
                if last:
                    protocol.write(last)
                    await protocol.drain(stall)
                last = piece
            if protocol.is_settled:
                return await self.reply()
            if before_dot is not None:
                await before_dot()
            commands = () if then is None else then()
            self.dot_sent = True
            protocol.expect(len(commands))
            protocol.write(last + _FINAL_DOT + _lines(commands))
            self._is_half_sent = False
            return await self.reply(within=final_reply)
        except (*CONNECTION_ERRORS, MalformedReplyError, OSError):
            if protocol.replies:
                return await self.reply()
            raise

    def abort(self) -> None:
        """Drop the connection at once; nothing that is still buffered goes out."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._protocol.abort()

    def quit(self) -> None:
        """Say goodbye without waiting for an answer, and close; drop what is out of step."""
        if not self.is_in_step:
            self.abort()
            return
        with contextlib.suppress(*CONNECTION_ERRORS, OSError):
            self._protocol.write(b"QUIT\r\n")
        self._protocol.abort()

    async def _response(self, *, ends: bool) -> SMTPResponse:
        response = await self._protocol.read_response()
        if ends and self._protocol.fault is not None:
            raise self._protocol.fault
        return response

    def _note_tls(self) -> None:
        """Keep what was agreed on; nothing, where the connection was lost right after it."""
        transport = self._protocol.transport
        tls = None if transport is None else transport.get_extra_info("ssl_object")
        if tls is not None:
            self.tls_version = tls.version()
            self.certificate = tls.getpeercert(binary_form=True)


def _lines(commands: Sequence[bytes]) -> bytes:
    """Return command lines. Raises ValueError for what would be more than one line each."""
    if any(_CONTROL.search(command) for command in commands):
        raise ValueError("a command holds a control character")
    return b"".join(command + b"\r\n" for command in commands)

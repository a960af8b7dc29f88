"""Servers that are no mail servers for sending: what a wrong port number meets."""

import asyncio
from dataclasses import dataclass

from tests.support.certificates import Certificates, ServerTls
from tests.support.listener import LOOPBACK, Listener
from tests.support.record import Direction, Line
from tests.support.script import After
from tests.support.stream import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherProtocol:
    """What such a server says."""

    name: str
    """The protocol."""
    greeting: bytes = b""
    """Said at once; empty: it waits to be spoken to."""
    answer: bytes = b""
    """Said to whatever comes in; empty: nothing."""
    answers: int = 10
    """How often it answers before it hangs up."""
    then: After = After.GO_ON
    """What it does instead of listening, once it has greeted."""
    tls: bool = False
    """Whether it speaks TLS from the first byte."""

    def over_tls(self) -> OtherProtocol:
        """Return the same server behind TLS."""
        return OtherProtocol(
            name=self.name,
            greeting=self.greeting,
            answer=self.answer,
            answers=self.answers,
            then=self.then,
            tls=True,
        )


HTTP = OtherProtocol(
    name="HTTP",
    answer=(
        b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Type: text/html\r\n"
        b"Content-Length: 24\r\nConnection: close\r\n\r\n<h1>400 Bad Request</h1>"
    ),
    answers=1,
)
"""Port 80; with TLS 443."""
IMAP = OtherProtocol(
    name="IMAP",
    greeting=b"* OK [CAPABILITY IMAP4rev1 SASL-IR STARTTLS LOGINDISABLED] Dovecot ready.\r\n",
    answer=b"EHLO BAD Error in IMAP command received by server.\r\n",
    answers=3,
)
"""Port 143; with TLS 993."""
POP3 = OtherProtocol(
    name="POP3", greeting=b"+OK Dovecot ready.\r\n", answer=b"-ERR Unknown command.\r\n"
)
"""Port 110; with TLS 995."""
SSH = OtherProtocol(
    name="SSH",
    greeting=b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
    answer=b"Invalid SSH identification string.\r\n",
    answers=1,
)
"""Port 22."""
FTP = OtherProtocol(
    name="FTP",
    greeting=b"220 ProFTPD Server (Debian) [::ffff:127.0.0.1]\r\n",
    answer=b"500 EHLO not understood\r\n",
)
"""Port 21: its greeting begins as SMTP's does."""
MYSQL = OtherProtocol(
    name="MySQL",
    greeting=b"J\0\0\0\n8.0.36\0\x08\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08\0\xff\xff",
    answer=b"!\0\0\x01\xff\x13\x04Bad handshake",
    answers=1,
)
"""Port 3306: no text at all."""
SILENT = OtherProtocol(name="silence", then=After.STALL)
"""It takes the connection and never says a word, whatever it is told."""
CLOSING = OtherProtocol(name="hang-up", then=After.HANG_UP)
"""It takes the connection and closes it at once, as a TCP wrapper that denies the client."""
RESETTING = OtherProtocol(name="reset", then=After.RESET)
"""It takes the connection and resets it at once, as a firewall behind a forwarded port."""


class OtherProtocolServer(Listener):
    """A server that follows a `OtherProtocol`."""

    def __init__(
        self,
        stranger: OtherProtocol,
        certificates: Certificates | None = None,
        *,
        hosts: tuple[str, ...] = (LOOPBACK,),
    ) -> None:
        """Prepare the server; certificates are needed where it speaks TLS."""
        super().__init__(hosts=hosts)
        self.stranger = stranger
        self._certificates = certificates

    async def converse(self, stream: Stream, number: int) -> None:
        """Greet, and answer what comes."""
        stranger = self.stranger
        if stranger.tls:
            assert self._certificates is not None
            await stream.start_tls(self._certificates.server_context(ServerTls.VALID))
            self.record.tls_sessions += 1
        if stranger.greeting:
            self._send(stream, number, stranger.greeting)
        match stranger.then:
            case After.STALL:
                await stream.pause(float("inf"))
            case After.HANG_UP:
                stream.hang_up()
            case After.RESET:
                stream.reset()
            case After.GO_ON:
                await self._listen(stream, number)

    async def _listen(self, stream: Stream, number: int) -> None:
        for _ in range(self.stranger.answers):
            self._note(stream, number, Direction.CLIENT, await stream.read_some())
            if self.stranger.answer:
                self._send(stream, number, self.stranger.answer)

    def _send(self, stream: Stream, number: int, data: bytes) -> None:
        stream.send(data)
        self._note(stream, number, Direction.SERVER, data)

    def _note(self, stream: Stream, number: int, direction: Direction, data: bytes) -> None:
        at = asyncio.get_running_loop().time()
        self.record.lines.append(Line(number, direction, stream.encrypted, data, at))

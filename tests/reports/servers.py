"""The test servers that field reports are asked at; this module alone imports the project's.

What is further down are servers with one peculiarity each.
"""

import asyncio
from collections.abc import AsyncIterator
import contextlib
import re
import ssl
import tempfile

import pytest

from custom_components.email_courier.mail.discovery.dns import SystemResolver
from tests.mail.discovery.dns_stand_in import DnsStandIn, dns_stand_in
from tests.reports.oddities import OddCertificate, leaf_of_an_own_authority, odd_certificate
from tests.support.certificates import Certificates, ServerTls
from tests.support.dialogue import Dialogue
from tests.support.fixtures import Bed
from tests.support.network import Network
from tests.support.other_protocols import FTP, HTTP, IMAP, POP3, SSH, OtherProtocol
from tests.support.pictures import JPEG, PNG, StillCamera, add_entities
from tests.support.record import Mail
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_LOGIN,
    PLAIN_RELAY,
    USERNAME,
    After,
    Answer,
    AuthStyle,
    Pipelining,
    Script,
    Step,
    Tls,
    hang_up,
    late,
    reset,
    say,
    split,
    stall,
)
from tests.support.scripted_server import ScriptedServer
from tests.support.stream import Stream

__all__ = [
    "FTP",
    "HEALTHY",
    "HEALTHY_TLS",
    "HTTP",
    "IMAP",
    "JPEG",
    "PASSWORD",
    "PLAIN_LOGIN",
    "PLAIN_RELAY",
    "PNG",
    "POP3",
    "SSH",
    "USERNAME",
    "After",
    "Answer",
    "AsksTwice",
    "AuthStyle",
    "Bed",
    "DnsStandIn",
    "GreetDelay",
    "Mail",
    "NameCheck",
    "Network",
    "OddCertificate",
    "OtherProtocol",
    "Pipelining",
    "Script",
    "ScriptedServer",
    "ServerTls",
    "Step",
    "StillCamera",
    "Tls",
    "add_entities",
    "hang_up",
    "late",
    "leaf_of_an_own_authority",
    "name_server",
    "odd_certificate",
    "reset",
    "say",
    "serve_certificate",
    "split",
    "stall",
]


@contextlib.asynccontextmanager
async def name_server() -> AsyncIterator[DnsStandIn]:
    """Run the name server that is asked about domains, to be told what it knows."""
    async with dns_stand_in() as server:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SystemResolver.__init__, "__defaults__", (server.nameservers,))
            yield server


class NameCheck(ScriptedServer):
    """A server that complains of the client's name at one step, unless a pattern fits it.

    Use it as an asynchronous context manager.
    """

    def __init__(self, bed: Bed, step: Step, reply: str, taken: str = r"[^\[]+\.[^\[]+") -> None:
        """Be healthy but for the names."""
        super().__init__(HEALTHY, bed.certificates)
        self.step = step
        self.complaint = reply
        self.taken = taken

    async def converse(self, stream: Stream, number: int) -> None:
        """Hold one conversation."""
        dialogue = _NameCheckDialogue(self.script, self._certificates, self._memory, stream, number)
        dialogue.server = self
        await dialogue.run()


class _NameCheckDialogue(Dialogue):
    server: NameCheck

    def plan(self, step: Step, healthy: str) -> tuple[Answer, bytes]:
        """Complain at the step in question."""
        answer, reply = super().plan(step, healthy)
        asked = {step, Step.EHLO} if step in (Step.EHLO_TLS, Step.HELO) else {step}
        if self.server.step in asked and not re.fullmatch(self.server.taken, self._name()):
            words = self.server.complaint
            then = After.HANG_UP if words.startswith("421") else After.GO_ON
            return Answer(reply=words, then=then), "".join(
                f"{line}\r\n" for line in words.split("\n")
            ).encode()
        return answer, reply

    def _name(self) -> str:
        """Return the name that this client has given last."""
        said = [
            line.text.decode().split()
            for line in self.record.lines
            if line.connection == self.number and line.text[:5].upper() in (b"EHLO ", b"HELO ")
        ]
        return said[-1][1] if said else ""


class _OneCertificate(Certificates):
    """One certificate for every kind of server."""

    def __init__(self, key: bytes, certificate: bytes) -> None:
        super().__init__()
        self._own = key, certificate

    def pem(self, kind: ServerTls) -> tuple[bytes, bytes]:  # noqa: ARG002 - there is one alone
        return self._own

    def server_context(self, kind: ServerTls) -> ssl.SSLContext:  # noqa: ARG002
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(b"".join(self._own))
            file.flush()
            context.load_cert_chain(file.name)
        return context


def serve_certificate(key: bytes, certificate: bytes) -> ScriptedServer:
    """Return a server that shows a certificate, both in PEM.

    Use it as an asynchronous context manager.
    """
    return ScriptedServer(HEALTHY, _OneCertificate(key, certificate))


class GreetDelay(ScriptedServer):
    """A server that greets late, and turns away who speaks before that.

    Use it as an asynchronous context manager.
    """

    def __init__(self, bed: Bed, seconds: float) -> None:
        """Be healthy but for the delay."""
        super().__init__(HEALTHY, bed.certificates)
        self.seconds = seconds
        self.turned_away = 0

    async def converse(self, stream: Stream, number: int) -> None:
        """Hold one conversation."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.seconds):
                await stream.peek(1)
                self.turned_away += 1
                stream.send(b"421 mail.example.test You talk too soon\r\n")
                stream.hang_up()
                return
        await super().converse(stream, number)


class AsksTwice(ScriptedServer):
    """A server that answers an initial response by asking for it.

    Use it as an asynchronous context manager.
    """

    def __init__(self, bed: Bed, challenge: str) -> None:
        """Offer PLAIN alone."""
        super().__init__(HEALTHY.but(mechanisms=("PLAIN",)), bed.certificates)
        self.challenge = challenge

    async def converse(self, stream: Stream, number: int) -> None:
        """Hold one conversation."""
        dialogue = _AsksTwiceDialogue(self.script, self._certificates, self._memory, stream, number)
        dialogue.challenge = self.challenge
        await dialogue.run()


class _AsksTwiceDialogue(Dialogue):
    challenge: str

    async def _on_auth(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        if initial:
            await self.reply(self.challenge)
            if (rest := await self.read_line("login")) == "*":
                await self.reply("501 5.7.0 Authentication cancelled")
                return
            rest = f"{mechanism} {rest}"
        await super()._on_auth(rest)

"""One connection of a scripted server: the SMTP conversation itself (RFC 5321)."""

import asyncio
from collections.abc import Awaitable, Callable
import re

from tests.support.certificates import Certificates
from tests.support.conversation import Conversation, FinishedError, Memory
from tests.support.login import Login
from tests.support.mailing import Mailing, Standing
from tests.support.offers import mechanisms, offers
from tests.support.script import After, Pipelining, Script, Step, Tls
from tests.support.stream import Stream

_TLS_RECORD = b"\x16\x03"
"""How a TLS handshake begins (RFC 8446, 5.1)."""
_LAST_IN_A_GROUP = frozenset({"EHLO", "HELO", "DATA", "QUIT", "NOOP", "AUTH", "STARTTLS"})
"""RFC 2920, section 3.1, and the extensions that change the state of the conversation."""


class Dialogue(Conversation):
    """The server's part in one connection."""

    def __init__(
        self,
        script: Script,
        certificates: Certificates,
        memory: Memory,
        stream: Stream,
        number: int,
    ) -> None:
        """Take over a connection; `number` is its place in the record."""
        super().__init__(script, memory, stream, number)
        self._certificates = certificates
        self._turned_away = False
        self._standing = Standing()
        self._mailing = Mailing(self, self._standing)
        self._commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "EHLO": self._on_ehlo,
            "HELO": self._on_helo,
            "STARTTLS": self._on_starttls,
            "AUTH": self._on_auth,
            "MAIL": self._mailing.on_mail,
            "RCPT": self._mailing.on_rcpt,
            "DATA": self._mailing.on_data,
            "RSET": self._on_rset,
            "NOOP": self._on_noop,
            "QUIT": self._on_quit,
        }

    # The conversation.

    async def run(self) -> None:
        """Serve the connection until one side ends it."""
        try:
            if self.script.tls is Tls.AT_ONCE:
                await self._begin_tls()
            await self._greet()
            while True:
                await self._obey(await self._next_command())
        except FinishedError:
            return

    async def _greet(self) -> None:
        limit = self.script.connections_at_once
        if limit is not None and self.record.open_connections > limit:
            await self.reply(f"421 4.7.0 {self.script.name} Error: too many connections")
            await self.end(After.HANG_UP)
        code = await self.say(Step.GREETING, f"220 {self.script.name} ESMTP {self.script.program}")
        if self.stream.waiting and await self.stream.peek(2) != _TLS_RECORD:
            self.violation("spoke before it was greeted (RFC 5321, 4.3.1)")
        self._turned_away = code >= 500

    async def _next_command(self) -> str:
        try:
            async with asyncio.timeout(self.script.idle_limit):
                await self._turn_tls_away()
                return await self.read_line("command")
        except TimeoutError:
            await self.reply(f"421 4.4.2 {self.script.name} Error: timeout exceeded")
            await self.end(After.HANG_UP)
            raise

    async def _turn_tls_away(self) -> None:
        """Find a client that begins TLS where plain text is spoken; that is no violation of ours.

        It has had its answer already: the greeting is what it stumbles over.
        """
        if await self.stream.peek(2) == _TLS_RECORD:
            self.stream.discard()
            await self.reply("500 5.5.2 Error: bad syntax")
            await self.end(After.HANG_UP)

    async def _obey(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        verb = word.upper()
        await self._check_group(verb)
        if self.script.pipelining is Pipelining.BROKEN:
            self.stream.discard()
        command = self._commands.get(verb)
        if self._turned_away and verb != "QUIT":
            # RFC 5321, 3.1: all that is left to a client after a 554 is to leave.
            await self.reply("503 5.5.1 Error: no service for you")
        elif command is None:
            await self.reply("500 5.5.2 Error: bad syntax")
        elif self._needs_tls(verb):
            await self.say(Step[verb], "530 5.7.0 Must issue a STARTTLS command first")
        else:
            await command(rest)

    async def _check_group(self, verb: str) -> None:
        """Find commands that were sent together and must not be."""
        if not self.stream.waiting:
            return
        offered = self.script.pipelining.is_offered
        if not offered or not self._standing.extended:
            self.violation(f"did not wait for the reply to {verb} (no PIPELINING)")
            if self.script.pipelining is Pipelining.ENFORCED_ABSENT:
                await self.reply("554 5.5.0 SMTP protocol synchronization error")
                await self.end(After.HANG_UP)
        elif verb in _LAST_IN_A_GROUP:
            self.violation(f"did not wait for the reply to {verb} (RFC 2920, 3.1)")

    def _needs_tls(self, verb: str) -> bool:
        free = verb in ("EHLO", "HELO", "NOOP", "QUIT", "STARTTLS")
        return self.script.tls_required and not self.stream.encrypted and not free

    # EHLO, HELO, STARTTLS, AUTH.

    async def _on_ehlo(self, name: str) -> None:
        again = self.stream.encrypted and self.script.tls is Tls.OFFERED
        step = Step.EHLO_TLS if again else Step.EHLO
        await self._hear_hello(
            step,
            name,
            [f"{self.script.name} greets {name}", *offers(self.script, self.stream.encrypted)],
        )

    async def _on_helo(self, name: str) -> None:
        await self._hear_hello(Step.HELO, name, [self.script.name])

    async def _hear_hello(self, step: Step, name: str, lines: list[str]) -> None:
        pattern = self.script.hello_pattern
        if pattern is not None and re.fullmatch(pattern, name) is None:
            reply = f"504 5.5.2 <{name}>: Helo command rejected: need fully-qualified hostname"
        else:
            marks = ["250-"] * (len(lines) - 1) + ["250 "]
            reply = "\n".join(mark + line for mark, line in zip(marks, lines, strict=True))
        if await self.say(step, reply) == 250:
            self._standing.greeted = True
            self._standing.extended = step is not Step.HELO
            self._mailing.reset()

    async def _on_starttls(self, rest: str) -> None:
        if rest:
            self.violation("STARTTLS has no parameters (RFC 3207, 4)")
        if self.script.tls is not Tls.OFFERED or self.stream.encrypted:
            await self.say(Step.STARTTLS, "502 5.5.1 Error: command not implemented")
            return
        if await self.say(Step.STARTTLS, "220 2.0.0 Ready to start TLS") == 220:
            await self._begin_tls()

    async def _begin_tls(self) -> None:
        drip = 0.0
        if Step.TLS in self.script.answers:
            # As a server does that fails here: the client's first bytes are read before.
            self.stream.push_back(await self.stream.read_some())
            answer, raw = self.plan(Step.TLS, "")
            await self.deliver(answer, raw)
            drip = answer.drip
        context = self._certificates.server_context(self.script.tls_kind)
        await self.stream.start_tls(context, drip)
        self.record.tls_sessions += 1
        # RFC 3207, 4.2: all that was known before is forgotten.
        self._standing.greeted = False
        self._standing.extended = False
        self._mailing.reset()

    async def _on_auth(self, rest: str) -> None:
        self.record.auth_commands += 1
        if not self.stream.encrypted:
            self.record.auth_commands_in_clear += 1
        if self._standing.username is not None:
            await self.say(Step.AUTH, "503 5.5.1 Error: already authenticated")
            return
        self._standing.username = await Login(
            self, mechanisms(self.script, self.stream.encrypted)
        ).run(rest)

    async def _on_rset(self, _rest: str) -> None:
        if await self.say(Step.RSET, "250 2.0.0 Ok") == 250:
            self._mailing.reset()

    async def _on_noop(self, _rest: str) -> None:
        await self.say(Step.NOOP, "250 2.0.0 Ok")

    async def _on_quit(self, _rest: str) -> None:
        await self.say(Step.QUIT, "221 2.0.0 Bye")
        raise FinishedError

"""The one session type: every handshake, every test mail and every delivery goes through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
import ssl

from ..envelope import Delivery, Envelope
from ..failure import Failure, FailureKind, MailError, Permanence, Stage
from ..hostname import address_literal, host_to_ascii
from ..payload import Payload
from ..redaction import Redactor
from ..reply import Reply
from ..settings import Encryption, Login, ServerSettings, TokenLogin, is_loopback, redactor_for
from .auth import choose, credentials_for, log_in
from .banner import name_in_greeting
from .classify import refusal
from .connection import Wire, open_socket, parse_extensions
from .errors import Progress, foreign_errors
from .protocol import NOTHING, USED_EXTENSIONS, Capabilities
from .sasl import Mechanism
from .tls import Certificate, check_certificate
from .transaction import BeforeDot, Transaction

_NOT_IMPLEMENTED = (500, 502)


def check_greeting(greeting: Reply, *, encrypted: bool) -> None:
    """Raise MailError for a greeting that turns us away, or of another protocol."""
    if greeting.code == 220:
        return
    if not greeting.is_permanent and (name := name_in_greeting(greeting.text)):
        raise MailError(_other_protocol(name, greeting))
    raise _refused(Stage.GREETING, greeting, encrypted=encrypted)


async def say_hello(
    wire: Wire, name: bytes, greeting: Reply, *, needs_extensions: bool, encrypted: bool
) -> Capabilities:
    """Greet with EHLO, else with HELO, and return what the server offers.

    name: who we say we are. needs_extensions: whether a server that knows only HELO will not do.
    Raises MailError.
    """
    reply, said = await wire.ask_openly(b"EHLO", name)
    if reply.is_positive:
        return _capabilities(reply, said)
    refused = _refused(Stage.HELLO, reply, encrypted=encrypted)
    if reply.code == 421:
        raise refused
    fallback = await wire.command(b"HELO", name)
    is_unknown = reply.code in _NOT_IMPLEMENTED
    if fallback.is_positive:
        if needs_extensions and not is_unknown:
            raise refused
        return NOTHING
    if protocol := name_in_greeting(greeting.text):
        raise MailError(_other_protocol(protocol, greeting))
    raise _refused(Stage.HELLO, fallback, encrypted=encrypted) if is_unknown else refused


async def start_tls(
    wire: Wire, offered: Capabilities, context: ssl.SSLContext, server_name: str
) -> None:
    """Go over to TLS (RFC 3207). Raises MailError where the server does not."""
    if not offered.has("starttls"):
        raise MailError(Failure(FailureKind.STARTTLS_NOT_OFFERED, Stage.TLS, Permanence.TEMPORARY))
    reply = await wire.start_tls(context, server_name)
    if reply.code != 220:
        raise _refused(Stage.TLS, reply, encrypted=False)


def _capabilities(reply: Reply, said: Reply) -> Capabilities:
    """Read what is offered; only names that are known are taken from what was really said."""
    shown, shown_mechanisms = parse_extensions(reply)
    extensions, mechanisms = parse_extensions(said)
    known = {name: shown.get(name, "") for name in extensions if name in USED_EXTENSIONS}
    return Capabilities({**shown, **known}, shown_mechanisms | (mechanisms & set(Mechanism)))


def _refused(stage: Stage, reply: Reply, *, encrypted: bool) -> MailError:
    return MailError(refusal(stage, reply, encrypted=encrypted, logged_in=False))


def _other_protocol(name: str, greeting: Reply) -> Failure:
    return Failure(
        FailureKind.NOT_SMTP,
        Stage.GREETING,
        Permanence.TEMPORARY,
        greeting,
        facts={"protocol": name},
    )


type StageObserver = Callable[[Stage], None]

_PROBE = 5.0
"""Seconds for an idle connection to show that it works."""


class Session:
    """One connection to a server, from the name to QUIT.

    Not to be used by two tasks at a time. After any failure, and when it is cancelled, the
    connection is aborted.
    """

    def __init__(
        self,
        settings: ServerSettings,
        context: ssl.SSLContext,
        *,
        observer: StageObserver | None = None,
        may_pipeline: bool = True,
    ) -> None:
        """Prepare a session.

        settings: encryption must be resolved (not AUTO).
        context: made for settings.trust (see tls.build_context).
        observer: told of each stage as it begins.
        may_pipeline: False for a server that offers pipelining and cannot do it.
        """
        if settings.encryption is Encryption.AUTO:
            raise ValueError("encryption must be resolved before a session")
        self.settings = settings
        self.progress = Progress(settings.host, settings.encryption)
        self.capabilities = NOTHING
        self.greeting: Reply | None = None
        self.mechanism: str | None = None
        self.certificate: Certificate | None = None
        self.pipelining_is_broken = False
        self._context = context
        self._observer = observer
        self._may_pipeline = may_pipeline
        self._wire: Wire | None = None
        self.progress.redactor = redactor_for(settings.login)

    @property
    def stage(self) -> Stage:
        """The stage reached."""
        return self.progress.stage

    @property
    def wire(self) -> Wire:
        """The connection. Raises MailError when there is none."""
        if self._wire is None:
            raise MailError(Failure(FailureKind.DISCONNECTED, self.stage, Permanence.TEMPORARY))
        return self._wire

    @property
    def has_heard(self) -> bool:
        """Whether the server has sent anything."""
        return self._wire is not None and bool(self._wire.heard)

    @property
    def is_open(self) -> bool:
        """Whether the session can be used."""
        return self._wire is not None and self._wire.is_open

    @property
    def pipelines(self) -> bool:
        """Whether several commands may be sent at once (RFC 2920)."""
        return self._may_pipeline and self.capabilities.has("pipelining")

    @property
    def encrypted(self) -> bool:
        """Whether TLS is up."""
        return self._wire is not None and self._wire.tls is not None

    @property
    def logged_in(self) -> bool:
        """Whether a login has succeeded."""
        return self.mechanism is not None

    @property
    def tls_version(self) -> str | None:
        """Such as "TLSv1.3"; None without TLS."""
        return self._wire.tls_version if self._wire else None

    async def open(self, *, log_in: bool = True, sender: str | None = None) -> None:
        """Connect, encrypt and log in, all within the handshake deadline.

        log_in: False stops at the capabilities; no secret is sent.
        sender: also ask whether the server takes mail from this address (MAIL FROM, RSET).
        Raises MailError.
        """
        async with self._step(self.settings.deadlines.handshake):
            await self._connect()
            greeting = await self._greet()
            if self.settings.encryption is Encryption.STARTTLS:
                await self._hello(greeting)
                await self._start_tls()
            await self._hello(greeting)
            if log_in and self.settings.login is not None:
                await self._log_in(self.settings.login)
            if sender is not None:
                await Transaction(self).check_sender(sender)

    async def deliver(
        self, envelope: Envelope, data: Payload, *, before_dot: BeforeDot | None = None
    ) -> Delivery:
        """Send one message and report one outcome per recipient; never raises MailError.

        data: the finished message with CRLF line ends, not dot-stuffed.
        before_dot: awaited before the final dot is sent.
        """
        transaction = Transaction(self)
        try:
            async with self._step(None):
                return await transaction.run(envelope, data, before_dot)
        except MailError as error:
            return transaction.outcome(envelope, error.failure)

    def quit(self) -> None:
        """End the session without waiting for the server."""
        if self._wire is not None:
            self._wire.quit()
            self._wire = None

    def abort(self) -> None:
        """Drop the connection; nothing more is sent."""
        if self._wire is not None:
            self._wire.abort()
            self._wire = None

    def enter(self, stage: Stage) -> None:
        """Note the stage that begins; a failure from here on belongs to it."""
        self.progress.stage = stage
        if self._observer is not None:
            self._observer(stage)

    async def probe(self) -> bool:
        """Ask with RSET whether the connection still works; a dead one is aborted."""
        try:
            async with self._step(_PROBE):
                reply = await self.wire.command(b"RSET")
        except MailError:
            return False
        return reply.is_positive

    def refused(self, reply: Reply) -> MailError:
        """Make the error for a reply that refuses what the current stage asks for."""
        return MailError(
            refusal(self.stage, reply, encrypted=self.encrypted, logged_in=self.logged_in)
        )

    @contextlib.asynccontextmanager
    async def _step(self, deadline: float | None) -> AsyncIterator[None]:
        """Run under one deadline (seconds); abort on any failure and on cancellation."""
        try:
            with foreign_errors(self.progress):
                try:
                    async with asyncio.timeout(deadline):
                        yield
                finally:
                    if self._wire is not None:
                        self.progress.heard = self._wire.heard
        except BaseException:
            self.abort()
            raise

    def _hide(self, redactor: Redactor) -> None:
        """Take out of all that the server says from here on what a redactor hides."""
        self.progress.redactor = redactor
        self.wire.redactor = redactor

    async def _connect(self) -> None:
        settings = self.settings
        sock = await open_socket(
            settings.host, settings.port, limit=settings.deadlines.connect, enter=self.enter
        )
        implicit_tls = settings.encryption is Encryption.TLS
        self._wire = await Wire.connect(sock, paused=implicit_tls)
        self._hide(self.progress.redactor)
        if implicit_tls:
            self.enter(Stage.TLS)
            await self._wire.begin_tls(self._context, host_to_ascii(settings.host))
            self.certificate = check_certificate(self.wire.tls, settings.trust)

    async def _greet(self) -> Reply:
        self.enter(Stage.GREETING)
        async with asyncio.timeout(self.settings.deadlines.greeting):
            greeting = await self.wire.greeting()
        self.greeting = greeting
        check_greeting(greeting, encrypted=self.encrypted)
        return greeting

    async def _hello(self, greeting: Reply) -> None:
        self.enter(Stage.HELLO)
        settings = self.settings
        name = settings.hello_name or address_literal(self.wire.local_address)
        self.capabilities = await say_hello(
            self.wire,
            name.encode(),
            greeting,
            needs_extensions=settings.encryption is Encryption.STARTTLS
            or settings.login is not None,
            encrypted=self.encrypted,
        )

    async def _start_tls(self) -> None:
        self.enter(Stage.TLS)
        server_name = host_to_ascii(self.settings.host)
        await start_tls(self.wire, self.capabilities, self._context, server_name)
        self.capabilities = NOTHING  # RFC 3207 section 4.2: nothing said in clear counts
        self.certificate = check_certificate(self.wire.tls, self.settings.trust)

    async def _log_in(self, login: Login | TokenLogin) -> None:
        self.enter(Stage.LOGIN)
        mechanism = await choose(
            self.capabilities,
            login,
            encrypted=self.encrypted,
            on_this_machine=is_loopback(self.settings.host),
        )
        credentials = await credentials_for(login)
        if isinstance(login, TokenLogin):  # a token may have come anew
            self._hide(redactor_for(login))
        await log_in(self.wire, mechanism, credentials, encrypted=self.encrypted)
        self.mechanism = mechanism.value

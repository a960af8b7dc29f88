"""The one session type: every handshake, every test mail and every delivery goes through it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
import re
import ssl
from typing import NamedTuple

from ..envelope import Delivery, Envelope, Peek
from ..failure import Failure, FailureKind, MailError, Permanence, Stage
from ..hostname import address_literal
from ..payload import Payload
from ..redaction import NOTHING_HIDDEN, Redactor
from ..reply import Reply
from ..settings import Encryption, Login, ServerSettings, TokenLogin, is_loopback
from .auth import choose, log_in
from .classify import refusal
from .connection import Connection
from .errors import FOREIGN_ERRORS, SessionProgress, map_errors
from .protocol import NOTHING, name_in_greeting
from .tls import Certificate, check_certificate
from .transaction import Ahead, BeforeDot, Transaction

type StageObserver = Callable[[Stage], None]

_PROBE = 5.0
"""Seconds that a kept connection is given to show that it still works."""
_NOT_IMPLEMENTED = (500, 502)
_TAKES_AHEAD = re.compile(r"\b(?:Postfix|Exim)\b")
"""Who is sent an envelope together with the message before it, by the name in the greeting.

RFC 2920 section 3.1 lets every server take that which offers PIPELINING. But Dovecot's submission
service (2.3) ends the connection at it, once it has taken the message, which would then be sent
twice; so it is for those alone that were seen to do it.
"""


class Session:
    """A connection from its host's name to QUIT, and what the server has shown on it.

    Not to be used by two tasks at a time. After any failure, and when it is cancelled, the
    connection is aborted.
    stage: the one reached. capabilities: as of the last EHLO. mechanism: the one that logged in.
    tls_version: such as "TLSv1.3"; None without TLS.
    certificate_der: what the server showed, in DER.
    pipelines: whether several commands may be sent at once (RFC 2920).
    takes_ahead: whether the next envelope may go out together with a message.
    has_begun_message: the last mail came as far as its message.
    ahead: the envelope that went out with the last message; only its mail can follow.
    went_ahead: that of the last mail did so.
    """

    def __init__(
        self,
        settings: ServerSettings,
        context: ssl.SSLContext,
        *,
        observer: StageObserver | None = None,
        may_pipeline: bool = True,
        redactor: Redactor | None = None,
    ) -> None:
        """Prepare a session.

        settings: encryption must be resolved (not AUTO).
        context: made for settings.trust (see tls.build_context).
        observer: told of each stage as it begins.
        may_pipeline: False for a server that offers pipelining and cannot do it.
        redactor: the one for the login, where it is there already.
        """
        if settings.encryption is Encryption.AUTO:
            raise ValueError("encryption must be resolved before a session")
        self.settings = settings
        self.stage = Stage.RESOLVE
        self.capabilities = NOTHING
        self.pipelines = False
        self.takes_ahead = False
        self.pipelining_is_broken = False
        self.has_begun_message = False
        self.ahead: Ahead | None = None
        self.went_ahead = False
        self.greeting: Reply | None = None
        self.mechanism: str | None = None
        self.tls_version: str | None = None
        self.certificate_der: bytes | None = None
        self.redactor = redactor_for(settings.login) if redactor is None else redactor
        self._context = context
        self._observer = observer
        self._may_pipeline = may_pipeline
        self._connection: Connection | None = None
        self._limit: asyncio.Timeout | None = None

    @property
    def connection(self) -> Connection:
        """The connection. Raises MailError when there is none."""
        if self._connection is None:
            raise MailError(Failure(FailureKind.DISCONNECTED, self.stage, Permanence.TEMPORARY))
        return self._connection

    @property
    def has_heard(self) -> bool:
        """Whether the server has sent anything."""
        return self._connection is not None and bool(self._connection.heard)

    @property
    def is_open(self) -> bool:
        """Whether the session can be used."""
        return self._connection is not None and self._connection.is_open

    @property
    def encrypted(self) -> bool:
        """Whether TLS is up."""
        return self._connection is not None and self._connection.tls_version is not None

    @property
    def logged_in(self) -> bool:
        """Whether a login has succeeded."""
        return self.mechanism is not None

    @property
    def certificate(self) -> Certificate | None:
        """What the server's certificate says; reading it takes a moment."""
        return None if self.certificate_der is None else Certificate.parse(self.certificate_der)

    async def open(self, *, log_in: bool = True, sender: str | None = None) -> None:
        """Connect, encrypt and log in, within the limits for the greeting and what follows it.

        log_in: False stops at the capabilities; no secret is sent.
        sender: also ask whether the server takes mail from this address.
        Raises MailError.
        """
        await self._within(self.settings.deadlines.greeting, self._open(log_in, sender))

    async def deliver(
        self,
        envelope: Envelope,
        data: Payload,
        *,
        before_dot: BeforeDot | None = None,
        peek: Peek | None = None,
    ) -> Delivery:
        """Send one message and report one outcome per recipient; never raises MailError.

        data: the finished message with CRLF line ends, not dot-stuffed.
        before_dot: awaited before the final dot is sent.
        peek: asked with the final dot; the envelope of the mail that it returns goes out with it,
        and that mail must be the next one.
        """
        transaction = Transaction(self)
        try:
            return await self._within(None, transaction.run(envelope, data, before_dot, peek))
        except MailError as error:
            return transaction.outcome(envelope, error.failure)

    async def probe(self) -> bool:
        """Ask with RSET whether the connection still works; a dead one is aborted."""
        try:
            reply = await self._within(_PROBE, self.connection.command(b"RSET"))
        except MailError:
            return False
        return reply.is_positive

    def quit(self) -> None:
        """End the session without waiting for the server; drop it where it is out of step."""
        if self._connection is not None:
            self._connection.quit()
            self._connection = None

    def abort(self) -> None:
        """Drop the connection; nothing more is sent."""
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    def enter(self, stage: Stage) -> None:
        """Note the stage that begins; a failure from here on belongs to it."""
        self.stage = stage
        if self._observer is not None:
            self._observer(stage)

    def refused(self, reply: Reply) -> MailError:
        """Make the error for a reply that refuses what the current stage asks for."""
        return MailError(
            refusal(self.stage, reply, encrypted=self.encrypted, logged_in=self.logged_in)
        )

    async def _within[Result](self, deadline: float | None, steps: Awaitable[Result]) -> Result:
        """Run under one deadline (seconds); leave on any failure and on cancellation."""
        try:
            try:
                async with asyncio.timeout(deadline) as self._limit:
                    return await steps
            except FOREIGN_ERRORS as error:
                raise MailError(map_errors(error, self._progress())) from error
        except BaseException as error:
            self._leave(error)
            raise

    def _leave(self, error: BaseException) -> None:
        """Say QUIT after a refusal (RFC 5321 section 4.1.1.10), else drop the connection."""
        if isinstance(error, MailError) and error.__cause__ is None:
            self.quit()
        else:
            self.abort()

    def _progress(self) -> SessionProgress:
        settings, connection = self.settings, self._connection
        return SessionProgress(
            settings.host,
            settings.encryption,
            self.stage,
            b"" if connection is None else connection.heard,
            connection is not None and connection.dot_sent,
            self.redactor,
        )

    async def _open(self, log_in: bool, sender: str | None) -> None:
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

    async def _connect(self) -> None:
        settings = self.settings
        implicit_tls = settings.encryption is Encryption.TLS
        self.enter(Stage.RESOLVE)
        self._connection = await Connection.open(
            settings.host,
            settings.port,
            limit=settings.deadlines.connect,
            resolved=partial(self.enter, Stage.CONNECT),
            paused=implicit_tls,
        )
        self._hide(self.redactor)
        if implicit_tls:
            self.enter(Stage.TLS)
            await self.connection.begin_tls(self._context)
            self._check_tls()

    async def _greet(self) -> Reply:
        self.enter(Stage.GREETING)
        greeting = await self.connection.reply(ends=True)
        self.greeting = greeting
        if self._limit is not None:
            now = asyncio.get_running_loop().time()
            self._limit.reschedule(now + self.settings.deadlines.handshake)
        if greeting.code == 220:
            return greeting
        if not greeting.is_permanent and (name := name_in_greeting(greeting.text)):
            raise MailError(_other_protocol(name, greeting))
        raise self.refused(greeting)

    async def _hello(self, greeting: Reply) -> None:
        """Greet with EHLO, else with HELO, and note what the server offers.

        A refusal of HELO is quoted only where EHLO was not known at all.
        """
        self.enter(Stage.HELLO)
        connection, settings = self.connection, self.settings
        name = (settings.hello_name or address_literal(connection.local_address)).encode()
        reply, offered = await connection.hello(name)
        if reply.is_positive:
            self.capabilities = offered
            self.pipelines = self._may_pipeline and "pipelining" in offered.extensions
            greets_as = _TAKES_AHEAD.search(" ".join(greeting.lines))
            self.takes_ahead = self.pipelines and greets_as is not None
            return
        self.capabilities = NOTHING
        if reply.code == 421:
            raise self.refused(reply)
        fallback = await connection.command(b"HELO", name)
        is_unknown = reply.code in _NOT_IMPLEMENTED
        if fallback.is_positive:
            wants_more = settings.encryption is Encryption.STARTTLS or settings.login is not None
            if wants_more and not is_unknown:
                raise self.refused(reply)
            return
        if protocol := name_in_greeting(greeting.text):
            raise MailError(_other_protocol(protocol, greeting))
        raise self.refused(fallback if is_unknown else reply)

    async def _start_tls(self) -> None:
        """Go over to TLS (RFC 3207)."""
        self.enter(Stage.TLS)
        if "starttls" not in self.capabilities.extensions:
            raise MailError(
                Failure(FailureKind.STARTTLS_NOT_OFFERED, Stage.TLS, Permanence.TEMPORARY)
            )
        reply = await self.connection.start_tls(self._context)
        if reply.code != 220:
            raise self.refused(reply)
        self.capabilities = NOTHING  # RFC 3207 section 4.2: nothing said in clear counts
        self._check_tls()

    def _check_tls(self) -> None:
        """Keep what TLS has shown, and hold the certificate against the trusted one."""
        self.tls_version = self.connection.tls_version
        self.certificate_der = self.connection.certificate
        if self.certificate_der is None or self.settings.trust.fingerprint is not None:
            check_certificate(self.certificate_der, self.settings.trust)

    async def _log_in(self, login: Login | TokenLogin) -> None:
        self.enter(Stage.LOGIN)
        encrypted = self.encrypted
        mechanisms = await choose(
            self.capabilities,
            login,
            encrypted=encrypted,
            on_this_machine=not encrypted and is_loopback(self.settings.host),
        )
        token = ""
        if isinstance(login, TokenLogin):
            token = await login.tokens.current()
            self._hide(redactor_for(login, self.redactor))  # it may have come anew
        mechanism = await log_in(self.connection, mechanisms, login, token, encrypted=encrypted)
        self.mechanism = mechanism.value

    def _hide(self, redactor: Redactor) -> None:
        """Take out of all that the server says from here on what a redactor hides."""
        self.redactor = redactor
        self.connection.redactor = redactor


def _other_protocol(name: str, greeting: Reply) -> Failure:
    return Failure(
        FailureKind.NOT_SMTP,
        Stage.GREETING,
        Permanence.TEMPORARY,
        greeting,
        facts={"protocol": name},
    )


class Proof(NamedTuple):
    """What a session has shown of its server.

    certificate_der: as it came, in DER. size_limit in bytes.
    """

    settings: ServerSettings
    server: str
    tls_version: str | None
    certificate_der: bytes | None
    mechanism: str | None
    size_limit: int | None
    extensions: Mapping[str, str]

    @property
    def certificate(self) -> Certificate | None:
        """What the server's certificate says; reading it takes a moment."""
        return None if self.certificate_der is None else Certificate.parse(self.certificate_der)


def proof_of(session: Session) -> Proof:
    """Sum up what a session has shown once its login has passed."""
    greeting = session.greeting.text if session.greeting else ""
    return Proof(
        settings=session.settings,
        server=greeting.split(" ", 1)[0] or session.settings.host,
        tls_version=session.tls_version,
        certificate_der=session.certificate_der,
        mechanism=session.mechanism,
        size_limit=session.capabilities.size_limit,
        extensions=dict(session.capabilities.extensions),
    )


def redactor_for(login: Login | TokenLogin | None, known: Redactor = NOTHING_HIDDEN) -> Redactor:
    """Return what takes the secrets of a login out of a server's replies.

    known: what was returned for the same login before; making one anew takes a while.
    """
    if login is None:
        return NOTHING_HIDDEN
    secrets = (login.password,) if isinstance(login, Login) else login.tokens.secrets
    return known if secrets == known.secrets else Redactor.for_login(login.username, secrets)

"""One mail transaction within a session: MAIL, RCPT, DATA (RFC 5321 section 3.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import contextlib
from copy import replace
from functools import partial
import re
from typing import NamedTuple, Protocol

from ..envelope import Delivery, Envelope, Peek, RecipientOutcome, Upcoming
from ..failure import Failure, FailureKind, MailError, Permanence, Stage
from ..payload import FilePayload, Payload
from ..reply import Reply
from ..settings import ServerSettings
from .connection import Connection
from .errors import FOREIGN_ERRORS
from .protocol import Capabilities, check_size, mail_command, no_smtputf8, rcpt_command

type BeforeDot = Callable[[], Awaitable[None]]
"""What has to be done before a mail may have been accepted."""

FLIGHT_PATIENCE = 20.0
"""Seconds for each further reply once the first one of a flight is there."""

COURTESY = 3.0
"""Seconds for what is asked of a server and decides little."""

_SYNC_ERROR = re.compile(r"synchroni[sz]|pipelin|bad sequence|out of sequence", re.IGNORECASE)


class Ahead(NamedTuple):
    """An envelope that went out with the message before it, and whose replies nobody has read.

    mail: the command. rcpts: that of each recipient, by address.
    """

    upcoming: Upcoming
    mail: bytes
    rcpts: Mapping[str, bytes]


class Conversation(Protocol):
    """What a transaction needs of its session.

    pipelines: whether several commands may be sent at once (RFC 2920).
    takes_ahead: whether the next envelope may go out together with a message.
    has_begun_message: the mail came as far as its message.
    ahead: the envelope that went out with the message before; no other mail can be sent before it.
    went_ahead: the envelope of the last mail did so.
    """

    settings: ServerSettings
    capabilities: Capabilities
    pipelines: bool
    takes_ahead: bool
    pipelining_is_broken: bool
    has_begun_message: bool
    ahead: Ahead | None
    went_ahead: bool

    @property
    def connection(self) -> Connection:
        """The connection."""

    def enter(self, stage: Stage) -> None:
        """Note the stage that begins."""

    def refused(self, reply: Reply) -> MailError:
        """Make the error for a refusing reply."""


class Transaction:
    """Carries one envelope through a session and remembers what became of each recipient."""

    def __init__(self, session: Conversation) -> None:
        """Belong to a session that is open."""
        self._session = session
        self._outcomes: dict[str, RecipientOutcome] = {}
        self._accepted: list[str] = []

    async def check_sender(self, sender: str) -> None:
        """Ask for a sender, and for itself as a recipient, and take it back.

        Some servers judge the name of EHLO only once they are told a recipient; what else they say
        to one decides nothing, and so does the answer to RSET. Raises MailError.
        """
        session = self._session
        session.enter(Stage.SENDER)
        command = mail_command(sender, session.capabilities, smtputf8=not sender.isascii())
        reply = await session.connection.command(command)
        if not reply.is_positive:
            raise session.refused(reply)
        try:
            async with asyncio.timeout(COURTESY):
                rcpt = rcpt_command(sender, session.capabilities)
                reply = await session.connection.command(rcpt)
                await session.connection.command(b"RSET")
        except FOREIGN_ERRORS:
            return
        if reply.is_transient or reply.is_permanent:
            refused = session.refused(reply)
            if refused.failure.kind is FailureKind.HELO_REJECTED:
                raise refused

    async def run(
        self,
        envelope: Envelope,
        data: Payload,
        before_dot: BeforeDot | None,
        peek: Peek | None = None,
    ) -> Delivery:
        """Deliver; what has been decided by the time of a MailError is in outcome().

        peek: asked with the final dot; the envelope of the mail that it returns goes out with it.
        """
        session = self._session
        ahead, session.ahead = session.ahead, None
        session.went_ahead = ahead is not None
        session.connection.dot_sent = session.has_begun_message = False
        session.enter(Stage.SENDER)
        if ahead is None:
            mail, rcpts = self.commands(await self._fitting(envelope, data), len(data))
        elif ahead.upcoming == Upcoming(envelope, len(data)):
            mail, rcpts = ahead.mail, ahead.rcpts
        else:  # the server awaits another mail's message
            raise MailError(Failure(FailureKind.DISCONNECTED, Stage.SENDER, Permanence.TEMPORARY))
        if rcpts:
            async with asyncio.timeout(session.settings.deadlines.transaction):
                ask = self._ask_at_once if session.pipelines else self._ask_in_turn
                await ask(mail, rcpts)
        reply = None
        if self._accepted:
            reply = await self._upload(data, before_dot, peek)
            for address in self._accepted:
                self._outcomes[address] = RecipientOutcome(address, reply)
            session.enter(Stage.ACCEPTED)
        return Delivery(tuple(map(self._outcomes.__getitem__, envelope.recipients)), reply)

    def outcome(self, envelope: Envelope, failure: Failure) -> Delivery:
        """Return the outcome of a transaction that a failure ended.

        Recipients that the server had refused keep their own failures.
        """
        return Delivery(
            tuple(
                known
                if (known := self._outcomes.get(address)) and not known.accepted
                else RecipientOutcome(address, failure.reply, failure)
                for address in envelope.recipients
            ),
            failure.reply,
        )

    async def _fitting(self, envelope: Envelope, data: Payload) -> Envelope:
        """Return an envelope without SMTPUTF8 where the server has none and the message needs none.

        Then only the addresses that need it are refused. Raises MailError where all are.
        """
        if not envelope.smtputf8 or "smtputf8" in self._session.capabilities.extensions:
            return envelope
        if envelope.sender.isascii() and not await _has_ascii_head(data):
            address = next(iter(envelope.needing_smtputf8), "")
            raise MailError(no_smtputf8(address, FailureKind.INVALID_RECIPIENT, Stage.SENDER))
        return replace(envelope, smtputf8=not envelope.sender.isascii())

    def commands(self, envelope: Envelope, size: int) -> tuple[bytes, Mapping[str, bytes]]:
        """Return MAIL, and each recipient's RCPT; one that can have none is refused right here."""
        offered = self._session.capabilities
        check_size(size, offered)
        mail = mail_command(envelope.sender, offered, size=size, smtputf8=envelope.smtputf8)
        rcpts: dict[str, bytes] = {}
        for address in envelope.recipients:
            try:
                rcpts[address] = rcpt_command(address, offered)
            except MailError as error:
                self._outcomes[address] = RecipientOutcome(address, None, error.failure)
        return mail, rcpts

    async def _ask_in_turn(self, mail: bytes, rcpts: Mapping[str, bytes]) -> None:
        """MAIL, each RCPT and DATA, one after the other."""
        session = self._session
        command = session.connection.command
        self._take_mail(await command(mail))
        for address, rcpt in rcpts.items():
            self._take_recipient(address, await command(rcpt))
        if not self._accepted:
            await command(b"RSET")
            return
        session.enter(Stage.DATA)
        self._take_data(await command(b"DATA"))

    async def _ask_at_once(self, mail: bytes, rcpts: Mapping[str, bytes]) -> None:
        """MAIL, all RCPT and DATA in one flight (RFC 2920 section 3.1), each with its reply."""
        session = self._session
        if session.went_ahead:
            reply = await self._next_of_flight()
        else:
            session.connection.send(mail, *rcpts.values(), b"DATA")
            reply = await session.connection.reply()
        if not reply.is_positive:
            await self._end_flight(len(rcpts) + 1)
        self._take_mail(reply)
        for address in rcpts:
            self._take_recipient(address, await self._next_of_flight())
        session.enter(Stage.DATA)
        reply = await self._next_of_flight()
        if self._accepted:
            self._take_data(reply)
            return
        if reply.code == 354:  # RFC 2920 section 3.1: end the empty message
            await session.connection.command(b".")
        await session.connection.command(b"RSET")

    async def _end_flight(self, replies: int) -> None:
        """Read what follows a refused MAIL, so that the dialogue is in step again.

        It is not where the server awaits a message after all, which must not be sent then.
        """
        with contextlib.suppress(*FOREIGN_ERRORS):
            async with asyncio.timeout(COURTESY):
                for _ in range(replies):
                    await self._session.connection.reply()

    async def _next_of_flight(self) -> Reply:
        """Return the next reply of a flight; a server that owes it breaks pipelining."""
        try:
            reply = await self._session.connection.reply(within=FLIGHT_PATIENCE)
        except Exception:
            self._session.pipelining_is_broken = True
            raise
        if reply.code in (500, 503, 554) and _SYNC_ERROR.search(reply.text):
            self._session.pipelining_is_broken = True
        return reply

    def _take_mail(self, reply: Reply) -> None:
        if not reply.is_positive:
            raise self._session.refused(reply)
        self._session.enter(Stage.RECIPIENT)

    def _take_recipient(self, address: str, reply: Reply) -> None:
        if reply.is_positive:
            self._outcomes[address] = RecipientOutcome(address)
            self._accepted.append(address)
            return
        failure = self._session.refused(reply).failure
        if reply.code == 421:  # RFC 5321 section 3.8: the server closes the connection
            raise MailError(failure)
        self._outcomes[address] = RecipientOutcome(address, failure.reply, failure)

    def _take_data(self, reply: Reply) -> None:
        if reply.code != 354:
            raise self._session.refused(reply)

    def _go_ahead(self, peek: Peek) -> tuple[bytes, ...]:
        """Return the envelope of the mail that is to follow, for the group of the final dot.

        RFC 2920 section 3.1 lets a message be the first of a group. A mail that cannot be asked
        for as it is waits for its turn, and so does every one while a recipient of this mail is
        not accepted, who may be asked for again at once.
        """
        session = self._session
        upcoming = peek() if len(self._accepted) == len(self._outcomes) else None
        if upcoming is None:
            return ()
        envelope, size = upcoming
        if envelope.smtputf8 and "smtputf8" not in session.capabilities.extensions:
            return ()
        try:
            mail, rcpts = Transaction(session).commands(envelope, size)
        except MailError:
            return ()
        if len(rcpts) < len(envelope.recipients):
            return ()
        session.ahead = Ahead(upcoming, mail, rcpts)
        return mail, *rcpts.values(), b"DATA"

    async def _upload(
        self, data: Payload, before_dot: BeforeDot | None, peek: Peek | None
    ) -> Reply:
        session = self._session
        session.has_begun_message = True
        deadlines = session.settings.deadlines
        reply = await session.connection.upload(
            data,
            before_dot=before_dot,
            then=partial(self._go_ahead, peek) if peek and session.takes_ahead else None,
            stall=deadlines.stall,
            final_reply=deadlines.final_reply,
        )
        if not reply.is_positive:
            raise session.refused(reply)
        if not session.connection.dot_sent:
            raise MailError(
                Failure(FailureKind.PROTOCOL_ERROR, Stage.DATA, Permanence.TEMPORARY, reply)
            )
        return reply


async def _has_ascii_head(data: Payload) -> bool:
    """Tell whether the header of a message does without RFC 6532. Raises OSError."""
    if isinstance(data, FilePayload):
        loop = asyncio.get_running_loop()
        data = await loop.run_in_executor(None, next, data.pieces(), b"")
    return data.partition(b"\r\n\r\n")[0].isascii()

"""One mail transaction within a session: MAIL, RCPT, DATA (RFC 5321 section 3.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import re
from typing import Protocol

from ..envelope import Delivery, Envelope, RecipientOutcome
from ..failure import Failure, FailureKind, MailError, Permanence, Stage
from ..payload import Payload
from ..reply import Reply
from ..settings import ServerSettings
from .connection import Connection
from .protocol import Capabilities, check_size, mail_command, rcpt_command

type BeforeDot = Callable[[], Awaitable[None]]
"""What has to be done before a mail may have been accepted."""

FLIGHT_PATIENCE = 20.0
"""Seconds for each further reply once the first one of a flight is there."""

_SYNC_ERROR = re.compile(r"synchroni[sz]|pipelin|bad sequence|out of sequence", re.IGNORECASE)


class Conversation(Protocol):
    """What a transaction needs of its session.

    pipelines: whether several commands may be sent at once (RFC 2920).
    """

    settings: ServerSettings
    capabilities: Capabilities
    pipelines: bool
    pipelining_is_broken: bool

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
        """Ask for a sender and take it back."""
        session = self._session
        session.enter(Stage.SENDER)
        command = mail_command(sender, session.capabilities, smtputf8=not sender.isascii())
        for asked in (command, b"RSET"):
            reply = await session.connection.command(asked)
            if not reply.is_positive:
                raise session.refused(reply)

    async def run(
        self, envelope: Envelope, data: Payload, before_dot: BeforeDot | None
    ) -> Delivery:
        """Deliver; what has been decided by the time of a MailError is in outcome()."""
        session = self._session
        session.connection.dot_sent = False
        session.enter(Stage.SENDER)
        mail, rcpts = self._commands(envelope, len(data))
        async with asyncio.timeout(session.settings.deadlines.transaction):
            ask = self._ask_at_once if session.pipelines else self._ask_in_turn
            await ask(mail, rcpts)
        reply = None
        if self._accepted:
            reply = await self._upload(data, before_dot)
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

    def _commands(self, envelope: Envelope, size: int) -> tuple[bytes, dict[str, bytes]]:
        """Return MAIL, and each recipient's RCPT; one that can have none is refused right here."""
        offered = self._session.capabilities
        check_size(size, offered)
        mail = mail_command(
            envelope.sender,
            offered,
            size=size,
            smtputf8=envelope.smtputf8,
            recipients=envelope.recipients,
        )
        rcpts: dict[str, bytes] = {}
        for address in envelope.recipients:
            try:
                rcpts[address] = rcpt_command(address)
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
        session.connection.send(mail, *rcpts.values(), b"DATA")
        self._take_mail(await session.connection.reply())
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

    async def _next_of_flight(self) -> Reply:
        """Return the next reply of a flight; a server that owes it breaks pipelining."""
        try:
            async with asyncio.timeout(FLIGHT_PATIENCE):
                reply = await self._session.connection.reply()
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

    async def _upload(self, data: Payload, before_dot: BeforeDot | None) -> Reply:
        session = self._session
        deadlines = session.settings.deadlines
        reply = await session.connection.upload(
            data,
            before_dot=before_dot,
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

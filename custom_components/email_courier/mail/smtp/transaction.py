"""One mail transaction within a session: MAIL, RCPT, DATA (RFC 5321 section 3.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
import re
from typing import Protocol

from ..envelope import Delivery, Envelope, RecipientOutcome
from ..failure import Failure, FailureKind, MailError, Permanence, Stage
from ..payload import Payload
from ..reply import Reply
from ..settings import ServerSettings
from .connection import Wire
from .errors import Progress
from .protocol import Capabilities, Upload, check_size, mail_command, rcpt_command

type BeforeDot = Callable[[], Awaitable[None]]
"""What has to be done before a mail may have been accepted."""

FLIGHT_PATIENCE = 20.0
"""Seconds for each further reply once the first one of a flight is there."""

_SYNC_ERROR = re.compile(r"synchroni[sz]|pipelin|bad sequence|out of sequence", re.IGNORECASE)


class Conversation(Protocol):
    """What a transaction needs of its session."""

    settings: ServerSettings
    capabilities: Capabilities
    progress: Progress
    pipelining_is_broken: bool

    @property
    def wire(self) -> Wire:
        """The connection."""

    def enter(self, stage: Stage) -> None:
        """Note the stage that begins."""

    @property
    def pipelines(self) -> bool:
        """Whether several commands may be sent at once."""

    def refused(self, reply: Reply) -> MailError:
        """Make the error for a refusing reply."""


class Transaction:
    """Carries one envelope through a session and remembers what became of each recipient."""

    def __init__(self, session: Conversation) -> None:
        """Belong to a session that is open."""
        self._session = session
        self._outcomes: dict[str, RecipientOutcome] = {}

    async def check_sender(self, sender: str) -> None:
        """Ask for a sender and take it back."""
        session = self._session
        session.enter(Stage.SENDER)
        command = mail_command(sender, session.capabilities, smtputf8=not sender.isascii())
        self._take_mail(await session.wire.command(command))
        reply = await session.wire.command(b"RSET")
        if not reply.is_positive:
            raise session.refused(reply)

    async def run(
        self,
        envelope: Envelope,
        data: Payload,
        before_dot: BeforeDot | None,
    ) -> Delivery:
        """Deliver; what has been decided by the time of a MailError is in outcome()."""
        session = self._session
        session.progress.dot_sent = False
        session.enter(Stage.SENDER)
        size = len(data)
        check_size(size, session.capabilities)
        mail = mail_command(
            envelope.sender,
            session.capabilities,
            size=size,
            smtputf8=envelope.smtputf8,
            recipients=envelope.recipients,
        )
        async with asyncio.timeout(session.settings.deadlines.transaction):
            ask = self._ask_at_once if session.pipelines else self._ask_in_turn
            accepted = await ask(mail, self._rcpt_commands(envelope.recipients))
        if not accepted:
            return self._delivery(envelope, None)
        reply = await self._body(data, before_dot)
        for address in accepted:
            self._outcomes[address] = RecipientOutcome(address, reply)
        session.enter(Stage.ACCEPTED)
        return self._delivery(envelope, reply)

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

    async def _ask_in_turn(self, mail: bytes, rcpts: Mapping[str, bytes]) -> list[str]:
        """MAIL, each RCPT and DATA, one after the other; return who is accepted."""
        session = self._session
        self._take_mail(await session.wire.command(mail))
        session.enter(Stage.RECIPIENT)
        for address, rcpt in rcpts.items():
            self._take_recipient(address, await session.wire.command(rcpt))
        accepted = self._accepted()
        if not accepted:
            await session.wire.command(b"RSET")
            return accepted
        session.enter(Stage.DATA)
        self._take_data(await session.wire.command(b"DATA"))
        return accepted

    async def _ask_at_once(self, mail: bytes, rcpts: Mapping[str, bytes]) -> list[str]:
        """MAIL, all RCPT and DATA in one flight (RFC 2920 section 3.1), each with its reply."""
        session = self._session
        session.wire.send_ahead([mail, *rcpts.values(), b"DATA"])
        self._take_mail(await session.wire.read_ahead())
        session.enter(Stage.RECIPIENT)
        for address in rcpts:
            self._take_recipient(address, await self._next_ahead())
        session.enter(Stage.DATA)
        reply = await self._next_ahead()
        accepted = self._accepted()
        if accepted:
            self._take_data(reply)
            return accepted
        if reply.code == 354:  # RFC 2920 section 3.1: end the empty message
            await session.wire.command(b".")
        await session.wire.command(b"RSET")
        return accepted

    async def _next_ahead(self) -> Reply:
        """Return the next reply of a flight; a server that owes it breaks pipelining."""
        try:
            reply = await self._session.wire.read_ahead(FLIGHT_PATIENCE)
        except Exception:
            self._session.pipelining_is_broken = True
            raise
        if reply.code in (500, 503, 554) and _SYNC_ERROR.search(reply.text):
            self._session.pipelining_is_broken = True
        return reply

    def _rcpt_commands(self, recipients: Iterable[str]) -> dict[str, bytes]:
        """Return each recipient's RCPT; one that can have none is refused right here."""
        commands: dict[str, bytes] = {}
        for address in recipients:
            try:
                commands[address] = rcpt_command(address)
            except MailError as error:
                self._outcomes[address] = RecipientOutcome(address, None, error.failure)
        return commands

    def _take_mail(self, reply: Reply) -> None:
        if not reply.is_positive:
            raise self._session.refused(reply)

    def _take_recipient(self, address: str, reply: Reply) -> None:
        if reply.is_positive:
            self._outcomes[address] = RecipientOutcome(address)
            return
        failure = self._session.refused(reply).failure
        if reply.code == 421:  # RFC 5321 section 3.8: the server closes the connection
            raise MailError(failure)
        self._outcomes[address] = RecipientOutcome(address, failure.reply, failure)

    def _take_data(self, reply: Reply) -> None:
        if reply.code != 354:
            raise self._session.refused(reply)

    def _accepted(self) -> list[str]:
        return [o.address for o in self._outcomes.values() if o.accepted]

    async def _body(self, data: Payload, before_dot: BeforeDot | None) -> Reply:
        session = self._session

        async def commit() -> None:
            if before_dot is not None:
                await before_dot()
            session.progress.dot_sent = True

        deadlines = session.settings.deadlines
        reply = await session.wire.upload(
            Upload(data),
            before_dot=commit,
            stall=deadlines.stall,
            final_reply=deadlines.final_reply,
        )
        if not reply.is_positive:
            raise session.refused(reply)
        if not session.progress.dot_sent:
            raise MailError(
                Failure(FailureKind.PROTOCOL_ERROR, Stage.DATA, Permanence.TEMPORARY, reply)
            )
        return reply

    def _delivery(self, envelope: Envelope, reply: Reply | None) -> Delivery:
        return Delivery(tuple(self._outcomes[a] for a in envelope.recipients), reply)

"""One mail transaction within a session: MAIL, RCPT, DATA (RFC 5321 section 3.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
import re
from typing import Protocol

from .capabilities import Capabilities
from .envelope import Delivery, Envelope, RecipientOutcome
from .failure import Failure, FailureKind, MailError, Permanence, Stage
from .reply import Reply, clean_text
from .settings import ServerSettings
from .wire import Wire

CHUNK = 65_536
"""Octets handed to the network at a time."""

_DOT = re.compile(rb"^\.", re.MULTILINE)
_DOT_WITHIN = re.compile(rb"(?<=\n)\.")
_PATH = re.compile(
    r"""(?:"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"|[^\s<>()\[\],;:\\"@\x00-\x1f\x7f]+)"""
    r"""@(?:[^\s<>()\[\],;:\\"@\x00-\x1f\x7f]+|\[[0-9A-Za-z.:]+\])"""
)


class Conversation(Protocol):
    """What a transaction needs of its session."""

    settings: ServerSettings
    capabilities: Capabilities

    @property
    def wire(self) -> Wire:
        """The connection."""

    def enter(self, stage: Stage) -> None:
        """Note the stage that begins."""

    def note_dot(self, *, sent: bool) -> None:
        """Note whether the outcome is uncertain."""

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
        self._session.enter(Stage.SENDER)
        await self._mail(sender, size=None, smtputf8=not sender.isascii())
        reply = await self._session.wire.command(b"RSET")
        if not reply.is_positive:
            raise self._session.refused(reply)

    async def run(
        self,
        envelope: Envelope,
        data: bytes,
        before_dot: Callable[[], Awaitable[None]] | None,
    ) -> Delivery:
        """Deliver; what has been decided by the time of a MailError is in outcome()."""
        session = self._session
        session.note_dot(sent=False)
        session.enter(Stage.SENDER)
        self._check_size(len(data))
        async with asyncio.timeout(session.settings.deadlines.transaction):
            await self._mail(envelope.sender, size=len(data), smtputf8=envelope.smtputf8)
            session.enter(Stage.RECIPIENT)
            for address in envelope.recipients:
                await self._recipient(address)
            accepted = [o.address for o in self._outcomes.values() if o.accepted]
            if not accepted:
                await session.wire.command(b"RSET")
                return self._delivery(envelope, None)
            session.enter(Stage.DATA)
            reply = await session.wire.command(b"DATA")
            if reply.code != 354:
                raise session.refused(reply)
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

    async def _mail(self, sender: str, *, size: int | None, smtputf8: bool) -> None:
        session = self._session
        parts = [b"MAIL", b"FROM:" + _path(sender, FailureKind.INVALID_SENDER, Stage.SENDER)]
        if size is not None and session.capabilities.has("size"):
            parts.append(b"SIZE=%d" % size)
        if smtputf8:
            if not session.capabilities.has("smtputf8"):
                raise MailError(_no_smtputf8(sender))
            parts.append(b"SMTPUTF8")
            if session.capabilities.has("8bitmime"):
                parts.append(b"BODY=8BITMIME")
        reply = await session.wire.command(*parts)
        if not reply.is_positive:
            raise session.refused(reply)

    async def _recipient(self, address: str) -> None:
        session = self._session
        try:
            path = _path(address, FailureKind.INVALID_RECIPIENT, Stage.RECIPIENT)
        except MailError as error:
            self._outcomes[address] = RecipientOutcome(address, None, error.failure)
            return
        reply = await session.wire.command(b"RCPT", b"TO:" + path)
        if reply.is_positive:
            self._outcomes[address] = RecipientOutcome(address, reply)
            return
        failure = session.refused(reply).failure
        if reply.code == 421:  # RFC 5321 section 3.8: the server closes the connection
            raise MailError(failure)
        self._outcomes[address] = RecipientOutcome(address, failure.reply, failure)

    async def _body(self, data: bytes, before_dot: Callable[[], Awaitable[None]] | None) -> Reply:
        session = self._session
        dot_sent = False

        async def commit() -> None:
            nonlocal dot_sent
            if before_dot is not None:
                await before_dot()
            dot_sent = True
            session.note_dot(sent=True)

        deadlines = session.settings.deadlines
        reply = await session.wire.upload(
            stuffed(data),
            before_dot=commit,
            stall=deadlines.stall,
            final_reply=deadlines.final_reply,
        )
        session.note_dot(sent=False)
        if not reply.is_positive:
            error = session.refused(reply)
        elif not dot_sent:
            error = MailError(
                Failure(FailureKind.PROTOCOL_ERROR, Stage.DATA, Permanence.TEMPORARY, reply)
            )
        else:
            return reply
        raise error

    def _check_size(self, size: int) -> None:
        limit = self._session.capabilities.size_limit
        if limit is not None and size > limit:
            facts = {"size": str(size), "limit": str(limit)}
            raise MailError(
                Failure(
                    FailureKind.MESSAGE_TOO_LARGE,
                    Stage.SENDER,
                    Permanence.PERMANENT,
                    detail=f"{size} bytes, and the server takes {limit}",
                    facts=facts,
                )
            )

    def _delivery(self, envelope: Envelope, reply: Reply | None) -> Delivery:
        return Delivery(tuple(self._outcomes[a] for a in envelope.recipients), reply)


def stuffed(data: bytes) -> Iterator[bytes]:
    """Cut a message into chunks with every leading dot doubled (RFC 5321 section 4.5.2).

    The message ends with a line end in any case; the final dot is not part of it.
    """
    view = memoryview(data)
    start = 0
    dot = _DOT
    while start < len(data):
        end = start + CHUNK
        if end < len(data) and (line_end := data.rfind(b"\n", start, end)) >= 0:
            end = line_end + 1
        yield dot.sub(b"..", view[start:end])
        dot = _DOT if data[end - 1 : end] == b"\n" else _DOT_WITHIN
        start = end
    if not data.endswith(b"\r\n"):
        yield b"\r\n"


def _path(address: str, kind: FailureKind, stage: Stage) -> bytes:
    """Write an address as a path (RFC 5321 section 4.1.2), which must end where it says."""
    if _PATH.fullmatch(address) is None:
        raise MailError(
            Failure(
                kind,
                stage,
                Permanence.PERMANENT,
                detail="not an address",
                facts={"address": clean_text(address)},
            )
        )
    return b"<%b>" % address.encode()


def _no_smtputf8(address: str) -> Failure:
    return Failure(
        FailureKind.INVALID_RECIPIENT if address.isascii() else FailureKind.INVALID_SENDER,
        Stage.SENDER,
        Permanence.PERMANENT,
        detail="the server does not take addresses with letters outside ASCII",
        facts={"address": address},
    )

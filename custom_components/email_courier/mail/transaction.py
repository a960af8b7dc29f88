"""One mail transaction within a session: MAIL, RCPT, DATA (RFC 5321 section 3.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
import re
from typing import Protocol, Self

from .capabilities import Capabilities
from .envelope import Delivery, Envelope, RecipientOutcome
from .failure import Failure, FailureKind, MailError, Permanence, Stage
from .payload import FilePayload, Payload, pieces_of
from .reply import Reply, clean_text
from .settings import ServerSettings
from .wire import Wire

FLIGHT_PATIENCE = 20.0
"""Seconds for each further reply once the first one of a flight is there."""

_SYNC_ERROR = re.compile(r"synchroni[sz]|pipelin|bad sequence|out of sequence", re.IGNORECASE)
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

    @property
    def pipelines(self) -> bool:
        """Whether several commands may be sent at once."""

    def note_broken_pipelining(self) -> None:
        """Note that the server offers pipelining and cannot do it."""

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
        command = self._mail_command(sender, None, smtputf8=not sender.isascii())
        self._take_mail(await self._session.wire.command(command))
        reply = await self._session.wire.command(b"RSET")
        if not reply.is_positive:
            raise self._session.refused(reply)

    async def run(
        self,
        envelope: Envelope,
        data: Payload,
        before_dot: Callable[[], Awaitable[None]] | None,
    ) -> Delivery:
        """Deliver; what has been decided by the time of a MailError is in outcome()."""
        session = self._session
        session.note_dot(sent=False)
        session.enter(Stage.SENDER)
        self._check_size(len(data))
        mail = self._mail_command(envelope.sender, len(data), smtputf8=envelope.smtputf8)
        async with asyncio.timeout(session.settings.deadlines.transaction):
            paths = self._paths(envelope.recipients)
            if session.pipelines:
                accepted = await self._ask_at_once(mail, paths)
            else:
                accepted = await self._ask_in_turn(mail, paths)
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

    async def _ask_in_turn(self, mail: bytes, paths: Mapping[str, bytes]) -> list[str]:
        """MAIL, each RCPT and DATA, one after the other; return who is accepted."""
        session = self._session
        self._take_mail(await session.wire.command(mail))
        session.enter(Stage.RECIPIENT)
        for address, path in paths.items():
            self._take_recipient(address, await session.wire.command(b"RCPT TO:" + path))
        accepted = self._accepted()
        if not accepted:
            await session.wire.command(b"RSET")
            return accepted
        session.enter(Stage.DATA)
        self._take_data(await session.wire.command(b"DATA"))
        return accepted

    async def _ask_at_once(self, mail: bytes, paths: Mapping[str, bytes]) -> list[str]:
        """MAIL, all RCPT and DATA in one flight (RFC 2920 section 3.1), each with its reply."""
        session = self._session
        commands = [mail, *(b"RCPT TO:" + path for path in paths.values()), b"DATA"]
        session.wire.send_ahead(commands)
        self._take_mail(await session.wire.read_ahead())
        session.enter(Stage.RECIPIENT)
        for address in paths:
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
            async with asyncio.timeout(FLIGHT_PATIENCE):
                reply = await self._session.wire.read_ahead()
        except Exception:
            self._session.note_broken_pipelining()
            raise
        if reply.code in (500, 503, 554) and _SYNC_ERROR.search(reply.text):
            self._session.note_broken_pipelining()
        return reply

    def _mail_command(self, sender: str, size: int | None, *, smtputf8: bool) -> bytes:
        offered = self._session.capabilities
        parts = [b"MAIL FROM:" + _path(sender, FailureKind.INVALID_SENDER, Stage.SENDER)]
        if size is not None and offered.has("size"):
            parts.append(b"SIZE=%d" % size)
        if smtputf8:
            if not offered.has("smtputf8"):
                raise MailError(_no_smtputf8(sender))
            parts.append(b"SMTPUTF8")
            if offered.has("8bitmime"):
                parts.append(b"BODY=8BITMIME")
        return b" ".join(parts)

    def _paths(self, recipients: Iterable[str]) -> dict[str, bytes]:
        """Return each recipient's path; one that can have none is refused right here."""
        paths: dict[str, bytes] = {}
        for address in recipients:
            try:
                paths[address] = _path(address, FailureKind.INVALID_RECIPIENT, Stage.RECIPIENT)
            except MailError as error:
                self._outcomes[address] = RecipientOutcome(address, None, error.failure)
        return paths

    def _take_mail(self, reply: Reply) -> None:
        if not reply.is_positive:
            raise self._session.refused(reply)

    def _take_recipient(self, address: str, reply: Reply) -> None:
        if reply.is_positive:
            self._outcomes[address] = RecipientOutcome(address, reply)
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

    async def _body(self, data: Payload, before_dot: Callable[[], Awaitable[None]] | None) -> Reply:
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
            Upload(data),
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


class Upload:
    """A message in pieces as they go over the wire; a file is read and stuffed off the loop."""

    def __init__(self, data: Payload) -> None:
        """Begin at its beginning."""
        self._pieces = stuffed(pieces_of(data))
        self._blocks = isinstance(data, FilePayload)

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece. Raises OSError."""
        if self._blocks:
            loop = asyncio.get_running_loop()
            piece = await loop.run_in_executor(None, next, self._pieces, None)
        else:
            piece = next(self._pieces, None)
        if piece is None:
            raise StopAsyncIteration
        return piece


def stuffed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Double every leading dot (RFC 5321 section 4.5.2).

    The message ends with a line end in any case; the final dot is not part of it.
    """
    end = b"\n"
    for piece in pieces:
        doubled = piece.replace(b"\n.", b"\n..")
        yield b"." + doubled if end.endswith(b"\n") and piece.startswith(b".") else doubled
        end = (end + piece)[-2:]
    if end != b"\r\n":
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

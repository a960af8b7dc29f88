"""Proving settings: the whole way to MAIL FROM, and a better name for what stops it."""

from __future__ import annotations

import asyncio
from copy import replace
import ssl

from ..failure import Failure, FailureKind, MailError, Permanence, Stage
from ..settings import SUBMISSION_PORT, SUBMISSIONS_PORT, Encryption, ServerSettings
from ..smtp.session import Proof, Session, StageObserver, proof_of, redactor_for
from .probe import Heard, Speaker, listen

_SILENCE = 1.5
"""Seconds of silence after which someone else is asked who speaks at the port."""


async def prove(
    settings: ServerSettings,
    context: ssl.SSLContext,
    sender: str,
    *,
    observer: StageObserver | None = None,
    speaks_smtp: bool = False,
) -> Proof:
    """Go through a whole handshake: resolve to login, MAIL FROM and RCPT TO of the sender, RSET.

    speaks_smtp: the port is known to speak SMTP in plain, so nobody else is asked about it.
    Raises MailError with the cause, which may have been found by a second connection.
    """
    session = Session(settings, context, observer=observer)
    try:
        await _open(session, sender=sender, may_ask=not speaks_smtp)
        return proof_of(session)
    finally:
        session.quit()


async def _open(
    session: Session, *, sender: str | None, may_ask: bool = True, log_in: bool = True
) -> None:
    """Open a session; while it waits for a greeting, find out who speaks at the port."""
    handshake = asyncio.create_task(session.open(log_in=log_in, sender=sender))
    handshake.add_done_callback(_retrieve_error)
    asked = False
    speaker: Speaker | None = None
    try:
        await asyncio.wait([handshake], timeout=_SILENCE)
        if may_ask and not handshake.done() and _is_mute(session):
            asked = True
            speaker = await _ask_who_speaks(session, handshake)
        await handshake
    except MailError as error:
        failure = error.failure
        # Asking once is enough: another answer would come too late for who waits for this one.
        if not asked:
            failure = await _explain(session.settings, failure)
        elif speaker is Speaker.TLS:
            failure = _unfinished_tls(failure)
        raise MailError(failure) from error.__cause__
    finally:
        if not handshake.done():
            handshake.cancel()
            await asyncio.wait([handshake])


async def resolve_encryption(
    settings: ServerSettings,
    context: ssl.SSLContext,
    *,
    observer: StageObserver | None = None,
) -> ServerSettings:
    """Decide AUTO: 465 and 587 by what they mean (RFC 8314), any other port by listening.

    Raises MailError when the port can't tell.
    """
    if settings.encryption is not Encryption.AUTO:
        return settings
    if settings.port == SUBMISSIONS_PORT:
        return replace(settings, encryption=Encryption.TLS)
    if settings.port == SUBMISSION_PORT:
        return replace(settings, encryption=Encryption.STARTTLS)
    return replace(settings, encryption=await encryption_at(settings, context, observer=observer))


async def encryption_at(
    settings: ServerSettings,
    context: ssl.SSLContext,
    *,
    observer: StageObserver | None = None,
) -> Encryption:
    """Find out by listening which encryption a server offers at its port; no login is made.

    Raises MailError when no mail server answers.
    """
    session = Session(
        replace(settings, encryption=Encryption.NONE, login=None),
        context,
        observer=observer,
        redactor=redactor_for(settings.login),
    )
    try:
        await _open(session, sender=None)
        offered = "starttls" in session.capabilities.extensions
    except MailError as error:
        if error.failure.kind is FailureKind.TLS_EXPECTED:
            return Encryption.TLS
        raise
    finally:
        session.quit()
    return Encryption.STARTTLS if offered else Encryption.NONE


def _is_mute(session: Session) -> bool:
    if session.stage is Stage.TLS:
        return session.settings.encryption is Encryption.TLS
    return session.stage is Stage.GREETING and not session.has_heard


async def _ask_who_speaks(session: Session, handshake: asyncio.Task[None]) -> Speaker | None:
    """Listen on a second connection while the first one waits; return who speaks, if known.

    Raises MailError when the answer settles it; returns when the handshake is to be awaited.
    """
    settings = session.settings
    listening = asyncio.create_task(_listen(settings))
    listening.add_done_callback(_retrieve_error)
    try:
        await asyncio.wait([listening, handshake], return_when=asyncio.FIRST_COMPLETED)
        if handshake.done() or listening.exception() is not None:
            return None
        heard = listening.result()
    finally:
        listening.cancel()
        await asyncio.wait([listening])
    if heard.speaker is Speaker.TLS and settings.encryption is not Encryption.TLS:
        raise MailError(_failure_of(heard))
    if heard.speaker is Speaker.OTHER and _is_mute(session):
        raise MailError(_failure_of(heard))
    return heard.speaker


async def _listen(settings: ServerSettings) -> Heard:
    """Hear who speaks at the port of these settings; what is heard holds no secret of theirs."""
    return await listen(
        settings.host,
        settings.port,
        connect=settings.deadlines.connect,
        redactor=redactor_for(settings.login),
    )


async def _explain(settings: ServerSettings, failure: Failure) -> Failure:
    """Tell a port that speaks plain SMTP from one where something else speaks."""
    if failure.kind is not FailureKind.TLS_NOT_EXPECTED:
        return failure
    try:
        heard = await _listen(settings)
    except MailError:
        return failure
    if heard.speaker is Speaker.OTHER:
        return _failure_of(heard)
    if not heard.text:
        return failure
    return replace(failure, detail=heard.text, facts={**failure.facts, "heard": heard.text})


def _unfinished_tls(failure: Failure) -> Failure:
    """Name silence within TLS's own handshake: somebody speaks there, as another connection saw."""
    if failure.kind is FailureKind.NO_GREETING and failure.stage is Stage.TLS:
        return replace(failure, kind=FailureKind.SERVER_TOO_SLOW)
    return failure


def _failure_of(heard: Heard) -> Failure:
    kind = {
        Speaker.TLS: FailureKind.TLS_EXPECTED,
        Speaker.OTHER: FailureKind.NOT_SMTP,
        Speaker.CLOSED: FailureKind.DISCONNECTED,
    }.get(heard.speaker, FailureKind.NO_GREETING)
    facts = {"protocol": heard.protocol, "heard": heard.text}
    facts = {name: value for name, value in facts.items() if value}
    return Failure(kind, Stage.GREETING, Permanence.TEMPORARY, detail=heard.text, facts=facts)


def _retrieve_error[T](task: asyncio.Task[T]) -> None:
    """Keep asyncio from logging an error that nobody waits for any more."""
    if not task.cancelled():
        task.exception()

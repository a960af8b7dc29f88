"""Finding the settings that would work, without sending a name or a secret."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from copy import replace
from dataclasses import dataclass
import ssl
from typing import NamedTuple

from ..failure import Failure, FailureKind, MailError, Permanence, Stage
from ..hostname import host_to_ascii, is_hello_name
from ..settings import (
    SUBMISSION_PORT,
    SUBMISSIONS_PORT,
    Deadlines,
    Encryption,
    ServerSettings,
    Trust,
)
from ..smtp.session import Session, StageObserver
from ..smtp.tls import Certificate

_TRY = Deadlines(handshake=2.0, connect=2.0, greeting=2.5)
_SEARCH = _TRY.greeting + _TRY.handshake
"""Seconds that a search takes at most, and by which it begins before a wait for a greeting ends."""
_WRONG_PAIR = frozenset(
    {
        FailureKind.TLS_EXPECTED,
        FailureKind.TLS_NOT_EXPECTED,
        FailureKind.STARTTLS_NOT_OFFERED,
        FailureKind.ENCRYPTION_REQUIRED,
        FailureKind.AUTH_NEEDS_ENCRYPTION,
        FailureKind.AUTH_NOT_OFFERED,
        FailureKind.TLS_FAILED,
        FailureKind.CONNECTION_REFUSED,
        FailureKind.CONNECT_TIMEOUT,
        FailureKind.NO_GREETING,
        FailureKind.NOT_SMTP,
        FailureKind.DISCONNECTED,
        FailureKind.GREETING_REJECTED,
    }
)
_WRONG_PORT = frozenset(
    {
        FailureKind.CONNECTION_REFUSED,
        FailureKind.CONNECT_TIMEOUT,
        FailureKind.NO_GREETING,
        FailureKind.NOT_SMTP,
    }
)
"""No encryption helps at a port where nobody, or somebody else, is at home."""
_CERTIFICATE = frozenset(
    {
        FailureKind.CERTIFICATE_UNTRUSTED,
        FailureKind.CERTIFICATE_EXPIRED,
        FailureKind.CERTIFICATE_HOSTNAME_MISMATCH,
    }
)


@dataclass(frozen=True)
class Diagnosis:
    """What stopped a handshake, and what would help.

    certificate: the one that the server showed, where it is the trouble.
    remedy: settings that work as far as can be told without logging in.
    """

    failure: Failure
    certificate: Certificate | None = None
    remedy: ServerSettings | None = None


async def diagnose(
    settings: ServerSettings,
    failure: Failure,
    sender: str,
    *,
    checked: ssl.SSLContext,
    unchecked: ssl.SSLContext,
) -> Diagnosis:
    """Look closer at a failure and try, all at once, what else the server may want.

    checked: the context of the settings. unchecked: one without checks, to look at a certificate.
    Only the same server is asked, no password is sent, and nothing less secure than what was
    chosen is tried.
    """
    certificate = None
    if failure.kind in _CERTIFICATE:
        certificate = await _fetch_certificate(settings, unchecked)
        if certificate is not None:
            failure = replace(failure, facts={**certificate.facts(), **failure.facts})
    candidates = [
        _Candidate(replace(candidate, login=None, deadlines=_TRY), settings, checked, sender)
        for candidate in _candidates(settings, failure, sender)
    ]
    return Diagnosis(failure, certificate, await _first_that_works(candidates))


async def with_remedy[Result](
    attempt: Callable[[StageObserver], Awaitable[Result]],
    settings: ServerSettings,
    sender: str,
    *,
    checked: ssl.SSLContext,
    unchecked: ssl.SSLContext,
) -> Result | Diagnosis:
    """Return what comes of an attempt at settings; where it fails, look for what would help.

    attempt: called with what it is to tell of each stage. While it still waits for a greeting
    near the end of its time, the search begins, so that nobody waits for both.
    """
    stages = [Stage.RESOLVE]
    trying = asyncio.ensure_future(attempt(stages.append))
    search: asyncio.Task[Diagnosis] | None = None

    def look(failure: Failure) -> asyncio.Task[Diagnosis]:
        looking = diagnose(settings, failure, sender, checked=checked, unchecked=unchecked)
        return asyncio.create_task(looking)

    silent = Failure(FailureKind.NO_GREETING, Stage.GREETING, Permanence.TEMPORARY)
    try:
        await asyncio.wait([trying], timeout=max(settings.deadlines.greeting - _SEARCH, 0))
        if not trying.done() and stages[-1] in (Stage.GREETING, Stage.TLS):
            search = look(silent)
        try:
            return await trying
        except MailError as error:
            failure = error.failure
            if search is not None and failure.kind is silent.kind:
                return replace(await search, failure=failure)
            return await look(failure)
    finally:
        pending = [task for task in (trying, search) if task is not None and not task.done()]
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)


async def _first_that_works(candidates: list[_Candidate]) -> ServerSettings | None:
    """Try all candidates side by side; the earlier one is the better one."""
    tries = [asyncio.create_task(candidate.works()) for candidate in candidates]
    try:
        for candidate, attempt in zip(candidates, tries, strict=True):
            if await attempt:
                wanted = candidate.wanted
                return replace(candidate.settings, login=wanted.login, deadlines=wanted.deadlines)
    finally:
        for attempt in tries:
            attempt.cancel()
        if tries:
            await asyncio.wait(tries)
    return None


async def _fetch_certificate(
    settings: ServerSettings, unchecked: ssl.SSLContext
) -> Certificate | None:
    """Return the certificate that a server shows, whoever signed it."""
    session = Session(
        replace(settings, login=None, trust=Trust(verify=False), deadlines=_TRY), unchecked
    )
    try:
        await session.open(log_in=False)
    except MailError:
        return session.certificate
    finally:
        session.quit()
    return session.certificate


def _candidates(
    settings: ServerSettings, failure: Failure, sender: str
) -> Iterator[ServerSettings]:
    if failure.kind is FailureKind.HELO_REJECTED:
        for name in _hello_names(settings, sender):
            yield replace(settings, hello_name=name)
    elif failure.kind is FailureKind.CERTIFICATE_HOSTNAME_MISMATCH:
        for name in failure.facts.get("names", "").split(", "):
            if name and "*" not in name and name != settings.host:
                yield replace(settings, host=name)
    elif failure.kind in _WRONG_PAIR:
        for port, encryption in _pairs(settings):
            if port == settings.port and failure.kind in _WRONG_PORT:
                continue
            yield replace(settings, port=port, encryption=encryption)


def _pairs(settings: ServerSettings) -> Iterator[tuple[int, Encryption]]:
    tried = {(settings.port, settings.encryption)}
    for pair in (
        (settings.port, Encryption.TLS),
        (settings.port, Encryption.STARTTLS),
        (SUBMISSIONS_PORT, Encryption.TLS),
        (SUBMISSION_PORT, Encryption.STARTTLS),
    ):
        if pair not in tried:
            tried.add(pair)
            yield pair


def _hello_names(settings: ServerSettings, sender: str) -> Iterator[str]:
    domain = sender.rpartition("@")[2]
    for name in (f"homeassistant.{domain}", domain, "localhost.localdomain", "[127.0.0.1]"):
        if name != settings.hello_name and is_hello_name(name):
            yield name


class _Candidate(NamedTuple):
    """Settings to try in place of the wanted ones."""

    settings: ServerSettings
    wanted: ServerSettings
    context: ssl.SSLContext
    sender: str

    async def works(self) -> bool:
        """Go as far as the capabilities after TLS."""
        if self.settings.host != self.wanted.host and not await self._is_same_server():
            return False
        changes_name = self.settings.hello_name != self.wanted.hello_name
        session = Session(self.settings, self.context)
        try:
            await session.open(log_in=False, sender=self.sender if changes_name else None)
        except MailError as error:
            kind = error.failure.kind
            if changes_name:  # a server that wants a login first has taken the name
                return session.stage is Stage.SENDER and kind is not FailureKind.HELO_REJECTED
            return kind in _CERTIFICATE
        else:
            if changes_name or self.wanted.login is None:
                return True
            return bool(session.capabilities.mechanisms)
        finally:
            session.quit()

    async def _is_same_server(self) -> bool:
        """Whether both names lead to one address: a password must never meet a second host."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_TRY.connect):
                here, there = [
                    {info[4][0] for info in await loop.getaddrinfo(host_to_ascii(host), None)}
                    for host in (self.settings.host, self.wanted.host)
                ]
        except OSError, UnicodeError:
            return False
        return bool(here & there)

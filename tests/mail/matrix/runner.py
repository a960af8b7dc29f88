"""Answers a case the way the set-up dialog does, and follows the remedy as one click would."""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from copy import replace
from dataclasses import dataclass
import ssl
import time

from custom_components.email_courier.mail.address import parse_mailbox
from custom_components.email_courier.mail.failure import Failure, FailureKind, MailError
from custom_components.email_courier.mail.settings import (
    DIALOG_DEADLINES,
    Login,
    ServerSettings,
    Trust,
)
from custom_components.email_courier.mail.smtp.tls import without_checks
from custom_components.email_courier.mail.verify.handshake import prove, resolve_encryption
from custom_components.email_courier.mail.verify.remedy import Diagnosis, diagnose
from tests.mail.matrix.case import HOST, Case
from tests.support.certificates import Certificates
from tests.support.listener import LOOPBACK, LOOPBACK6, Listener
from tests.support.network import Network, small_internet
from tests.support.other_protocols import OtherProtocol, OtherProtocolServer
from tests.support.script import Script
from tests.support.scripted_server import ScriptedServer

LIMIT = 15.0
"""Seconds within which every answer has to be there."""

_AT_ONCE = 8
"""How many cases run side by side; nearly all of their time is spent in waiting."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a case.

    seconds: until the key and the remedy were known.
    mended: whether the remedy, taken over as it is, passes the whole handshake.
    leaked: secrets that a server saw outside TLS, which nobody had agreed to.
    auth_commands: how many logins were tried until the answer was there.
    """

    key: FailureKind | None
    words: str
    remedy: str
    seconds: float
    mended: bool
    leaked: tuple[str, ...]
    auth_commands: int
    violations: tuple[str, ...]


def answers(cases: Iterable[Case], certificates: Certificates) -> dict[Case, Answer]:
    """Run all cases, some at a time, each in an event loop of its own."""
    cases = tuple(cases)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(
            zip(cases, pool.map(lambda case: _answer(case, certificates), cases), strict=True)
        )


def _answer(case: Case, certificates: Certificates) -> Answer:
    return asyncio.run(_run(case, certificates))


async def _run(case: Case, certificates: Certificates) -> Answer:
    async with AsyncExitStack() as stack:
        network = stack.enter_context(small_internet())
        servers = {
            port: await stack.enter_async_context(_server(behaviour, certificates))
            for port, behaviour in case.servers.items()
        }
        _name(case, network, servers)
        return await _ask(case, certificates, [*servers.values()])


def _server(behaviour: Script | OtherProtocol, certificates: Certificates) -> Listener:
    if isinstance(behaviour, Script):
        return ScriptedServer(behaviour, certificates)
    return OtherProtocolServer(behaviour, certificates)


def _name(case: Case, network: Network, servers: Mapping[int, Listener]) -> None:
    for name in {HOST, *case.other_names}:
        network.add(
            name, dict(servers), filtered=case.filtered, dead_first=case.dead_ipv6, address=LOOPBACK
        )
    for name in case.strangers_names:
        network.add(name, dict(servers), address=LOOPBACK6)


async def _ask(case: Case, certificates: Certificates, servers: list[Listener]) -> Answer:
    settings = _settings(case, certificates)
    started = time.monotonic()
    diagnosis = await _diagnosis(settings, case, certificates)
    seconds = time.monotonic() - started
    auth_commands = sum(server.record.auth_commands for server in servers)
    mended = diagnosis is not None and await _mends(diagnosis, settings, case, certificates)
    for server in servers:
        await server.all_closed()
    return Answer(
        key=diagnosis.failure.kind if diagnosis else None,
        words=_words(diagnosis.failure) if diagnosis else "",
        remedy=_remedy(diagnosis, settings) if diagnosis else "",
        seconds=seconds,
        mended=mended,
        leaked=() if case.in_clear else _leaked(case, servers),
        auth_commands=auth_commands,
        violations=tuple(rule for server in servers for rule in server.record.violations),
    )


def _settings(case: Case, certificates: Certificates) -> ServerSettings:
    fingerprint = certificates.fingerprint(case.trusts) if case.trusts else None
    return ServerSettings(
        host=case.host,
        port=case.port,
        encryption=case.encryption,
        trust=Trust(verify=case.verify, fingerprint=fingerprint),
        login=Login(case.username, case.password) if case.username else None,
        hello_name=case.hello_name,
        deadlines=DIALOG_DEADLINES,
    )


def _context(trust: Trust, certificates: Certificates) -> ssl.SSLContext:
    context = certificates.client_context()
    return context if trust.checks_chain else without_checks(context)


async def _diagnosis(
    settings: ServerSettings, case: Case, certificates: Certificates
) -> Diagnosis | None:
    """Go through the handshake; None where it passes."""
    context = _context(settings.trust, certificates)
    try:
        parse_mailbox(case.sender, FailureKind.INVALID_SENDER)
        settings = await resolve_encryption(settings, context)
        await prove(settings, context, case.sender)
    except MailError as error:
        return await diagnose(
            settings,
            error.failure,
            case.sender,
            checked=context,
            unchecked=without_checks(certificates.client_context()),
        )
    return None


async def _mends(
    diagnosis: Diagnosis, settings: ServerSettings, case: Case, certificates: Certificates
) -> bool:
    mended = diagnosis.remedy
    if mended is None and _can_be_trusted(diagnosis):
        assert diagnosis.certificate is not None
        mended = replace(settings, trust=Trust(fingerprint=diagnosis.certificate.fingerprint))
    if mended is None:
        return False
    try:
        await prove(mended, _context(mended.trust, certificates), case.sender)
    except MailError:
        return False
    return True


def _can_be_trusted(diagnosis: Diagnosis) -> bool:
    """Whether the dialog offers to trust exactly the certificate that was shown."""
    untrusted = diagnosis.failure.kind is FailureKind.CERTIFICATE_UNTRUSTED
    return untrusted and diagnosis.certificate is not None


def _remedy(diagnosis: Diagnosis, typed: ServerSettings) -> str:
    """Write down what the form comes back with, as the table does."""
    found = diagnosis.remedy
    if found is None:
        return "trust" if _can_be_trusted(diagnosis) else ""
    if found.hello_name != typed.hello_name:
        return f"hello {found.hello_name}"
    if found.host != typed.host:
        return f"host {found.host}"
    return f"{found.port} {found.encryption}"


def _words(failure: Failure) -> str:
    return " ".join([failure.server_words, *failure.facts.values()])


def _leaked(case: Case, servers: Iterable[Listener]) -> tuple[str, ...]:
    secrets = [case.password, *([case.username] if case.username else [])]
    found = {leak for server in servers for leak in server.record.secrets_in_clear(secrets)}
    return tuple(sorted(found))

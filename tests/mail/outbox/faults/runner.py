"""Sends one mail into each fault, lets the server get well, and looks at what came of it."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
import tempfile

from custom_components.email_courier.mail.failure import Failure, MailError
from custom_components.email_courier.mail.outbox.events import Deferred, Delivered, Failed
from custom_components.email_courier.mail.outbox.submission import OutgoingMail
from custom_components.email_courier.mail.settings import (
    Deadlines,
    Encryption,
    Login,
    ServerSettings,
)
from custom_components.email_courier.mail.smtp.keepalive import KeepaliveSession
from tests.mail.outbox.faults.case import Case, Fate, Nobody
from tests.mail.outbox.house import MINUTE, House, mail
from tests.support.certificates import Certificates
from tests.support.listener import Listener
from tests.support.network import small_internet
from tests.support.other_protocols import OtherProtocol, OtherProtocolServer
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_LOGIN,
    PLAIN_RELAY,
    USERNAME,
    Script,
    Step,
)
from tests.support.scripted_server import ScriptedServer

HOST = "mail.example.test"
PORT = 587
DEADLINES = Deadlines(
    handshake=2.0, connect=1.0, greeting=1.0, transaction=1.5, stall=1.0, final_reply=1.5
)
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a case.

    status: of the receipt, or "raised". failures: what the caller was told, by recipient; one that
    was raised stands for all.
    at_once, in_all: how often the mail arrived before and after the server was well again.
    events: what the listener was told, in order.
    sessions, logins: at the faulty server.
    """

    status: str
    failures: dict[str, Failure]
    server_reply: str
    attempts: int
    at_once: tuple[int, ...]
    in_all: tuple[int, ...]
    events: tuple[str, ...]
    sessions: int
    logins: int
    waiting: int
    is_paused: bool
    has_changed: bool
    violations: tuple[str, ...]


def results(cases: Iterable[Case], certificates: Certificates) -> dict[Case, Result]:
    """Run all cases, some at a time, each in an event loop of its own."""
    cases = tuple(cases)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda case: asyncio.run(_run(case, certificates)), cases)
        return dict(zip(cases, found, strict=True))


async def _run(case: Case, certificates: Certificates) -> Result:
    async with AsyncExitStack() as stack:
        network = stack.enter_context(small_internet())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        healthy = await stack.enter_async_context(ScriptedServer(_healthy(case), certificates))
        faulty = None
        if not isinstance(case.before, Nobody):
            faulty = await stack.enter_async_context(_server(case.before, certificates))
        session = KeepaliveSession(_settings(case), certificates.client_context())
        house = House(Path(folder) / "account", deliver=session.deliver)
        await house.courier.start()

        if case.before is not Nobody.NO_NAME:
            filtered = frozenset({PORT} if case.before is Nobody.FILTERED else ())
            network.add(HOST, {} if faulty is None else {PORT: faulty}, filtered=filtered)
        sent = mail(*case.recipients, text="line\r\n" * (case.size // 6))
        told = await _submit(house, sent)
        await house.quiet()
        before = _arrivals(faulty, case)
        sessions = 0 if faulty is None else faulty.record.connections
        is_paused = house.courier.paused is not None

        session.close()
        network.add(HOST, {PORT: healthy})
        await house.turn(10 * MINUTE)
        await house.courier.stop()
        session.close()
        servers = [server for server in (faulty, healthy) if server is not None]
        contents = {m.content for server in servers for m in server.record.mails}
        after = _arrivals(healthy, case)
        return Result(
            *told,
            at_once=before,
            in_all=tuple(map(sum, zip(before, after, strict=True))),
            events=tuple(
                event.outcome
                for event in house.events
                if isinstance(event, Delivered | Deferred | Failed)
            ),
            sessions=sessions,
            logins=0 if faulty is None else faulty.record.auth_commands,
            waiting=house.courier.state.waiting,
            is_paused=is_paused,
            has_changed=bool(contents - {sent.data}),
            violations=tuple(rule for server in servers for rule in server.record.violations),
        )


async def _submit(house: House, sent: OutgoingMail) -> tuple[str, dict[str, Failure], str, int]:
    try:
        receipt = await house.courier.submit(sent)
    except MailError as error:
        failures = dict.fromkeys(sent.envelope.recipients, error.failure)
        return "raised", failures, error.failure.server_words, 1
    outcomes = (*receipt.refused, *receipt.owed)
    failures = {o.address: o.failure for o in outcomes if o.failure is not None}
    return receipt.status.value, failures, receipt.server_reply, receipt.attempts


def _arrivals(server: Listener | None, case: Case) -> tuple[int, ...]:
    mails = [] if server is None else server.record.mails
    return tuple(sum(address in mail.recipients for mail in mails) for address in case.recipients)


def _server(behaviour: Script | OtherProtocol, certificates: Certificates) -> Listener:
    if isinstance(behaviour, Script):
        return ScriptedServer(behaviour, certificates)
    return OtherProtocolServer(behaviour, certificates)


def _healthy(case: Case) -> Script:
    if case.encryption is Encryption.NONE:
        return PLAIN_LOGIN if case.has_login else PLAIN_RELAY
    return HEALTHY if case.encryption is Encryption.STARTTLS else HEALTHY_TLS


def _settings(case: Case) -> ServerSettings:
    return ServerSettings(
        host=HOST,
        port=PORT,
        encryption=case.encryption,
        login=Login(USERNAME, PASSWORD) if case.has_login else None,
        deadlines=DEADLINES,
    )


def complaints(case: Case, result: Result) -> list[str]:
    """Say what is not as it has to be."""
    first = next((f for a in case.recipients if (f := result.failures.get(a))), None)
    held = {
        f"should be called {case.kind}": (first.kind if first else None) == case.kind,
        "does not quote the server": case.words
        in " ".join(f.server_words for f in result.failures.values()),
        f"should answer {_status(case)}": result.status == _status(case),
        f"should arrive {_counts(case)} times": result.in_all == _counts(case),
        f"should tell {_events(case)}": set(result.events) == _events(case),
        "took more than one attempt to tell": result.attempts == 1,
        f"took {result.sessions} sessions": result.sessions <= _sessions(case),
        f"logged in {result.logins} times": result.logins <= _sessions(case),
        "is still waiting": result.waiting == 0,
        "should pause the account" if case.pauses else "should not pause the account": (
            result.is_paused is case.pauses
        ),
        "was changed on its way": not result.has_changed,
        f"bad SMTP: {result.violations}": not result.violations,
    }
    return [complaint for complaint, fine in held.items() if not fine]


def _sessions(case: Case) -> int:
    """Return how many sessions an attempt may take.

    A second one where the server breaks off at commands that were sent together: it may not be up
    to that.
    """
    return 2 if case.step in (Step.RCPT, Step.DATA) and not case.words else 1


def _status(case: Case) -> str:
    fates = set(case.fates)
    if fates == {Fate.SENT}:
        return "sent"
    if fates <= {Fate.LATER, Fate.TWICE}:
        return "queued"
    return "raised" if fates == {Fate.REFUSED} else "partial"


def _counts(case: Case) -> tuple[int, ...]:
    times = {Fate.SENT: 1, Fate.LATER: 1, Fate.TWICE: 2, Fate.REFUSED: 0}
    return tuple(times[fate] for fate in case.fates)


def _events(case: Case) -> set[str]:
    told: set[str] = set()
    for fate in case.fates:
        told |= {
            Fate.SENT: {"delivered"},
            Fate.LATER: {"deferred", "delivered"},
            Fate.TWICE: {"deferred", "delivered"},
            Fate.REFUSED: {"failed"},
        }[fate]
    return told

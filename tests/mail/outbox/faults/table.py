"""The table of faults: each step of a delivery with each fault, then what else can be wrong."""

from collections.abc import Iterator
from typing import Any

from custom_components.email_courier.mail.failure import LOGIN_REFUSED, FailureKind as Kind
from custom_components.email_courier.mail.settings import Encryption
from tests.mail.outbox.faults.case import Behaviour, Case, Fate, Nobody
from tests.support.certificates import ServerTls
from tests.support.other_protocols import HTTP, IMAP
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PLAIN_RELAY,
    After,
    Answer,
    Script,
    Step,
    Tls,
    Upload,
    drip,
    hang_up,
    reset,
    say,
    stall,
)

LATER, REFUSED, SENT, TWICE = Fate.LATER, Fate.REFUSED, Fate.SENT, Fate.TWICE

_SILENT = stall()
_DRIPPING = drip(0.3)
_HANGS_UP = hang_up()
_RESETS = reset()

_TEMPORARY = {
    Step.GREETING: ("421 4.7.0 Too many connections from your host", Kind.SERVER_BUSY),
    Step.EHLO: ("450 4.3.2 Please try again later", Kind.SERVER_BUSY),
    Step.STARTTLS: ("454 4.7.0 TLS not available due to local problem", Kind.STARTTLS_NOT_OFFERED),
    Step.EHLO_TLS: ("450 4.3.2 Please try again later", Kind.SERVER_BUSY),
    Step.AUTH_VERDICT: ("454 4.7.0 Temporary authentication failure", Kind.SERVER_BUSY),
    Step.MAIL: ("452 4.3.1 Insufficient system storage", Kind.DEFERRED),
    Step.RCPT: ("450 4.2.0 Greylisted, see postgrey", Kind.DEFERRED),
    Step.DATA: ("451 4.3.0 Queue file write error", Kind.DEFERRED),
    Step.DOT: ("451 4.7.1 Greylisting in action", Kind.DEFERRED),
}
_PERMANENT = {
    Step.GREETING: (
        "554 5.7.1 Service unavailable; Client host blocked using a list",
        Kind.GREETING_REJECTED,
    ),
    Step.EHLO: (
        "504 5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname",
        Kind.HELO_REJECTED,
    ),
    Step.STARTTLS: ("502 5.5.1 Error: command not implemented", Kind.STARTTLS_NOT_OFFERED),
    Step.EHLO_TLS: ("504 5.5.2 Helo command rejected", Kind.HELO_REJECTED),
    Step.AUTH_VERDICT: ("535 5.7.8 Username and Password not accepted", Kind.INVALID_AUTH),
    Step.MAIL: ("553 5.7.1 Sender address rejected: not owned by user", Kind.SENDER_REJECTED),
    Step.RCPT: ("550 5.1.1 User unknown in local recipient table", Kind.RECIPIENT_REJECTED),
    Step.DATA: ("554 5.7.1 Rejected by policy", Kind.MESSAGE_REJECTED),
    Step.DOT: (
        "554 Message rejected: Email address is not verified",
        Kind.MESSAGE_REJECTED,
    ),
}
_SLOW = {Step.GREETING: Kind.NO_GREETING}
"""What silence is called where it is not SERVER_TOO_SLOW."""
_CLOSED = {Step.STARTTLS: Kind.TLS_FAILED, Step.TLS: Kind.TLS_FAILED}
"""What hanging up is called where it is not DISCONNECTED."""


def _faulty(step: Step, answer: Answer | tuple[Answer, ...]) -> Script:
    answers: dict[Step, Answer | tuple[Answer, ...]] = {step: answer}
    if step in (Step.EHLO, Step.EHLO_TLS):
        answers[Step.HELO] = answer
    return HEALTHY.but(answers=answers)


def _network_faults(step: Step, fate: Fate, recipients: int) -> Iterator[Case]:
    fates = (fate,) * recipients
    slow = _SLOW.get(step, Kind.SERVER_TOO_SLOW)
    closed = _CLOSED.get(step, Kind.DISCONNECTED)
    yield Case(step, "silent", fates, slow, _faulty(step, _SILENT))
    yield Case(step, "dripping", fates, Kind.SERVER_TOO_SLOW, _faulty(step, _DRIPPING))
    yield Case(step, "hangs up", fates, closed, _faulty(step, _HANGS_UP))
    yield Case(step, "resets", fates, closed, _faulty(step, _RESETS))


def _refusals(step: Step, recipients: int) -> Iterator[Case]:
    words, kind = _TEMPORARY[step]
    yield Case(step, "4xx", (LATER,) * recipients, kind, _faulty(step, say(words)), words=words)
    words, kind = _PERMANENT[step]
    yield Case(
        step,
        "5xx",
        (REFUSED,) * recipients,
        kind,
        _faulty(step, say(words)),
        words=words,
        pauses=kind in LOGIN_REFUSED,
    )


def _steps(recipients: int) -> Iterator[Case]:
    for step in (Step.GREETING, Step.EHLO, Step.STARTTLS, Step.TLS, Step.EHLO_TLS):
        yield from _network_faults(step, LATER, recipients)
        if step is not Step.TLS:
            yield from _refusals(step, recipients)
    for step in (Step.AUTH_VERDICT, Step.MAIL, Step.RCPT, Step.DATA):
        yield from _network_faults(step, LATER, recipients)
        yield from _refusals(step, recipients)
    yield from _network_faults(Step.DOT, TWICE, recipients)
    yield from _refusals(Step.DOT, recipients)


def _connecting(recipients: int) -> Iterator[Case]:
    fates = (LATER,) * recipients
    yield Case("resolve", "no such name", fates, Kind.HOST_NOT_FOUND, Nobody.NO_NAME)
    yield Case("connect", "refused", fates, Kind.CONNECTION_REFUSED, Nobody.REFUSING)
    yield Case("connect", "no answer", fates, Kind.CONNECT_TIMEOUT, Nobody.FILTERED)


def _uploads(recipients: int) -> Iterator[Case]:
    fates = (LATER,) * recipients
    for name, then, kind in (
        ("silent", After.STALL, Kind.SERVER_TOO_SLOW),
        ("hangs up", After.HANG_UP, Kind.DISCONNECTED),
        ("resets", After.RESET, Kind.DISCONNECTED),
    ):
        script = HEALTHY.but(upload=Upload(stop_after=100_000, then=then))
        yield Case("body", name, fates, kind, script, size=8_000_000)


def _single_recipients() -> Iterator[Case]:
    """One of several is refused, at each place."""
    fine = Answer()
    for place in range(3):
        for words, kind, fate in (
            (*_TEMPORARY[Step.RCPT], LATER),
            (*_PERMANENT[Step.RCPT], REFUSED),
        ):
            answers = [fine, fine, fine]
            answers[place] = say(words)
            fates = [SENT, SENT, SENT]
            fates[place] = fate
            yield Case(
                f"rcpt {place + 1}",
                words[:3],
                tuple(fates),
                kind,
                _faulty(Step.RCPT, tuple(answers)),
                words=words,
            )
    temporary, _ = _TEMPORARY[Step.RCPT]
    permanent, kind = _PERMANENT[Step.RCPT]
    yield Case(
        "rcpt",
        "550, 450 and taken",
        (REFUSED, LATER, SENT),
        kind,
        _faulty(Step.RCPT, (say(permanent), say(temporary), fine)),
        words=permanent,
    )
    yield Case(
        "rcpt, dot",
        "550, then 451 to all",
        (REFUSED, LATER, LATER),
        kind,
        HEALTHY.but(
            answers={
                Step.RCPT: (say(permanent), fine, fine),
                Step.DOT: say(_TEMPORARY[Step.DOT][0]),
            }
        ),
        words=permanent,
    )
    yield Case(
        "rcpt, dot",
        "450, then the reply is lost",
        (LATER, TWICE, TWICE),
        Kind.DEFERRED,
        HEALTHY.but(answers={Step.RCPT: (say(temporary), fine, fine), Step.DOT: hang_up()}),
        words=temporary,
    )


def _quit(recipients: int) -> Iterator[Case]:
    fates = (SENT,) * recipients
    for name, answer in (
        ("silent", _SILENT),
        ("dripping", _DRIPPING),
        ("hangs up", _HANGS_UP),
        ("resets", _RESETS),
        ("4xx", say("421 4.3.2 Shutting down")),
        ("5xx", say("500 5.5.2 What?")),
    ):
        yield Case(Step.QUIT, name, fates, None, _faulty(Step.QUIT, answer))


def _certificate(kind: ServerTls, expected: Kind) -> Case:
    script = HEALTHY.but(tls_kind=kind)
    return Case("certificate", kind.value.replace("_", " "), (LATER,), expected, script)


def _others() -> Iterator[Case]:
    """Yield what else FailureKind names; a fault of the set-up may be mended as well."""

    def case(
        name: str,
        fate: Fate,
        kind: Kind,
        before: Behaviour,
        **changes: Any,
    ) -> Case:
        pauses = kind in LOGIN_REFUSED
        return Case("account", name, (fate,), kind, before, pauses=pauses, **changes)

    yield _certificate(ServerTls.SELF_SIGNED, Kind.CERTIFICATE_UNTRUSTED)
    yield _certificate(ServerTls.UNTRUSTED_AUTHORITY, Kind.CERTIFICATE_UNTRUSTED)
    yield _certificate(ServerTls.EXPIRED, Kind.CERTIFICATE_EXPIRED)
    yield _certificate(ServerTls.OTHER_NAME, Kind.CERTIFICATE_HOSTNAME_MISMATCH)
    yield _certificate(ServerTls.OLD_PROTOCOL, Kind.TLS_FAILED)
    yield case("HTTP waits to be asked", LATER, Kind.NO_GREETING, HTTP)
    yield case("IMAP answers", LATER, Kind.NOT_SMTP, IMAP)
    yield case("TLS at once on that port", LATER, Kind.NO_GREETING, HEALTHY_TLS)
    yield case(
        "no TLS at once on that port",
        LATER,
        Kind.TLS_NOT_EXPECTED,
        HEALTHY,
        encryption=Encryption.TLS,
    )
    yield case("STARTTLS gone", LATER, Kind.STARTTLS_NOT_OFFERED, PLAIN_RELAY)
    yield case(
        "TLS demanded",
        REFUSED,
        Kind.ENCRYPTION_REQUIRED,
        Script(tls_required=True),
        encryption=Encryption.NONE,
        has_login=False,
    )
    yield case(
        "login only inside TLS",
        LATER,
        Kind.AUTH_NEEDS_ENCRYPTION,
        Script(tls=Tls.OFFERED, mechanisms_in_clear=()),
        encryption=Encryption.NONE,
    )
    yield case("no login offered", LATER, Kind.AUTH_NOT_OFFERED, HEALTHY.but(mechanisms=()))
    yield case(
        "unknown login offered",
        LATER,
        Kind.AUTH_MECHANISM_UNSUPPORTED,
        HEALTHY.but(mechanisms=("GSSAPI", "NTLM")),
    )
    yield case(
        "login demanded",
        REFUSED,
        Kind.AUTH_REQUIRED,
        HEALTHY.but(login_required=True),
        has_login=False,
    )
    yield case(
        "app password demanded",
        REFUSED,
        Kind.APP_PASSWORD_REQUIRED,
        _faulty(Step.AUTH_VERDICT, say("534 5.7.9 Application-specific password required")),
    )
    yield case(
        "passwords switched off",
        REFUSED,
        Kind.OAUTH_REQUIRED,
        _faulty(
            Step.AUTH_VERDICT,
            say("535 5.7.139 Authentication unsuccessful, basic authentication is disabled"),
        ),
    )
    yield case(
        "larger than SIZE",
        REFUSED,
        Kind.MESSAGE_TOO_LARGE,
        HEALTHY.but(size_limit=50_000),
        size=100_000,
    )
    yield case(
        "speaks SMTP badly",
        LATER,
        Kind.PROTOCOL_ERROR,
        _faulty(Step.MAIL, Answer(reply=b"what was that?\r\n")),
    )
    yield case(
        "a reply too many",
        LATER,
        Kind.PROTOCOL_ERROR,
        _faulty(Step.MAIL, Answer(glued=b"250 2.1.5 Ok\r\n")),
    )


CASES = (
    *(
        case
        for recipients in (1, 3)
        for cases in (_connecting, _steps, _uploads, _quit)
        for case in cases(recipients)
    ),
    *_single_recipients(),
    *_others(),
)

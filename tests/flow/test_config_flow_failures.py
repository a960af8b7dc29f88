"""Every kind of failure in the set-up dialog: its page, its text, and the form as it was typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.email_courier.flow import draft
from custom_components.email_courier.mail.failure import FailureKind
from custom_components.email_courier.mail.settings import Deadlines
from tests.support.certificates import ServerTls
from tests.support.dialogs import Dialog
from tests.support.fixtures import Bed
from tests.support.listener import Listener
from tests.support.network import Network
from tests.support.other_protocols import CLOSING, IMAP, SILENT, OtherProtocol
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_LOGIN,
    USERNAME,
    Script,
    Step,
    drip,
    say,
)

HOST = "mail.example.test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What listens at port 2525, what is typed, and what then is shown."""

    kind: FailureKind
    page: str = "server"
    shown_at: str = "base"
    server: Script | OtherProtocol | None = HEALTHY
    """None: nobody."""
    typed: Mapping[str, Any] = field(default_factory=dict)
    words: str
    """What the text must quote or name."""
    is_filtered: bool = False
    is_slow: bool = False


def refusing(step: Step, reply: str, **changes: Any) -> Script:
    """Return a healthy server that refuses at one step."""
    return HEALTHY.but(answers={step: say(reply)}, **changes)


CASES = (
    Case(kind=FailureKind.HOST_NOT_FOUND, typed={"host": "nowhere.example.test"}, words="nowhere."),
    Case(kind=FailureKind.CONNECTION_REFUSED, server=None, words="nothing listens on port 2525"),
    Case(kind=FailureKind.CONNECT_TIMEOUT, is_filtered=True, is_slow=True, words="on port 2525"),
    Case(kind=FailureKind.NO_GREETING, server=SILENT, is_slow=True, words="said nothing"),
    Case(kind=FailureKind.DISCONNECTED, server=CLOSING, words="hung up"),
    Case(
        kind=FailureKind.SERVER_TOO_SLOW,
        server=HEALTHY.but(answers={Step.EHLO: drip(0.5)}),
        is_slow=True,
        words="time ran out",
    ),
    Case(kind=FailureKind.NOT_SMTP, server=IMAP, words="* OK [CAPABILITY IMAP4rev1"),
    Case(
        kind=FailureKind.PROTOCOL_ERROR,
        server=HEALTHY.but(answers={Step.EHLO: say(b"welcome, friend\r\n")}),
        words="welcome, friend",
    ),
    Case(
        kind=FailureKind.SERVER_BUSY,
        server=refusing(Step.GREETING, "421 4.7.0 Too many connections from your host"),
        words="421 4.7.0 Too many connections from your host",
    ),
    Case(
        kind=FailureKind.QUOTA_EXCEEDED,
        server=refusing(Step.MAIL, "550 5.4.5 Daily user sending limit exceeded"),
        words="550 5.4.5 Daily user sending limit exceeded",
    ),
    Case(
        kind=FailureKind.GREETING_REJECTED,
        server=refusing(Step.GREETING, "554 5.7.1 Client host blocked using a list"),
        words="554 5.7.1 Client host blocked using a list",
    ),
    Case(
        kind=FailureKind.STARTTLS_NOT_OFFERED,
        server=refusing(Step.STARTTLS, "454 4.7.0 TLS not available due to local problem"),
        words="454 4.7.0 TLS not available due to local problem",
    ),
    Case(
        kind=FailureKind.CERTIFICATE_UNTRUSTED,
        page="certificate",
        server=HEALTHY.but(tls_kind=ServerTls.SELF_SIGNED),
        words="signed by nobody but the server itself",
    ),
    Case(
        kind=FailureKind.CERTIFICATE_EXPIRED,
        server=HEALTHY.but(tls_kind=ServerTls.EXPIRED),
        words="is only valid from",
    ),
    Case(
        kind=FailureKind.CERTIFICATE_HOSTNAME_MISMATCH,
        server=HEALTHY.but(tls_kind=ServerTls.OTHER_NAME),
        words="is for shared.hosting.test, not for mail.example.test",
    ),
    Case(
        kind=FailureKind.TLS_FAILED,
        server=HEALTHY.but(tls_kind=ServerTls.OLD_PROTOCOL),
        words="no version of TLS in common",
    ),
    Case(
        kind=FailureKind.HELO_REJECTED,
        server=refusing(Step.EHLO, "501 5.5.2 Invalid name").but(
            answers={
                Step.EHLO: say("501 5.5.2 Invalid name"),
                Step.HELO: say("501 5.5.2 Invalid name"),
            }
        ),
        words="501 5.5.2 Invalid name",
    ),
    Case(
        kind=FailureKind.AUTH_NOT_OFFERED,
        page="login",
        server=HEALTHY.but(mechanisms=()),
        words="no login on port 2525",
    ),
    Case(
        kind=FailureKind.AUTH_MECHANISM_UNSUPPORTED,
        page="login",
        server=HEALTHY.but(mechanisms=("GSSAPI", "NTLM")),
        words="GSSAPI, NTLM",
    ),
    Case(
        kind=FailureKind.AUTH_REQUIRED,
        page="login",
        server=HEALTHY.but(login_required=True),
        typed={"username": None, "password": None},
        words="530 5.7.0",
    ),
    Case(
        kind=FailureKind.INVALID_AUTH,
        page="login",
        server=refusing(Step.AUTH_VERDICT, "535 5.7.8 Error: authentication failed"),
        words="535 5.7.8 Error: authentication failed",
    ),
    Case(
        kind=FailureKind.APP_PASSWORD_REQUIRED,
        page="login",
        server=refusing(
            Step.AUTH_VERDICT, "534-5.7.9 Application-specific password required.\n534 5.7.9 Learn"
        ),
        words="Application-specific password required",
    ),
    Case(
        kind=FailureKind.OAUTH_REQUIRED,
        page="login",
        server=refusing(
            Step.AUTH_VERDICT,
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
        ),
        words="basic authentication is disabled",
    ),
    Case(
        kind=FailureKind.SENDER_REJECTED,
        page="address",
        server=HEALTHY.but(own_senders=frozenset({"other@example.test"})),
        words="553 5.7.1",
    ),
    Case(
        kind=FailureKind.DEFERRED,
        server=refusing(Step.MAIL, "450 4.2.0 Greylisted, come back later"),
        words="450 4.2.0 Greylisted, come back later",
    ),
    Case(
        kind=FailureKind.INVALID_SENDER,
        page="address",
        shown_at="sender",
        typed={"sender": "not an address"},
        words='"not an address" has no @',
    ),
    # These four have a remedy on other ports, of which there are none here.
    Case(
        kind=FailureKind.TLS_EXPECTED,
        server=HEALTHY_TLS.but(tls_kind=ServerTls.OLD_PROTOCOL),
        words="Port 2525 wants encryption from the first moment",
    ),
    Case(
        kind=FailureKind.TLS_NOT_EXPECTED,
        server=PLAIN_LOGIN,
        typed={"encryption": "tls"},
        words="220 mail.example.test",
    ),
    Case(
        kind=FailureKind.ENCRYPTION_REQUIRED,
        server=HEALTHY.but(
            tls_kind=ServerTls.OLD_PROTOCOL,
            tls_required=True,
        ),
        typed={"encryption": "none", "username": None, "password": None},
        words="Must issue a STARTTLS command first",
    ),
    Case(
        kind=FailureKind.AUTH_NEEDS_ENCRYPTION,
        server=HEALTHY.but(
            tls_kind=ServerTls.OLD_PROTOCOL,
            mechanisms_in_clear=("PLAIN",),
            answers={Step.AUTH: say("538 5.7.11 Encryption required for that mechanism")},
        ),
        typed={"encryption": "none"},
        words="538 5.7.11 Encryption required",
    ),
    Case(
        kind=FailureKind.RECIPIENT_REJECTED,
        page="finish",
        shown_at="test_recipient",
        server=HEALTHY.but(recipient_replies={"bea@example.test": "550 5.1.1 No such user here"}),
        words="550 5.1.1 No such user here",
    ),
    Case(
        kind=FailureKind.MESSAGE_TOO_LARGE,
        page="finish",
        shown_at="test_recipient",
        server=HEALTHY.but(size_limit=100),
        words="larger than the server takes",
    ),
    Case(
        kind=FailureKind.MESSAGE_REJECTED,
        page="finish",
        shown_at="test_recipient",
        server=refusing(Step.DOT, "554 Message rejected: Email address is not verified."),
        words="554 Message rejected: Email address is not verified.",
    ),
    Case(
        kind=FailureKind.INVALID_RECIPIENT,
        page="finish",
        shown_at="test_recipient",
        typed={"test_recipient": "bea"},
        words='"bea" has no @',
    ),
)
TYPED = {
    "sender": USERNAME,
    "enter_manually": True,
    "host": HOST,
    "port": 2525,
    "encryption": "starttls",
    "username": USERNAME,
    "password": PASSWORD,
    "allow_plain_login": True,
    "test_recipient": "bea@example.test",
}


def test_every_kind_is_shown_at_least_once() -> None:
    assert {case.kind for case in CASES} == set(FailureKind)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
async def test_a_failure_is_named_where_it_can_be_mended(
    hass: HomeAssistant,
    bed: Bed,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    case: Case,
) -> None:
    if case.is_slow:
        quick = Deadlines(handshake=2.0, connect=1.0, greeting=2.0)
        monkeypatch.setattr(draft, "DIALOG_DEADLINES", quick)
    ports: dict[int, Listener] = {}
    if isinstance(case.server, Script):
        ports[2525] = await bed.serve(case.server)
    elif case.server is not None:
        ports[2525] = await bed.host(case.server)
    network.add(HOST, ports, filtered=frozenset({2525} if case.is_filtered else ()))

    typed = {**TYPED, **case.typed}
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed)
    if dialog.step == "plain_login":
        assert not dialog.errors
        await dialog.submit(allow_plain_login=True)
    if case.page == "finish":
        await dialog.submit(test_recipient=typed["test_recipient"])

    assert dialog.step == case.page
    assert dialog.errors == {case.shown_at: case.kind.value}
    assert case.words in dialog.error_texts[case.shown_at]
    shown = {name: value for name, value in dialog.fields.items() if name in typed}
    assert shown == {name: typed[name] for name in shown}

    # A browser that asks again sees the same page, and the same error.
    before = dialog.page
    await dialog.look_again()
    assert (dialog.step, dialog.errors) == (before["step_id"], before["errors"])
    assert dialog.page["description_placeholders"] == before["description_placeholders"]

    for server in ports.values():
        assert server.record.auth_commands <= (2 if case.page == "finish" else 1)
        if typed["encryption"] != "none":
            assert not server.record.secrets_in_clear([PASSWORD])

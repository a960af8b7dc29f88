"""What the errors of the engine, of TLS and of the system are called."""

import errno
import socket
import ssl

import pytest

from custom_components.email_courier.mail.failure import (
    Cause,
    Failure,
    FailureKind as Kind,
    MailError,
    Permanence,
    Stage,
)
from custom_components.email_courier.mail.settings import Encryption
from custom_components.email_courier.mail.smtp.connection import CONNECTION_ERRORS
from custom_components.email_courier.mail.smtp.errors import (
    FOREIGN_ERRORS,
    SessionProgress,
    map_errors,
)
from custom_components.email_courier.mail.smtp.protocol import MalformedReplyError

TLS, STARTTLS = Encryption.TLS, Encryption.STARTTLS
(EngineError,) = CONNECTION_ERRORS


def _progress(
    stage: Stage, encryption: Encryption = STARTTLS, heard: bytes = b"", *, dot_sent: bool = False
) -> SessionProgress:
    return SessionProgress("mail.example.test", encryption, stage, heard, dot_sent)


def _tls_error(reason: str, kind: type[ssl.SSLError] = ssl.SSLError) -> ssl.SSLError:
    error = kind(1, f"[SSL: {reason}] (_ssl.c:1000)")
    error.reason = reason
    return error


def _certificate_error(code: int, words: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, words
    return error


def _malformed(raw: bytes) -> MalformedReplyError:
    return MalformedReplyError("not an SMTP reply", raw)


@pytest.mark.parametrize(
    ("error", "stage", "kind", "detail"),
    [
        (socket.gaierror(-2, "Name not known"), Stage.RESOLVE, Kind.HOST_NOT_FOUND, None),
        (
            ConnectionRefusedError(111, "Connect call failed ('192.0.2.1', 25)"),
            Stage.CONNECT,
            Kind.CONNECTION_REFUSED,
            "Connection refused",
        ),
        (OSError(113, "No route to host"), Stage.CONNECT, Kind.CONNECT_TIMEOUT, None),
        (ConnectionResetError(104, "Reset"), Stage.CONNECT, Kind.DISCONNECTED, ""),
        (
            ConnectionResetError(104, "Reset"),
            Stage.TLS,
            Kind.TLS_FAILED,
            "Connection reset by peer",
        ),
        (EngineError("lost"), Stage.SENDER, Kind.DISCONNECTED, ""),
        (EOFError(), Stage.HELLO, Kind.DISCONNECTED, ""),
        (ValueError("label empty"), Stage.RESOLVE, Kind.HOST_NOT_FOUND, "label empty"),
        (OverflowError("no port"), Stage.CONNECT, Kind.CONNECT_TIMEOUT, "no port"),
        (ValueError("no port"), Stage.CONNECT, Kind.HOST_NOT_FOUND, "no port"),
        (ValueError("a\nb"), Stage.SENDER, Kind.INVALID_SENDER, "a b"),
        (ValueError("odd"), Stage.RECIPIENT, Kind.INVALID_RECIPIENT, "odd"),
        (ValueError("odd"), Stage.DATA, Kind.PROTOCOL_ERROR, "odd"),
    ],
)
def test_an_error_has_its_name_and_the_systems_words(
    error: Exception, stage: Stage, kind: Kind, detail: str | None
) -> None:
    failure = map_errors(error, _progress(stage))
    assert (failure.kind, failure.stage) == (kind, stage)
    strerror = getattr(error, "strerror", None)
    assert failure.detail == (strerror if detail is None else detail)


@pytest.mark.parametrize("kind", [Kind.INVALID_SENDER, Kind.INVALID_RECIPIENT])
def test_a_bad_address_is_for_good(kind: Kind) -> None:
    stage = Stage.SENDER if kind is Kind.INVALID_SENDER else Stage.RECIPIENT
    failure = map_errors(ValueError("odd"), _progress(stage))
    assert (failure.kind, failure.permanence) == (kind, Permanence.PERMANENT)


def test_anything_else_may_pass() -> None:
    failure = map_errors(OSError("gone"), _progress(Stage.DATA))
    assert failure.permanence is Permanence.TEMPORARY


def test_what_is_lost_after_the_final_dot_is_ambiguous() -> None:
    failure = map_errors(TimeoutError(), _progress(Stage.ACCEPTED, heard=b"220", dot_sent=True))
    assert (failure.kind, failure.permanence) == (Kind.SERVER_TOO_SLOW, Permanence.AMBIGUOUS)
    assert "whether it has taken the mail" in failure.server_words


def test_what_else_went_wrong_after_the_dot_is_said_with_it() -> None:
    error = MalformedReplyError("bytes after a reply", b"250 Ok")
    failure = map_errors(error, _progress(Stage.DATA, heard=b"220", dot_sent=True))
    assert failure.server_words.startswith("bytes after a reply: 250 Ok; ")
    assert "whether it has taken the mail" in failure.server_words


@pytest.mark.parametrize(
    ("stage", "heard", "kind"),
    [
        (Stage.RESOLVE, b"", Kind.HOST_NOT_FOUND),
        (Stage.CONNECT, b"", Kind.CONNECT_TIMEOUT),
        (Stage.GREETING, b"", Kind.NO_GREETING),
        (Stage.TLS, b"", Kind.NO_GREETING),
        (Stage.GREETING, b"2", Kind.SERVER_TOO_SLOW),
        (Stage.LOGIN, b"220 hello", Kind.SERVER_TOO_SLOW),
    ],
)
def test_running_out_of_time_is_named_by_how_far_it_came(
    stage: Stage, heard: bytes, kind: Kind
) -> None:
    failure = map_errors(TimeoutError("late"), _progress(stage, heard=heard))
    assert (failure.kind, failure.detail) == (kind, "")


@pytest.mark.parametrize(
    ("raw", "kind", "facts"),
    [
        (b"\x16\x03\x01\x00\x05", Kind.TLS_EXPECTED, {}),
        (
            b"HTTP/1.1 400 Bad Request\r\n",
            Kind.NOT_SMTP,
            {"protocol": "HTTP", "heard": "HTTP/1.1 400 Bad Request"},
        ),
        (b"Welcome, stranger\r\n", Kind.NOT_SMTP, {"protocol": "?", "heard": "Welcome, stranger"}),
        (b"2\r\n", Kind.PROTOCOL_ERROR, {"heard": "2"}),
        (b"\xff\xfe\xfd\r\n", Kind.PROTOCOL_ERROR, {"heard": "яюэ"}),
        (b"\r\n", Kind.PROTOCOL_ERROR, {}),
    ],
)
def test_a_greeting_that_is_none_tells_who_speaks(
    raw: bytes, kind: Kind, facts: dict[str, str]
) -> None:
    failure = map_errors(_malformed(raw), _progress(Stage.GREETING))
    assert (failure.kind, failure.facts) == (kind, facts)


def test_a_reply_that_is_none_later_on_is_quoted() -> None:
    failure = map_errors(_malformed(b"HTTP/1.1 400 Bad\r\nmore"), _progress(Stage.HELLO))
    assert failure.kind is Kind.PROTOCOL_ERROR
    assert failure.detail == "not an SMTP reply: HTTP/1.1 400 Bad"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (9, Kind.CERTIFICATE_EXPIRED),
        (10, Kind.CERTIFICATE_EXPIRED),
        (18, Kind.CERTIFICATE_UNTRUSTED),
        (62, Kind.CERTIFICATE_HOSTNAME_MISMATCH),
        (64, Kind.CERTIFICATE_HOSTNAME_MISMATCH),
    ],
)
def test_a_certificate_is_refused_for_its_reason(code: int, kind: Kind) -> None:
    failure = map_errors(_certificate_error(code, "no\ngood"), _progress(Stage.TLS))
    assert (failure.kind, failure.detail) == (kind, "no good")
    assert failure.facts.get("host") == "mail.example.test"
    assert failure.facts.get("cause") == (Cause.SELF_SIGNED if code == 18 else None)


@pytest.mark.parametrize(
    ("error", "stage", "cause"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "Try again"), Stage.RESOLVE, Cause.DNS_SILENT),
        (socket.gaierror(socket.EAI_NONAME, "Not known"), Stage.RESOLVE, None),
        (OSError(errno.EHOSTUNREACH, "No route"), Stage.CONNECT, Cause.NO_ROUTE),
        (OSError(errno.ENETUNREACH, "No network"), Stage.CONNECT, Cause.NO_ROUTE),
        (_tls_error("UNSUPPORTED_PROTOCOL"), Stage.TLS, Cause.TLS_VERSION),
        (_tls_error("NO_SHARED_CIPHER"), Stage.TLS, Cause.TLS_CIPHER),
        (_tls_error("DH_KEY_TOO_SMALL"), Stage.TLS, Cause.TLS_WEAK_KEY),
        (_tls_error("TLSV13_ALERT_CERTIFICATE_REQUIRED"), Stage.TLS, Cause.TLS_CLIENT_CERTIFICATE),
        (_tls_error("WHO_KNOWS"), Stage.TLS, None),
    ],
)
def test_a_cause_that_a_person_can_do_something_about_is_named(
    error: Exception, stage: Stage, cause: Cause | None
) -> None:
    assert map_errors(error, _progress(stage)).facts.get("cause") == cause


@pytest.mark.parametrize(
    ("error", "stage", "encryption", "kind", "detail"),
    [
        (
            _tls_error("WRONG_VERSION_NUMBER"),
            Stage.TLS,
            TLS,
            Kind.TLS_NOT_EXPECTED,
            "wrong version number",
        ),
        (
            _tls_error("WRONG_VERSION_NUMBER"),
            Stage.TLS,
            STARTTLS,
            Kind.TLS_FAILED,
            "wrong version number",
        ),
        (_tls_error("NO_CIPHERS"), Stage.TLS, TLS, Kind.TLS_FAILED, "no ciphers"),
        (_tls_error("", ssl.SSLEOFError), Stage.TLS, TLS, Kind.DISCONNECTED, ""),
        (
            _tls_error("UNEXPECTED_EOF", ssl.SSLEOFError),
            Stage.TLS,
            STARTTLS,
            Kind.TLS_FAILED,
            "unexpected eof",
        ),
        (_tls_error("BAD_RECORD"), Stage.DATA, TLS, Kind.DISCONNECTED, "bad record"),
    ],
)
def test_trouble_with_tls_is_named_by_when_it_came(
    error: ssl.SSLError, stage: Stage, encryption: Encryption, kind: Kind, detail: str
) -> None:
    failure = map_errors(error, _progress(stage, encryption))
    assert (failure.kind, failure.detail) == (kind, detail)


@pytest.mark.parametrize(
    ("error", "stage", "words"),
    [
        (OSError("bare"), Stage.CONNECT, "bare"),
        (_tls_error(""), Stage.TLS, "[SSL: ] (_ssl.c:1000)"),
    ],
)
def test_an_error_without_a_reason_speaks_for_itself(
    error: OSError, stage: Stage, words: str
) -> None:
    assert map_errors(error, _progress(stage)).detail == words


@pytest.mark.parametrize(
    "error",
    [EngineError(""), _malformed(b"x"), OSError(), ValueError(), EOFError(), TimeoutError()],
)
def test_nothing_foreign_gets_out(error: Exception) -> None:
    assert isinstance(error, FOREIGN_ERRORS)
    assert map_errors(error, _progress(Stage.HELLO)).stage is Stage.HELLO


def test_a_failure_that_has_its_name_keeps_it() -> None:
    failure = Failure(Kind.DEFERRED, Stage.SENDER, Permanence.TEMPORARY)
    assert not isinstance(MailError(failure), FOREIGN_ERRORS)

"""The one place where foreign errors become failures."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import NamedTuple

from ..failure import Cause, Failure, FailureKind, Permanence, Stage
from ..redaction import NOTHING_HIDDEN, Redactor
from ..reply import clean_text
from ..settings import Encryption
from .connection import CONNECTION_ERRORS
from .protocol import MalformedReplyError, first_line, is_tls, name_protocol

FOREIGN_ERRORS = (*CONNECTION_ERRORS, MalformedReplyError, OSError, ValueError, EOFError)
"""What aiosmtplib, TLS and the system raise."""

_CERTIFICATE_KINDS = {
    9: FailureKind.CERTIFICATE_EXPIRED,  # X509_V_ERR_CERT_NOT_YET_VALID
    10: FailureKind.CERTIFICATE_EXPIRED,  # X509_V_ERR_CERT_HAS_EXPIRED
    62: FailureKind.CERTIFICATE_HOSTNAME_MISMATCH,  # X509_V_ERR_HOSTNAME_MISMATCH
    64: FailureKind.CERTIFICATE_HOSTNAME_MISMATCH,  # X509_V_ERR_IP_ADDRESS_MISMATCH
}
_SELF_SIGNED = 18  # X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
_TLS_CAUSES = {
    "UNSUPPORTED_PROTOCOL": Cause.TLS_VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": Cause.TLS_VERSION,
    "NO_PROTOCOLS_AVAILABLE": Cause.TLS_VERSION,
    "WRONG_SSL_VERSION": Cause.TLS_VERSION,
    "NO_SHARED_CIPHER": Cause.TLS_CIPHER,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": Cause.TLS_CIPHER,
    "SSL/TLS_ALERT_HANDSHAKE_FAILURE": Cause.TLS_CIPHER,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": Cause.TLS_CIPHER,
    "DH_KEY_TOO_SMALL": Cause.TLS_WEAK_KEY,
    "BAD_DH_VALUE": Cause.TLS_WEAK_KEY,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": Cause.TLS_CLIENT_CERTIFICATE,
}
"""By OpenSSL's names; what is not here has no cause that a person could do something about."""
_NO_ROUTE = (errno.EHOSTUNREACH, errno.ENETUNREACH)
_PLAIN_ANSWER = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")

_MAY_HAVE_ARRIVED = "before it said whether it has taken the mail"


class SessionProgress(NamedTuple):
    """How far a session has come, for whoever has to name what went wrong.

    heard: first bytes from the server. dot_sent: the final dot was handed to the network.
    redactor: what the server's words go through.
    """

    host: str
    encryption: Encryption
    stage: Stage = Stage.RESOLVE
    heard: bytes = b""
    dot_sent: bool = False
    redactor: Redactor = NOTHING_HIDDEN


def map_errors(error: BaseException, progress: SessionProgress) -> Failure:
    """Name one of FOREIGN_ERRORS."""
    kind, detail, facts = _name(error, progress)
    permanence = Permanence.TEMPORARY
    if progress.dot_sent:
        permanence = Permanence.AMBIGUOUS
        detail = f"{detail}; {_MAY_HAVE_ARRIVED}" if detail else _MAY_HAVE_ARRIVED
        facts = {**facts, "cause": Cause.MAY_HAVE_ARRIVED.value}
    if kind in (FailureKind.INVALID_SENDER, FailureKind.INVALID_RECIPIENT):
        permanence = Permanence.PERMANENT
    return Failure(kind, progress.stage, permanence, detail=detail, facts=facts)


def _name(
    error: BaseException, progress: SessionProgress
) -> tuple[FailureKind, str, dict[str, str]]:
    if isinstance(error, MalformedReplyError):
        return _name_malformed(error, progress)
    if isinstance(error, ssl.SSLError):
        return _name_tls(error, progress)
    if isinstance(error, TimeoutError):
        return _name_timeout(progress), "", {}
    if isinstance(error, ValueError):
        return _name_value(progress), _words(error), {}
    kind = _name_network(error, progress)
    return (
        kind,
        "" if kind is FailureKind.DISCONNECTED else _words(error),
        _because(_cause_in_network(error)),
    )


def _because(cause: Cause | None) -> dict[str, str]:
    return {} if cause is None else {"cause": cause.value}


def _cause_in_network(error: BaseException) -> Cause | None:
    if isinstance(error, socket.gaierror):
        return Cause.DNS_SILENT if error.errno == socket.EAI_AGAIN else None
    if isinstance(error, OSError) and error.errno in _NO_ROUTE:
        return Cause.NO_ROUTE
    return None


def _name_network(error: BaseException, progress: SessionProgress) -> FailureKind:
    if isinstance(error, socket.gaierror):
        return FailureKind.HOST_NOT_FOUND
    if isinstance(error, ConnectionRefusedError):
        return FailureKind.CONNECTION_REFUSED
    if progress.stage is Stage.CONNECT and not isinstance(error, ConnectionError):
        return FailureKind.CONNECT_TIMEOUT
    if progress.stage is Stage.TLS and progress.encryption is Encryption.STARTTLS:
        return FailureKind.TLS_FAILED
    return FailureKind.DISCONNECTED


def _name_timeout(progress: SessionProgress) -> FailureKind:
    if progress.stage is Stage.RESOLVE:
        return FailureKind.HOST_NOT_FOUND
    if progress.stage is Stage.CONNECT:
        return FailureKind.CONNECT_TIMEOUT
    if not progress.heard:
        return FailureKind.NO_GREETING
    return FailureKind.SERVER_TOO_SLOW


def _name_value(progress: SessionProgress) -> FailureKind:
    if progress.stage in (Stage.RESOLVE, Stage.CONNECT):  # no host name, or no port
        return FailureKind.HOST_NOT_FOUND
    if progress.stage is Stage.SENDER:
        return FailureKind.INVALID_SENDER
    if progress.stage is Stage.RECIPIENT:
        return FailureKind.INVALID_RECIPIENT
    return FailureKind.PROTOCOL_ERROR


def _name_malformed(
    error: MalformedReplyError, progress: SessionProgress
) -> tuple[FailureKind, str, dict[str, str]]:
    line = first_line(error.raw, progress.redactor)
    if progress.stage is not Stage.GREETING:
        return FailureKind.PROTOCOL_ERROR, f"{error}: {line}", _heard(line)
    if is_tls(error.raw):
        return FailureKind.TLS_EXPECTED, "", {}
    if (name := name_protocol(error.raw)) is not None:
        return FailureKind.NOT_SMTP, line, {"protocol": name, "heard": line}
    if error.raw[:1].isdigit() or not error.raw[:1].isascii() or not line:
        return FailureKind.PROTOCOL_ERROR, f"{error}: {line}", _heard(line)
    return FailureKind.NOT_SMTP, line, {"protocol": "?", "heard": line}


def _heard(line: str) -> dict[str, str]:
    return {"heard": line} if line else {}


def _name_tls(
    error: ssl.SSLError, progress: SessionProgress
) -> tuple[FailureKind, str, dict[str, str]]:
    if isinstance(error, ssl.SSLCertVerificationError):
        kind = _CERTIFICATE_KINDS.get(error.verify_code, FailureKind.CERTIFICATE_UNTRUSTED)
        cause = Cause.SELF_SIGNED if error.verify_code == _SELF_SIGNED else None
        return kind, clean_text(error.verify_message), _because(cause) | {"host": progress.host}
    reason = error.reason or ""
    if progress.stage is not Stage.TLS:
        return FailureKind.DISCONNECTED, _words(error), _because(_TLS_CAUSES.get(reason))
    if reason in _PLAIN_ANSWER and progress.encryption is Encryption.TLS:
        return FailureKind.TLS_NOT_EXPECTED, _words(error), {}
    if isinstance(error, ssl.SSLEOFError) and progress.encryption is Encryption.TLS:
        return FailureKind.DISCONNECTED, "", {}
    return FailureKind.TLS_FAILED, _words(error), _because(_TLS_CAUSES.get(reason))


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return clean_text(error.reason.replace("_", " ").lower())
    if isinstance(error, OSError) and error.strerror:
        if error.errno and error.errno in errno.errorcode and not isinstance(error, ssl.SSLError):
            return os.strerror(error.errno)  # asyncio's words name the address that it tried
        return clean_text(error.strerror)
    return clean_text(str(error))

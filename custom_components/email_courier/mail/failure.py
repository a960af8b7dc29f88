"""The one vocabulary of what can go wrong with a mail account."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from .reply import Reply


class FailureKind(StrEnum):
    """What went wrong. The value is the translation key everywhere."""

    HOST_NOT_FOUND = "host_not_found"
    CONNECTION_REFUSED = "connection_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    NO_GREETING = "no_greeting"
    DISCONNECTED = "disconnected"
    SERVER_TOO_SLOW = "server_too_slow"
    NOT_SMTP = "not_smtp"
    PROTOCOL_ERROR = "protocol_error"
    SERVER_BUSY = "server_busy"
    GREETING_REJECTED = "greeting_rejected"
    TLS_EXPECTED = "tls_expected"
    TLS_NOT_EXPECTED = "tls_not_expected"
    STARTTLS_NOT_OFFERED = "starttls_not_offered"
    ENCRYPTION_REQUIRED = "encryption_required"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_HOSTNAME_MISMATCH = "certificate_hostname_mismatch"
    TLS_FAILED = "tls_failed"
    HELO_REJECTED = "helo_rejected"
    AUTH_NEEDS_ENCRYPTION = "auth_needs_encryption"
    AUTH_NOT_OFFERED = "auth_not_offered"
    AUTH_MECHANISM_UNSUPPORTED = "auth_mechanism_unsupported"
    AUTH_REQUIRED = "auth_required"
    INVALID_AUTH = "invalid_auth"
    APP_PASSWORD_REQUIRED = "app_password_required"
    OAUTH_REQUIRED = "oauth_required"
    SENDER_REJECTED = "sender_rejected"
    RECIPIENT_REJECTED = "recipient_rejected"
    MESSAGE_TOO_LARGE = "message_too_large"
    MESSAGE_REJECTED = "message_rejected"
    QUOTA_EXCEEDED = "quota_exceeded"
    DEFERRED = "deferred"
    INVALID_SENDER = "invalid_sender"
    INVALID_RECIPIENT = "invalid_recipient"


class Stage(StrEnum):
    """How far a handshake or a delivery had come."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    GREETING = "greeting"
    TLS = "tls"
    HELLO = "hello"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"
    ACCEPTED = "accepted"


class Permanence(StrEnum):
    """Whether trying again can help."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    AMBIGUOUS = "ambiguous"


class Cause(StrEnum):
    """Why, where the kind alone does not say it. The value names a sentence in every language."""

    DNS_SILENT = "cause_dns_silent"
    NO_ROUTE = "cause_no_route"
    MAY_HAVE_ARRIVED = "cause_may_have_arrived"
    STOPPING = "cause_stopping"
    OWN_FAULT = "cause_own_fault"
    BACKUP_NOT_LOADED = "cause_backup_not_loaded"
    SELF_SIGNED = "cause_self_signed"
    OTHER_CERTIFICATE = "cause_other_certificate"
    TLS_VERSION = "cause_tls_version"
    TLS_CIPHER = "cause_tls_cipher"
    TLS_WEAK_KEY = "cause_tls_weak_key"
    TLS_CLIENT_CERTIFICATE = "cause_tls_client_certificate"
    SIGN_IN_AGAIN = "cause_sign_in_again"
    NO_TOKEN = "cause_no_token"
    ADDRESS_NOT_ASCII = "address_not_ascii"
    ADDRESS_EMPTY = "address_empty"
    ADDRESS_SEVERAL = "address_several"
    ADDRESS_CONTROL = "address_control"
    ADDRESS_BRACKETS = "address_brackets"
    ADDRESS_NAME_LONG = "address_name_long"
    ADDRESS_NO_AT = "address_no_at"
    ADDRESS_TWO_ATS = "address_two_ats"
    ADDRESS_LONG = "address_long"
    ADDRESS_QUOTE = "address_quote"
    ADDRESS_LOCAL_PART = "address_local_part"
    ADDRESS_DOMAIN = "address_domain"
    CA_FILE = "ca_file_unreadable"


LOGIN_REFUSED = frozenset(
    {
        FailureKind.INVALID_AUTH,
        FailureKind.APP_PASSWORD_REQUIRED,
        FailureKind.OAUTH_REQUIRED,
    }
)
"""Kinds that only other credentials can mend."""

ACCOUNT_REFUSED = LOGIN_REFUSED | {
    FailureKind.SENDER_REJECTED,
    FailureKind.GREETING_REJECTED,
    FailureKind.AUTH_REQUIRED,
    FailureKind.QUOTA_EXCEEDED,
}
"""Kinds that lie with the account rather than with the mail: another account may succeed."""

_NO_FACTS: Mapping[str, str] = MappingProxyType({})


class Failure(NamedTuple):
    """One failure, as data.

    reply: the server's reply, if it gave one; never holds a secret.
    detail: the cause in technical words where the reply alone does not say it: for the log and
    for whoever mends it. What people read is made of the cause.
    facts: named values for the text (certificate names and dates, mechanisms, sizes in bytes);
    "cause" is one of Cause, "heard" what a server said that is no reply.
    """

    kind: FailureKind
    stage: Stage
    permanence: Permanence
    reply: Reply | None = None
    detail: str = ""
    facts: Mapping[str, str] = _NO_FACTS

    @property
    def wants_other_login(self) -> bool:
        """Whether only other credentials can mend it; what the server may take later is not."""
        return self.kind in LOGIN_REFUSED and self.permanence is Permanence.PERMANENT

    @property
    def heard(self) -> str:
        """What the server itself said, a reply or not; nothing where it did not say a word."""
        return str(self.reply) if self.reply is not None else self.facts.get("heard", "")

    @property
    def server_words(self) -> str:
        """What the server said, the technical cause, or both."""
        if self.reply is None:
            return self.detail
        return f"{self.reply} ({self.detail})" if self.detail else str(self.reply)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {
            "kind": self.kind.value,
            "stage": self.stage.value,
            "permanence": self.permanence.value,
            "reply": None
            if self.reply is None
            else {"code": self.reply.code, "lines": list(self.reply.lines)},
            "detail": self.detail,
            "facts": dict(self.facts),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Failure:
        """Restore what as_dict returned. Raises KeyError, TypeError or ValueError on other data."""
        reply, facts = data["reply"], data["facts"]
        if not isinstance(facts, Mapping):
            raise TypeError("facts are no mapping")
        if reply is not None and int(reply["code"]) not in range(1000):
            raise ValueError(f"reply {reply['code']}")
        return cls(
            kind=FailureKind(data["kind"]),
            stage=Stage(data["stage"]),
            permanence=Permanence(data["permanence"]),
            reply=None
            if reply is None
            else Reply(int(reply["code"]), tuple(map(str, reply["lines"]))),
            detail=str(data["detail"]),
            facts={str(name): str(value) for name, value in facts.items()},
        )

    def __str__(self) -> str:
        """For the log: kind, stage and the server's words."""
        return f"{self.kind} at {self.stage}: {self.server_words}".rstrip(": ")


class MailError(Exception):
    """Raised by the mail layer, and nothing else is."""

    def __init__(self, failure: Failure) -> None:
        """Carry a failure."""
        super().__init__(str(failure))
        self.failure = failure


STOPPED = Failure(
    FailureKind.DISCONNECTED,
    Stage.RESOLVE,
    Permanence.TEMPORARY,
    detail="the account is being stopped",
    facts={"cause": Cause.STOPPING.value},
)
"""Of an attempt that this side has ended."""

"""Settings as a person might type them, and what is to be said of them."""

from dataclasses import dataclass

from custom_components.email_courier.mail.failure import FailureKind as Kind
from custom_components.email_courier.mail.settings import Encryption

from .people import REFUSED_SENDER, SENDER

ALL = ("postfix", "dovecot", "exim", "opensmtpd")
_TLS, _STARTTLS, _NONE = Encryption.TLS, Encryption.STARTTLS, Encryption.NONE
_SERVICES = (("starttls", _STARTTLS), ("tls", _TLS), ("none", _NONE))


@dataclass(frozen=True)
class Case:
    """One set of settings, wrong in one way.

    servers: where it is tried.
    service: what listens on the port. encryption: what is chosen in its face.
    login: "right", "wrong password", "unknown user" or "none given".
    kind: the key that names it; None where the settings are right.
    remedy: the encryption that would work on the same port, to be found without a password.
    """

    what: str
    servers: tuple[str, ...]
    service: str
    encryption: Encryption
    kind: Kind | None
    login: str = "right"
    sender: str = SENDER
    hello_name: str | None = None
    remedy: Encryption | None = None

    def __str__(self) -> str:
        """For the name of the test."""
        return f"{self.what}-{self.service}".replace(" ", "_")


def _without(name: str) -> tuple[str, ...]:
    return tuple(other for other in ALL if other != name)


def _where_login_is_offered(service: str) -> tuple[str, ...]:
    return _without("opensmtpd") if service == "none" else ALL


RIGHT = (
    *(
        Case("right", _where_login_is_offered(service), service, encryption, None)
        for service, encryption in _SERVICES
    ),
    Case("right without login", ("opensmtpd",), "none", _NONE, None, login="none given"),
    Case("right without login", ("postfix", "exim"), "open", _NONE, None, login="none given"),
    # Dovecot takes a connection within one machine for a safe one.
    Case("password in clear but within one machine", ("dovecot",), "starttls", _NONE, None),
)

WRONG_PAIR = (
    Case("STARTTLS chosen", ALL, "tls", _STARTTLS, Kind.TLS_EXPECTED, remedy=_TLS),
    Case("no encryption chosen", ALL, "tls", _NONE, Kind.TLS_EXPECTED, remedy=_TLS),
    Case("TLS chosen", ALL, "starttls", _TLS, Kind.TLS_NOT_EXPECTED, remedy=_STARTTLS),
    Case("TLS chosen", ALL, "none", _TLS, Kind.TLS_NOT_EXPECTED),
    Case("STARTTLS chosen", ALL, "none", _STARTTLS, Kind.STARTTLS_NOT_OFFERED),
    Case(
        "no encryption chosen",
        _without("dovecot"),
        "starttls",
        _NONE,
        Kind.AUTH_NEEDS_ENCRYPTION,
        remedy=_STARTTLS,
    ),
    Case(
        "no encryption and no username",
        ("postfix", "opensmtpd"),
        "starttls",
        _NONE,
        Kind.ENCRYPTION_REQUIRED,
        login="none given",
        remedy=_STARTTLS,
    ),
)

WRONG_LOGIN = (
    *(
        Case(login, _where_login_is_offered(service), service, encryption, Kind.INVALID_AUTH, login)
        for service, encryption in _SERVICES
        for login in ("wrong password", "unknown user")
    ),
    *(
        Case(
            "no username",
            _where_login_is_offered(service),
            service,
            encryption,
            Kind.AUTH_REQUIRED,
            login="none given",
        )
        for service, encryption in _SERVICES
    ),
    Case("username given", ("postfix", "exim"), "open", _NONE, Kind.AUTH_NOT_OFFERED),
    Case("username given", ("opensmtpd",), "none", _NONE, Kind.AUTH_NOT_OFFERED),
)

WRONG_SENDER = (
    *(
        Case(
            "sender of somebody else",
            _where_login_is_offered(service),
            service,
            encryption,
            Kind.SENDER_REJECTED,
            sender=REFUSED_SENDER,
        )
        for service, encryption in _SERVICES
    ),
    Case(
        "sender of somebody else",
        ("postfix", "exim"),
        "open",
        _NONE,
        Kind.SENDER_REJECTED,
        login="none given",
        sender=REFUSED_SENDER,
    ),
)

WRONG_NAME = (
    Case(
        "EHLO name of no domain",
        ("postfix",),
        "starttls",
        _STARTTLS,
        Kind.HELO_REJECTED,
        hello_name="homeassistant",
    ),
)

WRONG = WRONG_PAIR + WRONG_LOGIN + WRONG_SENDER + WRONG_NAME

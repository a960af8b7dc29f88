"""What an account's connection is made of, frozen once it has been proven."""

from __future__ import annotations

from copy import replace
from enum import StrEnum
from ipaddress import ip_address
from typing import NamedTuple, Protocol

SUBMISSIONS_PORT = 465
SUBMISSION_PORT = 587
DEFAULT_LIMIT = 30.0
"""Seconds from a server's greeting to the end of the login, unless an account says otherwise."""


class Encryption(StrEnum):
    """How a connection becomes encrypted (RFC 8314 section 3)."""

    AUTO = "auto"
    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Trust(NamedTuple):
    """Which server certificate is accepted.

    fingerprint: SHA-256 of exactly one certificate (lower-case hex), accepted whoever signed it.
    ca_file: path of a PEM file with further authorities.
    verify: False accepts any certificate; a fingerprint still counts.
    """

    verify: bool = True
    fingerprint: str | None = None
    ca_file: str | None = None

    @property
    def checks_chain(self) -> bool:
        """Whether authorities and host name are checked by TLS itself."""
        return self.verify and self.fingerprint is None


class Login(NamedTuple):
    """A username, which need not be an address, and its secret."""

    username: str
    password: str

    def __repr__(self) -> str:
        """Name the user alone."""
        return f"Login(username={self.username!r})"


class AccessTokens(Protocol):
    """Where the access tokens of one OAuth 2 grant come from. All of it raises MailError."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """All that is known by now and must not be shown: tokens, the client's secret."""
        ...

    async def current(self) -> str:
        """Return a token that has not expired."""
        ...

    async def renew(self) -> None:
        """Replace a token that was refused although it has not expired."""
        ...


class TokenLogin(NamedTuple):
    """A username and the tokens that stand in for a password."""

    username: str
    tokens: AccessTokens

    def __repr__(self) -> str:
        """Name the user alone."""
        return f"TokenLogin(username={self.username!r})"


class Deadlines(NamedTuple):
    """How long each part may take, in seconds.

    greeting: from resolving the name to the server's greeting, as a whole.
    connect: the TCP connection alone.
    handshake: from the greeting to the end of the login, as a whole.
    transaction: MAIL, all RCPT and DATA, as a whole.
    stall: an upload without any progress.
    final_reply: the answer to the final dot (RFC 5321 section 4.5.3.2.6 asks for 10 minutes).
    """

    handshake: float = DEFAULT_LIMIT
    connect: float = DEFAULT_LIMIT / 3
    greeting: float = DEFAULT_LIMIT * 2 / 3
    transaction: float = 60.0
    stall: float = 60.0
    final_reply: float = 600.0

    def within(self, limit: float) -> Deadlines:
        """Return these with all that a time limit (seconds) bounds in proportion to it."""
        share = limit / DEFAULT_LIMIT
        return replace(
            self,
            handshake=self.handshake * share,
            connect=self.connect * share,
            greeting=self.greeting * share,
        )


DIALOG_DEADLINES = Deadlines(
    handshake=10.0, connect=6.0, greeting=13.0, transaction=10.0, final_reply=120.0
)
"""Where a person waits for the answer. With the time to look for a remedy, every answer is there
within 15 s of the start, or of a late greeting; only the verdict on a test mail may take longer,
while the server looks for viruses.
"""


class ServerSettings(NamedTuple):
    """One server and the way to log in there.

    hello_name: what EHLO says; None means the address literal of the socket
    (RFC 5321 section 4.1.3).
    """

    host: str
    port: int
    encryption: Encryption
    trust: Trust = Trust()
    login: Login | TokenLogin | None = None
    hello_name: str | None = None
    deadlines: Deadlines = Deadlines()

    @property
    def sends_password_in_clear(self) -> bool:
        """Whether a password would cross a network without encryption; a token never does."""
        return (
            isinstance(self.login, Login)
            and self.encryption is Encryption.NONE
            and not is_loopback(self.host)
        )


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine itself, so that nothing crosses a network."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def format_fingerprint(fingerprint: str) -> str:
    """Write a fingerprint as other programs do: AB:CD:..."""
    return ":".join(fingerprint[i : i + 2] for i in range(0, len(fingerprint), 2)).upper()

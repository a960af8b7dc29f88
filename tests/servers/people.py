"""Who lives at example.test, the same on every server."""

from dataclasses import dataclass

DOMAIN = "example.test"
SERVER_NAME = f"mail.{DOMAIN}"

USERNAME = f"courier@{DOMAIN}"
PASSWORD = "Open sesame: 100% \\ 'sure'"

SENDER = f"house@{DOMAIN}"
"""The address that the user may send from."""

REFUSED_SENDER = f"stranger@{DOMAIN}"
"""Somebody else's address: refused with 553 5.7.1 or the server's own words for it."""

RECIPIENT = f"anna@{DOMAIN}"
RECIPIENTS = (RECIPIENT, f"ben@{DOMAIN}", *(f"guest{number}@{DOMAIN}" for number in range(1, 51)))

UTF8_RECIPIENT = f"jürgen@{DOMAIN}"
"""A recipient whom only SMTPUTF8 (RFC 6531) reaches."""

UNKNOWN_RECIPIENT = f"nobody-of-that-name@{DOMAIN}"
"""Refused for good, 550."""

FOREIGN_RECIPIENT = "someone@elsewhere.test"
"""Outside the server's own domain."""


@dataclass(frozen=True)
class TemporaryRefusal:
    """A recipient who is refused for now, with the reply that says so."""

    address: str
    reply: str


GREYLISTED = TemporaryRefusal(
    f"greylisted@{DOMAIN}", "450 4.2.0 Greylisted, please try again in five minutes"
)
FULL = TemporaryRefusal(f"full@{DOMAIN}", "452 4.2.2 Mailbox is full")


def local_part(address: str) -> str:
    """Return what stands before the last @."""
    return address.rpartition("@")[0]

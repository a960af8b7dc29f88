"""What people paste into a field: a server with its port or as a web address, a password."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

from ..mail.settings import Encryption

# Blanks other than U+0020, as a password is prepared with (RFC 4013 section 2.1, RFC 3454 C.1.2).
_OTHER_BLANKS: Final = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u202f\u205f\u3000"
)
_INVISIBLE: Final = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_CLEANING: Final = str.maketrans({"\uff1a": ":"}) | dict.fromkeys(map(ord, _INVISIBLE))
_SCHEME: Final = r"([A-Za-z][A-Za-z0-9+.-]*)://"
_ENCRYPTED: Final = ("smtps", "submissions")
_OF_MAIL: Final = ("smtp", "submission", *_ENCRYPTED)
_WITH_PORT: Final = r"(\[[^\]]*\]|[^:]*):([0-9]{1,5})"
_APP_PASSWORDS_IN_GROUPS: Final = frozenset(
    {
        "aol",
        "att",
        "fastmail",
        "gmail",
        "google_workspace",
        "icloud",
        "icloud_custom",
        "verizon",
        "yahoo",
    }
)
"""Providers, by their keys, that show an app password in groups and take no other password."""


class Server(NamedTuple):
    """A server as it was typed, taken apart.

    port, encryption: None where what was typed says nothing of it.
    """

    host: str
    port: int | None = None
    encryption: Encryption | None = None


def server_in(text: str) -> Server:
    """Take apart a host, a host with a port, or the address of a mail server or web page.

    A web page says nothing of the mail server's port. What is no address comes back as typed.
    """
    text = text.translate(_CLEANING).strip()
    scheme, rest = "", text
    if match := re.match(_SCHEME, text):
        scheme, rest = match[1].lower(), text[match.end() :]
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].strip()
    port = None
    if match := re.fullmatch(_WITH_PORT, host):
        if not 1 <= int(match[2]) <= 65535:
            return Server(text)
        host = match[1].strip("[]")
        port = int(match[2]) if not scheme or scheme in _OF_MAIL else None
    if not host or "@" in host:
        return Server(text)
    if scheme:
        host = unquote(host)
    return Server(host, port, Encryption.TLS if scheme in _ENCRYPTED else None)


def password_in(text: str, provider: str | None) -> str:
    """Return a password as a server is to be given it.

    provider: the key of the server's provider, where it is one of the table.
    """
    text = text.translate(dict.fromkeys(map(ord, _OTHER_BLANKS), " "))
    return "".join(text.split()) if provider in _APP_PASSWORDS_IN_GROUPS else text


def is_surrounded_by_blanks(password: str) -> bool:
    """Tell whether a password begins or ends with what may have been copied by mistake."""
    return password != password.strip()

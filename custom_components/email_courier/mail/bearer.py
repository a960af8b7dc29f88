"""What XOAUTH2 and OAUTHBEARER say, without a connection.

XOAUTH2: Google's and Microsoft's mechanism
(https://developers.google.com/workspace/gmail/imap/xoauth2-protocol). OAUTHBEARER: RFC 7628.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
import json

from .redaction import NOTHING_HIDDEN, Redactor
from .reply import clean_text

XOAUTH2_GIVES_UP = b""
"""The answer to XOAUTH2's error challenge, after which the refusal comes."""
OAUTHBEARER_GIVES_UP = b"\x01"
"""The same for OAUTHBEARER (RFC 7628 section 3.2.3)."""

_TELLING = ("status", "error", "error_description", "schemes", "scope")
_MAX_VALUE = 200


@dataclass(frozen=True, slots=True)
class Bearer:
    """A username and the access token for one login (RFC 6750)."""

    username: str
    token: str = field(repr=False)


def xoauth2(bearer: Bearer) -> bytes:
    """Return the one message of XOAUTH2."""
    return f"user={bearer.username}\x01auth=Bearer {bearer.token}\x01\x01".encode()


def oauthbearer(bearer: Bearer) -> bytes:
    """Return the one message of OAUTHBEARER (RFC 7628 section 3.1)."""
    name = bearer.username.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 section 4
    return f"n,a={name},\x01auth=Bearer {bearer.token}\x01\x01".encode()


def explain(challenge: str, redactor: Redactor = NOTHING_HIDDEN) -> str:
    """Put the error challenge of a server into words; empty where it says nothing.

    challenge: the text of the 334, base64 of a JSON object (RFC 7628 section 3.2.2). What is no
    such object is no error either: the refusal that follows says enough.
    """
    try:
        said = json.loads(base64.b64decode(challenge, validate=True))
    except binascii.Error, ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    return ", ".join(
        f"{name}: {clean_text(redactor.text(value))[:_MAX_VALUE]}"
        for name in _TELLING
        if isinstance(value := said.get(name), str) and value
    )

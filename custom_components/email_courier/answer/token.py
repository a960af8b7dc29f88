"""The secret in a link, which nobody can guess and only this home can have made.

A token is one byte of version, 12 bytes of chance that name one button of one mail, and 16 bytes
of HMAC-SHA256 (RFC 2104, RFC 4868 section 2.1.1) over both: 39 characters of base64url (RFC 4648
section 5). What it may do is not in it; that is kept at home, under the hash of its chance.
"""

from __future__ import annotations

import base64
import binascii
from enum import Enum
from hashlib import sha256
import hmac
import re
import secrets
from typing import Final

KEY_SIZE: Final = 32
"""Bytes."""
LENGTH: Final = 39
"""Characters of a token."""

_VERSION: Final = b"\x01"
_CHANCE: Final = 12
_MAC: Final = 16
_FORM: Final = re.compile(f"[A-Za-z0-9_-]{{{LENGTH}}}", re.ASCII)
_TOKEN_OF_LINK: Final = b"email_courier link"
_PAGE_OF_LINK: Final = b"email_courier page"


class Refusal(Enum):
    """Why a text is no token of this home."""

    MALFORMED = "malformed"
    FORGED = "forged"


class Signer:
    """Makes and reads tokens with the key of one home."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        """Take a key of KEY_SIZE bytes of chance. Raises ValueError for any other."""
        if len(key) != KEY_SIZE:
            raise ValueError("a key of another size")
        self._key = key

    def token(self) -> tuple[str, str]:
        """Return a new token, and the name under which what it may do is kept."""
        body = _VERSION + secrets.token_bytes(_CHANCE)
        token = base64.urlsafe_b64encode(body + self._mac(_TOKEN_OF_LINK, body)).rstrip(b"=")
        return token.decode("ascii"), _name(body)

    def name(self, token: str) -> str | Refusal:
        """Return the name behind a token of this home, in the same time for any other."""
        if not _FORM.fullmatch(token):
            return Refusal.MALFORMED
        try:
            data = base64.urlsafe_b64decode(f"{token}=")
        except binascii.Error:
            return Refusal.MALFORMED
        body, mac = data[: 1 + _CHANCE], data[1 + _CHANCE :]
        is_canonical = base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii") == token
        if not is_canonical or body[:1] != _VERSION:
            return Refusal.MALFORMED
        if not hmac.compare_digest(mac, self._mac(_TOKEN_OF_LINK, body)):
            return Refusal.FORGED
        return _name(body)

    def proof(self, token: str, *about: str) -> str:
        """Return what the page of a link sends along: that it has been read, and by whom."""
        words = "\0".join((token, *about)).encode()
        return self._mac(_PAGE_OF_LINK, words).hex()

    def proves(self, proof: str, token: str, *about: str) -> bool:
        """Tell, in constant time, whether something is such a proof."""
        return hmac.compare_digest(proof.encode(), self.proof(token, *about).encode())

    def _mac(self, purpose: bytes, data: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\0" + data, "sha256")[:_MAC]


def _name(body: bytes) -> str:
    """Return a name that tells nothing of the token, should a copy of the file get around."""
    return sha256(body).hexdigest()[:32]

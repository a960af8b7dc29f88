"""What XOAUTH2 and OAUTHBEARER say, without a connection.

XOAUTH2: Google's and Microsoft's mechanism
(https://developers.google.com/workspace/gmail/imap/xoauth2-protocol). OAUTHBEARER: RFC 7628.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field, replace
from enum import StrEnum
import json

from ..failure import LOGIN_REFUSED, Failure, FailureKind, MailError, Permanence, Stage
from ..redaction import NOTHING_HIDDEN, Redactor
from ..reply import Reply, clean_text
from .classify import refusal
from .connection import Wire

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


MAX_COMMAND = 512
"""Octets of a command line with its CRLF (RFC 5321 section 4.5.3.1.4)."""


class Mechanism(StrEnum):
    """The mechanisms that can be used, by their SASL names."""

    SCRAM_SHA_256 = "SCRAM-SHA-256"
    PLAIN = "PLAIN"
    LOGIN = "LOGIN"
    CRAM_MD5 = "CRAM-MD5"
    XOAUTH2 = "XOAUTH2"
    OAUTHBEARER = "OAUTHBEARER"


TOKEN_MECHANISMS = (Mechanism.XOAUTH2, Mechanism.OAUTHBEARER)
"""Those that an access token opens, the more widely known first."""


class Exchange:
    """The challenges and responses of one AUTH command."""

    def __init__(self, wire: Wire, mechanism: Mechanism, *, encrypted: bool) -> None:
        self._wire = wire
        self._mechanism = mechanism
        self._encrypted = encrypted
        self._explanation = ""
        self._said = Reply(0)

    def refused(self, reply: Reply) -> Failure:
        """Name the reply that ends the exchange without a login."""
        failure = refusal(Stage.LOGIN, self._said, encrypted=self._encrypted, logged_in=False)
        failure = replace(failure, reply=reply)
        if self._mechanism not in TOKEN_MECHANISMS:
            return failure
        if failure.kind in LOGIN_REFUSED:  # no words about passwords mean this login
            failure = replace(failure, kind=FailureKind.INVALID_AUTH, facts={"login": "token"})
        return replace(failure, detail=self._explanation)

    async def give_up(self, challenge: Reply, answer: bytes) -> Reply:
        """Take in an error challenge and answer it; the refusal comes after that."""
        self._explanation = explain(self._said.joined, self._wire.redactor)
        return await self.answer(challenge, answer)

    async def start(self, initial: bytes | None = None) -> Reply:
        """Send AUTH, with the initial response on the same line where it fits (section 4)."""
        command = [b"AUTH", self._mechanism.encode()]
        if initial is None:
            return await self._send(*command)
        encoded = base64.b64encode(initial) or b"="
        if len(b" ".join((*command, encoded))) + 2 <= MAX_COMMAND:
            return await self._send(*command, encoded)
        return await self.answer(await self._send(*command), initial)

    async def answer(self, challenge: Reply, response: bytes) -> Reply:
        """Answer a 334; any other reply ends the exchange."""
        if challenge.code != 334:
            raise MailError(self.refused(challenge))
        return await self._send(base64.b64encode(response))

    async def cancel(self) -> None:
        """Give up in an orderly way (section 4)."""
        await self._wire.command(b"*")

    def decode(self, challenge: Reply) -> bytes:
        """Return what a 334 asks."""
        if challenge.code != 334:
            raise MailError(self.refused(challenge))
        try:
            return base64.b64decode(self._said.joined, validate=True)
        except ValueError as error:
            raise MailError(broken("the challenge is not base64")) from error

    async def _send(self, *parts: bytes) -> Reply:
        """Send a line; what is decoded or understood is the reply as it was said."""
        reply, self._said = await self._wire.ask_openly(*parts)
        return reply


def broken(detail: str) -> Failure:
    """Name a server that does not keep to its mechanism."""
    return Failure(FailureKind.PROTOCOL_ERROR, Stage.LOGIN, Permanence.TEMPORARY, detail=detail)

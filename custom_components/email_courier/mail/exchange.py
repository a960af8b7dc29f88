"""The commands and replies of one AUTH (RFC 4954), whichever mechanism it is."""

from __future__ import annotations

import base64
from dataclasses import replace
from enum import StrEnum

from .bearer import explain
from .classify import refusal
from .failure import LOGIN_REFUSED, Failure, FailureKind, MailError, Permanence, Stage
from .reply import Reply
from .wire import Wire

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

"""One AUTH exchange (RFC 4954), and what each mechanism says in it.

XOAUTH2: Google's and Microsoft's mechanism
(https://developers.google.com/workspace/gmail/imap/xoauth2-protocol). OAUTHBEARER: RFC 7628.
SCRAM-SHA-256 has a module of its own.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from copy import replace
import hashlib
import hmac
import json
from typing import Final

from ..failure import LOGIN_REFUSED, Failure, FailureKind, MailError, Permanence, Stage
from ..redaction import NOTHING_HIDDEN, Redactor
from ..reply import Reply, clean_text
from ..settings import Login
from .classify import refusal
from .connection import Connection
from .protocol import Mechanism

TOKEN_MECHANISMS: Final = (Mechanism.XOAUTH2, Mechanism.OAUTHBEARER)
"""Those that an access token opens, the more widely known first."""
MAX_COMMAND: Final = 512
"""Octets of a command line with its CRLF (RFC 5321 section 4.5.3.1.4)."""

_TELLING = ("status", "error", "error_description", "schemes", "scope")
_MAX_VALUE = 200


class Exchange:
    """The challenges and responses of one AUTH command.

    has_proved: the secret has been sent, or what proves that it is known; a refusal from then on
    is one of the secret, before that one of the mechanism.
    """

    def __init__(self, connection: Connection, mechanism: Mechanism, *, encrypted: bool) -> None:
        """Begin nothing yet; see start."""
        self._connection = connection
        self._mechanism = mechanism
        self._encrypted = encrypted
        self._explanation = ""
        self.has_proved = False
        self._said = Reply(0)

    @property
    def redactor(self) -> Redactor:
        """What the server's words go through before anybody reads them."""
        return self._connection.redactor

    def refused(self, reply: Reply) -> Failure:
        """Name the reply that ends the exchange without a login."""
        failure = refusal(Stage.LOGIN, self._said, encrypted=self._encrypted, logged_in=False)
        failure = replace(failure, reply=reply)
        if self._mechanism not in TOKEN_MECHANISMS:
            return failure
        if failure.kind in LOGIN_REFUSED:  # no words about passwords mean this login
            failure = replace(failure, kind=FailureKind.INVALID_AUTH, facts={"login": "token"})
        return replace(failure, detail=self._explanation)

    async def start(self, initial: bytes | None = None, *, proves: bool = False) -> Reply:
        """Send AUTH, with the initial response on the same line where it fits (section 4).

        proves: it is all that the mechanism has to say. Some servers pass over an initial response
        and ask for it with a challenge: an empty one, or any where nothing else can be meant.
        """
        command = [b"AUTH", self._mechanism.encode()]
        if initial is None:
            return await self._send(*command)
        encoded = base64.b64encode(initial) or b"="
        if len(b" ".join((*command, encoded))) + 2 > MAX_COMMAND:
            return await self.answer(await self._send(*command), initial, proves=proves)
        self.has_proved = proves
        reply = await self._send(*command, encoded)
        is_plain = self._mechanism is Mechanism.PLAIN
        if reply.code == 334 and (is_plain or not self._said.joined):
            return await self.answer(reply, initial, proves=proves)
        return reply

    async def answer(self, challenge: Reply, response: bytes, *, proves: bool = False) -> Reply:
        """Answer a 334; any other reply ends the exchange."""
        if challenge.code != 334:
            raise MailError(self.refused(challenge))
        self.has_proved = self.has_proved or proves
        return await self._send(base64.b64encode(response))

    async def give_up(self, challenge: Reply, answer: bytes) -> Reply:
        """Answer the error challenge of a token mechanism; the refusal comes after that."""
        self._explanation = explain(self._said.joined, self.redactor)
        return await self.answer(challenge, answer)

    async def cancel(self) -> None:
        """Give up in an orderly way (section 4)."""
        await self._connection.command(b"*")

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
        reply, self._said = await self._connection.ask_openly(*parts)
        return reply


def broken(detail: str) -> Failure:
    """Name a server that does not keep to its mechanism."""
    return Failure(FailureKind.PROTOCOL_ERROR, Stage.LOGIN, Permanence.TEMPORARY, detail=detail)


async def _plain(login: Login, exchange: Exchange) -> Reply:
    """RFC 4616."""
    secret = b"\0" + login.username.encode() + b"\0" + login.password.encode()
    return await exchange.start(secret, proves=True)


async def _login(login: Login, exchange: Exchange) -> Reply:
    """draft-murchison-sasl-login: the prompts say nothing that matters."""
    challenge = await exchange.start()
    challenge = await exchange.answer(challenge, login.username.encode())
    return await exchange.answer(challenge, login.password.encode(), proves=True)


async def _cram_md5(login: Login, exchange: Exchange) -> Reply:
    """RFC 2195."""
    challenge = await exchange.start()
    digest = hmac.new(login.password.encode(), exchange.decode(challenge), hashlib.md5).hexdigest()
    proof = f"{login.username} {digest}".encode()
    return await exchange.answer(challenge, proof, proves=True)


PASSWORD_EXCHANGES: Mapping[Mechanism, Callable[[Login, Exchange], Awaitable[Reply]]] = {
    Mechanism.PLAIN: _plain,
    Mechanism.LOGIN: _login,
    Mechanism.CRAM_MD5: _cram_md5,
}
"""Each returns the last reply. Raises MailError where the server ends it before that."""


async def exchange_token(exchange: Exchange, first: bytes, gives_up: bytes) -> Reply:
    """Send the one message that holds a token, and return the last reply."""
    reply = await exchange.start(first, proves=True)
    return await exchange.give_up(reply, gives_up) if reply.code == 334 else reply


def xoauth2(username: str, token: str) -> bytes:
    """Return the one message of XOAUTH2."""
    return f"user={username}\x01auth=Bearer {token}\x01\x01".encode()


def oauthbearer(username: str, token: str) -> bytes:
    """Return the one message of OAUTHBEARER (RFC 7628 section 3.1)."""
    name = username.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 section 4
    return f"n,a={name},\x01auth=Bearer {token}\x01\x01".encode()


def explain(challenge: str, redactor: Redactor = NOTHING_HIDDEN) -> str:
    """Put the error challenge of a server into words; empty where it says nothing.

    challenge: the text of the 334, base64 of a JSON object (RFC 7628 section 3.2.2). What is no
    such object is no error either: the refusal that follows says enough.
    """
    try:
        said = json.loads(base64.b64decode(challenge, validate=True))
    except ValueError, RecursionError:
        return ""
    if not isinstance(said, dict):
        return ""
    return ", ".join(
        f"{name}: {clean_text(redactor.text(value))[:_MAX_VALUE]}"
        for name in _TELLING
        if isinstance(value := said.get(name), str) and value
    )

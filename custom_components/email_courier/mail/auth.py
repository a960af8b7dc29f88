"""One login mechanism, tried once (RFC 4954).

Servers count failures and lock accounts, so a refusal is never answered with the same
password through another mechanism.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Set as AbstractSet
from enum import StrEnum
import hashlib
import hmac

from scramp import ScramClient, ScramException

from .classify import refusal
from .failure import Failure, FailureKind, MailError, Permanence, Stage
from .reply import Reply
from .settings import Login
from .wire import Wire

MAX_COMMAND = 512
"""Octets of a command line with its CRLF (RFC 5321 section 4.5.3.1.4)."""


class Mechanism(StrEnum):
    """The mechanisms that can be used, by their SASL names."""

    SCRAM_SHA_256 = "SCRAM-SHA-256"
    PLAIN = "PLAIN"
    LOGIN = "LOGIN"
    CRAM_MD5 = "CRAM-MD5"


_SHORTEST_SECRET = 4
"""Characters below which blotting out would only make a reply unreadable, and show the secret."""

_PREFERENCE = tuple(Mechanism)
_PREFERENCE_IN_CLEAR = (
    Mechanism.SCRAM_SHA_256,
    Mechanism.CRAM_MD5,
    Mechanism.PLAIN,
    Mechanism.LOGIN,
)
_TOKEN_MECHANISMS = frozenset({"XOAUTH2", "OAUTHBEARER"})


def choose(offered: AbstractSet[str], login: Login, *, encrypted: bool) -> Mechanism:
    """Pick the one mechanism to use. Without TLS those that hide the password come first.

    Raises MailError when there is none in common, and names what was offered.
    """
    for mechanism in _PREFERENCE if encrypted else _PREFERENCE_IN_CLEAR:
        if mechanism is Mechanism.SCRAM_SHA_256 and not _fits_scram(login):
            continue
        if mechanism in offered:
            return mechanism
    names = ", ".join(sorted(offered))
    kind = (
        FailureKind.OAUTH_REQUIRED
        if offered & _TOKEN_MECHANISMS
        else FailureKind.AUTH_MECHANISM_UNSUPPORTED
    )
    permanence = (
        Permanence.PERMANENT if kind is FailureKind.OAUTH_REQUIRED else Permanence.TEMPORARY
    )
    raise MailError(Failure(kind, Stage.LOGIN, permanence, detail=names, facts={"offered": names}))


async def log_in(wire: Wire, mechanism: Mechanism, login: Login, *, encrypted: bool) -> Reply:
    """Log in with one mechanism and return the reply that accepted it (235).

    Raises MailError when the server refuses, and what the wire raises.
    """
    reply = await _EXCHANGES[mechanism](_Exchange(wire, mechanism, encrypted=encrypted), login)
    if reply.code != 235:
        raise MailError(_refused(reply, encrypted=encrypted))
    return reply


def secrets_of(login: Login) -> tuple[str, ...]:
    """Return every form of a login's secret that could come back in a server's reply."""
    password = login.password.encode()
    user = login.username.encode()
    return tuple(
        form
        for form in (
            login.password,
            base64.b64encode(password).decode(),
            base64.b64encode(b"\0" + user + b"\0" + password).decode(),
        )
        if len(form) >= _SHORTEST_SECRET
    )


def _refused(reply: Reply, *, encrypted: bool) -> Failure:
    return refusal(Stage.LOGIN, reply, encrypted=encrypted, logged_in=False)


class _Exchange:
    """The challenges and responses of one AUTH command."""

    def __init__(self, wire: Wire, mechanism: Mechanism, *, encrypted: bool) -> None:
        self._wire = wire
        self._mechanism = mechanism
        self._encrypted = encrypted

    async def start(self, initial: bytes | None = None) -> Reply:
        """Send AUTH, with the initial response on the same line where it fits (section 4)."""
        command = [b"AUTH", self._mechanism.encode()]
        if initial is None:
            return await self._wire.command(*command)
        encoded = base64.b64encode(initial) or b"="
        if len(b" ".join((*command, encoded))) + 2 <= MAX_COMMAND:
            return await self._wire.command(*command, encoded)
        return await self.answer(await self._wire.command(*command), initial)

    async def answer(self, challenge: Reply, response: bytes) -> Reply:
        """Answer a 334; any other reply ends the exchange."""
        if challenge.code != 334:
            raise MailError(_refused(challenge, encrypted=self._encrypted))
        return await self._wire.command(base64.b64encode(response))

    async def cancel(self) -> None:
        """Give up in an orderly way (section 4)."""
        await self._wire.command(b"*")

    def decode(self, challenge: Reply) -> bytes:
        """Return what a 334 asks."""
        if challenge.code != 334:
            raise MailError(_refused(challenge, encrypted=self._encrypted))
        try:
            return base64.b64decode(challenge.text, validate=True)
        except binascii.Error as error:
            raise MailError(_broken("the challenge is not base64")) from error


def _broken(detail: str) -> Failure:
    return Failure(FailureKind.PROTOCOL_ERROR, Stage.LOGIN, Permanence.TEMPORARY, detail=detail)


async def _plain(exchange: _Exchange, login: Login) -> Reply:
    """RFC 4616."""
    return await exchange.start(b"\0" + login.username.encode() + b"\0" + login.password.encode())


async def _login(exchange: _Exchange, login: Login) -> Reply:
    """draft-murchison-sasl-login: the prompts say nothing that matters."""
    challenge = await exchange.start()
    challenge = await exchange.answer(challenge, login.username.encode())
    return await exchange.answer(challenge, login.password.encode())


async def _cram_md5(exchange: _Exchange, login: Login) -> Reply:
    """RFC 2195."""
    challenge = await exchange.start()
    digest = hmac.new(login.password.encode(), exchange.decode(challenge), hashlib.md5).hexdigest()
    return await exchange.answer(challenge, f"{login.username} {digest}".encode())


def _fits_scram(login: Login) -> bool:
    """Whether SASLprep (RFC 4013), which knows no newer characters than Unicode 3.2, takes it."""
    try:
        ScramClient([Mechanism.SCRAM_SHA_256], login.username, login.password)
    except ScramException:
        return False
    return True


async def _scram(exchange: _Exchange, login: Login) -> Reply:
    """RFC 5802, RFC 7677. The server has to prove that it knows the password, too."""
    client = ScramClient([Mechanism.SCRAM_SHA_256], login.username, login.password)
    challenge = await exchange.start(client.get_client_first().encode())
    try:
        client.set_server_first(exchange.decode(challenge).decode())
        # off the loop: the server chooses how many rounds of hashing this takes
        proof = await asyncio.to_thread(client.get_client_final)
        challenge = await exchange.answer(challenge, proof.encode())
        if challenge.code == 235:
            raise MailError(_broken("the server failed to prove itself"))
        if challenge.code != 334:
            return challenge
        client.set_server_final(exchange.decode(challenge).decode())
    except (ScramException, UnicodeError) as error:
        await exchange.cancel()
        raise MailError(_broken("the server failed to prove itself")) from error
    return await exchange.answer(challenge, b"")


_EXCHANGES = {
    Mechanism.SCRAM_SHA_256: _scram,
    Mechanism.PLAIN: _plain,
    Mechanism.LOGIN: _login,
    Mechanism.CRAM_MD5: _cram_md5,
}

"""One login mechanism, tried once (RFC 4954).

Servers count failures and lock accounts, so a refusal is never answered with the same
password through another mechanism.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Set as AbstractSet
import hashlib
import hmac
from typing import TYPE_CHECKING

from ..failure import Failure, FailureKind, MailError, Permanence, Stage
from ..reply import Reply
from ..settings import Login, TokenLogin
from .connection import Wire
from .protocol import Capabilities
from .sasl import (
    OAUTHBEARER_GIVES_UP,
    TOKEN_MECHANISMS,
    XOAUTH2_GIVES_UP,
    Bearer,
    Exchange,
    Mechanism,
    oauthbearer,
    xoauth2,
)

if TYPE_CHECKING:
    from .scram import Scram

_PREFERENCE = (
    Mechanism.SCRAM_SHA_256,
    Mechanism.PLAIN,
    Mechanism.LOGIN,
    Mechanism.CRAM_MD5,
)
_PREFERENCE_IN_CLEAR = (
    Mechanism.SCRAM_SHA_256,
    Mechanism.CRAM_MD5,
    Mechanism.PLAIN,
    Mechanism.LOGIN,
)


type Credentials = Login | Bearer
"""What one login needs: a password, or one access token."""


async def choose(
    capabilities: Capabilities,
    login: Login | TokenLogin,
    *,
    encrypted: bool,
    on_this_machine: bool,
) -> Mechanism:
    """Pick the one mechanism to use. Without TLS those that hide the password come first.

    on_this_machine: nothing crosses a network. Raises MailError when there is no mechanism in
    common, naming what was offered, and when there is none that may be used.
    """
    offered = capabilities.mechanisms
    if not offered:
        hidden = not encrypted and capabilities.has("starttls")
        kind = FailureKind.AUTH_NEEDS_ENCRYPTION if hidden else FailureKind.AUTH_NOT_OFFERED
        raise MailError(_not_usable(kind))
    if isinstance(login, TokenLogin):
        mechanism = _for_token(offered)
        # Whoever reads a token can use it, so it needs TLS (RFC 6750 section 5.3).
        if not encrypted and not on_this_machine:
            raise MailError(_not_usable(FailureKind.AUTH_NEEDS_ENCRYPTION))
        return mechanism
    for mechanism in _PREFERENCE if encrypted else _PREFERENCE_IN_CLEAR:
        if mechanism in offered and await _fits(mechanism, login):
            return mechanism
    wants_token = not offered.isdisjoint(TOKEN_MECHANISMS)
    raise MailError(
        _nothing_in_common(
            offered,
            FailureKind.OAUTH_REQUIRED if wants_token else FailureKind.AUTH_MECHANISM_UNSUPPORTED,
        )
    )


async def _fits(mechanism: Mechanism, login: Login) -> bool:
    if mechanism is not Mechanism.SCRAM_SHA_256:
        return True
    return (await asyncio.to_thread(_load_scram)).fits(login)


def _for_token(offered: AbstractSet[str]) -> Mechanism:
    for mechanism in TOKEN_MECHANISMS:
        if mechanism in offered:
            return mechanism
    raise MailError(_nothing_in_common(offered, FailureKind.AUTH_MECHANISM_UNSUPPORTED))


async def credentials_for(login: Login | TokenLogin) -> Credentials:
    """Return what the login needs, with an access token that is valid now. Raises MailError."""
    if isinstance(login, Login):
        return login
    return Bearer(login.username, await login.tokens.current())


async def log_in(
    wire: Wire, mechanism: Mechanism, credentials: Credentials, *, encrypted: bool
) -> Reply:
    """Log in with one mechanism and return the reply that accepted it (235).

    Raises MailError when the server refuses, and what the wire raises.
    """
    exchange = Exchange(wire, mechanism, encrypted=encrypted)
    if isinstance(credentials, Bearer):
        reply = await _TOKEN_EXCHANGES[mechanism](exchange, credentials)
    else:
        reply = await _EXCHANGES[mechanism](exchange, credentials)
    if reply.code != 235:
        raise MailError(exchange.refused(reply))
    return reply


def _not_usable(kind: FailureKind) -> Failure:
    return Failure(kind, Stage.LOGIN, Permanence.TEMPORARY)


def _nothing_in_common(offered: AbstractSet[str], kind: FailureKind) -> Failure:
    names = ", ".join(sorted(offered))
    permanence = (
        Permanence.PERMANENT if kind is FailureKind.OAUTH_REQUIRED else Permanence.TEMPORARY
    )
    return Failure(kind, Stage.LOGIN, permanence, detail=names, facts={"offered": names})


async def _plain(exchange: Exchange, login: Login) -> Reply:
    """RFC 4616."""
    return await exchange.start(b"\0" + login.username.encode() + b"\0" + login.password.encode())


async def _login(exchange: Exchange, login: Login) -> Reply:
    """draft-murchison-sasl-login: the prompts say nothing that matters."""
    challenge = await exchange.start()
    challenge = await exchange.answer(challenge, login.username.encode())
    return await exchange.answer(challenge, login.password.encode())


async def _cram_md5(exchange: Exchange, login: Login) -> Reply:
    """RFC 2195."""
    challenge = await exchange.start()
    digest = hmac.new(login.password.encode(), exchange.decode(challenge), hashlib.md5).hexdigest()
    return await exchange.answer(challenge, f"{login.username} {digest}".encode())


async def _scram(exchange: Exchange, login: Login) -> Reply:
    return await (await asyncio.to_thread(_load_scram)).converse(exchange, login)


def _load_scram() -> type[Scram]:
    """Most servers do not offer it, and its library takes longer to load than all of this."""
    from .scram import Scram  # noqa: PLC0415

    return Scram


async def _xoauth2(exchange: Exchange, bearer: Bearer) -> Reply:
    reply = await exchange.start(xoauth2(bearer))
    return await exchange.give_up(reply, XOAUTH2_GIVES_UP) if reply.code == 334 else reply


async def _oauthbearer(exchange: Exchange, bearer: Bearer) -> Reply:
    reply = await exchange.start(oauthbearer(bearer))
    return await exchange.give_up(reply, OAUTHBEARER_GIVES_UP) if reply.code == 334 else reply


_EXCHANGES: Mapping[Mechanism, Callable[[Exchange, Login], Awaitable[Reply]]] = {
    Mechanism.SCRAM_SHA_256: _scram,
    Mechanism.PLAIN: _plain,
    Mechanism.LOGIN: _login,
    Mechanism.CRAM_MD5: _cram_md5,
}
_TOKEN_EXCHANGES: Mapping[Mechanism, Callable[[Exchange, Bearer], Awaitable[Reply]]] = {
    Mechanism.XOAUTH2: _xoauth2,
    Mechanism.OAUTHBEARER: _oauthbearer,
}

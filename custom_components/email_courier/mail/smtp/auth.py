"""Which login mechanism is used: one, once (RFC 4954).

Servers count failures and lock accounts, so a refusal is never answered with the same
password through another mechanism.
"""

from __future__ import annotations

import asyncio
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from ..failure import Failure, FailureKind, MailError, Permanence, Stage
from ..settings import Login, TokenLogin
from .connection import Connection
from .protocol import Capabilities, Mechanism
from .sasl import (
    PASSWORD_EXCHANGES,
    TOKEN_MECHANISMS,
    Exchange,
    exchange_token,
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
        hidden = not encrypted and "starttls" in capabilities.extensions
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


async def log_in(
    connection: Connection, mechanism: Mechanism, login: Login, *, encrypted: bool
) -> None:
    """Log in with a password. Raises MailError when the server refuses."""
    exchange = Exchange(connection, mechanism, encrypted=encrypted)
    if mechanism is Mechanism.SCRAM_SHA_256:
        scram = await asyncio.to_thread(_load_scram)
        reply = await scram.converse(exchange, login)
    else:
        reply = await PASSWORD_EXCHANGES[mechanism](exchange, login)
    if reply.code != 235:
        raise MailError(exchange.refused(reply))


async def log_in_with_token(
    connection: Connection, mechanism: Mechanism, username: str, token: str, *, encrypted: bool
) -> None:
    """Log in with an access token. Raises MailError when the server refuses."""
    exchange = Exchange(connection, mechanism, encrypted=encrypted)
    if mechanism is Mechanism.XOAUTH2:
        reply = await exchange_token(exchange, xoauth2(username, token), b"")
    else:  # RFC 7628 section 3.2.3: what an error challenge is answered with
        reply = await exchange_token(exchange, oauthbearer(username, token), b"\x01")
    if reply.code != 235:
        raise MailError(exchange.refused(reply))


async def _fits(mechanism: Mechanism, login: Login) -> bool:
    if mechanism is not Mechanism.SCRAM_SHA_256:
        return True
    return (await asyncio.to_thread(_load_scram)).fits(login)


def _load_scram() -> type[Scram]:
    """Most servers do not offer it, and its library takes longer to load than all of this."""
    from .scram import Scram  # noqa: PLC0415

    return Scram


def _for_token(offered: AbstractSet[str]) -> Mechanism:
    for mechanism in TOKEN_MECHANISMS:
        if mechanism in offered:
            return mechanism
    raise MailError(_nothing_in_common(offered, FailureKind.AUTH_MECHANISM_UNSUPPORTED))


def _not_usable(kind: FailureKind) -> Failure:
    return Failure(kind, Stage.LOGIN, Permanence.TEMPORARY)


def _nothing_in_common(offered: AbstractSet[str], kind: FailureKind) -> Failure:
    names = ", ".join(sorted(offered))
    permanence = (
        Permanence.PERMANENT if kind is FailureKind.OAUTH_REQUIRED else Permanence.TEMPORARY
    )
    return Failure(kind, Stage.LOGIN, permanence, detail=names, facts={"offered": names})

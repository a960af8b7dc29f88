"""Which login mechanism is used (RFC 4954).

Servers count failures and lock accounts, so one password is one attempt: a refusal is never
answered with the same password through another mechanism. What is refused before a password was
proved was the mechanism, and the next one is tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence, Set as AbstractSet
from functools import partial
from typing import TYPE_CHECKING

from ..failure import Failure, FailureKind, MailError, Permanence, Stage
from ..reply import Reply
from ..settings import Login, TokenLogin
from .connection import Connection
from .errors import FOREIGN_ERRORS
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

_OTHER_SECRET = (FailureKind.APP_PASSWORD_REQUIRED, FailureKind.OAUTH_REQUIRED)
"""No mechanism helps where the server wants something else than this password."""


async def choose(
    capabilities: Capabilities,
    login: Login | TokenLogin,
    *,
    encrypted: bool,
    on_this_machine: bool,
) -> list[Mechanism]:
    """Pick the mechanisms that can be used, the best one first.

    Without TLS those that hide the password come first. on_this_machine: nothing crosses a
    network. Raises MailError when there is no mechanism in common, naming what was offered, and
    when there is none that may be used.
    """
    offered = capabilities.mechanisms
    if not offered:
        hidden = not encrypted and "starttls" in capabilities.extensions
        kind = FailureKind.AUTH_NEEDS_ENCRYPTION if hidden else FailureKind.AUTH_NOT_OFFERED
        raise MailError(_not_usable(kind))
    if isinstance(login, TokenLogin):
        if not offered.isdisjoint(TOKEN_MECHANISMS):
            # Whoever reads a token can use it, so it needs TLS (RFC 6750 section 5.3).
            if not encrypted and not on_this_machine:
                raise MailError(_not_usable(FailureKind.AUTH_NEEDS_ENCRYPTION))
            return [mechanism for mechanism in TOKEN_MECHANISMS if mechanism in offered]
        raise MailError(_nothing_in_common(offered, FailureKind.AUTH_MECHANISM_UNSUPPORTED))
    usable = [
        mechanism
        for mechanism in (_PREFERENCE if encrypted else _PREFERENCE_IN_CLEAR)
        if mechanism in offered and await _fits(mechanism, login)
    ]
    if not usable:
        wants_token = not offered.isdisjoint(TOKEN_MECHANISMS)
        unsupported = FailureKind.AUTH_MECHANISM_UNSUPPORTED
        kind = FailureKind.OAUTH_REQUIRED if wants_token else unsupported
        raise MailError(_nothing_in_common(offered, kind))
    return usable


async def log_in(
    connection: Connection,
    mechanisms: Sequence[Mechanism],
    login: Login | TokenLogin,
    token: str,
    *,
    encrypted: bool,
) -> Mechanism:
    """Log in with the first mechanism that the server does, and return which that was.

    token: what a TokenLogin logs in with. Raises MailError when the server refuses.
    """
    refused: MailError | None = None
    for mechanism in mechanisms:
        converse = await _conversation(mechanism, login, token)
        exchange = Exchange(connection, mechanism, encrypted=encrypted)
        try:
            reply = await converse(exchange)
            if reply.code == 235:
                return mechanism
            raise MailError(exchange.refused(reply))  # noqa: TRY301
        except MailError as error:
            if not _refuses_mechanism(error.failure, exchange):
                raise
            refused = error
        except FOREIGN_ERRORS:  # it hung up after what it refused
            if refused is None:
                raise
            break
    raise refused or ValueError("no mechanism")


async def _conversation(
    mechanism: Mechanism, login: Login | TokenLogin, token: str
) -> Callable[[Exchange], Awaitable[Reply]]:
    """Return what a mechanism says in an exchange, up to the last reply."""
    if isinstance(login, TokenLogin):
        is_xoauth2 = mechanism is Mechanism.XOAUTH2
        message = (xoauth2 if is_xoauth2 else oauthbearer)(login.username, token)
        # What an error challenge is answered with (RFC 7628 section 3.2.3).
        return partial(exchange_token, first=message, gives_up=b"" if is_xoauth2 else b"\x01")
    if mechanism is Mechanism.SCRAM_SHA_256:
        scram = await asyncio.to_thread(_load_scram)
        return partial(scram.converse, login=login)
    return partial(PASSWORD_EXCHANGES[mechanism], login)


def _refuses_mechanism(failure: Failure, exchange: Exchange) -> bool:
    """Tell whether a refusal says nothing about the password (RFC 4954 section 6)."""
    reply = failure.reply
    if reply is None or not reply.is_permanent or failure.kind in _OTHER_SECRET:
        return False
    return not exchange.has_proved or reply.code == 504


async def _fits(mechanism: Mechanism, login: Login) -> bool:
    if mechanism is not Mechanism.SCRAM_SHA_256:
        return True
    return (await asyncio.to_thread(_load_scram)).fits(login)


def _load_scram() -> type[Scram]:
    """Most servers do not offer it, and its library takes longer to load than all of this."""
    from .scram import Scram  # noqa: PLC0415

    return Scram


def _not_usable(kind: FailureKind) -> Failure:
    return Failure(kind, Stage.LOGIN, Permanence.TEMPORARY)


def _nothing_in_common(offered: AbstractSet[str], kind: FailureKind) -> Failure:
    names = ", ".join(sorted(offered))
    permanence = (
        Permanence.PERMANENT if kind is FailureKind.OAUTH_REQUIRED else Permanence.TEMPORARY
    )
    return Failure(kind, Stage.LOGIN, permanence, detail=names, facts={"offered": names})

"""Opening a session, with a second chance for an access token that was refused."""

from __future__ import annotations

from collections.abc import Callable

from .failure import LOGIN_REFUSED, Failure, MailError, Permanence
from .session import Session
from .settings import Login, TokenLogin


async def open_session(make: Callable[[], Session]) -> Session:
    """Make a session and open it; where its token is refused, once more with a new one.

    Raises MailError.
    """
    session = make()
    try:
        await session.open()
    except MailError as error:
        if not await renew_token(session.settings.login, error.failure):
            raise
        session = make()
        await session.open()
    return session


async def renew_token(login: Login | TokenLogin | None, failure: Failure) -> bool:
    """Get a new access token where the server refused the old one; tell whether there is one.

    Tokens can be withdrawn before their time. A password is never tried twice. Raises MailError
    where the provider hands out no new token.
    """
    if not isinstance(login, TokenLogin) or failure.kind not in LOGIN_REFUSED:
        return False
    if failure.permanence is not Permanence.PERMANENT or failure.reply is None:
        return False
    await login.tokens.renew()
    return True

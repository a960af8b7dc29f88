"""One delivery over a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import ssl

from ..envelope import Delivery, Envelope
from ..failure import LOGIN_REFUSED, Failure, FailureKind, MailError, Permanence, Stage
from ..payload import Payload
from ..settings import Login, ServerSettings, TokenLogin
from .session import Session
from .transaction import BeforeDot


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


async def deliver_once(
    settings: ServerSettings, context: ssl.SSLContext, envelope: Envelope, data: Payload
) -> Delivery:
    """Connect, log in, deliver and leave. Never raises MailError: failures are in the outcome."""
    try:
        session = await open_session(lambda: Session(settings, context))
    except MailError as error:
        return Delivery.failed(envelope, error.failure)
    try:
        return await session.deliver(envelope, data)
    finally:
        session.quit()


IDLE = 30.0
"""Seconds without a mail after which the session ends."""
LIFETIME = 300.0
"""Seconds after which a session takes no further mail."""
MAILS = 100
"""Mails after which a session ends."""
_FRESH = 1.0
"""Seconds after its last reply for which a session needs no probe."""

_GONE = frozenset({FailureKind.DISCONNECTED, FailureKind.PROTOCOL_ERROR})
_BEFORE_THE_MESSAGE = frozenset({Stage.SENDER, Stage.RECIPIENT})


class WarmSession:
    """Delivers over a session that it keeps, one mail at a time and in the order of the calls."""

    def __init__(
        self,
        settings: ServerSettings,
        context: ssl.SSLContext,
        *,
        opened: Callable[[Session], None] | None = None,
    ) -> None:
        """Keep nothing yet. opened: told of each session once its login has passed."""
        self._settings = settings
        self._context = context
        self._opened = opened
        self._turn = asyncio.Lock()
        self._session: Session | None = None
        self._opened_at = 0.0
        self._used_at = 0.0
        self._mails = 0
        self._may_pipeline = True
        self._idle: asyncio.TimerHandle | None = None

    async def deliver(
        self, envelope: Envelope, data: Payload, *, before_dot: BeforeDot | None = None
    ) -> Delivery:
        """Deliver one message. Never raises MailError: failures are in the outcome."""
        async with self._turn:
            self._stop_idling()
            try:
                session = await self._reusable()
                if session is not None:
                    delivery = await self._deliver(session, envelope, data, before_dot)
                    if not _went_stale(delivery):
                        return delivery
                return await self._deliver_afresh(envelope, data, before_dot)
            finally:
                self._begin_idling()

    def close(self) -> None:
        """End the session; the next delivery would open another."""
        self._stop_idling()
        if self._session is not None:
            self._session.quit()
            self._session = None

    async def _deliver_afresh(
        self, envelope: Envelope, data: Payload, before_dot: BeforeDot | None
    ) -> Delivery:
        self.close()
        try:
            session = await open_session(self._new_session)
        except MailError as error:
            return Delivery.failed(envelope, error.failure)
        if self._opened is not None:
            self._opened(session)
        self._session = session
        self._opened_at = asyncio.get_running_loop().time()
        self._mails = 0
        delivery = await self._deliver(session, envelope, data, before_dot)
        if session.pipelining_is_broken and self._may_pipeline and not delivery.accepted:
            self._may_pipeline = False
            return await self._deliver_afresh(envelope, data, before_dot)
        return delivery

    def _new_session(self) -> Session:
        return Session(self._settings, self._context, may_pipeline=self._may_pipeline)

    async def _deliver(
        self, session: Session, envelope: Envelope, data: Payload, before_dot: BeforeDot | None
    ) -> Delivery:
        self._mails += 1
        delivery = await session.deliver(envelope, data, before_dot=before_dot)
        self._used_at = asyncio.get_running_loop().time()
        return delivery

    async def _reusable(self) -> Session | None:
        """Return the kept session if it may be used once more and still works."""
        session = self._session
        now = asyncio.get_running_loop().time()
        if (
            session is None
            or not session.is_open
            or self._mails >= MAILS
            or now - self._opened_at >= LIFETIME
        ):
            return None
        if now - self._used_at > _FRESH and not await session.probe():
            return None
        return session

    def _begin_idling(self) -> None:
        if self._session is None:
            return
        if not self._session.is_open:
            self._session = None
            return
        self._idle = asyncio.get_running_loop().call_later(IDLE, self.close)

    def _stop_idling(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None


def _went_stale(delivery: Delivery) -> bool:
    """Tell whether a kept session broke off before the message itself was on its way."""
    return bool(delivery.outcomes) and all(
        outcome.failure is not None
        and outcome.failure.stage in _BEFORE_THE_MESSAGE
        and (
            outcome.failure.kind in _GONE
            or (outcome.reply is not None and outcome.reply.code == 421)
        )
        for outcome in delivery.outcomes
    )

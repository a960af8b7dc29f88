"""The session that an account keeps for its mail; one delivery without it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import replace
import ssl

from ..envelope import Delivery, Envelope, Peek
from ..failure import LOGIN_REFUSED, STOPPED, Failure, FailureKind, MailError, Permanence, Stage
from ..payload import Payload
from ..settings import Login, ServerSettings, TokenLogin
from .classify import is_one_too_many
from .session import Session, redactor_for
from .transaction import BeforeDot

IDLE = 30.0
"""Seconds without a mail after which the session ends."""
LIFETIME = 300.0
"""Seconds after which a session takes no further mail."""
MAILS = 100
"""Mails after which a session ends."""
_FRESH = 1.0
"""Seconds after its last reply for which a session needs no probe, and a failure no second try."""
_NO_SECOND_LOGIN = 120.0
"""Seconds. Longer than the slowest mail takes to be made (a picture 10, a media source 60)."""

_GONE = frozenset({FailureKind.DISCONNECTED, FailureKind.PROTOCOL_ERROR})
_BEFORE_THE_MESSAGE = frozenset({Stage.SENDER, Stage.RECIPIENT})


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


class KeepaliveSession:
    """Delivers over a session that it keeps, one mail at a time and in the order of the calls.

    latest: the last session whose login has passed; it may be closed.
    """

    def __init__(self, settings: ServerSettings, context: ssl.SSLContext) -> None:
        """Keep nothing yet."""
        self.latest: Session | None = None
        self._settings = settings
        self._context = context
        self._redactor = redactor_for(settings.login)
        self._turn = asyncio.Lock()
        self._session: Session | None = None
        self._not_opened: tuple[float, Failure] | None = None
        self._opened_at = 0.0
        self._used_at = 0.0
        self._mails = 0
        self._may_pipeline = True
        self._may_go_ahead = True
        self._idle: asyncio.TimerHandle | None = None

    async def deliver(
        self,
        envelope: Envelope,
        data: Payload,
        *,
        before_dot: BeforeDot | None = None,
        peek: Peek | None = None,
    ) -> Delivery:
        """Deliver one message. Never raises MailError: failures are in the outcome.

        peek: returns the mail that is to be the next one, whose envelope may go out with this
        message. Another one can still be delivered instead, over a fresh session.
        """
        async with self._turn:
            self._stop_idling()
            try:
                return await self._deliver(envelope, data, before_dot, peek)
            finally:
                self._idle_from_now()

    async def warm_up(self) -> None:
        """Open the session for a mail that is still being made; it ends unused like any other.

        Never raises MailError. Does nothing where a session is there or a delivery under way, and
        where it has failed just now.

        What goes wrong is no event of its own. A delivery that waited for it, or comes right after
        it, has it as its outcome instead of trying the same again; later ones try anew. A refused
        login is the outcome of the next delivery within two minutes: servers count those, and some
        shut out who has too many.
        """
        if self._turn.locked() or self._known_failure() is not None:
            return
        async with self._turn:
            if self._session is not None and self._session.is_open:
                return
            self._not_opened = None
            try:
                await self._open()
            except MailError as error:
                self._not_opened = asyncio.get_running_loop().time(), error.failure
            finally:
                self._idle_from_now()

    def _idle_from_now(self) -> None:
        if self._session is not None:
            self._stop_idling()
            self._idle = asyncio.get_running_loop().call_later(IDLE, self.close)

    def close(self) -> None:
        """End the session; the next delivery would open another."""
        self._stop_idling()
        if self._session is not None:
            self._session.quit()
            self._session = None

    async def _open(self) -> Session:
        """Open a session that is kept from then on. Raises MailError."""
        self.close()
        session = await open_session(self._new_session)
        self.latest = self._session = session
        self._redactor = session.redactor
        self._opened_at = self._used_at = asyncio.get_running_loop().time()
        self._mails = 0
        return session

    def _new_session(self) -> Session:
        return Session(
            self._settings,
            self._context,
            may_pipeline=self._may_pipeline,
            redactor=self._redactor,
        )

    async def _deliver(
        self,
        envelope: Envelope,
        data: Payload,
        before_dot: BeforeDot | None,
        peek: Peek | None,
    ) -> Delivery:
        """Deliver over the kept session, and what that did not settle over a fresh one."""
        failure, self._not_opened = self._known_failure(), None
        if failure is not None:
            return Delivery.failed(envelope, failure)
        session = await self._reusable()
        was_kept = session is not None and self._mails > 0
        if session is None:
            try:
                session = await self._open()
            except MailError as error:
                return Delivery.failed(envelope, error.failure)
        self._mails += 1
        is_last = self._is_worn() or not self._may_go_ahead
        delivery = await _deliver_in_groups(
            session, envelope, data, before_dot, None if is_last else peek
        )
        self._used_at = asyncio.get_running_loop().time()
        if was_kept:
            unsettled = _unsettled(delivery, session)
            if session.went_ahead and session.pipelining_is_broken:
                self._may_go_ahead = False
        elif session.pipelining_is_broken and self._may_pipeline and not delivery.accepted:
            self._may_pipeline = False
            unsettled = envelope.recipients
        else:
            return delivery
        if not unsettled or _is_cancelled():
            return delivery
        self.close()
        rest = replace(envelope, recipients=unsettled)
        try:
            again = await self._deliver(rest, data, before_dot, peek)
        except asyncio.CancelledError:
            if not delivery.accepted:
                raise
            again = Delivery.failed(rest, _cancelled(self._session))
        return _merged(delivery, again)

    def _known_failure(self) -> Failure | None:
        """Return why the session could not be opened ahead, where that still counts."""
        if self._not_opened is None:
            return None
        at, failure = self._not_opened
        counts_for = _NO_SECOND_LOGIN if failure.wants_other_login else _FRESH
        return failure if asyncio.get_running_loop().time() - at <= counts_for else None

    async def _reusable(self) -> Session | None:
        """Return the kept session if it may be used once more and still works."""
        session = self._session
        if session is None or not session.is_open:
            return None
        if session.ahead is not None:  # an envelope has been said already
            return session
        if self._is_worn():
            return None
        now = asyncio.get_running_loop().time()
        if now - self._used_at > _FRESH and not await session.probe():
            return None
        return session

    def _is_worn(self) -> bool:
        """Whether the session takes no further mail."""
        now = asyncio.get_running_loop().time()
        return self._mails >= MAILS or now - self._opened_at >= LIFETIME

    def _stop_idling(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None


async def _deliver_in_groups(
    session: Session,
    envelope: Envelope,
    data: Payload,
    before_dot: BeforeDot | None,
    peek: Peek | None,
) -> Delivery:
    """Deliver over a session; whoever was too many for a transaction is asked for in a further one.

    RFC 5321 section 4.5.3.1.10: at once, without having to wait for a retry. A further one is for
    as many as the first has had room for, so that the server need not refuse the rest again and
    again; it goes on as long as there are less and less. Cancelled once somebody has the mail, it
    returns what is known, so that nobody gets the mail twice.
    """
    delivery = await session.deliver(envelope, data, before_dot=before_dot, peek=peek)
    room, before = 0, len(envelope.recipients)
    while rest := [
        outcome.address
        for outcome in delivery.outcomes
        if outcome.failure is not None and is_one_too_many(outcome.failure)
    ]:
        room = room or len(delivery.accepted)
        if not room or len(rest) >= before or not session.is_open:
            break
        before = len(rest)
        group = replace(envelope, recipients=tuple(rest[:room]))
        try:
            further = await session.deliver(group, data, before_dot=before_dot)
        except asyncio.CancelledError:
            further = Delivery.failed(group, _cancelled(session))
        delivery = _merged(delivery, further)
    return delivery


def _is_cancelled() -> bool:
    """Tell whether somebody has ended the present attempt, and it has taken note of that."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _cancelled(session: Session | None) -> Failure:
    if session is None:
        return STOPPED
    has_begun = session.has_begun_message
    permanence = Permanence.AMBIGUOUS if has_begun else Permanence.TEMPORARY
    return STOPPED._replace(stage=session.stage, permanence=permanence)


def _unsettled(delivery: Delivery, session: Session) -> tuple[str, ...]:
    """Return whom to ask for once more, because a kept session is not to be believed.

    It may have expired without a word, or taken no note of an envelope that came ahead. What it
    says of the message itself counts.
    """
    return tuple(
        outcome.address
        for outcome in delivery.outcomes
        if (failure := outcome.failure) is not None
        and (failure.reply is not None or failure.kind in _GONE or session.went_ahead)
        and (failure.stage in _BEFORE_THE_MESSAGE or not session.has_begun_message)
    )


def _merged(first: Delivery, second: Delivery) -> Delivery:
    """Return what became of each recipient in the end."""
    again = {outcome.address: outcome for outcome in second.outcomes}
    outcomes = tuple(again.get(outcome.address, outcome) for outcome in first.outcomes)
    return Delivery(outcomes, first.reply if first.accepted else second.reply)

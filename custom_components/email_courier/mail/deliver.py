"""One delivery over a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
import ssl

from .envelope import Delivery, Envelope
from .failure import MailError
from .opening import open_session
from .payload import Payload
from .session import Session
from .settings import ServerSettings
from .transaction import BeforeDot


async def deliver_once(
    settings: ServerSettings,
    context: ssl.SSLContext,
    envelope: Envelope,
    data: Payload,
    *,
    before_dot: BeforeDot | None = None,
    opened: Callable[[Session], None] | None = None,
) -> Delivery:
    """Connect, log in, deliver and leave. Never raises MailError: failures are in the outcome.

    before_dot: awaited before the final dot is sent. opened: told of the session once its login
    has passed.
    """
    try:
        session = await open_session(lambda: Session(settings, context))
    except MailError as error:
        return Delivery.failed(envelope, error.failure)
    if opened is not None:
        opened(session)
    try:
        return await session.deliver(envelope, data, before_dot=before_dot)
    finally:
        session.quit()

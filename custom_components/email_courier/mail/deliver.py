"""One delivery over a connection of its own."""

from __future__ import annotations

import ssl

from .envelope import Delivery, Envelope
from .failure import MailError
from .session import BeforeDot, Session
from .settings import ServerSettings


async def deliver_once(
    settings: ServerSettings,
    context: ssl.SSLContext,
    envelope: Envelope,
    data: bytes,
    *,
    before_dot: BeforeDot | None = None,
) -> Delivery:
    """Connect, log in, deliver and leave. Never raises MailError: failures are in the outcome."""
    session = Session(settings, context)
    try:
        await session.open()
    except MailError as error:
        return Delivery.failed(envelope, error.failure)
    try:
        return await session.deliver(envelope, data, before_dot=before_dot)
    finally:
        session.quit()

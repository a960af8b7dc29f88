"""One delivery over a connection of its own."""

from __future__ import annotations

import ssl

from .envelope import Delivery, Envelope
from .failure import MailError
from .opening import open_session
from .payload import Payload
from .session import Session
from .settings import ServerSettings


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

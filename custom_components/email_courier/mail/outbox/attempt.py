"""One attempt at one mail, as the session makes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
import logging
from typing import Protocol

from ..envelope import Delivery, Envelope
from ..failure import Failure, FailureKind, Permanence, Stage
from ..payload import Payload
from .job import Job

_LOGGER = logging.getLogger(__name__)

STOPPED = Failure(
    FailureKind.DISCONNECTED,
    Stage.RESOLVE,
    Permanence.TEMPORARY,
    detail="the account is being stopped",
)


class Deliver(Protocol):
    """One attempt at one mail; never raises a MailError."""

    def __call__(
        self,
        envelope: Envelope,
        data: Payload,
        *,
        before_dot: Callable[[], Awaitable[None]] | None,
    ) -> Awaitable[Delivery]:
        """Return what became of each recipient."""
        ...


def delivery_of(job: Job, task: asyncio.Task[Delivery]) -> Delivery:
    """Return what an attempt has returned; an error nobody thought of loses no mail either."""
    error = task.exception()
    if error is None:
        return task.result()
    _LOGGER.error("An attempt failed in a way it should not", exc_info=error)
    return Delivery.failed(
        job.record.envelope,
        Failure(
            FailureKind.PROTOCOL_ERROR,
            Stage.DATA,
            Permanence.AMBIGUOUS if job.dot_reached else Permanence.TEMPORARY,
            detail=type(error).__name__,
        ),
    )

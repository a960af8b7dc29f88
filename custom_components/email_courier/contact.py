"""What the courier's events say about the server."""

from __future__ import annotations

from .mail.failure import Failure, Stage
from .mail.outbox.events import CourierEvent, Deferred, Delivered, Failed, GivenUp

_AFTER_LOGIN = frozenset({Stage.SENDER, Stage.RECIPIENT, Stage.DATA, Stage.ACCEPTED})


def failure_in(event: CourierEvent) -> Failure | None:
    """Return what has just gone wrong with a mail.

    A mail laid down without an attempt repeats a failure that is known already.
    """
    match event:
        case Failed(failure=failure):
            return failure
        case Deferred(attempts=attempts, failure=failure) if attempts:
            return failure
    return None


def shows_contact(event: CourierEvent) -> bool:
    """Tell whether the server has just let the account in, whatever became of the mail."""
    match event:
        case Delivered():
            return True
        case Failed(reason=GivenUp.EXPIRED):
            return False
    failure = failure_in(event)
    return failure is not None and failure.stage in _AFTER_LOGIN

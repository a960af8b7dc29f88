"""What the courier's events say about the server."""

from __future__ import annotations

from homeassistant.core import callback

from .account import Account
from .const import LOGGER
from .mail.failure import Failure, Stage
from .mail.outbox.events import (
    CourierEvent,
    Deferred,
    Delivered,
    Failed,
    GivenUp,
    StateChanged,
)

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


def contact_in(event: CourierEvent) -> bool | None:
    """Tell whether the server lets the account in, or None where the event does not say."""
    if shows_contact(event):
        return True
    if isinstance(event, StateChanged) and event.state.down is not None:
        return False
    return None


class ContactLog:
    """Writes into the log, once each, that a server is lost and that it is back."""

    def __init__(self, account: Account) -> None:
        """Belong to an account; its server is taken to be there."""
        self._account = account
        self._is_there = True

    @callback
    def async_start(self) -> None:
        """Begin to follow the account."""
        self._account.entry.async_on_unload(self._account.async_listen(self._async_follow))

    @callback
    def _async_follow(self, event: CourierEvent) -> None:
        is_there = contact_in(event)
        if is_there is None or is_there is self._is_there:
            return
        self._is_there = is_there
        title = self._account.entry.title
        if is_there:
            LOGGER.info("The server of %s takes mail again", title)
        else:
            failure = self._account.courier.state.down
            LOGGER.info("The server of %s does not take mail: %s", title, failure)

"""Telling the listener, in its own terms, what became of a mail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
import logging

from ..envelope import RecipientOutcome
from ..failure import Failure
from ..reply import Reply
from .events import (
    CourierEvent,
    Deferred,
    Delivered,
    DiskTrouble,
    Dropped,
    Failed,
    GivenUp,
    HandedOver,
    OutboxState,
    StateChanged,
)
from .record import MailRecord
from .settlement import Settlement

_LOGGER = logging.getLogger(__name__)


class Reporter:
    """Turns outcomes into events; recipients with the same answer share one."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Tell nobody yet."""
        self._listeners: list[Callable[[CourierEvent], None]] = []
        self._now = now
        self._state = OutboxState()
        self._untold: list[CourierEvent] = []

    def listen(self, listener: Callable[[CourierEvent], None]) -> None:
        """Tell one more from now on; a listener's error is logged and harms no mail."""
        self._listeners.append(listener)

    def tell(self, event: CourierEvent) -> None:
        """Pass an event on."""
        self.catch_up()
        self._pass_on(event)

    def catch_up(self) -> None:
        """Pass on what was left for a moment."""
        untold, self._untold = self._untold, []
        for event in untold:
            self._pass_on(event)

    def _tell_soon(self, event: CourierEvent) -> None:
        """Pass an event on when the loop comes to it: the next mail need not wait for listeners."""
        if not self._untold:
            asyncio.get_running_loop().call_soon(self.catch_up)
        self._untold.append(event)

    def _pass_on(self, event: CourierEvent) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                _LOGGER.exception("A listener of the outbox failed")

    def state(self, state: OutboxState) -> None:
        """Pass the state on if it has changed."""
        if state != self._state:
            self._state = state
            self.tell(StateChanged(state))

    def trouble(self, error: OSError | None) -> None:
        """Pass on that the disk did not do as it should, if so it was."""
        if error is not None:
            self.tell(DiskTrouble(str(error)))

    def refused(self, settlement: Settlement) -> None:
        """Tell of the recipients for whom an attempt was the last one."""
        self.failed(settlement.record, settlement.refused, GivenUp.REFUSED)
        self.failed(settlement.record, settlement.lost, GivenUp.AMBIGUOUS)

    def delivered(self, settlement: Settlement) -> None:
        """Tell of the recipients who have the mail."""
        record = settlement.record
        for reply, outcomes in _by_reply(settlement.accepted):
            self._tell_of(
                record,
                Delivered(
                    at=self._now(),
                    message_id=record.message_id,
                    subject=record.subject,
                    recipients=_addresses(outcomes),
                    attempts=record.attempts,
                    reply=reply,
                ),
                self._tell_soon,
            )

    def deferred(
        self, record: MailRecord, next_attempt: float | None, failure: Failure | None = None
    ) -> None:
        """Tell that a mail waits; the failure stands in where no attempt of its own has one."""
        for cause, outcomes in _by_failure(owed.outcome for owed in record.owed):
            self.tell(
                Deferred(
                    at=self._now(),
                    message_id=record.message_id,
                    subject=record.subject,
                    recipients=_addresses(outcomes),
                    attempts=record.attempts,
                    failure=cause or failure,
                    next_attempt=next_attempt,
                )
            )

    def failed(
        self,
        record: MailRecord,
        outcomes: Iterable[RecipientOutcome],
        reason: GivenUp,
        failure: Failure | None = None,
    ) -> None:
        """Tell that recipients will not get a mail."""
        for cause, group in _by_failure(outcomes):
            self._tell_of(
                record,
                Failed(
                    at=self._now(),
                    message_id=record.message_id,
                    subject=record.subject,
                    recipients=_addresses(group),
                    attempts=record.attempts,
                    reason=reason,
                    failure=cause or failure,
                ),
                self.tell,
            )

    def handed_over(self, record: MailRecord, backup: str) -> None:
        """Tell that the backup account has a mail."""
        self._tell_of(
            record,
            HandedOver(
                at=self._now(),
                message_id=record.message_id,
                subject=record.subject,
                recipients=record.addresses,
                attempts=record.attempts,
                backup=backup,
            ),
            self.tell,
        )

    def dropped(self, record: MailRecord) -> None:
        """Tell that somebody had a mail removed."""
        self._tell_of(
            record,
            Dropped(
                at=self._now(),
                message_id=record.message_id,
                subject=record.subject,
                recipients=record.addresses,
                attempts=record.attempts,
            ),
            self.tell,
        )

    def _tell_of(
        self,
        record: MailRecord,
        event: Delivered | Failed | HandedOver | Dropped,
        tell: Callable[[CourierEvent], None],
    ) -> None:
        """Tell of a mail, and then of each that is in it."""
        tell(event)
        for part in record.stands_for:
            tell(
                replace(
                    event,
                    message_id=part.message_id,
                    subject=part.subject,
                    digest=record.message_id,
                )
            )


def _addresses(outcomes: Iterable[RecipientOutcome]) -> tuple[str, ...]:
    return tuple(outcome.address for outcome in outcomes)


def _by_failure(
    outcomes: Iterable[RecipientOutcome],
) -> list[tuple[Failure | None, list[RecipientOutcome]]]:
    groups: list[tuple[Failure | None, list[RecipientOutcome]]] = []
    for outcome in outcomes:
        group = next((found for failure, found in groups if failure == outcome.failure), None)
        if group is None:
            groups.append((outcome.failure, [outcome]))
        else:
            group.append(outcome)
    return groups


def _by_reply(
    outcomes: Iterable[RecipientOutcome],
) -> list[tuple[Reply | None, list[RecipientOutcome]]]:
    groups: dict[Reply | None, list[RecipientOutcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.reply, []).append(outcome)
    return list(groups.items())

"""What one attempt means for each recipient."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..envelope import Delivery, RecipientOutcome
from ..failure import Failure, Permanence, Stage
from .backup import blames_account
from .record import MailRecord, OwedRecipient

MAX_LOST_REPLIES = 2
"""A lost reply is tried again once: a copy is better than a missed alarm, many copies are not."""

_CLOSING = 421

_BEFORE_THE_MAIL = frozenset(
    {Stage.RESOLVE, Stage.CONNECT, Stage.GREETING, Stage.TLS, Stage.HELLO, Stage.LOGIN}
)


@dataclass(frozen=True, slots=True)
class Settlement:
    """Every recipient of the attempt is in exactly one of the four.

    record: the mail as it stands now; its owed are the recipients to try again.
    accepted: got it. refused: will not get it. lost: the reply was lost once too often.
    """

    record: MailRecord
    accepted: tuple[RecipientOutcome, ...]
    refused: tuple[RecipientOutcome, ...]
    lost: tuple[RecipientOutcome, ...]

    @property
    def owed(self) -> tuple[RecipientOutcome, ...]:
        """Recipients to try again."""
        return tuple(owed.outcome for owed in self.record.owed)


def connection_failure(delivery: Delivery) -> Failure | None:
    """Return why the attempt never came to the mail itself, or None if it did."""
    failure = next((outcome.failure for outcome in delivery.outcomes), None)
    return failure if failure is not None and failure.stage in _BEFORE_THE_MAIL else None


def settle(
    record: MailRecord,
    delivery: Delivery,
    *,
    promised: bool = False,
    has_backup: bool = False,
) -> Settlement:
    """Sort the outcomes of one attempt at a record's owed recipients.

    promised: the caller has long been told that the mail is kept; then a refusal of the
    connection or the login, which says nothing about the mail, leaves it waiting for the account
    to be mended.
    has_backup: another account may try where the refusal lies with this one.
    """
    keeps_refused = promised and connection_failure(delivery) is not None
    accepted: list[RecipientOutcome] = []
    refused: list[RecipientOutcome] = []
    lost: list[RecipientOutcome] = []
    still_owed: list[OwedRecipient] = []
    for owed, outcome in zip(record.owed, delivery.outcomes, strict=True):
        failure = outcome.failure
        if failure is None:
            accepted.append(outcome)
        elif failure.permanence is Permanence.PERMANENT and not (
            keeps_refused or (has_backup and blames_account(failure))
        ):
            refused.append(outcome)
        else:
            ambiguous = failure.permanence is Permanence.AMBIGUOUS
            lost_replies = owed.lost_replies + ambiguous
            if ambiguous and lost_replies >= MAX_LOST_REPLIES:
                lost.append(outcome)
            else:
                still_owed.append(replace(owed, lost_replies=lost_replies, failure=failure))
    return Settlement(
        record=replace(record, owed=tuple(still_owed), attempts=record.attempts + 1),
        accepted=tuple(accepted),
        refused=tuple(refused),
        lost=tuple(lost),
    )


def settle_interrupted(record: MailRecord) -> Settlement:
    """Sort the recipients of a mail whose last attempt nobody saw the end of."""
    lost = tuple(owed for owed in record.owed if owed.lost_replies >= MAX_LOST_REPLIES)
    return Settlement(
        record=replace(record, owed=tuple(owed for owed in record.owed if owed not in lost)),
        accepted=(),
        refused=(),
        lost=tuple(owed.outcome for owed in lost),
    )


def breaks_off(delivery: Delivery) -> Failure | None:
    """Return why the server left in the middle of the mail, or None if it did not.

    It did when nobody got an answer other than 421 (RFC 5321 section 3.8), and trying again may
    help.
    """
    failures = [outcome.failure for outcome in delivery.outcomes]
    for failure in failures:
        if (
            failure is None
            or failure.permanence is Permanence.PERMANENT
            or (failure.reply is not None and failure.reply.code != _CLOSING)
        ):
            return None
    return next((failure for failure in failures if failure is not None), None)

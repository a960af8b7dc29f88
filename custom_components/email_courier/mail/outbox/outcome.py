"""What follows from an attempt: for the account, for the mail, and for the one who waits."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math

from ..envelope import Delivery, RecipientOutcome
from ..failure import LOGIN_REFUSED, Failure, MailError, Permanence, Stage
from .backoff import Gate, retry_delay
from .backup import blames_account
from .desk import Desk
from .events import GivenUp, Paused
from .record import REPLY_LOST, MailRecord, OwedRecipient
from .scheduler import Job
from .submission import OutboxError, Receipt

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


class Conclusions:
    """Draws them: the gate learns of the connection, the disk of the mail, the caller of both."""

    def __init__(self, desk: Desk, gate: Gate) -> None:
        """Work at a desk, and open and shut a gate."""
        self._desk = desk
        self._gate = gate

    async def settle(self, job: Job, delivery: Delivery) -> None:
        """Draw them from an attempt that has come to its end.

        A failure is told before the mail is forgotten and a delivery after that, so that a crash
        in between leaves no failure untold.
        """
        settlement = settle(
            job.record,
            delivery,
            promised=not job.is_awaited,
            has_backup=job.queue and self._may_hand_over(job),
        )
        job.record = settlement.record
        job.dot_reached = False
        self._judge(delivery)
        reporter = self._desk.reporter
        reporter.refused(settlement)
        refused = settlement.refused + settlement.lost
        error: OutboxError | None = None
        if settlement.owed and job.queue:
            error = await self._lay_down(job, connection_failure(delivery))
        else:
            await self._discard(job)
        is_kept = bool(settlement.owed) and job.queue and error is None
        reporter.delivered(settlement)
        if is_kept:
            reporter.deferred(job.record, self._next_attempt(job))
        else:
            reporter.failed(job.record, settlement.owed, GivenUp.NOT_KEPT)
            refused += settlement.owed
        if settlement.accepted or is_kept:
            job.tell(_receipt(job, delivery, settlement.accepted, refused, is_kept=is_kept))
        else:
            job.refuse(error or MailError(_first_failure(refused)))

    async def interrupt(self, job: Job, failure: Failure) -> None:
        """Draw them from an attempt that was ended from this side.

        failure: why.
        """
        if job.dot_reached:
            job.record = job.record.with_lost_reply()
            job.dot_reached = False
            failure = REPLY_LOST
        if job.entry is None and not job.queue:
            job.refuse(MailError(failure))
            return
        next_attempt = self._desk.alarm.now() + retry_delay(1, self._desk.host.chance)
        try:
            self._desk.reporter.trouble(await self._desk.keeper.lay_down(job, next_attempt))
        except OutboxError as error:
            job.refuse(OutboxError(error.reason, error.detail, failure))
        else:
            job.tell(job.queued(failure))

    async def forget(self, job: Job) -> None:
        """Draw them from an attempt at a mail that nobody wants delivered any more."""
        await self._discard(job)
        if job.entry is not None:
            self._desk.reporter.dropped(job.record)

    async def take_leave(self, job: Job) -> bool:
        """Report recipients whose reply was lost once too often; tell whether any other is left."""
        settlement = settle_interrupted(job.record)
        if settlement.lost:
            job.record = settlement.record
            self._desk.reporter.refused(settlement)
        if not job.record.owed:
            await self._discard(job)
        return bool(job.record.owed)

    def _judge(self, delivery: Delivery) -> None:
        now = self._desk.alarm.now()
        failure = connection_failure(delivery)
        if failure is not None:
            self._gate.shut(failure, now)
            if failure.kind in LOGIN_REFUSED:
                self._desk.backlog.offer_all(now)
                self._desk.reporter.tell(Paused(failure))
        elif (failure := breaks_off(delivery)) is not None:
            self._gate.broke(failure, now)
        else:
            self._gate.open()
            if delivery.accepted:
                self._desk.backlog.release_early()

    async def _lay_down(self, job: Job, failure: Failure | None) -> OutboxError | None:
        """Let a mail wait: for the account where no connection came about, else by its own time."""
        next_attempt = 0.0 if failure is not None else self._own_next_attempt(job)
        blamed = any(blames_account(owed.failure) for owed in job.record.owed)
        offer_at = self._desk.alarm.now() if blamed else math.inf
        keeper = self._desk.keeper
        try:
            self._desk.reporter.trouble(await keeper.lay_down(job, next_attempt, offer_at=offer_at))
        except OutboxError as error:
            return OutboxError(error.reason, error.detail, job.record.failure)
        return None

    def _next_attempt(self, job: Job) -> float | None:
        if self._gate.paused is not None:
            return None
        return max(job.record.next_attempt, self._gate.opens_at)

    def _own_next_attempt(self, job: Job) -> float:
        entry = job.entry
        now = self._desk.alarm.now()
        if entry is not None and entry.went_early and entry.next_attempt > now:
            return entry.next_attempt
        job.record = replace(job.record, deferrals=job.record.deferrals + 1)
        return now + retry_delay(job.record.deferrals, self._desk.host.chance)

    def _may_hand_over(self, job: Job) -> bool:
        backup = self._desk.backup
        return backup is not None and backup.may_have(job.record.passed)

    async def _discard(self, job: Job) -> None:
        self._desk.reporter.trouble(await self._desk.keeper.discard(job))


def _receipt(
    job: Job,
    delivery: Delivery,
    accepted: tuple[RecipientOutcome, ...],
    refused: tuple[RecipientOutcome, ...],
    *,
    is_kept: bool,
) -> Receipt:
    owed = tuple(owed.outcome for owed in job.record.owed) if is_kept else ()
    failures = [outcome.failure for outcome in (*refused, *owed) if outcome.failure is not None]
    reply = delivery.reply
    words = next((failure.server_words for failure in failures), "")
    return Receipt(
        message_id=job.record.message_id,
        accepted=accepted,
        refused=refused,
        owed=owed,
        server_reply=words if reply is None else str(reply),
        attempts=job.record.attempts,
    )


def _first_failure(refused: tuple[RecipientOutcome, ...]) -> Failure:
    return next(outcome.failure for outcome in refused if outcome.failure is not None)

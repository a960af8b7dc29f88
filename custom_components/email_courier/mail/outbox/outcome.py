"""What an attempt means: for the recipients, for the server's state, and for the one who waits."""

from __future__ import annotations

from collections.abc import Callable
from copy import replace
import math
from typing import NamedTuple

from ..envelope import Delivery, RecipientOutcome
from ..failure import ACCOUNT_REFUSED, Failure, MailError, Permanence, Stage
from .backoff import Backoff, is_quota
from .events import GivenUp, Notifier, Paused
from .record import REPLY_LOST, MailRecord, OwedRecipient
from .runtime import Timers
from .scheduler import ActiveMail, QueueEntry
from .spool import Spool
from .submission import OutboxError, Receipt

MAX_LOST_REPLIES = 2
"""A lost reply is tried again once: a copy is better than a missed alarm, many copies are not."""

_CLOSING = 421

_BEFORE_THE_MAIL = frozenset(
    {Stage.RESOLVE, Stage.CONNECT, Stage.GREETING, Stage.TLS, Stage.HELLO, Stage.LOGIN}
)


class AttemptResult(NamedTuple):
    """What an attempt has decided; every recipient of it is in exactly one of the four.

    record: the mail as it stands now; its owed are the recipients to try again.
    accepted: got it. refused: will not get it. lost: the reply was lost once too often.
    connection: why no connection came about, if none did.
    interruption: why the server left in the middle of the mail, if it did.
    """

    record: MailRecord
    accepted: tuple[RecipientOutcome, ...] = ()
    refused: tuple[RecipientOutcome, ...] = ()
    lost: tuple[RecipientOutcome, ...] = ()
    connection: Failure | None = None
    interruption: Failure | None = None

    @property
    def owed(self) -> tuple[RecipientOutcome, ...]:
        """Recipients to try again."""
        return self.record.outcomes


def blames_account(failure: Failure | None) -> bool:
    """Whether another account may succeed where this one is refused for good, or for long."""
    return is_quota(failure) or (
        failure is not None
        and failure.kind in ACCOUNT_REFUSED
        and failure.permanence is Permanence.PERMANENT
    )


def connection_failure(delivery: Delivery) -> Failure | None:
    """Return why the attempt never came to the mail itself, or None if it did.

    A quota that is used up at MAIL is used up for every mail.
    """
    failure = next((outcome.failure for outcome in delivery.outcomes), None)
    if failure is None:
        return None
    is_general = is_quota(failure) and failure.stage is Stage.SENDER
    return failure if is_general or failure.stage in _BEFORE_THE_MAIL else None


def sort_recipients(
    record: MailRecord,
    delivery: Delivery,
    *,
    promised: bool = False,
    has_backup: bool = False,
) -> AttemptResult:
    """Sort the outcomes of one attempt at a record's owed recipients.

    promised: the caller has long been told that the mail is kept; then a refusal of the
    connection or the login, which says nothing about the mail, leaves it waiting for the account
    to be mended.
    has_backup: another account may try where the refusal lies with this one.
    """
    connection = connection_failure(delivery)
    accepted: list[RecipientOutcome] = []
    refused: list[RecipientOutcome] = []
    lost: list[RecipientOutcome] = []
    still_owed: list[OwedRecipient] = []
    for owed, outcome in zip(record.owed, delivery.outcomes, strict=True):
        failure = outcome.failure
        if failure is None:
            accepted.append(outcome)
        elif failure.permanence is Permanence.PERMANENT and not (
            is_quota(failure)
            or (promised and connection is not None)
            or (has_backup and blames_account(failure))
        ):
            refused.append(outcome)
        else:
            ambiguous = failure.permanence is Permanence.AMBIGUOUS
            lost_replies = owed.lost_replies + ambiguous
            if ambiguous and lost_replies >= MAX_LOST_REPLIES:
                lost.append(outcome)
            else:
                still_owed.append(owed._replace(lost_replies=lost_replies, failure=failure))
    return AttemptResult(
        record=replace(record, owed=tuple(still_owed), attempts=record.attempts + 1),
        accepted=tuple(accepted),
        refused=tuple(refused),
        lost=tuple(lost),
        connection=connection,
        interruption=None if connection is not None else interruption(delivery),
    )


def sort_interrupted(record: MailRecord) -> AttemptResult:
    """Sort the recipients of a mail whose last attempt nobody saw the end of."""
    lost = tuple(owed for owed in record.owed if owed.lost_replies >= MAX_LOST_REPLIES)
    return AttemptResult(
        record=replace(record, owed=tuple(owed for owed in record.owed if owed not in lost)),
        lost=tuple(owed.outcome for owed in lost),
    )


def interruption(delivery: Delivery) -> Failure | None:
    """Return why the server left in the middle of the mail, or None if it did not.

    It did when nobody got an answer other than 421 (RFC 5321 section 3.8), and trying again may
    help.
    """
    failures = [outcome.failure for outcome in delivery.outcomes]
    for failure in failures:
        if (
            failure is None
            or is_quota(failure)
            or failure.permanence is Permanence.PERMANENT
            or (failure.reply is not None and failure.reply.code != _CLOSING)
        ):
            return None
    return next((failure for failure in failures if failure is not None), None)


class OutcomeHandler:
    """Applies what an attempt has decided: to the server's state, the disk, and the caller."""

    def __init__(
        self,
        backoff: Backoff,
        spool: Spool,
        notifier: Notifier,
        timers: Timers,
        may_hand_over: Callable[[tuple[str, ...]], bool] | None = None,
    ) -> None:
        """Apply to the server's state, to the mail on disk, and to whom the notifier tells.

        may_hand_over: returns whether a backup account takes mail that has visited these accounts.
        """
        self.backoff = backoff
        self._spool = spool
        self._queue = spool.queue
        self._notifier = notifier
        self._timers = timers
        self.may_hand_over = may_hand_over

    async def apply(self, mail: ActiveMail, delivery: Delivery) -> None:
        """Decide what an attempt that has come to its end means, and do so.

        A failure is told before the mail is forgotten and a delivery after that, so that a crash
        in between leaves no failure untold.
        """
        is_promised = mail.answer is None or mail.answer.done()
        result = sort_recipients(
            mail.record,
            delivery,
            promised=is_promised,
            has_backup=mail.queue
            and self.may_hand_over is not None
            and self.may_hand_over(mail.record.visited_accounts),
        )
        mail.record = result.record
        mail.dot_reached = False
        self._apply_to_server(result)
        if result.refused or result.lost:
            await self._give_up(mail, result, is_promised=is_promised)
        is_kept = mail.queue and bool(result.record.owed)
        error: OutboxError | None = None
        if is_kept:
            error = await self._defer(mail, result.connection)
            is_kept = error is None
        elif mail.is_spooled:
            self._notifier.trouble(await self._spool.remove(mail))
        self._notifier.delivered(result.record, result.accepted)
        if is_kept:
            self._notifier.deferred(mail.record, self._next_attempt(mail.record))
        elif result.record.owed:
            self._notifier.failed(mail.record, result.owed, GivenUp.NOT_KEPT)
        self._answer(mail, delivery, result, is_kept=is_kept, error=error)

    async def interrupt(self, mail: ActiveMail, failure: Failure) -> None:
        """Keep a mail whose attempt was ended from this side.

        failure: why.
        """
        if mail.dot_reached:
            mail.record = mail.record.with_lost_reply()
            mail.dot_reached = False
            failure = REPLY_LOST
        if mail.entry is None and not mail.queue:
            mail.reject(MailError(failure))
            return
        try:
            await self._spool.defer(mail, self._timers.now() + self.backoff.delay(1))
        except OutboxError as error:
            mail.reject(error.because_of(failure))
        else:
            mail.resolve_queued(failure)

    async def drop(self, mail: ActiveMail) -> None:
        """Forget a mail whose attempt was ended because nobody wants it delivered any more."""
        self._notifier.trouble(await self._spool.remove(mail))
        if mail.entry is not None:
            self._notifier.dropped(mail.record)

    async def drop_exhausted(self, mail: ActiveMail) -> bool:
        """Report recipients whose reply was lost once too often; tell whether any other is left."""
        result = sort_interrupted(mail.record)
        if result.lost:
            mail.record = result.record
            await self._give_up(mail, result, is_promised=True)
        if not mail.record.owed:
            self._notifier.trouble(await self._spool.remove(mail))
        return bool(mail.record.owed)

    async def expire(self, entry: QueueEntry) -> None:
        """Report a mail whose time is over, and forget it. Raises OSError.

        One whose record says that it has time left waits on.
        """
        record = await self._spool.record(entry)
        if record is not None and entry.expires > self._timers.measured():
            self._queue.put_back(entry, entry.next_attempt)
        elif record is not None:
            failure = self.backoff.failure
            await self._spool.keep(record, record.outcomes, await self._spool.message(record))
            self._notifier.failed(
                record, record.outcomes, GivenUp.EXPIRED, failure, is_promised=True
            )
            self._notifier.trouble(await self._spool.remove_entry(entry))

    def _apply_to_server(self, result: AttemptResult) -> None:
        now = self._timers.now()
        if result.connection is not None:
            self.backoff.throttle(result.connection, now)
            if is_quota(result.connection):
                self._queue.offer_all(now)
                self._queue.stand_still(self.backoff.opens_at - now)
            if result.connection.wants_other_login:
                self._queue.offer_all(now)
                self._notifier.tell(Paused(result.connection))
        elif result.interruption is not None:
            self.backoff.interrupted(result.interruption, now)
        else:
            self.backoff.clear()
            if result.accepted and self._queue.entries:
                self._queue.release_early()

    async def _give_up(self, mail: ActiveMail, result: AttemptResult, *, is_promised: bool) -> None:
        """Tell who will not get a mail, and keep it for them where it may be kept at all."""
        if mail.queue:
            await self._spool.keep(result.record, result.refused + result.lost, mail.data)
        for outcomes, reason in (
            (result.refused, GivenUp.REFUSED),
            (result.lost, GivenUp.AMBIGUOUS),
        ):
            self._notifier.failed(result.record, outcomes, reason, is_promised=is_promised)

    async def _defer(self, mail: ActiveMail, connection: Failure | None) -> OutboxError | None:
        """Let a mail wait: for the account where no connection came about, else by its own time."""
        now = self._timers.now()
        has_quota = any(is_quota(owed.failure) for owed in mail.record.owed)
        next_attempt, still_for = 0.0, 0.0
        if connection is None and has_quota:
            next_attempt = now + self.backoff.quota_delay()
            still_for = next_attempt - now
        elif connection is None:
            next_attempt = self._own_next_attempt(mail)
        elif has_quota and mail.entry is None:
            still_for = self.backoff.opens_at - now
        blamed = any(blames_account(owed.failure) for owed in mail.record.owed)
        offer_at = now if blamed else math.inf
        try:
            await self._spool.defer(
                mail,
                next_attempt,
                offer_at=offer_at,
                still_for=still_for,
                is_fixed=connection is None and has_quota,
            )
        except OutboxError as error:
            return error.because_of(mail.record.failure)
        return None

    def _own_next_attempt(self, mail: ActiveMail) -> float:
        entry = mail.entry
        now = self._timers.now()
        if entry is not None and entry.went_early and entry.next_attempt > now:
            return entry.next_attempt
        mail.record = replace(mail.record, deferrals=mail.record.deferrals + 1)
        return now + self.backoff.delay(mail.record.deferrals)

    def _next_attempt(self, record: MailRecord) -> float | None:
        if self.backoff.is_suspended or self.backoff.paused is not None:
            return None
        return max(record.next_attempt, self.backoff.opens_at)

    def _answer(
        self,
        mail: ActiveMail,
        delivery: Delivery,
        result: AttemptResult,
        *,
        is_kept: bool,
        error: OutboxError | None,
    ) -> None:
        """Let the caller go with what has become of each recipient."""
        refused = result.refused + result.lost
        owed = result.owed if result.record.owed else ()
        if not is_kept:
            refused, owed = refused + owed, ()
        failures = [each.failure for each in refused + owed if each.failure is not None]
        if not result.accepted and not is_kept:
            mail.reject(error or MailError(failures[0]))
            return
        words = next((failure.server_words for failure in failures), "")
        mail.resolve(
            Receipt(
                message_id=mail.record.message_id,
                accepted=result.accepted,
                refused=refused,
                owed=owed,
                server_reply=words if delivery.reply is None else str(delivery.reply),
                attempts=mail.record.attempts,
            )
        )

"""What one attempt means for each recipient."""

from copy import replace

import pytest

from custom_components.email_courier.mail.envelope import Delivery, Envelope, RecipientOutcome
from custom_components.email_courier.mail.failure import Failure, Permanence, Stage
from custom_components.email_courier.mail.outbox.outcome import (
    connection_failure,
    interruption,
    sort_interrupted,
    sort_recipients,
)
from custom_components.email_courier.mail.outbox.record import MailRecord
from custom_components.email_courier.mail.reply import Reply
from tests.mail.outbox.house import START, mail
from tests.mail.outbox.servers import (
    BLOCKED,
    BUSY,
    DOWN,
    GREYLISTED,
    HUNG_UP,
    NOT_OWNED,
    OK,
    REPLY_LOST,
    UNKNOWN_USER,
    WRONG_PASSWORD,
)

A, B, C = "anna@example.test", "ben@example.test", "carl@example.test"


def record(*to: str) -> MailRecord:
    return MailRecord.new(mail(*to), START)


def delivery(**failures: Failure | None) -> Delivery:
    names = {"a": A, "b": B, "c": C}
    return Delivery(
        tuple(
            RecipientOutcome(names[name], None if failure else OK, failure)
            for name, failure in failures.items()
        )
    )


def test_every_recipient_is_in_exactly_one_place() -> None:
    result = sort_recipients(
        record(A, B, C), delivery(a=None, b=UNKNOWN_USER, c=GREYLISTED), promised=False
    )
    assert [o.address for o in result.accepted] == [A]
    assert [o.address for o in result.refused] == [B]
    assert [o.address for o in result.owed] == [C]
    assert result.lost == ()
    assert result.record.attempts == 1
    assert result.record.addresses == (C,)


@pytest.mark.parametrize("failure", [BLOCKED, WRONG_PASSWORD])
def test_a_promised_mail_is_not_given_up_for_what_lies_with_the_account(failure: Failure) -> None:
    assert sort_recipients(record(A), delivery(a=failure), promised=True).record.addresses == (A,)
    assert sort_recipients(record(A), delivery(a=failure)).record.addresses == ()


def test_a_promised_mail_is_given_up_when_it_is_refused_itself() -> None:
    for failure in (UNKNOWN_USER, NOT_OWNED):
        assert sort_recipients(record(A), delivery(a=failure), promised=True).record.addresses == ()


def test_an_attempt_that_leaves_a_recipient_out_is_none() -> None:
    with pytest.raises(ValueError, match="shorter"):
        sort_recipients(record(A, B), delivery(a=None))


def test_with_a_backup_account_a_refusal_of_the_account_is_not_the_end() -> None:
    for failure, stays in ((NOT_OWNED, True), (BLOCKED, True), (UNKNOWN_USER, False)):
        result = sort_recipients(record(A), delivery(a=failure), has_backup=True)
        assert (result.record.addresses == (A,)) is stays


def test_the_second_lost_reply_is_the_last() -> None:
    first = sort_recipients(record(A), delivery(a=REPLY_LOST)).record
    assert first.owed[0].lost_replies == 1
    between = sort_recipients(first, delivery(a=DOWN)).record
    assert between.owed[0].lost_replies == 1
    second = sort_recipients(between, delivery(a=REPLY_LOST))
    assert [o.address for o in second.lost] == [A]
    assert second.record.owed == ()


def test_lost_replies_are_counted_by_recipient() -> None:
    first = sort_recipients(record(A, B), delivery(a=REPLY_LOST, b=GREYLISTED)).record
    second = sort_recipients(first, delivery(a=REPLY_LOST, b=REPLY_LOST))
    assert [o.address for o in second.lost] == [A]
    assert second.record.addresses == (B,)


def test_an_attempt_that_nobody_saw_the_end_of_is_a_lost_reply() -> None:
    once = record(A, B).with_lost_reply()
    assert sort_interrupted(once).lost == ()
    mixed = replace(once, owed=(once.with_lost_reply().owed[0], once.owed[1]))
    result = sort_interrupted(mixed)
    assert (result.accepted, result.refused) == ((), ())
    assert [o.address for o in result.lost] == [A]
    assert result.record.addresses == (B,)


@pytest.mark.parametrize(
    ("failure", "is_connection"),
    [(DOWN, True), (BUSY, True), (BLOCKED, True), (NOT_OWNED, False), (HUNG_UP, False)],
)
def test_what_fails_before_the_mail_is_no_fault_of_the_mail(
    failure: Failure, is_connection: bool
) -> None:
    failed = Delivery.failed(Envelope("x@y", (A, B)), failure)
    assert (connection_failure(failed) == failure) is is_connection
    assert connection_failure(delivery()) is None


def test_a_server_interruption_when_it_answers_nobody() -> None:
    closing = replace(GREYLISTED, reply=Reply(421, ("4.3.2 Shutting down",)))
    assert interruption(delivery(a=HUNG_UP, b=HUNG_UP)) == HUNG_UP
    assert interruption(delivery(a=closing)) == closing
    assert interruption(delivery(a=REPLY_LOST)) == REPLY_LOST
    assert interruption(delivery(a=GREYLISTED, b=HUNG_UP)) is None
    assert interruption(delivery(a=None)) is None
    assert interruption(delivery()) is None
    too_large = replace(HUNG_UP, permanence=Permanence.PERMANENT, stage=Stage.SENDER)
    assert interruption(delivery(a=too_large)) is None

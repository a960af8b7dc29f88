"""What is written down of a mail, and read again."""

from copy import replace
import json

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.envelope import Envelope
from custom_components.email_courier.mail.failure import Failure, FailureKind, Permanence, Stage
from custom_components.email_courier.mail.outbox.record import (
    REPLY_LOST,
    MailId,
    MailRecord,
    OwedRecipient,
)
from custom_components.email_courier.mail.outbox.submission import Rank
from custom_components.email_courier.mail.payload import checksum_of
from custom_components.email_courier.mail.reply import Reply
from tests.mail.outbox.house import START, mail
from tests.mail.outbox.servers import GREYLISTED

texts = st.text(max_size=40)
failures = st.builds(
    Failure,
    kind=st.sampled_from(FailureKind),
    stage=st.sampled_from(Stage),
    permanence=st.sampled_from(Permanence),
    reply=st.none()
    | st.builds(Reply, st.integers(200, 599), st.lists(texts, max_size=3).map(tuple)),
    detail=texts,
    facts=st.dictionaries(texts, texts, max_size=2),
)
owed = st.builds(
    OwedRecipient,
    address=texts,
    lost_replies=st.integers(0, 3),
    failure=st.none() | failures,
)
ids = st.builds(
    MailId,
    rank=st.sampled_from(Rank),
    created_ms=st.integers(0, 9_999_999_999_999),
    expires_ms=st.integers(0, 99_999_999_999_999),
    size=st.integers(0, 999_999_999_999),
    token=st.integers(0, 2**32 - 1).map("{:08x}".format),
)
records = st.builds(
    MailRecord,
    id=ids,
    message_id=texts,
    subject=st.text(st.characters(codec=None), max_size=40),
    sender=texts,
    smtputf8=st.booleans(),
    owed=st.lists(owed, min_size=1, max_size=3).map(tuple),
    checksum=st.just(checksum_of(b"")),
    attempts=st.integers(0, 100),
    deferrals=st.integers(0, 100),
    next_attempt=st.floats(0, 1e10),
    visited_accounts=st.lists(texts, max_size=2).map(tuple),
)


@given(records)
def test_a_record_is_read_as_it_was_written(record: MailRecord) -> None:
    written = json.dumps(record.as_dict())
    assert MailRecord.from_dict(record.id, json.loads(written)) == record


@given(ids)
def test_an_id_is_read_from_the_name_it_gives(mail_id: MailId) -> None:
    name = str(mail_id)
    assert MailId.parse(name) == mail_id
    assert "." not in name
    assert "/" not in name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "history",
        "2-1763700000000-1763786400000-5-00000000",
        "1-176370000000-1763786400000-5-00000000",
        "1-1763700000000-1763786400000--00000000",
        "1-1763700000000-1763786400000-5-0000000g",
        "1-1763700000000-1763786400000-5-00000000 ",
        "1-１763700000000-1763786400000-5-00000000",
    ],
)
def test_a_name_that_is_no_mails_is_none(name: str) -> None:
    assert MailId.parse(name) is None


def test_mails_of_the_same_moment_keep_their_order_and_high_rank_goes_first() -> None:
    ordered = [MailRecord.new(mail(), START).id for _ in range(20)]
    urgent = MailRecord.new(mail(rank=Rank.HIGH), START + 100).id
    assert sorted([*ordered, urgent]) == [urgent, *ordered]


def test_a_record_says_who_is_still_owed_the_mail() -> None:
    sent = mail("anna@example.test", "ben@example.test")
    record = MailRecord.new(sent, START)
    assert record.envelope == Envelope("house@house.test", sent.envelope.recipients)
    assert record.id.created == START
    assert record.id.expires == START + sent.expires_after
    assert record.id.size == len(sent.data)
    assert record.failure is None


def test_a_mail_that_is_given_away_expires_when_it_would_have_done() -> None:
    sent = mail(expires_after=100, rank=Rank.HIGH, visited_accounts=["main"])
    record = MailRecord.new(sent, START)
    again = record.outgoing(sent.data, START + 60)
    assert again.expires_after == 40
    assert record.outgoing(sent.data, START + 200).expires_after == 0
    assert again.data == sent.data
    assert replace(again, expires_after=sent.expires_after) == sent
    assert str(sent.data) not in repr(again)


def test_a_lost_reply_counts_as_an_attempt_and_is_everybodys_failure() -> None:
    record = MailRecord.new(mail("anna@example.test", "ben@example.test"), START)
    record = replace(record, owed=(record.owed[0]._replace(failure=GREYLISTED), record.owed[1]))
    once = record.with_lost_reply()
    assert (once.attempts, once.deferrals) == (1, 0)
    assert once.owed == (
        OwedRecipient("anna@example.test", 1, REPLY_LOST),
        OwedRecipient("ben@example.test", 1, REPLY_LOST),
    )
    assert (REPLY_LOST.stage, REPLY_LOST.permanence) == (Stage.ACCEPTED, Permanence.AMBIGUOUS)
    twice = once.with_lost_reply()
    assert twice.attempts == 2
    assert [owed.lost_replies for owed in twice.owed] == [2, 2]


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"version": 2}, "version 2"), ({"owed": []}, "no recipient is owed this mail")],
)
def test_a_record_that_cannot_be_one_says_why(change: dict[str, object], reason: str) -> None:
    record = MailRecord.new(mail(), START)
    with pytest.raises(ValueError, match=f"^{reason}$"):
        MailRecord.from_dict(record.id, {**record.as_dict(), **change})


def test_a_kind_that_version_1_0_0_does_not_know_has_one_beside_it_that_it_does() -> None:
    quota = Failure(FailureKind.QUOTA_EXCEEDED, Stage.SENDER, Permanence.TEMPORARY)
    owed = OwedRecipient("anna@example.test", failure=quota)
    stored = owed.as_dict()
    assert stored["failure"]["kind"] == "deferred"
    assert OwedRecipient.from_dict(stored) == owed

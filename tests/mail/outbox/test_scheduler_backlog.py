"""The line of waiting mail, against a model that looks at all of it every time."""

from dataclasses import dataclass
import math

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from custom_components.email_courier.mail.outbox.record import MailId
from custom_components.email_courier.mail.outbox.scheduler import Backlog, Deadlines, Entry
from custom_components.email_courier.mail.outbox.submission import Rank

OFFER_AFTER = 300.0


@dataclass
class Model:
    """What is known of one mail."""

    entry: Entry
    due: float = 0.0
    is_busy: bool = True
    went_early: bool = False
    is_offered: bool = False
    has_expired: bool = False


class Line(RuleBasedStateMachine):
    """Adds, takes, puts back and releases mails in any order while time goes on."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.backlog = Backlog(OFFER_AFTER)
        self.mails: dict[MailId, Model] = {}
        self.now = 1000.0
        self.number = 0

    def idle(self) -> list[Model]:
        return [mail for mail in self.mails.values() if not mail.is_busy]

    def due(self) -> list[Model]:
        return [mail for mail in self.idle() if mail.due <= self.now]

    def notice_time(self) -> None:
        """A scheduled time that has come makes the mail's next early attempt possible again."""
        self.backlog.next_due(self.now)
        for mail in self.idle():
            if 0 < mail.due <= self.now:
                mail.due, mail.went_early = 0.0, False

    @rule(rank=st.sampled_from(Rank), life=st.integers(1, 5000))
    def add(self, rank: Rank, life: int) -> None:
        self.number += 1
        created = int(self.now * 1000)
        mail_id = MailId(rank, created, created + life * 1000, 10, f"{self.number:08x}")
        self.mails[mail_id] = Model(self.backlog.add(mail_id))

    @rule(seconds=st.integers(1, 1000))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds
        self.notice_time()

    @precondition(lambda self: any(mail.is_busy for mail in self.mails.values()))
    @rule(data=st.data(), wait=st.one_of(st.just(0), st.integers(1, 3000)))
    def put_back(self, data: st.DataObject, wait: int) -> None:
        busy = [mail for mail in self.mails.values() if mail.is_busy]
        mail = data.draw(st.sampled_from(busy))
        mail.is_busy = False
        mail.due = self.now + wait if wait else 0.0
        self.backlog.put_back(mail.entry, mail.due)

    @precondition(lambda self: self.due())
    @rule()
    def take_next(self) -> None:
        entry = self.backlog.next_due(self.now)
        assert entry is not None
        expected = min(self.due(), key=lambda mail: mail.entry.id)
        assert entry is expected.entry
        self.backlog.take(entry)
        expected.is_busy = True

    @precondition(lambda self: self.mails)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        mail_id = data.draw(st.sampled_from(sorted(self.mails)))
        entry = self.mails.pop(mail_id).entry
        assert self.backlog.remove(entry)
        assert not self.backlog.remove(entry)

    @rule()
    def release(self) -> None:
        self.backlog.release()
        for mail in self.idle():
            if mail.due:
                mail.due, mail.went_early = 0.0, False

    @rule()
    def release_early(self) -> None:
        self.backlog.release_early()
        for mail in self.idle():
            if mail.due and not mail.went_early:
                mail.due, mail.went_early = 0.0, True

    @rule()
    def expire(self) -> None:
        expected = {
            mail_id
            for mail_id, mail in self.mails.items()
            if not mail.is_busy and mail_id.expires <= self.now
        }
        taken = self.backlog.take_expired(self.now)
        assert {entry.id for entry in taken} == expected
        for mail_id in expected:
            self.mails[mail_id].is_busy = True

    @rule()
    def offer(self) -> None:
        expected = {
            mail_id
            for mail_id, mail in self.mails.items()
            if not mail.is_busy and mail_id.created + OFFER_AFTER <= self.now
        }
        taken = self.backlog.take_offered(self.now)
        assert {entry.id for entry in taken} == expected
        for mail_id in expected:
            self.mails[mail_id].is_busy = True

    @invariant()
    def knows_who_is_next(self) -> None:
        first = min(self.due(), key=lambda mail: mail.entry.id, default=None)
        assert self.backlog.next_due(self.now) is (first.entry if first else None)
        assert len(self.backlog) == len(self.mails)
        assert {entry.id for entry in self.backlog} == set(self.mails)

    @invariant()
    def knows_when_the_next_is_due(self) -> None:
        due = self.backlog.next_time()
        times = [mail.due for mail in self.idle()]
        assert due == min(times, default=None)


TestLine = Line.TestCase
TestLine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def entry_of(backlog: Backlog, created: int = 1_000_000) -> Entry:
    entry = backlog.add(MailId(Rank.NORMAL, created, created + 1, 10, "00000000"))
    backlog.put_back(entry, 0)
    return entry


def test_without_a_backup_account_nothing_is_offered() -> None:
    backlog = Backlog()
    entry = entry_of(backlog)
    backlog.offer(entry, 0)
    backlog.offer_all(0)
    backlog.put_back(entry, 0)
    assert backlog.next_offer() is None
    assert backlog.take_offered(math.inf) == []


def test_a_mail_can_be_offered_before_its_time() -> None:
    backlog = Backlog(OFFER_AFTER)
    entry = entry_of(backlog)
    assert backlog.next_offer() == 1000 + OFFER_AFTER
    backlog.offer_all(1100)
    assert backlog.next_offer() == 1100
    backlog.offer_all(1200)
    assert backlog.take_offered(1100) == [entry]


def test_a_mail_whose_time_has_come_may_go_early_again() -> None:
    backlog = Backlog()
    entry = entry_of(backlog)
    went: list[bool] = []
    for now, when in ((0, 5000), (0, 5000), (5000, 9000)):
        backlog.next_due(now)
        backlog.take(entry)
        backlog.put_back(entry, when)
        backlog.release_early()
        went.append(backlog.next_due(0) is entry)
    assert went == [True, False, True]


def test_a_deadline_can_be_moved_both_ways() -> None:
    deadlines = Deadlines()
    mail_id = MailId(Rank.NORMAL, 1, 2, 3, "00000000")
    for when in (10.0, 30.0, 20.0):
        deadlines.set(mail_id, when)
        assert deadlines.next() == when
    assert deadlines.take_due(19) == []
    assert deadlines.take_due(20) == [mail_id]
    assert deadlines.next() is None


def test_a_mail_that_was_moved_is_released_once_and_a_forgotten_one_never() -> None:
    backlog = Backlog()
    moved, forgotten = entry_of(backlog), entry_of(backlog, created=2_000_000)
    for release in (backlog.release, backlog.release_early):
        for when in (5000.0, 6000.0):
            backlog.take(moved)
            backlog.put_back(moved, when)
        backlog.take(forgotten)
        backlog.put_back(forgotten, 5000.0)
        backlog.take(forgotten)
        release()
        assert backlog.next_due(0) is moved
        backlog.take(moved)
        assert backlog.next_due(0) is None
        assert backlog.next_time() is None

"""The queue of deferred mail, against a model that looks at all of it every time."""

from dataclasses import dataclass
import math

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from custom_components.email_courier.mail.outbox.record import MailId
from custom_components.email_courier.mail.outbox.scheduler import (
    Deadlines,
    DeferredQueue,
    QueueEntry,
)
from custom_components.email_courier.mail.outbox.submission import Rank

OFFER_AFTER = 300.0


@dataclass
class Model:
    """What is known of one mail."""

    entry: QueueEntry
    due: float = 0.0
    is_busy: bool = True
    went_early: bool = False
    is_offered: bool = False
    has_expired: bool = False


class Queue(RuleBasedStateMachine):
    """Adds, takes, puts back and releases mails in any order while time goes on."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.queue = DeferredQueue(OFFER_AFTER, lambda: None)
        self.mails: dict[MailId, Model] = {}
        self.now = 1000.0
        self.number = 0

    def idle(self) -> list[Model]:
        return [mail for mail in self.mails.values() if not mail.is_busy]

    def due(self) -> list[Model]:
        return [mail for mail in self.idle() if mail.due <= self.now]

    def notice_time(self) -> None:
        """A scheduled time that has come makes the mail's next early attempt possible again."""
        self.queue.next_due(self.now)
        for mail in self.idle():
            if 0 < mail.due <= self.now:
                mail.due, mail.went_early = 0.0, False

    @rule(rank=st.sampled_from(Rank), life=st.integers(1, 5000))
    def add(self, rank: Rank, life: int) -> None:
        self.number += 1
        created = int(self.now * 1000)
        mail_id = MailId(rank, created, created + life * 1000, 10, f"{self.number:08x}")
        self.mails[mail_id] = Model(self.queue.add(mail_id))

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
        self.queue.put_back(mail.entry, mail.due)

    @precondition(lambda self: self.due())
    @rule()
    def take_next(self) -> None:
        entry = self.queue.next_due(self.now)
        assert entry is not None
        expected = min(self.due(), key=lambda mail: mail.entry.id)
        assert entry is expected.entry
        self.queue.take(entry)
        expected.is_busy = True

    @precondition(lambda self: self.mails)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        mail_id = data.draw(st.sampled_from(sorted(self.mails)))
        entry = self.mails.pop(mail_id).entry
        assert self.queue.remove(entry)
        assert not self.queue.remove(entry)

    @rule()
    def release(self) -> None:
        self.queue.release()
        for mail in self.idle():
            if mail.due:
                mail.due, mail.went_early = 0.0, False

    @rule()
    def release_early(self) -> None:
        self.queue.release_early()
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
        taken = self.queue.take_expired(self.now)
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
        taken = self.queue.take_offered(self.now)
        assert {entry.id for entry in taken} == expected
        for mail_id in expected:
            self.mails[mail_id].is_busy = True

    @invariant()
    def knows_who_is_next(self) -> None:
        first = min(self.due(), key=lambda mail: mail.entry.id, default=None)
        assert self.queue.next_due(self.now) is (first.entry if first else None)
        assert len(self.queue) == len(self.mails)
        assert {entry.id for entry in self.queue} == set(self.mails)

    @invariant()
    def knows_when_the_next_is_due(self) -> None:
        due = self.queue.next_time()
        times = [mail.due for mail in self.idle()]
        assert due == min(times, default=None)


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def entry_of(queue: DeferredQueue, created: int = 1_000_000) -> QueueEntry:
    entry = queue.add(MailId(Rank.NORMAL, created, created + 1, 10, "00000000"))
    queue.put_back(entry, 0)
    return entry


def test_without_a_backup_account_nothing_is_offered() -> None:
    queue = DeferredQueue(math.inf, lambda: None)
    entry = entry_of(queue)
    queue.offer(entry, 0)
    queue.offer_all(0)
    queue.put_back(entry, 0)
    assert queue.next_offer() is None
    assert queue.take_offered(math.inf) == []


def test_a_mail_can_be_offered_before_its_time() -> None:
    queue = DeferredQueue(OFFER_AFTER, lambda: None)
    entry = entry_of(queue)
    assert queue.next_offer() == 1000 + OFFER_AFTER
    queue.offer_all(1100)
    assert queue.next_offer() == 1100
    queue.offer_all(1200)
    assert queue.take_offered(1100) == [entry]


def test_a_mail_whose_time_has_come_may_go_early_again() -> None:
    queue = DeferredQueue(math.inf, lambda: None)
    entry = entry_of(queue)
    went: list[bool] = []
    for now, when in ((0, 5000), (0, 5000), (5000, 9000)):
        queue.next_due(now)
        queue.take(entry)
        queue.put_back(entry, when)
        queue.release_early()
        went.append(queue.next_due(0) is entry)
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
    queue = DeferredQueue(math.inf, lambda: None)
    moved, forgotten = entry_of(queue), entry_of(queue, created=2_000_000)
    for release in (queue.release, queue.release_early):
        for when in (5000.0, 6000.0):
            queue.take(moved)
            queue.put_back(moved, when)
        queue.take(forgotten)
        queue.put_back(forgotten, 5000.0)
        queue.take(forgotten)
        release()
        assert queue.next_due(0) is moved
        queue.take(moved)
        assert queue.next_due(0) is None
        assert queue.next_time() is None

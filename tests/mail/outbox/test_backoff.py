"""When the next attempt is made: of one mail, and of any mail of the account."""

import pytest

from custom_components.email_courier.mail.failure import Failure
from custom_components.email_courier.mail.outbox.backoff import Backoff, retry_delay
from tests.mail.outbox.servers import BLOCKED, DOWN, HUNG_UP, WRONG_PASSWORD


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 30), (2, 120), (3, 300), (4, 900), (5, 1800), (6, 3600), (7, 3600), (500, 3600)],
)
def test_the_delays_grow_to_an_hour_and_vary_by_a_tenth(attempts: int, seconds: float) -> None:
    assert retry_delay(attempts, lambda: 0.0) == pytest.approx(seconds * 0.9)
    assert retry_delay(attempts, lambda: 0.5) == pytest.approx(seconds)
    assert retry_delay(attempts, lambda: 0.999) == pytest.approx(seconds * 1.1, rel=0.001)


def backoff_after(*failures: Failure) -> Backoff:
    backoff = Backoff(lambda: 0.5, lambda: None)
    now = 0.0
    for failure in failures:
        now = max(now, backoff.opens_at)
        backoff.throttle(failure, now)
    return backoff


def test_a_server_that_is_down_is_tried_by_the_schedule() -> None:
    backoff = backoff_after(DOWN, DOWN)
    assert backoff.opens_at == 150
    assert not backoff.is_open(149)
    assert backoff.is_open(150)
    assert backoff.is_known_down(149)
    assert not backoff.is_known_down(150)


def test_a_failure_between_two_scheduled_times_does_not_move_the_next_one() -> None:
    backoff = backoff_after(DOWN)
    backoff.throttle(DOWN, 10)
    assert backoff.opens_at == 30


def test_a_server_that_was_up_again_begins_the_schedule_anew() -> None:
    backoff = backoff_after(DOWN, DOWN, DOWN)
    backoff.clear()
    assert backoff.failure is None
    backoff.throttle(DOWN, 1000)
    assert backoff.opens_at == 1030


def test_trying_now_forgets_the_schedule_but_not_the_failure() -> None:
    backoff = backoff_after(DOWN, DOWN)
    backoff.reset()
    assert backoff.is_open(0)
    assert backoff.failure == DOWN
    backoff.throttle(DOWN, 1000)
    assert backoff.opens_at == 1030


def test_a_refused_login_opens_at_no_time() -> None:
    backoff = backoff_after(WRONG_PASSWORD)
    assert backoff.paused == WRONG_PASSWORD
    backoff.reset()
    assert not backoff.is_open(1e12)
    backoff.clear()
    assert backoff.is_open(0)


def test_a_permanent_refusal_is_no_server_that_is_down() -> None:
    backoff = backoff_after(BLOCKED)
    assert not backoff.is_open(0)
    assert not backoff.is_known_down(0)


def test_two_breaks_in_a_row_are_not_enough_to_take_the_server_for_down() -> None:
    backoff = Backoff(lambda: 0.5, lambda: None)
    for _ in range(2):
        backoff.interrupted(HUNG_UP, 0)
    assert backoff.is_open(0)
    backoff.clear()
    for _ in range(2):
        backoff.interrupted(HUNG_UP, 0)
    assert backoff.is_open(0)

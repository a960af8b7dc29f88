"""Times: of the next attempt, of the account's gate, of the one timer."""

from collections.abc import Callable

import pytest

from custom_components.email_courier.mail.failure import Failure
from custom_components.email_courier.mail.outbox.backoff import Gate, retry_delay
from custom_components.email_courier.mail.outbox.runtime import Alarm
from tests.mail.outbox.house import START, House
from tests.mail.outbox.servers import BLOCKED, DOWN, HUNG_UP, WRONG_PASSWORD


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 30), (2, 120), (3, 300), (4, 900), (5, 1800), (6, 3600), (7, 3600), (500, 3600)],
)
def test_the_delays_grow_to_an_hour_and_vary_by_a_tenth(attempts: int, seconds: float) -> None:
    assert retry_delay(attempts, lambda: 0.0) == pytest.approx(seconds * 0.9)
    assert retry_delay(attempts, lambda: 0.5) == pytest.approx(seconds)
    assert retry_delay(attempts, lambda: 0.999) == pytest.approx(seconds * 1.1, rel=0.001)


def gate_after(*failures: Failure) -> Gate:
    gate = Gate(lambda: 0.5)
    now = 0.0
    for failure in failures:
        now = max(now, gate.opens_at)
        gate.shut(failure, now)
    return gate


def test_a_gate_opens_by_the_schedule() -> None:
    gate = gate_after(DOWN, DOWN)
    assert gate.opens_at == 150
    assert not gate.is_open(149)
    assert gate.is_open(150)
    assert gate.is_known_down(149)
    assert not gate.is_known_down(150)


def test_a_failure_between_two_scheduled_times_does_not_move_the_next_one() -> None:
    gate = gate_after(DOWN)
    gate.shut(DOWN, 10)
    assert gate.opens_at == 30


def test_a_gate_that_has_been_open_begins_anew() -> None:
    gate = gate_after(DOWN, DOWN, DOWN)
    gate.open()
    assert gate.failure is None
    gate.shut(DOWN, 1000)
    assert gate.opens_at == 1030


def test_trying_now_forgets_the_schedule_but_not_the_failure() -> None:
    gate = gate_after(DOWN, DOWN)
    gate.try_now()
    assert gate.is_open(0)
    assert gate.failure == DOWN
    gate.shut(DOWN, 1000)
    assert gate.opens_at == 1030


def test_a_refused_login_opens_at_no_time() -> None:
    gate = gate_after(WRONG_PASSWORD)
    assert gate.paused == WRONG_PASSWORD
    gate.try_now()
    assert not gate.is_open(1e12)
    gate.open()
    assert gate.is_open(0)


def test_a_permanent_refusal_is_no_server_that_is_down() -> None:
    gate = gate_after(BLOCKED)
    assert not gate.is_open(0)
    assert not gate.is_known_down(0)


def test_two_breaks_in_a_row_are_not_enough_to_shut_the_gate() -> None:
    gate = Gate(lambda: 0.5)
    for _ in range(2):
        gate.broke(HUNG_UP, 0)
    assert gate.is_open(0)
    gate.open()
    for _ in range(2):
        gate.broke(HUNG_UP, 0)
    assert gate.is_open(0)


@pytest.fixture
def alarm(house: House) -> Alarm:
    return Alarm(house.host())


def test_an_alarm_rings_at_the_earliest_time_of_all(house: House, alarm: Alarm) -> None:
    rung: list[str] = []
    times: dict[str, float | None] = {"a": START + 20, "b": START + 10, "c": None}

    def serve(name: str) -> Callable[[], None]:
        def action() -> None:
            rung.append(name)
            if times[name] is not None and alarm.now() >= (times[name] or 0):
                times[name] = None

        alarm.serve(lambda: times[name], action)
        return action

    for name in times:
        serve(name)
    alarm.changed()
    assert house.clock.timers == [START + 10]
    house.clock.fire_early()
    assert alarm.now() == START + 10
    assert rung == ["a", "b", "c"]
    assert house.clock.timers == [START + 20]
    house.clock.fire_early()
    assert house.clock.timers == []


def test_an_alarm_whose_time_has_not_changed_keeps_its_timer(house: House, alarm: Alarm) -> None:
    alarm.serve(lambda: START + 10, lambda: None)
    alarm.changed()
    [before] = house.clock.timers
    alarm.changed()
    assert house.clock.timers == [before]
    alarm.stop()
    assert house.clock.timers == []


def test_the_time_never_stands_before_a_timer_that_has_fired(house: House, alarm: Alarm) -> None:
    done: list[None] = []
    alarm.serve(lambda: None if done else START + 100, lambda: done.append(None))
    alarm.changed()
    house.clock.fire_early()
    assert house.clock.time == START
    assert alarm.now() == START + 100
    house.clock.time = START + 200
    assert alarm.now() == START + 200

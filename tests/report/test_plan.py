"""When a report is due, and what it looks back on."""

from collections.abc import Iterator
import datetime as dt
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from homeassistant.util import dt as dt_util
import pytest

from custom_components.email_courier.report.plan import Plan, Span

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def _berlin() -> Iterator[None]:
    """Live where clocks change on 29 March and 25 October 2026."""
    before = dt_util.get_default_time_zone()
    dt_util.set_default_time_zone(BERLIN)
    yield
    dt_util.set_default_time_zone(before)


def plan(frequency: str, time: str = "07:00:00", **more: Any) -> Plan:
    """Return a plan as the dialog stores it."""
    return Plan.of({"frequency": frequency, "time": time, **more})


def local(text: str) -> datetime:
    """Return a moment by the clock on the wall."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def times(one: Plan, moment: str, count: int = 3) -> list[str]:
    """Return when a report is due after a moment, by the clock on the wall."""
    due, found = local(moment), []
    for _ in range(count):
        due = one.next_after(due)
        assert due.tzinfo is dt.UTC
        found.append(f"{due.astimezone(BERLIN):%a %d %b %H:%M}")
    return found


def test_a_daily_one_comes_every_day_at_the_same_time_by_the_clock_on_the_wall() -> None:
    assert times(plan("daily"), "2026-03-27T07:00") == [
        "Sat 28 Mar 07:00",
        "Sun 29 Mar 07:00",
        "Mon 30 Mar 07:00",
    ]
    assert times(plan("daily"), "2026-10-24T06:59") == [
        "Sat 24 Oct 07:00",
        "Sun 25 Oct 07:00",
        "Mon 26 Oct 07:00",
    ]


def test_a_time_that_is_left_out_comes_an_hour_later_on_that_day_alone() -> None:
    assert times(plan("daily", "02:30:00"), "2026-03-27T12:00") == [
        "Sat 28 Mar 02:30",
        "Sun 29 Mar 03:30",
        "Mon 30 Mar 02:30",
    ]


def test_a_time_that_comes_twice_counts_once() -> None:
    one = plan("daily", "02:30:00")
    assert times(one, "2026-10-24T12:00") == [
        "Sun 25 Oct 02:30",
        "Mon 26 Oct 02:30",
        "Tue 27 Oct 02:30",
    ]
    first = one.next_after(local("2026-10-24T12:00"))
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
    assert one.next_after(first + dt.timedelta(hours=1)).astimezone(BERLIN).day == 26


def test_a_weekly_one_comes_on_its_day() -> None:
    assert times(plan("weekly", weekday="fri"), "2026-11-27T07:00") == [
        "Fri 04 Dec 07:00",
        "Fri 11 Dec 07:00",
        "Fri 18 Dec 07:00",
    ]


def test_a_monthly_one_comes_on_the_last_day_of_a_month_that_is_too_short() -> None:
    assert times(plan("monthly", day=31), "2027-01-30T00:00", 4) == [
        "Sun 31 Jan 07:00",
        "Sun 28 Feb 07:00",
        "Wed 31 Mar 07:00",
        "Fri 30 Apr 07:00",
    ]


def test_it_is_never_due_at_the_moment_that_is_asked_about() -> None:
    one = plan("daily")
    assert one.next_after(local("2026-11-28T07:00")) == local("2026-11-29T07:00")
    assert one.next_after(local("2026-11-28T06:59:59")) == local("2026-11-28T07:00")


@pytest.mark.parametrize(
    ("one", "period"),
    [
        (plan("daily"), "yesterday"),
        (plan("daily", "21:00:00"), "today"),
        (plan("weekly"), "last_week"),
        (plan("weekly", "20:00:00"), {"days": 7}),
        (plan("weekly", weekday="wed"), {"days": 7}),
        (plan("weekly", "20:00:00", weekday="sun"), "this_week"),
        (plan("weekly", weekday="sun"), {"days": 7}),
        (plan("monthly"), "last_month"),
        (plan("monthly", day=15), {"days": 30}),
        (plan("monthly", "20:00:00", day=31), "this_month"),
        (plan("monthly", day=31), {"days": 30}),
    ],
)
def test_it_looks_back_on_what_is_just_over(one: Plan, period: Any) -> None:
    assert one.period == period


@pytest.mark.parametrize(
    ("period", "start", "end", "first", "last"),
    [
        ("today", "2026-03-29T00:00", "2026-03-29T21:00", "2026-03-29", "2026-03-29"),
        ("yesterday", "2026-03-28T00:00", "2026-03-29T00:00", "2026-03-28", "2026-03-28"),
        ("this_week", "2026-03-23T00:00", "2026-03-29T21:00", "2026-03-23", "2026-03-29"),
        ("last_week", "2026-03-16T00:00", "2026-03-23T00:00", "2026-03-16", "2026-03-22"),
        ("this_month", "2026-03-01T00:00", "2026-03-29T21:00", "2026-03-01", "2026-03-29"),
        ("last_month", "2026-02-01T00:00", "2026-03-01T00:00", "2026-02-01", "2026-02-28"),
        ({"days": 7}, "2026-03-22T21:00", "2026-03-29T21:00", "2026-03-22", "2026-03-29"),
    ],
)
def test_a_period_is_whole_days_by_the_calendar(
    period: Any, start: str, end: str, first: str, last: str
) -> None:
    span = Span.of(period, local("2026-03-29T21:00"))
    assert span == (local(start), local(end))
    assert [f"{day}" for day in span.days] == [first, last]


def test_what_it_is_compared_with_is_as_long_and_right_before() -> None:
    span = Span.of("last_week", local("2026-11-28T12:00"))
    assert span.before == (local("2026-11-09T00:00"), local("2026-11-16T00:00"))


def test_a_time_that_cannot_be_read_is_the_usual_one() -> None:
    assert plan("daily", "soon") == plan("daily")

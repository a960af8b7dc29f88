"""Values over time: thinned, put into steps, and summed up."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.charts.series import (
    Bucket,
    Point,
    buckets,
    changes,
    held,
    points_of,
    runs,
    thinned,
)

DAY = 86_400.0
VALUES = st.lists(
    st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False)), min_size=1, max_size=400
)


def _spread(values: list[float | None], start: float = 0.0, end: float = DAY) -> list[Point]:
    step = (end - start) / len(values)
    return [Point(start + number * step, value) for number, value in enumerate(values)]


def test_a_spike_among_86400_values_stays() -> None:
    values: list[float | None] = [20.0] * 86_400
    values[40_000], values[70_001] = 95.0, -3.0
    thin = thinned(_spread(values), 0.0, DAY, 1000)

    assert len(thin) <= 4 * 1001
    assert {one.value for one in thin} == {20.0, 95.0, -3.0}


@given(VALUES)
def test_thinning_keeps_the_range_the_ends_and_the_order(values: list[float | None]) -> None:
    points = _spread(values)
    thin = thinned(points, 0.0, DAY, 10)
    known = [value for value in values if value is not None]
    kept = [one.value for one in thin if one.value is not None]

    assert (thin[0], thin[-1]) == (points[0], points[-1])
    assert set(thin) <= set(points)
    assert all(before.time < after.time for before, after in pairwise(thin))
    assert bool(kept) == bool(known)
    if known:
        assert (min(kept), max(kept)) == (min(known), max(known))


def test_a_value_is_valid_until_the_next_one_is_reported() -> None:
    line = held([Point(0, 20), Point(60, 21), Point(9000, 25), Point(9060, None)], 300)

    assert line == [
        Point(0, 20),
        Point(60, 21),
        Point(9000, 21),
        Point(9000, 25),
        Point(9060, 25),
        Point(9060, None),
    ]


def test_a_line_is_broken_where_nothing_is_known() -> None:
    points = [Point(0, 1), Point(1, 2), Point(2, None), Point(3, None), Point(4, 3)]

    assert list(runs(points)) == [[(0, 1), (1, 2)], [(4, 3)]]


def test_a_mean_weighs_a_value_by_how_long_it_was_valid() -> None:
    points = [Point(-100, 10), Point(900, 20), Point(3000, None), Point(3300, 30)]

    assert buckets(points, [0, 3600, 7200, 10_800], 5400) == [
        Bucket(0, 3600, (900 * 10 + 2100 * 20 + 300 * 30) / 3300, 10, 30),
        Bucket(3600, 7200, 30, 30, 30),
    ]


@given(VALUES, st.integers(1, 50))
def test_means_lie_within_their_ranges(values: list[float | None], count: int) -> None:
    edges = [DAY * number / count for number in range(count + 1)]
    made = buckets(_spread(values), edges, DAY)
    known = [value for value in values if value is not None]

    assert all(min(known) <= one.low <= one.mean <= one.high <= max(known) for one in made)
    assert bool(made) == bool(known)


def test_a_meter_goes_on_and_may_begin_again() -> None:
    points = [
        Point(-60, 100),
        Point(600, 101),
        Point(4000, None),
        Point(5000, 103.5),
        Point(8000, 0.5),
        Point(8100, 1.0),
    ]

    assert changes(points, [0, 3600, 7200, 10_800, 14_400]) == [
        Bucket(0, 3600, 1, 0, 1),
        Bucket(3600, 7200, 2.5, 0, 2.5),
        Bucket(7200, 10_800, 1, 0, 1),
    ]


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=100), st.integers(1, 30))
def test_what_a_meter_went_on_by_is_lost_nowhere(steps: list[float], count: int) -> None:
    total, points = 0.0, []
    for number, step in enumerate(steps):
        total += step
        points.append(Point(number * DAY / len(steps), total))
    edges = [DAY * number / count for number in range(count + 1)]
    made = changes(points, edges)

    assert sum(one.mean for one in made) == pytest.approx(total - steps[0])


def test_a_line_through_means_has_a_gap_where_one_is_missing() -> None:
    made = [Bucket(0, 10, 1, 0, 2), Bucket(10, 20, 2, 1, 3), Bucket(40, 50, 3, 3, 3)]

    assert points_of(made) == [Point(5, 1), Point(15, 2), Point(20, None), Point(45, 3)]

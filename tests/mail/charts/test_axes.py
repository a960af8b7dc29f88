"""Round numbers beside a chart, and times as clocks and calendars have them below it."""

from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.charts.axes import (
    bucket_edges,
    bucket_text,
    time_ticks,
    value_scale,
)

BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
HOUR = 3600.0


def _write(number: float, decimals: int) -> str:
    return f"{number:.{decimals}f}"


def _texts(low: float, high: float, *, from_zero: bool = False) -> list[str]:
    return [tick.text for tick in value_scale(low, high, _write, from_zero=from_zero).ticks]


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (14.3, 25.2, ["15", "20", "25"]),
        (42.4, 67.0, ["45", "50", "55", "60", "65"]),
        (20.9, 21.3, ["20.9", "21.0", "21.1", "21.2", "21.3"]),
        (-12.0, 7.0, ["-10", "-5", "0", "5"]),
        (990.0, 1010.0, ["990", "995", "1000", "1005", "1010"]),
        (0.00012, 0.00031, ["0.00015", "0.00020", "0.00025", "0.00030"]),
        (1.2e9, 4.8e9, ["1e9", "2e9", "3e9", "4e9", "5e9"]),
        (2e-9, 9e-9, ["2e-9", "4e-9", "6e-9", "8e-9"]),
    ],
)
def test_lines_are_drawn_at_round_numbers(low: float, high: float, texts: list[str]) -> None:
    assert _texts(low, high) == texts


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0.4, 12.3, ["0", "5", "10", "15"]),
        (-3.1, 4.9, ["-4", "-2", "0", "2", "4", "6"]),
        (-700.0, -20.0, ["-800", "-600", "-400", "-200", "0"]),
        (0.0, 0.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ],
)
def test_bars_stand_on_zero(low: float, high: float, texts: list[str]) -> None:
    assert _texts(low, high, from_zero=True) == texts


@pytest.mark.parametrize("value", [0.0, 21.0, -4.5, 1e-12, 1e12, 230.00000000001])
def test_one_value_alone_has_room_above_and_below(value: float) -> None:
    scale = value_scale(value, value, _write)

    assert scale.low < value < scale.high
    assert len(scale.ticks) >= 2


NUMBERS = st.floats(-1e299, 1e299, allow_nan=False).map(lambda number: number or 0.0)


@given(NUMBERS, NUMBERS, st.booleans())
def test_any_values_have_room_and_a_few_lines_in_order(
    one: float, other: float, from_zero: bool
) -> None:
    low, high = sorted((one, other))
    scale = value_scale(low, high, _write, from_zero=from_zero)

    rounding = 1e-8 * (scale.high - scale.low)
    assert scale.low - rounding <= low <= high <= scale.high + rounding
    assert scale.low < scale.high
    assert 2 <= len(scale.ticks) <= 9
    assert all(before.at < after.at for before, after in pairwise(scale.ticks))


@given(st.integers(-10_000, 10_000), st.integers(1, 5_000))
def test_what_is_written_is_where_it_is_written(low: int, span: int) -> None:
    for tick in value_scale(low / 100, (low + span) / 100, _write).ticks:
        assert Decimal(tick.text) == pytest.approx(Decimal(repr(tick.at)), abs=Decimal("1e-9"))


def _at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def _times(start: str, end: str, zone: ZoneInfo = BERLIN) -> list[str]:
    return [tick.text for tick in time_ticks(_at(start, zone), _at(end, zone), zone)]


def test_a_day_has_every_third_hour() -> None:
    texts = _times("2026-11-27T16:00", "2026-11-28T16:00")

    assert texts == ["18:00", "21:00", "00:00", "03:00", "06:00", "09:00", "12:00", "15:00"]


@pytest.mark.parametrize(
    ("start", "end", "texts"),
    [
        (
            "2026-11-28T15:50",
            "2026-11-28T16:00",
            ["15:50", "15:52", "15:54", "15:56", "15:58", "16:00"],
        ),
        ("2026-11-21T16:00", "2026-11-28T16:00", ["22", "23", "24", "25", "26", "27", "28"]),
        ("2026-11-01T00:00", "2026-11-30T00:00", ["1", "6", "11", "16", "21", "26"]),
        (
            "2026-06-15T00:00",
            "2026-11-28T00:00",
            ["2026-07", "2026-08", "2026-09", "2026-10", "2026-11"],
        ),
        (
            "2024-11-28T00:00",
            "2026-11-28T00:00",
            [f"{year}-{month:02}" for year in (2025, 2026) for month in (1, 4, 7, 10)],
        ),
        (
            "2019-02-01T00:00",
            "2026-11-28T00:00",
            ["2020", "2021", "2022", "2023", "2024", "2025", "2026"],
        ),
    ],
)
def test_longer_times_have_days_months_and_years(start: str, end: str, texts: list[str]) -> None:
    assert _times(start, end) == texts


@pytest.mark.parametrize(
    ("day", "missing"), [("2026-03-29", "02:00"), ("2026-11-28", None), ("2026-10-25", None)]
)
def test_the_clock_is_right_when_summer_time_begins_and_ends(day: str, missing: str | None) -> None:
    start, end = _at(f"{day}T00:00"), _at(f"{day}T08:00")
    ticks = time_ticks(start, end, BERLIN, most=10)
    texts = [tick.text for tick in ticks]

    assert texts == [hour for hour in (f"{n:02}:00" for n in range(9)) if hour != missing]
    assert all(f"{datetime.fromtimestamp(one.at, BERLIN):%H:%M}" == one.text for one in ticks)


def test_a_zone_may_be_a_quarter_of_an_hour_beside_the_others() -> None:
    texts = _times("2026-11-27T16:10", "2026-11-28T16:10", KATHMANDU)

    assert texts[:2] == ["18:00", "21:00"]
    edges = bucket_edges(
        _at("2026-11-28T01:10", KATHMANDU), _at("2026-11-28T03:10", KATHMANDU), KATHMANDU, "hour"
    )
    assert [bucket_text(edge, KATHMANDU, "hour") for edge in edges] == [
        "01:00",
        "02:00",
        "03:00",
        "04:00",
    ]


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)]
)
def test_a_day_is_as_long_as_the_calendar_says(day: str, hours: int) -> None:
    begin = _at(f"{day}T00:00")
    edges = bucket_edges(begin + HOUR, begin + 2 * HOUR, BERLIN, "day")

    assert [after - before for before, after in pairwise(edges)] == [hours * HOUR]
    assert edges[0] == begin


def test_months_begin_on_their_first_day() -> None:
    edges = bucket_edges(_at("2025-11-10T00:00"), _at("2026-02-01T00:01"), BERLIN, "month")

    assert [bucket_text(edge, BERLIN, "month") for edge in edges] == [
        "2025-11",
        "2025-12",
        "2026-01",
        "2026-02",
        "2026-03",
    ]


@given(
    st.integers(946_684_800, 2_208_988_800),
    st.integers(60, 3660 * 86_400),
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Tokyo"]),
)
def test_any_time_has_few_ticks_in_order_and_within(start: int, seconds: int, name: str) -> None:
    end = start + seconds
    ticks = time_ticks(start, end, ZoneInfo(name))

    assert len(ticks) <= 11
    assert all(start <= tick.at <= end for tick in ticks)
    assert all(before.at < after.at for before, after in pairwise(ticks))

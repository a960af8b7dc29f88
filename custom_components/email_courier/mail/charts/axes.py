"""The axes of a chart: round numbers, and times as a clock and a calendar have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from math import ceil, floor, isfinite, log10
from typing import Final, NamedTuple

type WriteNumber = Callable[[float, int], str]
"""Writes a number with so many decimals, as the language has it."""

_STEPS: Final = (1, 2, 5, 10)
_MOST_LINES: Final = 5
_MOST_DIGITS: Final = 7
"""Before or behind the decimal mark; longer numbers get an exponent."""
_NOTHING: Final = 1e-280
_MINUTES: Final = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)
_DAYS: Final = (1, 2, 5, 7, 10)
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60)
_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR


class Tick(NamedTuple):
    """A place on an axis, and what is written there."""

    at: float
    text: str


class Scale(NamedTuple):
    """The vertical axis, from low to high."""

    low: float
    high: float
    ticks: tuple[Tick, ...]


def value_scale(low: float, high: float, write: WriteNumber, *, from_zero: bool = False) -> Scale:
    """Return an axis on which values from low to high have room.

    from_zero: it holds zero and ends at round numbers, as bars want it; else it fits the values.
    """
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    largest = max(abs(low), abs(high))
    if largest < _NOTHING:
        low, high = (0.0, 1.0) if from_zero else (-1.0, 1.0)
    elif high - low <= largest * 1e-12:
        low, high = low - largest * 0.05, high + largest * 0.05
    step = _round_step((high - low) / _MOST_LINES)
    if from_zero:
        low, high = floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step
    else:
        room = (high - low) * 0.08
        low, high = low - room, high + room
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return Scale(
        low,
        high,
        tuple(Tick(one * step, _written(one, step, write)) for one in range(first, last + 1)),
    )


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 and 10, and what is 10 times as much and so on."""
    if least <= 0 or not isfinite(least):
        return 1.0
    power = floor(log10(least))
    for step in _STEPS:
        if (rounded := _times(step, power)) >= least * (1 - 1e-9):
            return rounded
    return _times(10, power)


def _times(step: int, power: int) -> float:
    # a division by 10 is exact where a multiplication by 0.1 is not
    return float(step * 10**power) if power >= 0 else step / 10**-power


def _written(number: int, step: float, write: WriteNumber) -> str:
    value = number * step
    decimals = max(-floor(log10(step) + 1e-9), 0)
    size = floor(log10(abs(value)) + 1e-9) if number else 0
    if decimals <= _MOST_DIGITS and size <= _MOST_DIGITS:
        return write(value, decimals)
    if not number:
        return write(0.0, 0)
    digits = max(size - floor(log10(step) + 1e-9), 0)
    return f"{write(value / 10.0**size, digits)}e{size}"


def time_ticks(start: float, end: float, zone: tzinfo, most: int = 8) -> tuple[Tick, ...]:
    """Return times and days, at most so many, as a clock on the wall of that zone shows them."""
    span = end - start
    for minutes in _MINUTES:
        if span <= minutes * 60 * most:
            return tuple(_of_clock(start, end, zone, minutes))
    for days in _DAYS:
        if span <= days * _DAY * most:
            return tuple(_of_days(start, end, zone, days))
    for months in _MONTHS:
        if span <= months * 31 * _DAY * most:
            return tuple(_of_months(start, end, zone, months))
    return tuple(_of_months(start, end, zone, 120))


def bucket_edges(start: float, end: float, zone: tzinfo, unit: str) -> list[float]:
    """Return where hours, days or months begin, from the one that start is in to the end.

    unit: hour, day or month. The last edge is at or behind the end.
    """
    if unit == "hour":
        # of the clock on the wall; some zones are half an hour beside the others
        offset = _offset(start, zone)
        edges = [floor((start + offset) / _HOUR) * _HOUR - offset]
        while edges[-1] < end:
            edges.append(edges[-1] + _HOUR)
        return edges
    day = datetime.fromtimestamp(start, zone).date()
    day = day.replace(day=1) if unit == "month" else day
    edges = [_midnight(day, zone)]
    while edges[-1] < end:
        day = _next_month(day) if unit == "month" else day + timedelta(days=1)
        edges.append(_midnight(day, zone))
    return edges


def bucket_text(start: float, zone: tzinfo, unit: str) -> str:
    """Return what is written below a bar."""
    begin = datetime.fromtimestamp(start, zone)
    match unit:
        case "hour":
            return f"{begin:%H:%M}"
        case "day":
            return str(begin.day)
    return f"{begin:%Y-%m}"


def _of_clock(start: float, end: float, zone: tzinfo, minutes: int) -> Iterator[Tick]:
    day = datetime.fromtimestamp(start, zone).date()
    while (midnight := _midnight(day, zone)) <= end:
        for minute in range(0, 24 * 60, minutes):
            # An hour that the clock leaves out is shown by no clock; one it has twice, once.
            wall = datetime.combine(day, time(minute // 60, minute % 60), zone)
            at = wall.timestamp()
            is_shown = datetime.fromtimestamp(at, zone).time() == wall.time()
            if is_shown and max(start, midnight) <= at <= end:
                yield Tick(at, f"{wall:%H:%M}")
        day += timedelta(days=1)


def _of_days(start: float, end: float, zone: tzinfo, days: int) -> Iterator[Tick]:
    day = datetime.fromtimestamp(start, zone).date()
    if _midnight(day, zone) < start:
        day += timedelta(days=1)
    while (at := _midnight(day, zone)) <= end:
        yield Tick(at, str(day.day))
        day += timedelta(days=days)


def _of_months(start: float, end: float, zone: tzinfo, months: int) -> Iterator[Tick]:
    day = datetime.fromtimestamp(start, zone).date().replace(day=1)
    while (at := _midnight(day, zone)) <= end:
        if (day.year * 12 + day.month - 1) % months == 0 and at >= start:
            yield Tick(at, str(day.year) if months >= 12 else f"{day:%Y-%m}")
        day = _next_month(day)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _midnight(day: date, zone: tzinfo) -> float:
    return datetime.combine(day, time(), zone).timestamp()


def _offset(at: float, zone: tzinfo) -> float:
    offset = datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()
    return 0.0 if offset is None else offset.total_seconds()

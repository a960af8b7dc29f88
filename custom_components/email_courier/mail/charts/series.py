"""Values over time, as a chart shows them: thinned, summed up by hour and day, put into steps.

Times are seconds since 1970 in UTC. A value of None says that there is none from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple


class Point(NamedTuple):
    """What was measured, and when."""

    time: float
    value: float | None


class Bucket(NamedTuple):
    """Many values in one: their mean, lowest and highest, between two times."""

    start: float
    end: float
    mean: float
    low: float
    high: float


class Stretch(NamedTuple):
    """How long a state lasted. color: None where it is shown as nothing."""

    start: float
    end: float
    color: str | None


def thinned(points: Sequence[Point], start: float, end: float, columns: int) -> list[Point]:
    """Return what is seen of points where a picture has so many columns.

    Of each column the first and the last, the lowest and the highest: no spike is lost.
    """
    if len(points) <= 4 * columns or end <= start:
        return list(points)
    kept: list[Point] = []
    scale = columns / (end - start)
    number, column = -1, [points[0]]
    for point in points:
        at = int((point.time - start) * scale)
        if at != number:
            kept += _seen(column)
            number, column = at, []
        column.append(point)
    kept += _seen(column)
    return kept[1:]  # the very first stood in for the column before


def _seen(column: Sequence[Point]) -> Iterable[Point]:
    if len(column) <= 4:
        return column
    values = [one.value for one in column]
    numbers = [value for value in values if value is not None]
    seen = {0, len(column) - 1}
    if numbers:
        seen |= {values.index(min(numbers)), values.index(max(numbers))}
    return [column[number] for number in sorted(seen)]


def held(points: Sequence[Point], limit: float) -> list[Point]:
    """Return points that a line through them shows what was known at each time.

    A value is valid until the next one is reported. limit: seconds up to which a straight line from
    one to the next is no lie; after a longer time it is a step.
    """
    line: list[Point] = []
    for point in points:
        if line and (before := line[-1]).value is not None:
            is_end = point.value is None
            if is_end or point.time - before.time > limit:
                line.append(Point(point.time, before.value))
        line.append(point)
    return line


def runs(points: Iterable[Point]) -> Iterator[list[tuple[float, float]]]:
    """Yield the stretches without a gap."""
    run: list[tuple[float, float]] = []
    for point in points:
        if point.value is not None:
            run.append((point.time, point.value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def buckets(points: Sequence[Point], edges: Sequence[float], end: float) -> list[Bucket]:
    """Return means by how long each value was valid, and the range, between edges.

    end: until when the last value is valid. Where nothing is known, there is no bucket.
    """
    made: list[Bucket] = []
    stretches = [
        (one.time, until, one.value)
        for one, until in zip(points, [*(one.time for one in points[1:]), end], strict=True)
        if one.value is not None and until > one.time
    ]
    at = 0
    for begin, close in pairwise(edges):
        weight = total = 0.0
        values: list[float] = []
        while at < len(stretches):
            start, until, value = stretches[at]
            if start >= close:
                break
            seconds = min(until, close) - max(start, begin)
            if seconds > 0:
                weight += seconds
                total += seconds * value
                values.append(value)
            if until > close:
                break
            at += 1
        if weight:
            low, high = min(values), max(values)
            mean = min(max(total / weight, low), high)
            made.append(Bucket(begin, close, mean, low, high))
    return made


def changes(
    points: Sequence[Point], edges: Sequence[float], *, may_fall: bool = False
) -> list[Bucket]:
    """Return by how much a meter went on between edges.

    may_fall: one that shows less than before has run backwards, and not begun again from nothing.
    Where it says nothing, what
    it went on by belongs to when it speaks again.
    """
    sums = [0.0] * (len(edges) - 1)
    known = [False] * (len(edges) - 1)
    before: float | None = None
    at = 0
    for point in points:
        if point.value is None:
            continue
        while at < len(sums) - 1 and point.time >= edges[at + 1]:
            at += 1
        if before is not None:
            step = point.value - before
            sums[at] += step if step >= 0 or may_fall else point.value
        known[at] = True
        before = point.value
    return [
        Bucket(begin, close, total, min(total, 0.0), max(total, 0.0))
        for (begin, close), total, is_known in zip(pairwise(edges), sums, known, strict=True)
        if is_known
    ]


def points_of(made: Sequence[Bucket]) -> list[Point]:
    """Return the middle of each bucket, with a gap where one is missing."""
    points: list[Point] = []
    for number, one in enumerate(made):
        if number and one.start - made[number - 1].end > 1:
            points.append(Point(made[number - 1].end, None))
        points.append(Point((one.start + one.end) / 2, one.mean))
    return points

"""What the recorder knows: states as long as it keeps them, long-term statistics of earlier times.

All of it blocks, and belongs into the recorder's own threads. The recorder is loaded, or nobody
would ask: its modules are imported here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, pairwise
from math import fsum, inf, isfinite
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..mail.charts.series import Bucket, Point, buckets, changes, held, points_of, thinned
from .charts import Statistic

if TYPE_CHECKING:
    from homeassistant.components.recorder.statistics import StatisticsRow

_STATISTICS_ALONE: Final = timedelta(days=45)
"""A line over a longer time is drawn from statistics, of hours up to there and of days beyond."""
_HOUR: Final = 3600.0
_MOMENT: Final = timedelta(milliseconds=1)
_INSTANT: Final = timedelta(microseconds=1)
_PIECE: Final = timedelta(hours=12)
_MANY: Final = 2_000
"""Rows of a piece, from which on pieces get no longer."""
_MEANS: Final = 96
"""Of a line of means; 15 minutes each in a day."""
_STRAIGHT: Final = 48
"""Values no further apart than this part of the time are joined by a straight line."""
_LARGEST: Final = 1e300
_ON_AND_OFF: Final = {"on": 1.0, "off": 0.0}


class Source(NamedTuple):
    """Where values come from: the state of an entity, or one of its attributes.

    live: what it says just now, and since when; the recorder writes it down seconds later. None
    where the time asked for is over. may_fall: whether a meter can run backwards.
    """

    entity_id: str
    attribute: str | None = None
    live: Point | None = None
    may_fall: bool = False


class Line(NamedTuple):
    """A line, ready to be drawn, and what it says. last: None where its end has no value."""

    points: Sequence[Point]
    band: Sequence[Bucket]
    last: float | None
    low: float
    high: float


def line(
    hass: HomeAssistant,
    source: Source,
    range_: tuple[datetime, datetime],
    statistic: Statistic | None,
    columns: int,
) -> Line | None:
    """Return the values of a time as a line. None where there are none."""
    begin, end = (one.timestamp() for one in range_)
    early, points = _numbers(hass, source, range_)
    points = _until(points, end)
    numbers = [one.value for one in points if one.value is not None]
    lows = [*(one.low for one in early), min(numbers, default=inf)]
    highs = [*(one.high for one in early), max(numbers, default=-inf)]
    if not (early or numbers):
        return None
    late: list[Bucket] = []
    if statistic is None:
        since = points[0].time if points else end
        drawn = held(thinned(points, since, end, columns), (end - begin) / _STRAIGHT)
    else:
        step = max((end - begin) / _MEANS, 60.0)
        since = max(early[-1].end if early else begin, begin)
        edges = [since + number * step for number in range(int((end - since) / step) + 2)]
        late = buckets(points, [min(edge, end) for edge in edges], end)
        drawn = points_of(late)
        if drawn and points[-1].value is not None:
            drawn.append(Point(end, points[-1].value))
    return Line(
        _joined(points_of(early), drawn),
        [*early, *late] if statistic is Statistic.MIN_MAX else (),
        points[-1].value if points else early[-1].mean,
        min(lows),
        max(highs),
    )


def bars(
    hass: HomeAssistant,
    source: Source,
    edges: Sequence[float],
    unit: str,
    statistic: Statistic,
) -> list[Bucket]:
    """Return a bar for each hour, day or month of which there is something.

    edges: where they begin, and where the last one ends. unit: hour, day or month.
    """
    now = dt_util.utcnow()
    range_ = dt_util.utc_from_timestamp(edges[0]), dt_util.utc_from_timestamp(edges[-1])
    is_change = statistic is Statistic.CHANGE
    if source.attribute is None:
        rows = _statistics_until_now(hass, source.entity_id, range_, unit, is_change=is_change)
        if rows:
            return list(_by_bucket(rows, edges))
    points = _history(hass, source, range_)
    if is_change:
        return changes(points, edges, may_fall=source.may_fall)
    return buckets(points, edges, min(edges[-1], now.timestamp()))


def states(
    hass: HomeAssistant, source: Source, range_: tuple[datetime, datetime]
) -> list[tuple[float, str]]:
    """Return the states that there were, and since when, without repetitions."""
    found: list[tuple[float, str]] = []
    for row in chain.from_iterable(_rows(hass, source, range_)):
        if not found or found[-1][1] != row["s"]:
            found.append((row["lu"], row["s"]))
    return found


def _numbers(
    hass: HomeAssistant, source: Source, range_: tuple[datetime, datetime]
) -> tuple[list[Bucket], list[Point]]:
    """Return statistics of the time before there is history, and history."""
    begin, end = range_
    has_statistics = source.attribute is None
    if has_statistics and end - begin > _STATISTICS_ALONE:
        early = _of_rows(_statistics(hass, source.entity_id, range_, "day"), end.timestamp())
        if early:
            live = source.live
            return early, [] if live is None else [live._replace(time=end.timestamp())]
    points = _history(hass, source, range_)
    since = points[0].time if points else end.timestamp()
    if not has_statistics or since - begin.timestamp() <= _HOUR:
        return [], points
    until = dt_util.utc_from_timestamp(since)
    early = _of_rows(_statistics(hass, source.entity_id, (begin, until), "hour"), since)
    return early, points


def _history(hass: HomeAssistant, source: Source, range_: tuple[datetime, datetime]) -> list[Point]:
    attribute = source.attribute
    points: list[Point] = []
    for rows in _rows(hass, source, range_):
        if attribute is None:
            points += [Point(row["lu"], number_of(row["s"])) for row in rows]
        else:
            points += [Point(row["lu"], number_of(row["a"].get(attribute))) for row in rows]
    live = source.live
    if live is not None and (not points or live.time > points[-1].time):
        points.append(live)
    return points


def _rows(
    hass: HomeAssistant, source: Source, range_: tuple[datetime, datetime]
) -> Iterator[list[dict[str, Any]]]:
    """Yield states piece by piece: many rows at once would hold up the event loop."""
    from homeassistant.components.recorder.history import (  # noqa: PLC0415 - see above
        get_significant_states,
    )

    is_state = source.attribute is None
    begin, end = range_
    at, piece = begin - _MOMENT, _PIECE  # what began just then is left out
    first = begin.timestamp()
    while at < end:
        until = min(at + piece, end)
        found = get_significant_states(
            hass,
            at,
            until,
            [source.entity_id],
            include_start_time_state=at < begin,
            significant_changes_only=is_state,
            minimal_response=is_state,
            no_attributes=is_state,
            compressed_state_format=True,
        )
        rows = cast("list[dict[str, Any]]", found.get(source.entity_id, []))
        if at < begin:
            for row in rows:
                row["lu"] = max(row["lu"], first)
        yield rows
        if len(rows) < _MANY:
            piece *= 2
        at = until if until == end else until - _INSTANT


def number_of(value: object) -> float | None:
    """Return what a state or an attribute says as a number; on is 1 and off is 0."""
    try:
        number = float(cast("str", value))
    except TypeError:
        return None
    except ValueError:
        return _ON_AND_OFF.get(str(value))
    return number if -_LARGEST < number < _LARGEST else None


def _statistics(
    hass: HomeAssistant,
    entity_id: str,
    range_: tuple[datetime, datetime],
    unit: str,
    *,
    is_change: bool = False,
) -> list[StatisticsRow]:
    """Return rows of minutes ("5minute"), hours, days or months, in the unit of the entity."""
    from homeassistant.components.recorder.statistics import (  # noqa: PLC0415 - see above
        statistics_during_period,
    )

    kinds: Any = {"change"} if is_change else {"mean", "min", "max", "state"}
    asked: Any = unit
    rows = statistics_during_period(hass, *range_, {entity_id}, asked, None, kinds)
    # It rounds the end up to a whole day or month.
    end = range_[1].timestamp()
    return [row for row in rows.get(entity_id, []) if row["start"] < end]


def _statistics_until_now(
    hass: HomeAssistant,
    entity_id: str,
    range_: tuple[datetime, datetime],
    unit: str,
    *,
    is_change: bool,
) -> list[StatisticsRow]:
    """Return the same, and behind them the minutes of the hour that is not over yet."""
    begin, end = range_
    rows = _statistics(hass, entity_id, range_, unit, is_change=is_change)
    recently = dt_util.utcnow() - timedelta(hours=3)
    if end <= recently:
        return rows
    since = begin
    if rows:
        since = max(begin, recently)
        hours = _statistics(hass, entity_id, (since, end), "hour", is_change=is_change)
        if hours:
            since = dt_util.utc_from_timestamp(hours[-1]["end"])
    minutes = _statistics(hass, entity_id, (since, end), "5minute", is_change=is_change)
    return [*rows, *minutes]


def _of_rows(rows: Iterable[StatisticsRow], end: float) -> list[Bucket]:
    """Return rows as they are. Of a meter, what it showed stands in for the mean.

    end: of the time asked for; the last row may be longer.
    """
    found: list[Bucket] = []
    for row in rows:
        mean = row.get("mean")
        mean = row.get("state") if mean is None else mean
        if mean is None or not isfinite(mean) or row["start"] >= end:
            continue
        low, high = row.get("min"), row.get("max")
        found.append(
            Bucket(
                row["start"],
                min(row["end"], end),
                mean,
                mean if low is None else low,
                mean if high is None else high,
            )
        )
    return found


def _by_bucket(rows: Sequence[StatisticsRow], edges: Sequence[float]) -> Iterator[Bucket]:
    """Put rows together that lie between the same edges: changes are added, ranges joined.

    The rows of the hour that is not over follow those of whole days, and begin later.
    """
    at = 0
    for begin, close in pairwise(edges):
        within: list[StatisticsRow] = []
        while at < len(rows) and rows[at]["start"] < close:
            within += [rows[at]] if rows[at]["start"] >= begin else []
            at += 1
        steps = [step for row in within if (step := row.get("change")) is not None]
        if steps:
            change = fsum(steps)
            yield Bucket(begin, close, change, min(change, 0.0), max(change, 0.0))
        elif found := _of_rows(within, close):
            # minutes have their part in the row of a day already
            longest = max(one.end - one.start for one in found)
            whole = [one for one in found if one.end - one.start > longest * 0.8]
            weight = fsum(one.end - one.start for one in whole)
            mean = fsum(one.mean * (one.end - one.start) for one in whole) / weight
            low, high = min(one.low for one in found), max(one.high for one in found)
            yield Bucket(begin, close, min(max(mean, low), high), low, high)


def _until(points: list[Point], end: float) -> list[Point]:
    """Let the last value be valid until the end."""
    points = points[: bisect_right(points, end, key=attrgetter("time"))]
    if points and points[-1].value is not None and points[-1].time < end:
        points.append(Point(end, points[-1].value))
    return points


def _joined(early: list[Point], late: Sequence[Point]) -> list[Point]:
    """Return statistics and what follows them, with a gap where there is one."""
    if early and late and late[0].time - early[-1].time > 2 * _HOUR and len(early) > 1:
        step = early[-1].time - early[-2].time
        if late[0].time - early[-1].time > 2 * step:
            return [*early, Point(early[-1].time, None), *late]
    return [*early, *late]

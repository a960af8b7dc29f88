"""Charts: what the recorder knows of entities, as names, values and pictures.

A chart that cannot be had, or a part of one, does not keep a mail from being sent: it says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Final, NamedTuple

from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..mail.charts.axes import bucket_edges
from ..mail.charts.draw import (
    COLORS,
    COLUMNS,
    QUIET,
    BarSet,
    Curve,
    Frame,
    draw_bars,
    draw_lines,
    draw_timeline,
)
from ..mail.charts.series import Bucket, Point, Stretch
from ..mail.compose.content import Attachment, Chart, Panel, Reading
from ..mail.compose.figures import reading_text
from ..phrases import Phrases, words_of
from . import recorded
from .charts import ChartEntity, ChartRequest, ChartType, Span, Statistic
from .facts import axis_number, is_measured, reading, unit_after, value_of
from .fields import Missing

_PATIENCE: Final = 60
"""Seconds that all charts of a mail wait for the recorder."""
_ATTRIBUTES: Final = {
    "climate": "current_temperature",
    "water_heater": "current_temperature",
    "humidifier": "current_humidity",
    "weather": "temperature",
}
"""What of an entity is a number where its state is a word."""
_METERS: Final = frozenset({"total", "total_increasing"})
_UNKNOWN: Final = frozenset({STATE_UNAVAILABLE, STATE_UNKNOWN, ""})
_AT_REST: Final = frozenset(
    {"off", "closed", "locked", "not_home", "idle", "standby", "docked", "disarmed", "no", "false"}
    | {"0", "clear", "below_horizon", "none", "ok", "inactive"}
)
"""States in which nothing happens: a timeline leaves their time free."""
_HOURS_UP_TO: Final = timedelta(hours=49)
_DAYS_UP_TO: Final = timedelta(days=93)
_MOST_STATES: Final = len(COLORS)


class _Shown(NamedTuple):
    """One of the entities of a chart. attribute: what of it is a number, None for its state."""

    entity: ChartEntity
    state: State
    color: str
    kind: ChartType
    statistic: Statistic | None
    attribute: str | None
    unit: str | None

    @property
    def name(self) -> str:
        return self.entity.name or self.state.name


async def async_charts(
    hass: HomeAssistant, wanted: Sequence[ChartRequest], marks: set[str], missing: list[Missing]
) -> tuple[Chart, ...]:
    """Return the charts that were asked for. missing: takes what is not there.

    marks: those that the text names; one of no chart shows a sentence that says so.
    """
    phrases = await Phrases.async_load(hass)
    deadline = hass.loop.time() + _PATIENCE
    charts: list[Chart] = []
    # One after the other: each takes the memory of a large picture.
    for number, request in enumerate(wanted, 1):
        making = _Making(hass, request, f"chart:{number}", phrases, deadline)
        charts.append(await making.async_chart())
        missing += making.missing
    for mark in sorted(marks - {chart.mark for chart in charts}):
        reason = phrases.say("chart_unknown", mark=mark, count=str(len(wanted)))
        missing.append(Missing(mark, reason))
        charts.append(Chart(mark, notes=(reason,)))
    for one in missing:
        if one.name.startswith("chart:"):
            LOGGER.warning("A mail goes without %s: %s", one.name, one.reason)
    return tuple(charts)


class _Making:
    """Makes one chart."""

    def __init__(
        self,
        hass: HomeAssistant,
        request: ChartRequest,
        mark: str,
        phrases: Phrases,
        deadline: float,
    ) -> None:
        self.missing: list[Missing] = []
        self._hass = hass
        self._request = request
        self._mark = mark
        self._phrases = phrases
        self._words = words_of(phrases)
        self._deadline = deadline
        self._notes: list[str] = []
        self._now = dt_util.now()
        self._begin, self._end = request.period.range(self._now)
        self._is_current = self._end == self._now
        self._first = self._begin

    async def async_chart(self) -> Chart:
        panels: list[Panel] = []
        if "recorder" not in self._hass.config.components:
            reason = self._phrases.say("chart_no_recorder")
            self._miss(reason, [one.entity_id for one in self._request.entities])
        else:
            groups: dict[tuple[ChartType, str | None], list[_Shown]] = {}
            for one in self._shown():
                unit = None if one.kind is ChartType.TIMELINE else one.unit
                groups.setdefault((one.kind, unit), []).append(one)
            for (kind, _), shown in groups.items():
                panels += await self._async_panel(kind, shown, len(panels))
        return Chart(
            self._mark,
            self._request.title,
            self._period() if panels else "",
            tuple(panels),
            tuple(dict.fromkeys(self._notes)),
        )

    def _shown(self) -> Iterator[_Shown]:
        """Yield the entities that there are, in a colour each."""
        for number, entity in enumerate(self._request.entities):
            state = self._hass.states.get(entity.entity_id)
            if state is None:
                reason = self._phrases.say("fact_missing", entity_id=entity.entity_id)
                self._miss(reason, [entity.entity_id])
                continue
            kind, attribute = _kind_of(state, self._request)
            unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
            if attribute in {"current_temperature", "temperature"}:
                own = self._hass.config.units.temperature_unit
                unit = state.attributes.get("temperature_unit", own)
            elif attribute is not None:
                unit = "%"
            yield _Shown(
                entity,
                state,
                entity.color or COLORS[number % len(COLORS)],
                kind,
                _statistic_of(state, kind, self._request),
                attribute,
                unit,
            )

    async def _async_panel(
        self, kind: ChartType, shown: Sequence[_Shown], number: int
    ) -> Sequence[Panel]:
        """Return names, values and the picture of entities that go into one; none without them."""
        make = {
            ChartType.LINE: self._async_lines,
            ChartType.BAR: self._async_bars,
            ChartType.TIMELINE: self._async_timeline,
        }[kind]
        ids = [one.entity.entity_id for one in shown]
        readings: list[Reading] = []
        picture: Attachment | None = None
        try:
            draw = await make(shown, readings)
            if draw is not None:
                data = await self._hass.async_add_executor_job(draw)
                name = self._mark if not number else f"{self._mark}-{number + 1}"
                picture = Attachment(
                    f"{name.replace(':', '-')}.png", data, "image/png", name, is_shown=True
                )
        except TimeoutError:
            self._miss(self._phrases.say("chart_slow", seconds=str(_PATIENCE)), ids)
        except Exception:  # noqa: BLE001 - a recorder fails in as many ways as its database
            LOGGER.exception("The chart of %s could not be made", ", ".join(ids))
            self._miss(self._phrases.say("chart_failed"), ids)
        if not readings:
            return ()
        said = "; ".join(map(reading_text, readings))
        alt = ". ".join(filter(None, [self._request.title, said, self._period()]))
        return (Panel(tuple(readings), alt, picture),)

    async def _async_lines(
        self, shown: Sequence[_Shown], readings: list[Reading]
    ) -> Callable[[], bytes] | None:
        curves: list[Curve] = []
        for one in shown:
            found = await self._async_ask(
                recorded.line, self._source(one), (self._begin, self._end), one.statistic, COLUMNS
            )
            if found is None:
                self._miss_values(one)
                continue
            curves.append(Curve(one.color, found.points, found.band))
            color = one.color if len(shown) > 1 else None
            more = (
                self._said(self._phrases.say("chart_lowest"), found.low, one),
                self._said(self._phrases.say("chart_highest"), found.high, one),
            )
            if found.last is not None:
                last = self._value(found.last, one)
            else:
                gone = State(one.state.entity_id, STATE_UNAVAILABLE)
                state = one.state if self._is_current and one.attribute is None else gone
                last = reading(self._hass, state, self._words, self._phrases)
            readings.append(Reading(one.name, *last, color, more))
        return partial(draw_lines, curves, self._frame()) if curves else None

    async def _async_bars(
        self, shown: Sequence[_Shown], readings: list[Reading]
    ) -> Callable[[], bytes] | None:
        unit, begin = _bars_of(self._request, self._begin, self._end)
        zone = dt_util.get_default_time_zone()
        until = self._end.timestamp()
        if self._is_current:
            until += 0.001  # an hour that begins just now has begun
        edges = bucket_edges(begin.timestamp(), until, zone, unit)
        self._first = dt_util.as_local(dt_util.utc_from_timestamp(edges[0]))
        sets: list[BarSet] = []
        for one in shown:
            statistic = one.statistic or Statistic.MEAN
            found = await self._async_ask(recorded.bars, self._source(one), edges, unit, statistic)
            if not found:
                self._miss_values(one)
                continue
            sets.append(BarSet(one.color, found, statistic is Statistic.MIN_MAX))
            color = one.color if len(shown) > 1 else None
            readings.append(self._of_bars(one, found, statistic, color))
        return partial(draw_bars, sets, edges, unit, self._frame()) if sets else None

    def _of_bars(
        self, one: _Shown, bars: Sequence[Bucket], statistic: Statistic, color: str | None
    ) -> Reading:
        if statistic is Statistic.CHANGE:
            value = sum(bar.mean for bar in bars)
            name = self._phrases.say("chart_sum", name=one.name)
            more = [
                self._said(self._phrases.say("chart_highest"), max(bar.mean for bar in bars), one)
            ]
        else:
            seconds = sum(bar.end - bar.start for bar in bars)
            value = sum(bar.mean * (bar.end - bar.start) for bar in bars) / seconds
            name = self._phrases.say("chart_mean", name=one.name)
            more = [
                self._said(self._phrases.say("chart_lowest"), min(bar.low for bar in bars), one),
                self._said(self._phrases.say("chart_highest"), max(bar.high for bar in bars), one),
            ]
        return Reading(name, *self._value(value, one), color, tuple(more))

    async def _async_timeline(
        self, shown: Sequence[_Shown], readings: list[Reading]
    ) -> Callable[[], bytes] | None:
        rows: list[list[Stretch]] = []
        for one in shown:
            found = await self._async_ask(
                recorded.states, self._source(one), (self._begin, self._end)
            )
            if self._is_current:
                found.append((self._end.timestamp(), one.state.state))
            last = found[-1][1] if found else STATE_UNKNOWN
            lasting = _lasting(found, self._begin.timestamp(), self._end.timestamp())
            if not lasting:
                self._miss_values(one)
                continue
            colors = _colors(one, [state for state, _ in lasting])
            rows.append(_stretches(found, self._end.timestamp(), colors))
            is_single = len(colors) < 2
            more = tuple(
                Reading(
                    self._state(one, state),
                    self._lasted(seconds),
                    color=None if is_single else colors[state],
                )
                for state, seconds in lasting
                if state in colors
            )
            color = one.color if is_single else None
            value = self._state(one, last)
            readings.append(Reading(one.name, value, "", color, more[:_MOST_STATES]))
        return partial(draw_timeline, rows, self._frame()) if rows else None

    async def _async_ask[Result](self, question: Callable[..., Result], *values: object) -> Result:
        """Ask the recorder, in a thread of its own. Raises TimeoutError."""
        ask = partial(question, self._hass, *values)
        async with asyncio.timeout_at(self._deadline):
            return await get_instance(self._hass).async_add_executor_job(ask)

    def _source(self, one: _Shown) -> recorded.Source:
        live: Point | None = None
        if self._is_current:
            state = one.state
            value = state.state if one.attribute is None else state.attributes.get(one.attribute)
            since = min(state.last_updated_timestamp, self._end.timestamp())
            live = Point(since, recorded.number_of(value))
        may_fall = one.state.attributes.get("state_class") == "total"
        return recorded.Source(one.entity.entity_id, one.attribute, live, may_fall)

    def _frame(self) -> Frame:
        zone = dt_util.get_default_time_zone()
        write = partial(axis_number, self._hass.config.language)
        return Frame(self._begin.timestamp(), self._end.timestamp(), zone, write)

    def _value(self, number: float, one: _Shown) -> tuple[str, str]:
        unit = unit_after(one.unit, self._hass.config.language)
        is_state = one.attribute is None
        return value_of(self._hass, one.state, number, is_state=is_state), unit

    def _said(self, word: str, number: float, one: _Shown) -> Reading:
        return Reading(word, *self._value(number, one))

    def _state(self, one: _Shown, state: str) -> str:
        of_then = State(one.entity.entity_id, state, one.state.attributes)
        return "".join(reading(self._hass, of_then, self._words, self._phrases))

    def _lasted(self, seconds: float) -> str:
        minutes = max(round(seconds / 60), 1)
        days, hours = minutes // (24 * 60), minutes // 60
        if days > 1:
            return self._phrases.say("chart_days", days=str(days), hours=str(hours - days * 24))
        if hours:
            return self._phrases.say("chart_hours", hours=str(hours), minutes=str(minutes % 60))
        return self._phrases.say("chart_minutes", minutes=str(minutes))

    def _period(self) -> str:
        begin, end = self._first, self._end
        if begin.hour or begin.minute or end.hour or end.minute:
            words = [self._words.written_time(begin), self._words.written_time(end)]
        else:
            last = end - timedelta(days=1)
            words = [self._words.written_date(begin), self._words.written_date(last)]
        return " \u2013 ".join(dict.fromkeys(words))

    def _miss_values(self, one: _Shown) -> None:
        self._miss(self._phrases.say("chart_no_data", name=one.name), [one.entity.entity_id])

    def _miss(self, reason: str, entity_ids: Sequence[str]) -> None:
        self._notes.append(reason)
        for entity_id in entity_ids:
            LOGGER.warning("A mail goes without a chart of %s: %s", entity_id, reason)
            self.missing.append(Missing(entity_id, reason))


def _kind_of(state: State, request: ChartRequest) -> tuple[ChartType, str | None]:
    """Return what an entity is drawn as, and which attribute, where it is not the state."""
    is_change = request.statistic is Statistic.CHANGE
    kind = ChartType.BAR if is_change else request.kind
    attribute = _ATTRIBUTES.get(state.domain)
    if request.kind is ChartType.TIMELINE:
        return ChartType.TIMELINE, None
    if attribute is not None:
        return kind or ChartType.LINE, attribute
    is_number = is_measured(state) or (
        state.domain == "sensor" and recorded.number_of(state.state) is not None
    )
    if kind is None and not is_number:
        return ChartType.TIMELINE, None
    is_meter = state.attributes.get("state_class") in _METERS and request.statistic is None
    return kind or (ChartType.BAR if is_meter else ChartType.LINE), None


def _statistic_of(state: State, kind: ChartType, request: ChartRequest) -> Statistic | None:
    if request.statistic is not None or kind is not ChartType.BAR:
        return request.statistic
    is_meter = state.attributes.get("state_class") in _METERS
    return Statistic.CHANGE if is_meter else Statistic.MEAN


def _bars_of(request: ChartRequest, begin: datetime, end: datetime) -> tuple[str, datetime]:
    """Return what a bar stands for, and when the first of them begins.

    Of a time until now, the first is a whole one: seven days are today and the six before.
    """
    is_until_now = isinstance(request.period, Span)
    if end - begin <= _HOURS_UP_TO:
        hours = timedelta(hours=1) if is_until_now else timedelta()
        return "hour", min(begin + hours, end)
    if end - begin <= _DAYS_UP_TO:
        return "day", begin + timedelta(days=1) if is_until_now else begin
    month = dt_util.start_of_local_day(begin).replace(day=1)
    return "month", (month + timedelta(days=32)).replace(day=1) if is_until_now else month


def _lasting(
    found: Sequence[tuple[float, str]], begin: float, end: float
) -> list[tuple[str, float]]:
    """Return how many seconds each known state lasted, the longest first."""
    seconds: dict[str, float] = {}
    for (since, state), (until, _) in pairwise([*found, (end, "")]):
        if state not in _UNKNOWN and until > since:
            seconds[state] = seconds.get(state, 0.0) + until - max(since, begin)
    return sorted(seconds.items(), key=lambda one: -one[1])


def _colors(one: _Shown, states: Sequence[str]) -> dict[str, str]:
    """Return the colours of states: that of the entity, or one each where there are several."""
    active = [state for state in states if state not in _AT_REST]
    if len(active) < 2:
        return dict.fromkeys(active, one.color)
    return {
        state: COLORS[number] if number < len(COLORS) else QUIET
        for number, state in enumerate(active)
    }


def _stretches(
    found: Sequence[tuple[float, str]], end: float, colors: dict[str, str]
) -> list[Stretch]:
    return [
        Stretch(since, until, colors.get(state))
        for (since, state), (until, _) in pairwise([*found, (end, "")])
    ]

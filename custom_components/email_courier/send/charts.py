"""Charts as they are asked for: which entities, over which time, drawn how."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
import re
from typing import Any, Final, NamedTuple

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.color import color_name_to_rgb
import voluptuous as vol

_HEX: Final = re.compile("#?([0-9A-Fa-f]{6}|[0-9A-Fa-f]{3})")


def color_of(value: object) -> str | None:
    """Return a colour such as "#d1242f"; none for an empty text, so that a template can say so."""
    if isinstance(value, (list, tuple)):
        if len(value) != 3:
            raise vol.Invalid("a color has three parts: red, green and blue")
        red, green, blue = (vol.All(vol.Coerce(int), vol.Range(0, 255))(part) for part in value)
        return f"#{red:02x}{green:02x}{blue:02x}"
    text = cv.string(value).strip()
    if not text:
        return None
    if match := _HEX.fullmatch(text):
        digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
        return f"#{digits.lower()}"
    try:
        return color_of(color_name_to_rgb(text))
    except ValueError as error:
        raise vol.Invalid(f"no color: {text[:50]}") from error


MOST_CHARTS: Final = 20
MOST_ENTITIES: Final = 12
_LONGEST: Final = timedelta(days=3660)
_SPAN: Final = re.compile(r"(?i)(\d{1,5})\s*(h|d)")


class ChartType(StrEnum):
    """What a chart is drawn as."""

    LINE = "line"
    BAR = "bar"
    TIMELINE = "timeline"


class Statistic(StrEnum):
    """What is shown of many values: their mean, the range they are in, or how a meter went on."""

    MEAN = "mean"
    MIN_MAX = "min_max"
    CHANGE = "change"


class Period(StrEnum):
    """Times that the calendar knows. A week begins on Monday (ISO 8601)."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    THIS_WEEK = "this_week"
    LAST_WEEK = "last_week"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"

    def range(self, now: datetime) -> tuple[datetime, datetime]:
        """Return where it begins and ends; one that is not over ends now. now: in local time."""
        today = dt_util.start_of_local_day(now)
        week = today - timedelta(days=today.weekday())
        month = today.replace(day=1)
        match self:
            case Period.TODAY:
                return today, now
            case Period.YESTERDAY:
                return today - timedelta(days=1), today
            case Period.THIS_WEEK:
                return week, now
            case Period.LAST_WEEK:
                return week - timedelta(days=7), week
            case Period.THIS_MONTH:
                return month, now
        return (month - timedelta(days=1)).replace(day=1), month


class ChartEntity(NamedTuple):
    """One of a chart's entities. color: such as "#d1242f"; one of the chart's own without."""

    entity_id: str
    name: str | None = None
    color: str | None = None


class Span(NamedTuple):
    """So long until now: days are those of the calendar, of 23 to 25 hours; hours are hours."""

    days: int = 0
    hours: int = 0

    def range(self, now: datetime) -> tuple[datetime, datetime]:
        """Return where it begins and ends. now: in local time."""
        begin = dt_util.as_utc(now - timedelta(days=self.days)) - timedelta(hours=self.hours)
        return dt_util.as_local(begin), now


class ChartRequest(NamedTuple):
    """A chart as it was asked for.

    kind, statistic: None for what suits the entities.
    """

    entities: tuple[ChartEntity, ...]
    period: Period | Span
    kind: ChartType | None = None
    statistic: Statistic | None = None
    title: str = ""


def chart_request(chart: Mapping[str, Any]) -> ChartRequest:
    """Return what a chart that CHART_SCHEMA has let through asks for."""
    period: Any = chart["period"]
    return ChartRequest(
        tuple(ChartEntity(**one) for one in chart["entities"]),
        period if isinstance(period, Period) else Span(**period),
        chart.get("type"),
        chart.get("statistic"),
        chart.get("title", ""),
    )


def _entity(value: object) -> dict[str, Any]:
    entity: dict[str, Any] = _ENTITY({ATTR_ENTITY_ID: value} if isinstance(value, str) else value)
    return entity


def _period(value: object) -> Period | dict[str, int]:
    """Accept a time of the calendar, {hours: 24}, {days: 7}, and "24 h" and "7 d" as text."""
    if isinstance(value, str) and (match := _SPAN.fullmatch(value.strip())):
        value = {"hours" if match[2] in "hH" else "days": int(match[1])}
    if not isinstance(value, Mapping):
        return vol.Coerce(Period)(value)
    parts = {name: number for name, number in _PARTS(dict(value)).items() if number}
    if not parts or timedelta(**parts) > _LONGEST:
        raise vol.Invalid("a period has hours or days, and no more than ten years of them")
    return parts


_NUMBER = vol.All(vol.Coerce(int), vol.Range(min=0, max=100_000))
_PARTS = vol.Schema({vol.Optional("hours"): _NUMBER, vol.Optional("days"): _NUMBER})
_ENTITY = vol.Schema(
    {
        vol.Required(ATTR_ENTITY_ID): cv.entity_id,
        vol.Optional("name"): cv.string,
        vol.Optional("color"): color_of,
    }
)
CHART_SCHEMA: Final = vol.Schema(
    {
        vol.Required("entities"): vol.All(
            cv.ensure_list, [_entity], vol.Length(min=1, max=MOST_ENTITIES)
        ),
        vol.Optional("period", default=lambda: {"hours": 24}): _period,
        vol.Optional("type"): vol.Coerce(ChartType),
        vol.Optional("statistic"): vol.Coerce(Statistic),
        vol.Optional("title"): cv.string,
    }
)
"""One chart. What comes out of it goes in again unchanged, and can be kept as JSON."""

"""What a report is: who gets it, when, and what it shows."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
import datetime as dt
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from homeassistant.const import WEEKDAYS
from homeassistant.util import dt as dt_util

from ..send import charts as calendar

CONF_CHARTS: Final = "charts"
CONF_DAY: Final = "day"
CONF_FACTS: Final = "facts"
CONF_FREQUENCY: Final = "frequency"
CONF_RECIPIENTS: Final = "recipients"
CONF_SECTIONS: Final = "sections"
CONF_TIME: Final = "time"
CONF_WEEKDAY: Final = "weekday"

DEFAULT_TIME: Final = "07:00:00"

type Period = str | dict[str, int]
"""A time to look back on, as a chart takes it: a name of one, or a count of days."""

_NOON: Final = dt.time(12)
_ONE_DAY: Final = timedelta(days=1)
_LAST_DAY: Final = 31
_SUNDAY: Final = 6


class Frequency(StrEnum):
    """How often a report is sent."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class ReportSection(StrEnum):
    """What a report can show without any entity being named, in the order of the mail."""

    ENERGY = "energy"
    CLIMATE = "climate"
    OPENINGS = "openings"
    PRESENCE = "presence"
    BATTERIES = "batteries"
    UPDATES = "updates"
    REPAIRS = "repairs"
    BACKUPS = "backups"
    MAIL = "mail"


class Plan(NamedTuple):
    """When a report is due, by the clock on the wall.

    weekday: from 0 for Monday, for a weekly one. day: of the month, for a monthly one; a shorter
    month has it on its last day.
    """

    frequency: Frequency
    time: dt.time
    weekday: int = 0
    day: int = 1

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Plan:
        """Read what the dialog has stored."""
        time = dt_util.parse_time(str(data.get(CONF_TIME, DEFAULT_TIME)))
        return cls(
            Frequency(data[CONF_FREQUENCY]),
            dt.time(7) if time is None else time,
            WEEKDAYS.index(data.get(CONF_WEEKDAY, WEEKDAYS[0])),
            int(data.get(CONF_DAY, 1)),
        )

    @property
    def key(self) -> str:
        """The same for the same plan."""
        return f"{self.frequency} {self.time} {self.weekday} {self.day}"

    def next_after(self, moment: datetime) -> datetime:
        """Return when it is due next, in UTC.

        A time that daylight saving leaves out comes as much later as the clock is put forward; of
        one that comes twice, the first counts.
        """
        zone = dt_util.get_default_time_zone()
        day = moment.astimezone(zone).date()
        while True:
            due = datetime.combine(day, self.time, zone).astimezone(dt.UTC)
            if due > moment and self._falls_on(day):
                return due
            day += _ONE_DAY

    @property
    def period(self) -> Period:
        """What it looks back on: whole days, weeks and months where it is sent right after them."""
        is_early = self.time < _NOON
        match self.frequency:
            case Frequency.DAILY:
                return "yesterday" if is_early else "today"
            case Frequency.WEEKLY:
                if is_early and self.weekday == 0:
                    return "last_week"
                is_end = self.weekday == _SUNDAY and not is_early
                return "this_week" if is_end else {"days": 7}
            case Frequency.MONTHLY:
                if is_early and self.day == 1:
                    return "last_month"
                is_end = self.day == _LAST_DAY and not is_early
                return "this_month" if is_end else {"days": 30}

    def _falls_on(self, day: dt.date) -> bool:
        match self.frequency:
            case Frequency.DAILY:
                return True
            case Frequency.WEEKLY:
                return day.weekday() == self.weekday
            case Frequency.MONTHLY:
                return day.day == min(self.day, monthrange(day.year, day.month)[1])


class Span(NamedTuple):
    """From when to when a report looks back, in UTC, the end not included."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, period: Period, now: datetime) -> Span:
        """Return what a period means at a moment."""
        local = dt_util.as_local(now)
        if isinstance(period, dict):
            start, end = local - timedelta(days=period["days"]), local
        else:
            start, end = calendar.Period(period).range(local)
        return cls(start.astimezone(dt.UTC), end.astimezone(dt.UTC))

    @property
    def before(self) -> Span:
        """The time of the same length right before, to compare with."""
        return Span(self.start - (self.end - self.start), self.start)

    @property
    def days(self) -> tuple[dt.date, dt.date]:
        """The first and the last day, by the clock on the wall."""
        last = dt_util.as_local(self.end - timedelta(microseconds=1))
        return dt_util.as_local(self.start).date(), last.date()

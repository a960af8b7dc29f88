"""A past of days and years for the recorder, written into its database at once."""

from __future__ import annotations

from collections.abc import Iterator
from math import sin
from typing import Any

from homeassistant.components.recorder.db_schema import (
    States,
    StatesMeta,
    Statistics,
    StatisticsMeta,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance, session_scope
from sqlalchemy import insert

_DAY = 86_400
_PIECE = 10_000
"""Rows that are written together."""


def write(hass: HomeAssistant, now: float, days: int, years: int) -> None:
    """Write values of every minute of some days, and hours of some years. Blocks."""
    with session_scope(hass=hass) as session:
        for number in range(4):
            meta = StatesMeta(entity_id=f"sensor.bench_{number}")
            session.add(meta)
            session.flush()
            rows = _minutes(meta.metadata_id, number, now, days)
            while piece := [row for _, row in zip(range(_PIECE), rows, strict=False)]:
                session.execute(insert(States), piece)
                session.commit()  # the recorder waits for no more than a few seconds
            measured = StatisticsMeta(
                statistic_id=f"sensor.bench_{number}",
                source="recorder",
                unit_of_measurement="°C",
                unit_class="temperature",
                has_mean=None,
                has_sum=False,
                name=None,
                mean_type=1,
            )
            meter = StatisticsMeta(
                statistic_id=f"sensor.bench_meter_{number}",
                source="recorder",
                unit_of_measurement="kWh",
                unit_class="energy",
                has_mean=None,
                has_sum=True,
                name=None,
                mean_type=0,
            )
            session.add_all([measured, meter])
            session.flush()
            session.execute(insert(Statistics), list(_hours(measured.id, now, years)))
            session.execute(insert(Statistics), list(_meter(meter.id, now, years)))
            session.commit()
        session.flush()
        get_instance(hass).states_manager.load_from_db(session)


def value(number: int, minute: int) -> str:
    """Return what a thermometer says in a minute."""
    return f"{20 + number + 3 * sin(minute / 229) + sin(minute * 0.7) / 3:.2f}"


def _minutes(metadata_id: int, number: int, now: float, days: int) -> Iterator[dict[str, Any]]:
    count = days * 24 * 60
    for minute in range(count):
        yield {
            "metadata_id": metadata_id,
            "state": value(number, minute),
            "last_updated_ts": now - 60 * (count - minute),
        }


def _hours(metadata_id: int, now: float, years: int) -> Iterator[dict[str, Any]]:
    for hour in range(years * 365 * 24, 0, -1):
        mean = 20 + 3 * sin(hour / 24)
        yield {
            "metadata_id": metadata_id,
            "created_ts": now,
            "start_ts": now // 3600 * 3600 - 3600 * hour,
            "mean": mean,
            "min": mean - 1,
            "max": mean + 1,
        }


def _meter(metadata_id: int, now: float, years: int) -> Iterator[dict[str, Any]]:
    count = years * 365 * 24
    for hour in range(count):
        yield {
            "metadata_id": metadata_id,
            "created_ts": now,
            "start_ts": now // 3600 * 3600 - 3600 * (count - hour),
            "state": hour * 0.4,
            "sum": hour * 0.4,
        }

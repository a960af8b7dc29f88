"""A recorder's database with a past that a test has made up."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from homeassistant.components.recorder.db_schema import (
    StateAttributes,
    States,
    StatesMeta,
    Statistics,
    StatisticsMeta,
    StatisticsShortTerm,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.recorder import get_instance, session_scope
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from sqlalchemy import insert

HOUR: Final = 3600
type Past = Iterable[tuple[datetime, object]]


async def remember(
    hass: HomeAssistant,
    entity_id: str,
    past: Past,
    attributes: dict[str, Any] | None = None,
    *,
    now: object = None,
) -> None:
    """Have an entity with a past, and with a state now: the last of the past, or another.

    past: when a state began, and the state; a dictionary is attributes of the state "heat".
    """
    rows = [(moment.timestamp(), state) for moment, state in past]
    if rows:
        await get_instance(hass).async_add_executor_job(_fill, hass, entity_id, rows)
    state = rows[-1][1] if now is None and rows else now
    if isinstance(state, dict):
        hass.states.async_set(entity_id, "heat", {**(attributes or {}), **state})
    elif state is not None:
        hass.states.async_set(entity_id, str(state), attributes)
    await async_wait_recording_done(hass)


def _fill(hass: HomeAssistant, entity_id: str, rows: Sequence[tuple[float, object]]) -> None:
    with session_scope(hass=hass) as session:
        meta = session.query(StatesMeta).filter_by(entity_id=entity_id).first()
        if meta is None:
            meta = StatesMeta(entity_id=entity_id)
            session.add(meta)
            session.flush()
        made: list[dict[str, Any]] = []
        for moment, state in rows:
            row: dict[str, Any] = {
                "metadata_id": meta.metadata_id,
                "state": "heat" if isinstance(state, dict) else str(state),
                "last_updated_ts": moment,
                "last_changed_ts": None,
                "attributes_id": None,
            }
            if isinstance(state, dict):
                shared = StateAttributes(hash=0, shared_attrs=json_bytes(state).decode())
                session.add(shared)
                session.flush()
                row["attributes_id"] = shared.attributes_id
            made.append(row)
        session.execute(insert(States), made)
        session.flush()
        get_instance(hass).states_manager.load_from_db(session)


async def remember_statistics(
    hass: HomeAssistant,
    entity_id: str,
    rows: Iterable[tuple[datetime, dict[str, float]]],
    unit: str | None,
    *,
    unit_class: str | None = None,
    is_meter: bool = False,
    short: Iterable[tuple[datetime, dict[str, float]]] = (),
) -> None:
    """Have long-term statistics of an entity. rows: of hours. short: of five minutes each."""
    await async_wait_recording_done(hass)
    await get_instance(hass).async_add_executor_job(
        _fill_statistics, hass, entity_id, list(rows), list(short), unit, unit_class, is_meter
    )


def _fill_statistics(
    hass: HomeAssistant,
    entity_id: str,
    rows: Sequence[tuple[datetime, dict[str, float]]],
    short: Sequence[tuple[datetime, dict[str, float]]],
    unit: str | None,
    unit_class: str | None,
    is_meter: bool,
) -> None:
    with session_scope(hass=hass) as session:
        meta = StatisticsMeta(
            statistic_id=entity_id,
            source="recorder",
            unit_of_measurement=unit,
            unit_class=unit_class,
            has_mean=None,
            has_sum=is_meter,
            name=None,
            mean_type=0 if is_meter else 1,
        )
        session.add(meta)
        session.flush()
        created = dt_util.utcnow().timestamp()
        for table, given in ((Statistics, rows), (StatisticsShortTerm, short)):
            made = [
                {
                    "metadata_id": meta.id,
                    "start_ts": moment.timestamp(),
                    "created_ts": created,
                    **dict.fromkeys(("mean", "min", "max", "state", "sum", "mean_weight")),
                    **values,
                }
                for moment, values in given
            ]
            if made:
                session.execute(insert(table), made)

"""A home to report on: rooms, doors, meters, and what the recorder knows of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.recorder.models import StatisticData, StatisticMeanType
from homeassistant.components.recorder.models.statistics import StatisticMetaData
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import SUBENTRY_REPORT
from custom_components.email_courier.report.message import async_fields

_ENERGY: dict[str, str | None] = {"unit_class": "energy", "unit_of_measurement": "kWh"}


def moment(text: str) -> datetime:
    """Return a moment by the clock on the wall of the home."""
    return datetime.fromisoformat(text).replace(tzinfo=dt_util.get_default_time_zone())


async def fields_of(hass: HomeAssistant, account: Account) -> dict[str, Any]:
    """Return the one report of an account as fields of the action."""
    await hass.async_block_till_done()
    if "recorder" in hass.config.components:
        await async_wait_recording_done(hass)
    (subentry,) = account.entry.get_subentries_of_type(SUBENTRY_REPORT)
    return await async_fields(account, subentry)


def add(
    hass: HomeAssistant,
    entity_id: str,
    state: str,
    *,
    area: str | None = None,
    platform: str = "test",
    entry: Mapping[str, Any] | None = None,
    at: str | None = None,
    **attributes: Any,
) -> None:
    """Give the home an entity, in an area where one is named. at: since when, else now."""
    domain, _, name = entity_id.partition(".")
    registry = er.async_get(hass)
    if registry.async_get(entity_id) is None:
        registry.async_get_or_create(
            domain, platform, name, suggested_object_id=name, **dict(entry or {})
        )
    if area is not None:
        areas = ar.async_get(hass)
        known = areas.async_get_area_by_name(area) or areas.async_create(area)
        registry.async_update_entity(entity_id, area_id=known.id)
    attributes.setdefault("friendly_name", name.replace("_", " ").capitalize())
    since = None if at is None else moment(at).timestamp()
    hass.states.async_set(entity_id, state, attributes, timestamp=since)


def add_over_time(
    hass: HomeAssistant, entity_id: str, states: Iterable[tuple[str, str]], **more: Any
) -> None:
    """Give the home an entity that had several states: since when, and which."""
    for at, state in states:
        add(hass, entity_id, state, at=at, **more)


def meter(
    hass: HomeAssistant,
    statistic_id: str,
    until: str,
    amounts: Iterable[float],
    *,
    unit: Mapping[str, str | None] = _ENERGY,
) -> None:
    """Let the recorder know how much a meter went on in each of the last hours."""
    changes = [*amounts]
    start = dt_util.as_utc(moment(until)) - timedelta(hours=len(changes))
    rows: list[StatisticData] = []
    total = 1000.0
    for hour, change in enumerate(changes):
        total += change
        rows.append(
            StatisticData(start=start + timedelta(hours=hour), state=total, sum=total - 1000.0)
        )
    metadata = StatisticMetaData(
        has_sum=True,
        mean_type=StatisticMeanType.NONE,
        name=None,
        source="recorder",
        statistic_id=statistic_id,
        **unit,  # type: ignore[typeddict-item]
    )
    async_import_statistics(hass, metadata, rows)


async def energy_dashboard(
    hass: HomeAssistant, *sources: Mapping[str, Any], devices: Iterable[Mapping[str, Any]] = ()
) -> None:
    """Set up the energy dashboard."""
    assert await async_setup_component(hass, "energy", {})
    manager = await async_get_manager(hass)
    manager.data = {  # type: ignore[assignment] # as it may have been stored
        "energy_sources": [*sources],
        "device_consumption": [*devices],
    }

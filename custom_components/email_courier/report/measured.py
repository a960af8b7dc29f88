"""Sections of a report that look back: energy, climate, doors and windows, people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import batched
from typing import Any, Final, NamedTuple

from homeassistant.components.sensor.const import SensorDeviceClass
from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_HOME,
    STATE_ON,
    Platform,
    UnitOfEnergy,
)
from homeassistant.core import HomeAssistant, State, callback, valid_entity_id
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.helpers.recorder import get_instance
from homeassistant.helpers.translation import async_get_translations, async_translate_state

from .parts import MOST_CURVES, NOTHING, Part, Subject, plain, states_of, table
from .plan import Span

_OPENINGS: Final = ("door", "window", "garage_door", "opening")
_DEVICES: Final = 5
"""Devices that used most are named, and no more."""
_COLORS: Final = {"solar": "#e06c00", "gas": "#8b5cf6", "water": "#0f9aa5"}
"""Of charts with one meter, so that what is bought and what comes for nothing look different."""
_MOST_ROOMS: Final = 12
_FEW_ROOMS: Final = 2
"""So many have a chart each; of more, one chart compares them."""
_ENERGY_UNITS: Final = frozenset(UnitOfEnergy)


class Meters(NamedTuple):
    """The statistics that the energy dashboard is made of, by what they measure."""

    grid: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    solar: tuple[str, ...] = ()
    discharged: tuple[str, ...] = ()
    charged: tuple[str, ...] = ()
    gas: tuple[str, ...] = ()
    water: tuple[str, ...] = ()
    cost: tuple[str, ...] = ()


async def async_energy(subject: Subject) -> list[Part]:
    """Show what the energy dashboard shows: sums, beside those of the time before, and charts."""
    hass = subject.hass
    if "energy" not in hass.config.components:
        return [subject.say("report_no_energy")]
    from homeassistant.components.energy.data import async_get_manager  # noqa: PLC0415

    preferences: Mapping[str, Any] = (await async_get_manager(hass)).data or {}
    meters = _meters(hass, preferences.get("energy_sources") or ())
    devices = {
        one["stat_consumption"]: one.get("name")
        for one in preferences.get("device_consumption") or ()
    }
    if not (any(meters) or devices):
        return [subject.say("report_no_energy")]
    if not subject.has_history:
        return [subject.say("report_no_recorder")]
    ids = {*(name for names in meters for name in names), *devices}
    now = await _async_changes(hass, subject.span, ids)
    before = await _async_changes(hass, subject.span.before, ids)
    if not now:
        return [subject.say("report_no_energy_data")]
    parts: list[Part] = []
    if rows := _sums(subject, meters, now, before):
        head = ["", subject.say("report_total"), subject.say("report_before")]
        parts.append(table(head, rows))
    for kind in ("grid", "solar", "gas", "water"):
        shown = [name for name in getattr(meters, kind) if valid_entity_id(name)][:MOST_CURVES]
        if any(name in now for name in shown):
            color = {"color": _COLORS[kind]} if kind in _COLORS and len(shown) == 1 else {}
            entities = [{"entity_id": name, **color} for name in shown]
            parts.append(subject.chart(entities, type="bar", statistic="change"))
    used = sorted(((now[name], name) for name in devices if now.get(name, 0) > 0), reverse=True)[
        :_DEVICES
    ]
    if used:
        head = [subject.say("report_most_used"), subject.say("report_total")]
        parts.append(
            table(
                head,
                (
                    [plain(devices[name] or _name(hass, name)), subject.amount(value, "kWh")]
                    for value, name in used
                ),
            )
        )
    return parts


def _meters(hass: HomeAssistant, sources: Iterable[Mapping[str, Any]]) -> Meters:
    """Return the statistics of all sources, in the older form of the grid's, too."""
    found: dict[str, list[str | None]] = {name: [] for name in Meters._fields}
    costs: Mapping[str, str] = hass.data.get("energy", {}).get("cost_sensors", {})
    for source in sources:
        match source["type"]:
            case "grid":
                imports = [source, *source.get("flow_from", ())]
                exports = [source, *source.get("flow_to", ())]
                found["grid"] += [one.get("stat_energy_from") for one in imports]
                found["returned"] += [one.get("stat_energy_to") for one in exports]
                found["cost"] += [_cost(one, costs) for one in imports]
            case "battery":
                found["discharged"].append(source["stat_energy_from"])
                found["charged"].append(source["stat_energy_to"])
            case "solar" | "gas" | "water" as kind:
                found[kind].append(source["stat_energy_from"])
                found["cost"].append(_cost(source, costs))
    return Meters(
        **{name: tuple(dict.fromkeys(one for one in ids if one)) for name, ids in found.items()}
    )


def _cost(flow: Mapping[str, Any], costs: Mapping[str, str]) -> str | None:
    """Return the statistic of what it costs, also where Home Assistant reckons that itself."""
    own: str | None = flow.get("stat_cost")
    return own or costs.get(flow.get("stat_energy_from") or "")


def _sums(
    subject: Subject, meters: Meters, now: Mapping[str, float], before: Mapping[str, float]
) -> list[list[str]]:
    """Return a row for everything that is measured."""

    def row(
        text: str, unit: str, *signed: tuple[int, tuple[str, ...]], digits: int | None = None
    ) -> list[str]:
        cells = [plain(text)]
        for changes in (now, before):
            known = [(sign, name) for sign, names in signed for name in names if name in changes]
            total = sum(sign * changes[name] for sign, name in known)
            cells.append(subject.amount(total, unit, digits) if known else "\u2013")
        return cells

    rows = []
    if meters.solar or meters.discharged or meters.returned:
        signed = [(1, meters.grid), (1, meters.solar), (1, meters.discharged)]
        signed += [(-1, meters.returned), (-1, meters.charged)]
        rows.append(row(subject.say("report_used"), "kWh", *signed))
    for names, text in (
        (meters.grid, subject.say("report_grid")),
        (meters.solar, subject.say("report_solar")),
        (meters.returned, subject.say("report_returned")),
        (meters.gas, subject.say("report_gas")),
        (meters.water, subject.say("report_water")),
    ):
        if names:
            rows.append(row(text, _unit(subject.hass, names), (1, names)))
    if meters.cost:
        currency = subject.hass.config.currency
        rows.append(row(subject.say("report_cost"), currency, (1, meters.cost), digits=2))
    return rows


def _unit(hass: HomeAssistant, names: Sequence[str]) -> str:
    """Return what is measured in; energy comes in kilowatt hours, whatever its meter counts."""
    state = hass.states.get(names[0])
    unit = None if state is None else state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    return str(UnitOfEnergy.KILO_WATT_HOUR) if unit is None or unit in _ENERGY_UNITS else str(unit)


def _name(hass: HomeAssistant, statistic_id: str) -> str:
    state = hass.states.get(statistic_id)
    return statistic_id if state is None else state.name


async def _async_changes(hass: HomeAssistant, span: Span, ids: set[str]) -> dict[str, float]:
    """Return by how much meters went on; those of which nothing is known are left out."""
    from homeassistant.components.recorder.statistics import (  # noqa: PLC0415
        statistics_during_period,
    )

    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        span.start,
        span.end,
        ids,
        "hour",
        {"energy": UnitOfEnergy.KILO_WATT_HOUR},
        {"change"},
    )
    return {
        name: sum(known)
        for name, rows in found.items()
        if (known := [change for row in rows if (change := row.get("change")) is not None])
    }


class _Room(NamedTuple):
    """An area with what measures its air; None where nothing does."""

    name: str
    temperature: str | None
    humidity: str | None


async def async_climate(subject: Subject) -> list[Part]:
    """Show how warm and how humid rooms were."""
    hass = subject.hass
    rooms = _rooms(hass)[:_MOST_ROOMS]
    if not rooms:
        return [subject.say("report_no_rooms")]
    texts = await async_get_translations(
        hass, hass.config.language, "entity_component", [Platform.SENSOR.value]
    )
    warmth, damp = (
        texts.get(f"component.sensor.entity_component.{kind}.name", kind.capitalize())
        for kind in ("temperature", "humidity")
    )
    warm = [{"entity_id": one.temperature, "name": one.name} for one in rooms if one.temperature]
    humid = [{"entity_id": one.humidity, "name": one.name} for one in rooms if one.humidity]
    charts: list[Part] = []
    if len(warm) <= _FEW_ROOMS:
        charts += [
            subject.chart([{**one, "name": warmth}], type="line", title=one["name"]) for one in warm
        ]
    else:
        charts += [
            subject.chart(some, type="line", title=warmth)
            for some in batched(warm, MOST_CURVES, strict=False)
        ]
    charts += [
        subject.chart(some, type="line", title=damp)
        for some in batched(humid, MOST_CURVES, strict=False)
    ]
    return charts


@callback
def _rooms(hass: HomeAssistant) -> list[_Room]:
    """Return the areas in which temperature or humidity is measured, by name.

    What an area itself names comes first, then sensors, then what a thermostat measures.
    """
    found: dict[str, dict[str, str]] = {}
    entities, devices = er.async_get(hass), dr.async_get(hass)
    for entity in sorted(entities.entities.values(), key=lambda one: one.entity_id):
        kind = _measures(hass, entity)
        if kind is None:
            continue
        device = devices.async_get(entity.device_id or "")
        area_id = entity.area_id or (device and device.area_id)
        if area_id:
            known = found.setdefault(area_id, {})
            if kind not in known or known[kind].startswith("climate."):
                known[kind] = entity.entity_id
    rooms = []
    for area in ar.async_get(hass).async_list_areas():
        measured = found.get(area.id, {})
        warm = area.temperature_entity_id or measured.get("temperature")
        humid = area.humidity_entity_id or measured.get("humidity")
        if warm or humid:
            rooms.append(_Room(area.name, warm, humid))
    return sorted(rooms, key=lambda room: room.name.casefold())


def _measures(hass: HomeAssistant, entity: er.RegistryEntry) -> str | None:
    """Return what an entity says of the air around it: "temperature", "humidity" or nothing."""
    state = hass.states.get(entity.entity_id)
    if state is None or entity.hidden_by is not None or entity.entity_category is not None:
        return None
    if entity.domain == Platform.CLIMATE:
        is_known = state.attributes.get("current_temperature") is not None
        return "temperature" if is_known else None
    kind = state.attributes.get(ATTR_DEVICE_CLASS)
    is_kind = kind in (SensorDeviceClass.TEMPERATURE, SensorDeviceClass.HUMIDITY)
    return str(kind) if entity.domain == Platform.SENSOR and is_kind else None


async def async_openings(subject: Subject) -> list[Part]:
    """Show which doors and windows were opened, how often, and which are open now."""
    states = [*states_of(subject.hass, Platform.BINARY_SENSOR, *_OPENINGS)]
    if not states:
        return [subject.say("report_no_openings")]
    parts: list[Part] = []
    if is_open := [plain(state.name) for state in states if state.state == STATE_ON]:
        parts.append(subject.say("report_open_now", names=f"**{', '.join(is_open)}**"))
    if not subject.has_history:
        return [*parts, subject.say("report_no_recorder")]
    history = await _async_history(subject.hass, subject.span, states)
    opened: list[tuple[int, float, State]] = []
    for state in states:
        count, seconds = _spent(history.get(state.entity_id, ()), STATE_ON, subject.span)
        if count or seconds:
            opened.append((count, seconds, state))
    if not opened:
        return [*parts, subject.say("report_none_opened", count=str(len(states)))]
    opened.sort(key=lambda one: (-one[0], -one[1]))
    parts.append(
        table(
            ["", subject.say("report_opened"), subject.say("report_open_for")],
            (
                [plain(state.name), f"{count}\u00d7", subject.hours(seconds)]
                for count, seconds, state in opened[: 2 * MOST_CURVES]
            ),
        )
    )
    most = sorted((one[2] for one in opened[:MOST_CURVES]), key=lambda one: one.name.casefold())
    parts.append(subject.chart((one.entity_id for one in most), type="timeline"))
    return parts


async def async_presence(subject: Subject) -> list[Part]:
    """Show how long everybody was at home, and where everybody is now."""
    hass = subject.hass
    people = [*states_of(hass, "person")]
    if not people:
        return [subject.say("report_no_people")]
    history = await _async_history(hass, subject.span, people) if subject.has_history else {}
    rows = []
    for state in people:
        known = history.get(state.entity_id)
        _, seconds = _spent(known or (), STATE_HOME, subject.span)
        where = async_translate_state(hass, state.state, "person", None, None, None)
        time = subject.hours(seconds) if known else "\u2013"
        rows.append([plain(state.name), time, plain(where)])
    head = ["", subject.say("report_at_home"), subject.say("report_now")]
    parts: list[Part] = [table(head, rows)]
    if history:
        some = [state.entity_id for state in people[:MOST_CURVES]]
        parts.append(subject.chart(some, type="timeline"))
    return parts


async def _async_history(
    hass: HomeAssistant, span: Span, states: Iterable[State]
) -> dict[str, list[tuple[float, str]]]:
    """Return since when each state of each entity held, the one at the beginning included."""
    from homeassistant.components.recorder import history  # noqa: PLC0415

    ids = [state.entity_id for state in states]
    found = await get_instance(hass).async_add_executor_job(
        history.get_significant_states,
        hass,
        span.start,
        span.end,
        ids,
        None,
        True,  # the state at the beginning, too
        False,  # every change
        True,
        True,
        True,  # compressed: {"s": state, "lu": seconds}
    )
    return {
        name: [(float(row["lu"]), str(row["s"])) for row in rows if isinstance(row, dict)]
        for name, rows in found.items()
    }


def _spent(rows: Sequence[tuple[float, str]], wanted: str, span: Span) -> tuple[int, float]:
    """Return how often a state began, and for how many seconds it held.

    That nothing was known for a while neither ends a state nor begins one anew.
    """
    count, seconds = 0, 0.0
    before: str | None = None
    begin, end = span.start.timestamp(), span.end.timestamp()
    for number, (since, state) in enumerate(rows):
        until = rows[number + 1][0] if number + 1 < len(rows) else end
        if state == wanted:
            seconds += max(0.0, min(until, end) - max(since, begin))
            count += before is not None and before != wanted
        if state not in NOTHING:
            before = state
    return count, seconds

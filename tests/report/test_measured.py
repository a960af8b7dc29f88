"""Sections that look back: energy, climate, doors and windows, people."""

import re
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.core import Recorder
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest

from custom_components.email_courier.account import Account
from tests.report.house import add, add_over_time, energy_dashboard, fields_of, meter
from tests.support.accounts import account_entry, load, report
from tests.support.fixtures import Bed

GRID = {
    "type": "grid",
    "stat_energy_from": "sensor.grid",
    "stat_energy_to": "sensor.returned",
    "stat_cost": "sensor.cost",
}
SOLAR = {"type": "solar", "stat_energy_from": "sensor.solar", "config_entry_solar_forecast": None}
TEMPERATURE: dict[str, Any] = {"device_class": "temperature", "unit_of_measurement": "°C"}
HUMIDITY: dict[str, Any] = {"device_class": "humidity", "unit_of_measurement": "%"}
TWO_WEEKS = 14 * 24


@pytest.fixture(autouse=True)
def _custom_integration(recorder_mock: Recorder, enable_custom_integrations: None) -> None:
    """Have the recorder there before Home Assistant, as it wants to be."""


@pytest.fixture(autouse=True)
def _monday(freezer: FrozenDateTimeFactory) -> None:
    """Be on a Monday morning."""
    freezer.move_to("2026-11-23T07:00:00+01:00")


async def home(hass: HomeAssistant, bed: Bed, section: str, **more: Any) -> Account:
    """Return an account with a weekly report of one section."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    hass.config.currency = "EUR"
    one = report(
        "Week", "a@example.test", frequency="weekly", weekday="mon", sections=[section], **more
    )
    return await load(hass, account_entry(await bed.serve(), one))


def rows(markdown: str) -> list[list[str]]:
    """Return the cells of all tables, without their rules."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if not re.fullmatch(r"[| -]+", line)
    ]


def shown(fields: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the entities of each chart."""
    return [
        tuple(one if isinstance(one, str) else one["entity_id"] for one in chart["entities"])
        for chart in fields.get("charts", ())
    ]


async def test_energy_shows_sums_beside_those_of_the_week_before_and_charts(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await home(hass, bed, "energy")
    await energy_dashboard(
        hass,
        GRID,
        SOLAR,
        devices=[
            {"stat_consumption": "sensor.oven", "name": "Oven | kitchen"},
            {"stat_consumption": "sensor.heat_pump"},
        ],
    )
    add(hass, "sensor.heat_pump", "1", friendly_name="Heat pump", unit_of_measurement="kWh")
    week_before, week = [1.0] * 7 * 24, [2.0] * 7 * 24
    meter(hass, "sensor.grid", "2026-11-23T00:00", week_before + week)
    meter(hass, "sensor.solar", "2026-11-23T00:00", [0.5] * TWO_WEEKS)
    meter(hass, "sensor.returned", "2026-11-23T00:00", [0.25] * TWO_WEEKS)
    money = {"unit_class": None, "unit_of_measurement": "EUR"}
    meter(hass, "sensor.cost", "2026-11-23T00:00", [0.1] * TWO_WEEKS, unit=money)
    meter(hass, "sensor.oven", "2026-11-23T00:00", [0.05] * TWO_WEEKS)
    meter(hass, "sensor.heat_pump", "2026-11-23T00:00", [1.0] * TWO_WEEKS)

    fields = await fields_of(hass, account)

    assert fields["title"] == "Week: 16 Nov 2026 \u2013 22 Nov 2026"
    assert fields["markdown"].startswith("## Energy\n\n| ")
    assert rows(fields["markdown"]) == [
        ["", "Total", "Before that"],
        ["Used at home", "378\u00a0kWh", "210\u00a0kWh"],
        ["From the grid", "336\u00a0kWh", "168\u00a0kWh"],
        ["Solar", "84.0\u00a0kWh", "84.0\u00a0kWh"],
        ["To the grid", "42.0\u00a0kWh", "42.0\u00a0kWh"],
        ["Cost", "16.80\u00a0EUR", "16.80\u00a0EUR"],
        ["Used most", "Total"],
        ["Heat pump", "168\u00a0kWh"],
        ["Oven \\", "kitchen", "8.4\u00a0kWh"],
    ]
    assert shown(fields) == [("sensor.grid",), ("sensor.solar",)]
    assert fields["charts"][0] == {
        "entities": [{"entity_id": "sensor.grid"}],
        "period": "last_week",
        "type": "bar",
        "statistic": "change",
    }
    assert fields["markdown"].count("](chart:") == 2


async def test_energy_knows_batteries_gas_water_and_the_older_form_of_the_grid(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await home(hass, bed, "energy")
    await energy_dashboard(
        hass,
        {
            "type": "grid",
            "flow_from": [{"stat_energy_from": "sensor.day"}, {"stat_energy_from": "sensor.night"}],
            "flow_to": [],
        },
        {"type": "battery", "stat_energy_from": "sensor.out", "stat_energy_to": "sensor.in"},
        {"type": "gas", "stat_energy_from": "sensor.gas"},
        {"type": "water", "stat_energy_from": "sensor.water"},
    )
    add(hass, "sensor.gas", "1", unit_of_measurement="m³")
    add(hass, "sensor.water", "1", unit_of_measurement="L")
    for name, amount in (("day", 1.0), ("night", 0.5), ("out", 0.2), ("in", 0.1)):
        meter(hass, f"sensor.{name}", "2026-11-23T00:00", [amount] * 100)
    volume = {"unit_class": "volume", "unit_of_measurement": "m³"}
    meter(hass, "sensor.gas", "2026-11-23T00:00", [0.01] * 100, unit=volume)
    litres = {"unit_class": "volume", "unit_of_measurement": "L"}
    meter(hass, "sensor.water", "2026-11-23T00:00", [12.0] * 100, unit=litres)

    fields = await fields_of(hass, account)

    assert rows(fields["markdown"])[1:] == [
        ["Used at home", "160\u00a0kWh", "\u2013"],
        ["From the grid", "150\u00a0kWh", "\u2013"],
        ["Gas", "1.0\u00a0m³", "\u2013"],
        ["Water", "1,200\u00a0L", "\u2013"],
    ]
    assert shown(fields) == [("sensor.day", "sensor.night"), ("sensor.gas",), ("sensor.water",)]


async def test_energy_of_a_meter_that_is_no_entity_is_summed_and_not_drawn(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await home(hass, bed, "energy")
    await energy_dashboard(
        hass, {"type": "grid", "stat_energy_from": "utility:grid", "stat_energy_to": None}
    )
    fields = await fields_of(hass, account)
    assert "charts" not in fields
    assert "has no data" in fields["markdown"]


async def test_cost_that_home_assistant_reckons_itself_is_shown(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await home(hass, bed, "energy")
    await energy_dashboard(hass, GRID | {"stat_cost": None, "stat_energy_to": None})
    hass.data["energy"]["cost_sensors"]["sensor.grid"] = "sensor.grid_cost"
    meter(hass, "sensor.grid", "2026-11-23T00:00", [1.0] * 10)
    money = {"unit_class": None, "unit_of_measurement": "EUR"}
    meter(hass, "sensor.grid_cost", "2026-11-23T00:00", [0.3] * 10, unit=money)
    assert rows((await fields_of(hass, account))["markdown"])[1:] == [
        ["From the grid", "10.0\u00a0kWh", "\u2013"],
        ["Cost", "3.00\u00a0EUR", "\u2013"],
    ]


@pytest.mark.parametrize("sources", [None, []])
async def test_without_an_energy_dashboard_the_section_says_so(
    hass: HomeAssistant, bed: Bed, sources: Any
) -> None:
    account = await home(hass, bed, "energy")
    if sources is not None:
        await energy_dashboard(hass)
    fields = await fields_of(hass, account)
    assert fields["markdown"] == "## Energy\n\nThe energy dashboard is not set up."
    assert "charts" not in fields


async def test_two_rooms_have_a_chart_each_and_share_one_for_humidity(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await home(hass, bed, "climate")
    add(hass, "sensor.living_warm", "21", area="Living room", **TEMPERATURE)
    add(hass, "sensor.living_damp", "45", area="Living room", **HUMIDITY)
    add(hass, "sensor.bed_warm", "18", area="Bedroom", **TEMPERATURE)
    add(hass, "sensor.bed_damp", "55", area="Bedroom", **HUMIDITY)
    fields = await fields_of(hass, account)
    assert shown(fields) == [
        ("sensor.bed_warm",),
        ("sensor.living_warm",),
        ("sensor.bed_damp", "sensor.living_damp"),
    ]
    assert [chart["title"] for chart in fields["charts"]] == ["Bedroom", "Living room", "Humidity"]
    assert fields["charts"][0]["entities"] == [
        {"entity_id": "sensor.bed_warm", "name": "Temperature"}
    ]


async def test_more_rooms_are_compared_in_charts_of_six(hass: HomeAssistant, bed: Bed) -> None:
    account = await home(hass, bed, "climate")
    for number in range(14):
        add(hass, f"sensor.room_{number}", "21", area=f"Room {number:02}", **TEMPERATURE)
    fields = await fields_of(hass, account)
    assert [len(chart["entities"]) for chart in fields["charts"]] == [6, 6]
    assert fields["charts"][0]["entities"][1] == {"entity_id": "sensor.room_1", "name": "Room 01"}


async def test_a_room_is_measured_by_what_its_area_names_then_by_sensors_then_by_thermostats(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await home(hass, bed, "climate")
    add(hass, "climate.kitchen", "heat", area="Kitchen", current_temperature=20.5)
    fields = await fields_of(hass, account)
    assert shown(fields) == [("climate.kitchen",)]
    add(hass, "sensor.a_kitchen", "21", area="Kitchen", **TEMPERATURE)
    assert shown(await fields_of(hass, account)) == [("sensor.a_kitchen",)]
    add(hass, "sensor.b_kitchen", "21", area="Kitchen", **TEMPERATURE)
    areas = ar.async_get(hass)
    area = areas.async_get_area_by_name("Kitchen")
    assert area is not None
    areas.async_update(area.id, temperature_entity_id="sensor.b_kitchen")
    assert shown(await fields_of(hass, account)) == [("sensor.b_kitchen",)]


async def test_no_processor_and_nothing_hidden_is_the_climate_of_a_room(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await home(hass, bed, "climate")
    diagnostic = {"entity_category": EntityCategory.DIAGNOSTIC}
    hidden = {"hidden_by": er.RegistryEntryHider.USER}
    add(hass, "sensor.processor", "60", area="Study", entry=diagnostic, **TEMPERATURE)
    add(hass, "sensor.old", "20", area="Study", entry=hidden, **TEMPERATURE)
    add(hass, "sensor.nowhere", "20", **TEMPERATURE)
    add(hass, "climate.off", "off", area="Study", current_temperature=None)
    fields = await fields_of(hass, account)
    assert "No area has a sensor for temperature or humidity." in fields["markdown"]
    assert "charts" not in fields


async def test_doors_are_counted_timed_and_drawn(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to("2026-11-15T12:00:00+01:00")
    account = await home(hass, bed, "openings")
    add_over_time(
        hass,
        "binary_sensor.front_door",
        [
            ("2026-11-15T12:00", "off"),
            ("2026-11-17T08:00", "on"),
            ("2026-11-17T08:30", "off"),
            ("2026-11-18T08:00", "on"),
            ("2026-11-18T08:10", "unavailable"),
            ("2026-11-18T08:20", "on"),
            ("2026-11-18T09:00", "off"),
        ],
        device_class="door",
    )
    add_over_time(
        hass,
        "binary_sensor.window",
        [("2026-11-15T12:00", "off"), ("2026-11-22T23:00", "on")],
        device_class="window",
    )
    add(hass, "binary_sensor.hatch", "off", at="2026-11-15T12:00", device_class="opening")
    add(hass, "binary_sensor.motion", "on", at="2026-11-15T12:00", device_class="motion")
    freezer.move_to("2026-11-23T07:00:00+01:00")

    fields = await fields_of(hass, account)

    assert "Open now: **Window**" in fields["markdown"]
    assert rows(fields["markdown"]) == [
        ["", "Opened", "Open for"],
        ["Front door", "2\u00d7", "1 h 20 min"],
        ["Window", "1\u00d7", "1 h 0 min"],
    ]
    assert fields["charts"] == [
        {
            "entities": ["binary_sensor.front_door", "binary_sensor.window"],
            "period": "last_week",
            "type": "timeline",
        }
    ]


async def test_doors_that_stayed_shut_are_no_chart(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to("2026-11-15T12:00:00+01:00")
    account = await home(hass, bed, "openings")
    add(hass, "binary_sensor.front_door", "off", device_class="door")
    add(hass, "binary_sensor.window", "off", device_class="window")
    freezer.move_to("2026-11-23T07:00:00+01:00")
    fields = await fields_of(hass, account)
    assert "None was opened. Doors and windows with a sensor: 2." in fields["markdown"]
    assert "charts" not in fields


async def test_people_are_timed_at_home_and_found_where_they_are(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to("2026-11-15T12:00:00+01:00")
    account = await home(hass, bed, "presence")
    assert await async_setup_component(hass, "person", {})
    add_over_time(
        hass,
        "person.anna",
        [("2026-11-15T12:00", "home"), ("2026-11-20T00:00", "Work"), ("2026-11-22T12:30", "home")],
    )
    add(hass, "person.bea", "not_home", at="2026-11-15T12:00")
    freezer.move_to("2026-11-23T07:00:00+01:00")
    fields = await fields_of(hass, account)
    assert rows(fields["markdown"]) == [
        ["", "At home", "Now"],
        ["Anna", "107 h 30 min", "Home"],
        ["Bea", "0 min", "Away"],
    ]
    assert shown(fields) == [("person.anna", "person.bea")]


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ("openings", "No door or window has a sensor."),
        ("presence", "No people are set up."),
        ("climate", "No area has a sensor for temperature or humidity."),
    ],
)
async def test_a_section_that_finds_nothing_says_so_in_one_line(
    hass: HomeAssistant, bed: Bed, section: str, sentence: str
) -> None:
    fields = await fields_of(hass, await home(hass, bed, section))
    assert fields["markdown"].splitlines()[1:] == ["", sentence]
    assert "charts" not in fields


async def test_chosen_entities_of_one_unit_share_a_chart(hass: HomeAssistant, bed: Bed) -> None:
    chosen = [f"sensor.t{number}" for number in range(7)]
    chosen += ["sensor.power", "binary_sensor.motion", "climate.hall", "person.anna", "sensor.gone"]
    account = await home(hass, bed, "updates", charts=chosen, facts=["sensor.power", "sensor.gone"])
    for number in range(7):
        add(hass, f"sensor.t{number}", "20", **TEMPERATURE)
    add(hass, "sensor.power", "100", unit_of_measurement="W")
    add(hass, "binary_sensor.motion", "on")
    add(hass, "climate.hall", "heat", current_temperature=20)
    add(hass, "person.anna", "home")
    fields = await fields_of(hass, account)
    assert shown(fields) == [
        ("sensor.t0", "sensor.t1", "sensor.t2", "sensor.t3", "sensor.t4", "sensor.t5"),
        ("sensor.t6", "climate.hall"),
        ("sensor.power",),
        ("binary_sensor.motion", "person.anna"),
        ("sensor.gone",),
    ]
    assert fields["facts"] == ["sensor.power", "sensor.gone"]
    assert fields["markdown"].startswith("![](chart:1)\n\n![](chart:2)")


async def test_charts_that_would_make_the_mail_too_large_are_left_out_and_it_says_so(
    hass: HomeAssistant, bed: Bed
) -> None:
    chosen = [f"sensor.t{number}" for number in range(36)]
    account = await home(hass, bed, "updates", charts=chosen)
    for entity_id in chosen:
        add(hass, entity_id, "20", **TEMPERATURE)
    fields = await fields_of(hass, account)
    assert [len(chart["entities"]) for chart in fields["charts"]] == [6] * 4
    assert fields["markdown"].count("too large") == 1
    assert "Everything is up to date." in fields["markdown"]


async def test_a_home_with_energy_two_rooms_doors_and_batteries_gets_at_least_four_charts(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to("2026-11-15T12:00:00+01:00")
    account = await home(hass, bed, "energy")
    (subentry,) = account.entry.subentries.values()
    sections = ["energy", "climate", "openings", "batteries"]
    hass.config_entries.async_update_subentry(
        account.entry, subentry, data={**subentry.data, "sections": sections}
    )
    await energy_dashboard(hass, GRID)
    meter(hass, "sensor.grid", "2026-11-23T00:00", [1.0] * TWO_WEEKS)
    add(hass, "sensor.living_warm", "21", area="Living room", **TEMPERATURE)
    add(hass, "sensor.bed_warm", "18", area="Bedroom", **TEMPERATURE)
    battery: dict[str, Any] = {"device_class": "battery", "unit_of_measurement": "%"}
    add(hass, "sensor.remote", "80", **battery)
    add_over_time(
        hass,
        "binary_sensor.front_door",
        [("2026-11-15T12:00", "off"), ("2026-11-17T08:00", "on"), ("2026-11-17T08:30", "off")],
        device_class="door",
    )
    freezer.move_to("2026-11-23T07:00:00+01:00")
    fields = await fields_of(hass, account)
    assert len(fields["charts"]) == 4
    add(hass, "sensor.remote", "8", **battery)
    fields = await fields_of(hass, account)
    assert len(fields["charts"]) == 5
    assert fields["charts"][-1]["period"] == {"days": 30}

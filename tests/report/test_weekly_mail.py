"""The weekly report of a home with history: one mail, its charts, and how large it is."""

from datetime import timedelta
from itertools import chain
from math import sin
import os
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.core import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.email_courier.report.plan import ReportSection
from tests.report.house import add, add_over_time, energy_dashboard, meter, moment
from tests.support.accounts import account_entry, load, report
from tests.support.fixtures import Bed
from tests.support.mails import only_mail, text_of

GRID = {"type": "grid", "stat_energy_from": "sensor.grid", "stat_energy_to": None}
SOLAR = {"type": "solar", "stat_energy_from": "sensor.solar"}
ENERGY: dict[str, Any] = {"unit_of_measurement": "kWh", "state_class": "total_increasing"}
HOURS = range(14 * 24)
CLOUDS = (1.0, 0.45, 0.8, 1.3, 0.6, 1.1, 0.9)
"""How bright each day of a week is."""


@pytest.fixture(autouse=True)
def _custom_integration(recorder_mock: Recorder, enable_custom_integrations: None) -> None:
    """Have the recorder there before Home Assistant, as it wants to be."""


def _measured(hass: HomeAssistant, room: str, kind: str, unit: str, middle: float) -> None:
    """Let a room have been measured every half hour."""
    for number in range(7 * 48):
        at = moment("2026-11-16T00:00") + timedelta(minutes=30 * number)
        value = middle + 1.2 * sin(number / 7.64 - 2) + 0.5 * sin(number / 31 + middle)
        add(
            hass,
            f"sensor.{room}_{kind}".lower(),
            f"{value:.2f}",
            area=room,
            at=f"{at:%Y-%m-%dT%H:%M}",
            device_class=kind,
            unit_of_measurement=unit,
            state_class="measurement",
        )


async def _live_through_a_week(hass: HomeAssistant) -> None:
    await energy_dashboard(hass, GRID, SOLAR)
    for name in ("grid", "solar"):
        add(hass, f"sensor.{name}", "1", **ENERGY)
    sun = [
        max(0.0, sin((hour % 24 - 7) / 3.2)) * CLOUDS[hour // 24 % 7] if hour % 24 > 7 else 0.0
        for hour in HOURS
    ]
    used = [0.7 + 0.3 * sin(hour / 3.82) + 0.2 * sin(hour / 40) for hour in HOURS]
    meter(hass, "sensor.grid", "2026-11-23T00:00", used)
    meter(hass, "sensor.solar", "2026-11-23T00:00", sun)
    for room, warmth in (("Kitchen", 21.5), ("Bedroom", 18.0)):
        _measured(hass, room, "temperature", "\u00b0C", warmth)
        _measured(hass, room, "humidity", "%", 2.5 * warmth)
    opened = chain.from_iterable(
        [(f"2026-11-{day}T08:00", "on"), (f"2026-11-{day}T08:20", "off")] for day in range(16, 23)
    )
    door = [("2026-11-15T12:00", "off"), *opened]
    add_over_time(hass, "binary_sensor.front_door", door, device_class="door")
    assert await async_setup_component(hass, "person", {})
    days = [("2026-11-15T12:00", "home"), ("2026-11-17T08:00", "not_home")]
    add_over_time(hass, "person.anna", [*days, ("2026-11-17T17:00", "home")])
    battery: dict[str, Any] = {"device_class": "battery", "unit_of_measurement": "%"}
    emptier = [(f"2026-11-{15 + day}T12:00", str(25 - 2 * day)) for day in range(8)]
    add_over_time(hass, "sensor.remote", emptier, state_class="measurement", **battery)
    await hass.async_block_till_done()
    await async_wait_recording_done(hass)


async def test_it_is_one_mail_below_300_kilobytes_with_a_chart_for_all_that_has_one(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to("2026-11-08T12:00:00+01:00")
    await hass.config.async_set_time_zone("Europe/Berlin")
    server = await bed.serve()
    sections = [section.value for section in ReportSection]
    one = report(
        "Weekly report", "a@example.test", frequency="weekly", weekday="mon", sections=sections
    )
    await _live_through_a_week(hass)
    freezer.move_to("2026-11-23T07:00:00+01:00")
    await load(hass, account_entry(server, one, options={"layout": "card"}))

    await hass.services.async_call(
        "button", "press", {"entity_id": "button.weekly_report_send_now"}, blocking=True
    )

    content = server.record.mails[-1].content
    if file := os.environ.get("EMAIL_COURIER_WEEKLY_MAIL"):  # a test in the browser looks at it
        await hass.async_add_executor_job(Path(file).write_bytes, content)
    assert len(content) < 300_000
    mail = only_mail(server)
    pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    # grid, solar, two rooms, their humidity, doors, people, the battery
    assert len(pictures) == 8
    assert "There is no chart" not in text_of(mail)
    assert text_of(mail, "html").count("cid:") == 8

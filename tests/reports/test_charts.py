"""Charts: what dashboards and the renderers of alerts got wrong."""

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from PIL import Image
import pytest

from custom_components.email_courier.send import plots
from tests.reports.driver import account_at, attached, only_mail, send, text_of
from tests.reports.reports import report
from tests.reports.servers import Bed, ScriptedServer
from tests.support.history import remember, remember_statistics

pytestmark = pytest.mark.usefixtures("recorder_mock")

TO = "bea@example.test"
NOW = "2026-11-28 15:00:00+00:00"
WATT = {"unit_of_measurement": "W", "state_class": "measurement", "friendly_name": "Power"}
METER = {"unit_of_measurement": "kWh", "state_class": "total_increasing", "friendly_name": "Meter"}
BLUE = (0x1E, 0x88, 0xE5)


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory) -> ScriptedServer:
    """A healthy server with an account that was set up by the dialog, and a clock in Berlin."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    server = await bed.serve()
    await account_at(hass, server)
    freezer.move_to(NOW)
    return server


def _ago(**delta: float) -> datetime:
    return dt_util.utcnow() - timedelta(**delta)


async def _said(hass: HomeAssistant, server: ScriptedServer, **chart: Any) -> str:
    """Send a mail with one chart, and return the line about its only entity."""
    response = await send(hass, to=TO, message="Look", charts=[chart])
    assert isinstance(response, dict)
    assert not response["missing"]
    return text_of(only_mail(server)).splitlines()[-1]


def _picture(server: ScriptedServer) -> Image.Image:
    (part,) = attached(only_mail(server))
    return Image.open(BytesIO(part.get_content())).convert("RGBA")


def _rows(picture: Image.Image, x: int) -> list[int]:
    """Return where a column has the colour of the first curve."""
    found: list[int] = []
    for y in range(picture.height):
        pixel = picture.getpixel((x, y))
        assert isinstance(pixel, tuple)
        is_blue = all(abs(a - b) < 12 for a, b in zip(pixel, BLUE, strict=False))
        if is_blue and pixel[3] > 200:
            found.append(y)
    return found


@report(
    source="RomRider/apexcharts-card#120",
    symptom="A sensor that seldom changes is drawn as points without a line between them.",
    ours="A value holds until the next one is reported: the line is whole, in steps.",
    held_at_first=True,
)
async def test_a_sensor_that_seldom_changes_is_a_line(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    past = [(_ago(days=20), "80"), (_ago(days=9), "60"), (_ago(days=2), "40")]
    await remember(hass, "sensor.ink", past, WATT)

    await _said(hass, server, entities="sensor.ink", period={"days": 14})

    picture = _picture(server)
    assert all(_rows(picture, x) for x in range(20, 950, 30))


@report(
    source="RomRider/apexcharts-card#236",
    symptom="While a sensor is unavailable, its last value or 0 is drawn.",
    ours="The line has a gap, and the lowest value is one that was measured.",
    held_at_first=False,
)
async def test_an_unavailable_sensor_is_a_gap(hass: HomeAssistant, server: ScriptedServer) -> None:
    past = [(_ago(hours=24), "50"), (_ago(hours=16), "unavailable"), (_ago(hours=8), "70")]
    await remember(hass, "sensor.power", past, WATT)

    assert await _said(hass, server, entities="sensor.power") == (
        "Power: 70\u00a0W (lowest 50\u00a0W, highest 70\u00a0W)"
    )
    picture = _picture(server)
    assert _rows(picture, 150)
    assert not _rows(picture, 500)
    assert _rows(picture, 850)


@report(
    source="alexarch21/history-explorer-card#177",
    symptom="Of a net meter, which runs backwards when the sun shines, the bars are 0.",
    ours="Where its state class says that it may, a meter falls, and the bars go below zero.",
    held_at_first=False,
)
@pytest.mark.parametrize("has_statistics", [False, True])
async def test_a_net_meter_has_bars_below_zero(
    hass: HomeAssistant, server: ScriptedServer, has_statistics: bool
) -> None:
    net = METER | {"state_class": "total"}
    if has_statistics:
        hours = [_ago(hours=n) for n in range(30, 0, -1)]
        rows = [(hour, {"state": 9.0, "sum": -float(n)}) for n, hour in enumerate(hours)]
        await remember_statistics(
            hass, "sensor.net", rows, "kWh", unit_class="energy", is_meter=True
        )
        await remember(hass, "sensor.net", [], net, now="1")
    else:
        past = [(_ago(hours=n), str(n)) for n in range(30, 0, -1)]
        await remember(hass, "sensor.net", past, net)

    assert (await _said(hass, server, entities="sensor.net")).startswith("Meter, total: -2")


@report(
    source="kalkih/mini-graph-card#1007",
    symptom="Points that nobody measured are put between those that somebody did.",
    ours="Lowest and highest are values that were reported, however few there are.",
    held_at_first=True,
)
async def test_nothing_is_made_up_between_values(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    past = [(_ago(hours=30), "10"), (_ago(hours=12), "90")]
    await remember(hass, "sensor.power", past, WATT)

    await _said(hass, server, entities="sensor.power")

    heights = {rows[0] // 8 for x in range(40, 940, 20) if (rows := _rows(_picture(server), x))}
    assert len(heights) <= 3  # two values, and the step between them


@report(
    source="kalkih/mini-graph-card#936",
    symptom="The highest value is below the one that is shown as the present one.",
    ours="What was reported just now counts, also before the recorder has written it down.",
    held_at_first=True,
)
async def test_the_present_value_counts(hass: HomeAssistant, server: ScriptedServer) -> None:
    await remember(hass, "sensor.power", [(_ago(hours=n), "5") for n in (20, 10, 1)], WATT)
    hass.states.async_set("sensor.power", "12", WATT)

    assert await _said(hass, server, entities="sensor.power") == (
        "Power: 12\u00a0W (lowest 5\u00a0W, highest 12\u00a0W)"
    )


@report(
    source="kalkih/mini-graph-card#869",
    symptom="Lowest and highest leave out the value that was valid when the graph begins.",
    ours="A value of before is valid at the beginning, and is drawn from there.",
    held_at_first=True,
)
async def test_the_value_of_before_is_valid_at_the_beginning(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await remember(hass, "sensor.power", [(_ago(days=3), "99"), (_ago(hours=3), "40")], WATT)

    assert await _said(hass, server, entities="sensor.power") == (
        "Power: 40\u00a0W (lowest 40\u00a0W, highest 99\u00a0W)"
    )
    assert _rows(_picture(server), 20)


@report(
    source="kalkih/mini-graph-card#273",
    symptom="A peak of half a minute is missing from the graph of a day.",
    ours="It is in the picture and in the text, whatever is around it.",
    held_at_first=True,
)
async def test_a_short_peak_is_seen(hass: HomeAssistant, server: ScriptedServer) -> None:
    past = [(_ago(seconds=10 * n), str(10 + n % 3)) for n in range(8640, 0, -1)]
    past[4320:4323] = [(moment, "966") for moment, _ in past[4320:4323]]
    await remember(hass, "sensor.power", past, WATT)

    assert "highest 966\u00a0W" in await _said(hass, server, entities="sensor.power")
    picture = _picture(server)
    top = [x for x in range(950) if (rows := _rows(picture, x)) and rows[0] < 100]
    assert top


@report(
    source="kalkih/mini-graph-card#630",
    symptom="Bars of negative values are drawn upwards.",
    ours="They go down from the line at zero.",
    held_at_first=True,
)
async def test_bars_of_negative_values_go_down(hass: HomeAssistant, server: ScriptedServer) -> None:
    past = [(_ago(hours=26), "500"), (_ago(hours=12), "-500")]
    await remember(hass, "sensor.power", past, WATT)

    await _said(hass, server, entities="sensor.power", type="bar")

    picture = _picture(server)
    columns = [rows for x in range(950) if (rows := _rows(picture, x))]
    assert columns[0][-1] <= columns[-1][0] + 4


@report(
    source="kalkih/mini-graph-card#1020",
    symptom="What a meter went on by is lost where it reports once in an hour.",
    ours="The step from one report to the next counts in the hour of the later one.",
    held_at_first=True,
)
async def test_one_report_an_hour_is_enough_for_a_meter(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    past = [(_ago(hours=n), str(30 - n)) for n in range(29, 0, -1)]
    await remember(hass, "sensor.meter", past, METER, now="30")

    line = await _said(hass, server, entities="sensor.meter", period={"hours": 5})

    assert line == "Meter, total: 5\u00a0kWh (highest 1\u00a0kWh)"


@report(
    source="home-assistant/core#58799",
    symptom="When summer time ends, an hour is missing from the graph and what follows is shifted.",
    ours="That day has 25 hours; each counts once.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    ("now", "hours"),
    [("2026-10-26 11:00:00+00:00", 25), ("2026-03-30 10:00:00+00:00", 23)],
)
async def test_a_day_on_which_the_clock_is_set_has_all_of_its_hours(
    hass: HomeAssistant,
    server: ScriptedServer,
    freezer: FrozenDateTimeFactory,
    now: str,
    hours: int,
) -> None:
    freezer.move_to(now)
    rows = [(_ago(hours=n), {"state": 9.0, "sum": 100.0 - n}) for n in range(60, 0, -1)]
    await remember_statistics(hass, "sensor.meter", rows, "kWh", unit_class="energy", is_meter=True)
    await remember(hass, "sensor.meter", [], METER, now="9")

    line = await _said(hass, server, entities="sensor.meter", period="yesterday")

    assert line == f"Meter, total: {hours}\u00a0kWh (highest 1\u00a0kWh)"


@report(
    source="home-assistant/frontend#24877",
    symptom="After the clock was set, bars of days are one hour of the one and 23 of the other.",
    ours="Each day has its own hours: 24, and 23 where the clock went forward.",
    held_at_first=True,
)
async def test_days_keep_apart_where_the_clock_is_set(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to("2026-03-31 22:00:00+00:00")  # midnight
    rows = [(_ago(hours=n), {"state": 9.0, "sum": 900.0 - n}) for n in range(400, 0, -1)]
    await remember_statistics(hass, "sensor.meter", rows, "kWh", unit_class="energy", is_meter=True)
    await remember(hass, "sensor.meter", [], METER, now="9")

    line = await _said(hass, server, entities="sensor.meter", period="last_week")

    assert line == f"Meter, total: {7 * 24 - 1}\u00a0kWh (highest 24\u00a0kWh)"


@report(
    source="home-assistant/core#90958",
    symptom="The year has no March: its energy is added to April.",
    ours="Each month has its own, and the sum is that of all.",
    held_at_first=True,
)
async def test_no_month_is_lost(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to("2026-06-30 22:00:00+00:00")  # midnight
    begin = dt_util.parse_datetime("2025-12-31T23:00:00+00:00")
    assert begin is not None
    hours = int((dt_util.utcnow() - begin).total_seconds() // 3600)
    rows = [
        (begin + timedelta(hours=n), {"state": 9.0, "sum": float(n + 1)}) for n in range(-1, hours)
    ]
    await remember_statistics(hass, "sensor.meter", rows, "kWh", unit_class="energy", is_meter=True)
    await remember(hass, "sensor.meter", [], METER, now="9")

    line = await _said(hass, server, entities="sensor.meter", period={"days": 180})

    # February to June: March has an hour less than 31 days have.
    assert line == (
        f"Meter, total: {24 * (28 + 31 + 30 + 31 + 30) - 1:,}\u00a0kWh (highest 744\u00a0kWh)"
    )


@report(
    source="home-assistant/frontend#19139",
    symptom="An entity that has been the same for long enough vanishes from the graph.",
    ours="Its present value is drawn, and said.",
    held_at_first=True,
)
async def test_an_entity_that_never_changes_is_shown(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await remember(hass, "input_number.wish", [], {"friendly_name": "Wish"}, now="21")

    line = await _said(hass, server, entities="input_number.wish", period={"days": 7})

    assert line == "Wish: 21 (lowest 21, highest 21)"


@report(
    source="influxdata/chronograf#1900",
    symptom="A constant value lies on the edge of the graph, whose axis has no numbers.",
    ours="It is drawn in the middle, between lines with numbers.",
    held_at_first=True,
)
async def test_a_constant_value_is_drawn_in_the_middle(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await remember(hass, "sensor.power", [(_ago(hours=n), "3400") for n in (30, 9)], WATT)

    await _said(hass, server, entities="sensor.power")

    (middle, *_) = _rows(_picture(server), 400)
    assert 150 < middle < 330


@report(
    source="grafana/grafana#21018",
    symptom="Grafana: where the picture cannot be drawn, no alert is sent at all.",
    ours="The mail goes with its text, and says that the chart is not there.",
    held_at_first=True,
)
@pytest.mark.parametrize("error", [RuntimeError("500 Internal Server Error"), MemoryError()])
async def test_a_mail_goes_although_its_picture_cannot_be_drawn(
    hass: HomeAssistant, server: ScriptedServer, error: Exception
) -> None:
    await remember(hass, "sensor.power", [(_ago(hours=3), "5")], WATT)

    with patch.object(plots, "draw_lines", side_effect=error):
        await send(hass, to=TO, message="Alarm!", charts=[{"entities": "sensor.power"}])

    text = text_of(only_mail(server))
    assert text.startswith("Alarm!")
    assert "The chart could not be made." in text


@report(
    source="grafana/grafana#17380",
    symptom="Grafana: the alert waits for the picture until its own time is over, and is lost.",
    ours="The recorder has a minute for all charts of a mail; then the mail goes without them.",
    held_at_first=True,
)
async def test_a_mail_does_not_wait_for_ever(hass: HomeAssistant, server: ScriptedServer) -> None:
    await remember(hass, "sensor.power", [(_ago(hours=3), "5")], WATT)

    with patch.object(plots, "_PATIENCE", 0):
        await send(hass, to=TO, message="Alarm!", charts=[{"entities": "sensor.power"}])

    assert text_of(only_mail(server)).startswith("Alarm!")


@report(
    source="grafana/grafana#18024",
    symptom="Grafana: the picture in the alert has axes, but no series, and nobody is told.",
    ours="A chart without values is a sentence, and one of `missing` in the response.",
    held_at_first=True,
)
async def test_no_empty_picture_is_sent(hass: HomeAssistant, server: ScriptedServer) -> None:
    hass.states.async_set("sensor.power", "unknown", WATT)

    response = await send(hass, to=TO, message="Look", charts=[{"entities": "sensor.power"}])

    assert isinstance(response, dict)
    assert [one["name"] for one in response["missing"]] == ["sensor.power"]
    assert "Power has no values in this period." in text_of(only_mail(server))
    assert not attached(only_mail(server))

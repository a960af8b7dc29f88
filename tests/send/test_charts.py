"""Charts of what the recorder knows, as names, values and pictures."""

from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from custom_components.email_courier.send import plots
from tests.support.accounts import load_account
from tests.support.fixtures import Bed
from tests.support.history import remember, remember_statistics
from tests.support.mails import attached, only_mail, send, text_of
from tests.support.scripted_server import ScriptedServer

pytestmark = pytest.mark.usefixtures("recorder_mock")

ANNA = "anna@example.test"
NOW = "2026-11-28 15:00:00+00:00"
CELSIUS = {"unit_of_measurement": "°C", "state_class": "measurement", "friendly_name": "Kitchen"}
METER = {
    "unit_of_measurement": "kWh",
    "state_class": "total_increasing",
    "device_class": "energy",
    "friendly_name": "Energy",
}
DOOR = {"device_class": "door", "friendly_name": "Front door"}
PERIOD = "27 Nov 2026, 16:00 – 28 Nov 2026, 16:00"


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory) -> ScriptedServer:
    """The server of the only account, in the afternoon of a Saturday in Berlin."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to(NOW)
    server = await bed.serve()
    await load_account(hass, server, options={"layout": "card"})
    return server


def _ago(**delta: float) -> datetime:
    return dt_util.utcnow() - timedelta(**delta)


async def _chart(
    hass: HomeAssistant, server: ScriptedServer, *charts: dict[str, Any], **fields: Any
) -> tuple[EmailMessage, list[dict[str, str]]]:
    response = await send(hass, to=ANNA, charts=list(charts), **{"message": "Look", **fields})
    return only_mail(server), response["missing"]


async def _lines(hass: HomeAssistant, server: ScriptedServer, chart: dict[str, Any]) -> list[str]:
    """Return what the text says of the only chart below its period; the picture is there."""
    mail, missing = await _chart(hass, server, chart)
    assert not missing
    assert [part.get_content_type() for part in attached(mail)] == ["image/png"]
    return text_of(mail).splitlines()[3:]


async def test_a_line_says_the_last_the_lowest_and_the_highest_value(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    past = [(_ago(hours=30), "20"), (_ago(hours=12), "18.5"), (_ago(hours=2), "23.4")]
    await remember(hass, "sensor.kitchen", past, CELSIUS, now="21.5")

    mail, missing = await _chart(hass, server, {"entities": ["sensor.kitchen"], "title": "Heat"})

    said = "Kitchen: 21.5\u00a0°C (lowest 18.5\u00a0°C, highest 23.4\u00a0°C)"
    assert not missing
    assert text_of(mail).splitlines() == ["Look", "", "Heat", PERIOD, said]
    (picture,) = attached(mail)
    assert picture.get_content_type() == "image/png"
    html = text_of(mail, "html")
    assert f'alt="Heat. {said}. {PERIOD}"' in html.replace("&nbsp;", "\u00a0")
    assert f'src="cid:{picture["Content-ID"][1:-1]}"' in html


@pytest.mark.parametrize(
    ("language", "value"), [("de", "1.284,5\u00a0°C"), ("es", "1284,5\u00a0°C"), ("en", "1,284.5")]
)
async def test_numbers_are_written_as_in_the_language_of_the_home(
    hass: HomeAssistant, server: ScriptedServer, language: str, value: str
) -> None:
    hass.config.language = language
    await remember(hass, "sensor.oven", [(_ago(hours=3), "900")], CELSIUS, now="1284.5")

    (line,) = await _lines(hass, server, {"entities": ["sensor.oven"]})

    assert line.startswith(f"Kitchen: {value}")


async def test_an_entity_has_the_precision_that_was_chosen_for_it(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    registry = er.async_get(hass)
    entity_id = registry.async_get_or_create("sensor", "test", "kitchen").entity_id
    registry.async_update_entity_options(entity_id, "sensor", {"display_precision": 0})
    await remember(hass, entity_id, [(_ago(hours=3), "18.123")], CELSIUS, now="21.987")

    (line,) = await _lines(hass, server, {"entities": [entity_id]})

    assert line == "Kitchen: 22\u00a0°C (lowest 18\u00a0°C, highest 22\u00a0°C)"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["-12.5", "-3"], "-3\u00a0°C (lowest -12.5\u00a0°C, highest -3\u00a0°C)"),
        (["21", "21"], "21\u00a0°C (lowest 21\u00a0°C, highest 21\u00a0°C)"),
        (["0", "0"], "0\u00a0°C (lowest 0\u00a0°C, highest 0\u00a0°C)"),
        (["1e20", "3.5e21"], "3.5e21\u00a0°C (lowest 1e20\u00a0°C, highest 3.5e21\u00a0°C)"),
        (["0.0000004", "0.25"], "0.25\u00a0°C (lowest 4e-7\u00a0°C, highest 0.25\u00a0°C)"),
        (["nan", "inf", "5"], "5\u00a0°C (lowest 5\u00a0°C, highest 5\u00a0°C)"),
        (["much", "unknown", "7"], "7\u00a0°C (lowest 7\u00a0°C, highest 7\u00a0°C)"),
    ],
)
async def test_values_of_every_size_are_drawn_and_said(
    hass: HomeAssistant, server: ScriptedServer, values: list[str], said: str
) -> None:
    past = [(_ago(hours=9 - number), value) for number, value in enumerate(values)]
    await remember(hass, "sensor.kitchen", past, CELSIUS)

    assert await _lines(hass, server, {"entities": ["sensor.kitchen"]}) == [f"Kitchen: {said}"]


async def test_one_value_alone_is_a_chart(hass: HomeAssistant, server: ScriptedServer) -> None:
    await remember(hass, "sensor.new", [], CELSIUS, now="21.5")

    (line,) = await _lines(hass, server, {"entities": ["sensor.new"]})

    assert line == "Kitchen: 21.5\u00a0°C (lowest 21.5\u00a0°C, highest 21.5\u00a0°C)"


async def test_86400_values_lose_no_spike_and_make_a_small_picture(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    start = _ago(hours=24)
    past = [
        (start + timedelta(seconds=number), "99.5" if number == 50_000 else f"{number % 7}")
        for number in range(86_400)
    ]
    await remember(hass, "sensor.busy", past, CELSIUS, now="3")

    mail, _ = await _chart(hass, server, {"entities": ["sensor.busy"]})

    assert "highest 99.5\u00a0°C" in text_of(mail)
    (picture,) = attached(mail)
    assert len(picture.get_content()) <= 45_000


async def test_what_cannot_be_had_at_the_end_is_said(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    past = [(_ago(hours=20), "20.5"), (_ago(hours=2), "unavailable")]
    await remember(hass, "sensor.kitchen", past, CELSIUS)

    (line,) = await _lines(hass, server, {"entities": ["sensor.kitchen"]})

    assert line == "Kitchen: Unavailable (lowest 20.5\u00a0°C, highest 20.5\u00a0°C)"


async def test_several_entities_share_a_picture_and_each_has_its_colour_and_its_name(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    for name, value in (("one", "20"), ("two", "22"), ("three", "24")):
        attributes = CELSIUS | {"friendly_name": name}
        await remember(hass, f"sensor.{name}", [(_ago(hours=5), value)], attributes)
    chart = {
        "entities": [
            "sensor.one",
            {"entity_id": "sensor.two", "name": "Second", "color": "black"},
            {"entity_id": "sensor.three"},
        ]
    }

    mail, _ = await _chart(hass, server, chart)

    names = [line.partition(":")[0] for line in text_of(mail).splitlines()[3:]]
    assert names == ["one", "Second", "three"]
    assert len(attached(mail)) == 1
    html = text_of(mail, "html")
    assert all(f"background:{one}" in html for one in ("#1e88e5", "#000000", "#2e9a4b"))


async def test_other_units_and_states_get_pictures_of_their_own(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await remember(hass, "sensor.kitchen", [(_ago(hours=5), "20")], CELSIUS)
    percent = {"unit_of_measurement": "%", "friendly_name": "Humidity"}
    await remember(hass, "sensor.humidity", [(_ago(hours=5), "55")], percent)
    await remember(hass, "binary_sensor.door", [(_ago(hours=25), "off")], DOOR)
    chart = {"entities": ["sensor.kitchen", "sensor.humidity", "binary_sensor.door"]}

    mail, missing = await _chart(hass, server, chart)

    assert not missing
    assert [part.get_filename() for part in attached(mail)] == [
        "chart-1.png",
        "chart-1-2.png",
        "chart-1-3.png",
    ]
    assert [line.partition(":")[0] for line in text_of(mail).splitlines()[3:]] == [
        "Kitchen",
        "Humidity",
        "Front door",
    ]


async def test_a_meter_is_bars_of_what_it_went_on_by(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    start = dt_util.as_utc(datetime.fromisoformat("2026-11-20T00:00:00+01:00"))
    now = dt_util.utcnow().replace(minute=0)
    count = int((now - start).total_seconds() // 3600)
    hours = [start + timedelta(hours=number) for number in range(count)]
    rows = [(hour, {"state": 100.0 + n, "sum": 0.5 * (n + 1)}) for n, hour in enumerate(hours)]
    await remember_statistics(
        hass, "sensor.energy", rows, "kWh", unit_class="energy", is_meter=True
    )
    await remember(hass, "sensor.energy", [], METER, now="300.25")

    (line,) = await _lines(hass, server, {"entities": ["sensor.energy"], "period": {"days": 7}})

    # Six whole days of half a kilowatt-hour each hour, and 16 hours of today.
    assert line == "Energy, total: 80.00\u00a0kWh (highest 12.00\u00a0kWh)"


async def test_the_hour_that_is_not_over_counts(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to("2026-11-28 15:20:00+00:00")
    hour = dt_util.utcnow().replace(minute=0)
    rows = [(hour - timedelta(hours=n), {"state": 9.0, "sum": 10.0 - n}) for n in range(5, 0, -1)]
    short = [
        (hour - timedelta(minutes=5), {"state": 9.0, "sum": 9.0}),
        *((hour + timedelta(minutes=5 * n), {"state": 9.0, "sum": 9.25 + n / 4}) for n in range(3)),
    ]
    await remember_statistics(
        hass, "sensor.energy", rows, "kWh", unit_class="energy", is_meter=True, short=short
    )
    await remember(hass, "sensor.energy", [], METER, now="300.25")

    (line,) = await _lines(hass, server, {"entities": ["sensor.energy"], "period": "today"})

    # Nine up to the last whole hour, the first five of them in its first, and 0.75 since.
    assert line == "Energy, total: 9.75\u00a0kWh (highest 5.00\u00a0kWh)"


async def test_a_meter_without_statistics_is_reckoned_from_its_states(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    past = [(_ago(hours=30), "90"), (_ago(hours=20), "95.5"), (_ago(hours=3), "1.5")]
    await remember(hass, "sensor.energy", past, METER, now="2.25")

    (line,) = await _lines(hass, server, {"entities": ["sensor.energy"]})

    assert line == "Energy, total: 7.75\u00a0kWh (highest 5.50\u00a0kWh)"


async def test_statistics_tell_of_the_time_before_there_is_history(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    hours = [_ago(hours=n).replace(minute=0) for n in range(24 * 20, 24 * 5, -1)]
    rows = [(hour, {"mean": 15.0, "min": 4.5, "max": 31.5}) for hour in hours]
    await remember_statistics(hass, "sensor.kitchen", rows, "°C", unit_class="temperature")
    past = [(_ago(days=4), "20.5"), (_ago(days=1), "22.5")]
    await remember(hass, "sensor.kitchen", past, CELSIUS, now="21.5")

    (line,) = await _lines(hass, server, {"entities": ["sensor.kitchen"], "period": {"days": 14}})

    assert line == "Kitchen: 21.5\u00a0°C (lowest 4.5\u00a0°C, highest 31.5\u00a0°C)"


async def test_years_are_drawn_from_statistics_in_the_unit_of_the_entity(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    hours = [_ago(hours=n).replace(minute=0) for n in range(24 * 400, 24, -6)]
    rows = [(hour, {"mean": 20.0, "min": 10.0, "max": 30.0}) for hour in hours]
    await remember_statistics(hass, "sensor.kitchen", rows, "°C", unit_class="temperature")
    await remember(hass, "sensor.kitchen", [], CELSIUS | {"unit_of_measurement": "°F"}, now="71.5")

    (line,) = await _lines(hass, server, {"entities": ["sensor.kitchen"], "period": {"days": 365}})

    assert line == "Kitchen: 71.5\u00a0°F (lowest 50.0\u00a0°F, highest 86.0\u00a0°F)"


async def test_the_mean_and_the_range_are_drawn_where_they_are_asked_for(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    past = [(_ago(minutes=n), str(20 + n % 5)) for n in range(1400, 0, -1)]
    await remember(hass, "sensor.kitchen", past, CELSIUS, now="21")
    charts = [
        {"entities": ["sensor.kitchen"], "statistic": statistic, "type": kind}
        for statistic in ("mean", "min_max")
        for kind in ("line", "bar")
    ]

    mail, missing = await _chart(hass, server, *charts)

    assert not missing
    pictures = [part.get_content() for part in attached(mail)]
    assert len(set(pictures)) == 4
    assert "Kitchen, average: 22\u00a0°C (lowest 20\u00a0°C, highest 24\u00a0°C)" in text_of(mail)


async def test_a_thermostat_is_the_temperature_of_the_room(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    past = [(_ago(hours=n), {"current_temperature": 18 + n / 10}) for n in range(20, 0, -1)]
    attributes = {"friendly_name": "Bath"}
    await remember(hass, "climate.bath", past, attributes, now={"current_temperature": 22.5})

    (line,) = await _lines(hass, server, {"entities": ["climate.bath"]})

    assert line == "Bath: 22.5\u00a0°C (lowest 18.1\u00a0°C, highest 22.5\u00a0°C)"


async def test_doors_and_words_are_timelines_that_say_how_long(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    doors = [(_ago(hours=26), "off"), (_ago(hours=10), "on"), (_ago(hours=7.5), "off")]
    await remember(hass, "binary_sensor.door", doors, DOOR)
    washer = [
        (_ago(hours=26), "idle"),
        (_ago(hours=5), "washing"),
        (_ago(hours=4), "unavailable"),
        (_ago(hours=3), "spinning"),
        (_ago(hours=2.5), "idle"),
    ]
    await remember(hass, "sensor.washer", washer, {"friendly_name": "Washer"})

    lines = await _lines(hass, server, {"entities": ["binary_sensor.door", "sensor.washer"]})

    assert lines == [
        "Front door: Closed (Open 2 h 30 min)",
        "Washer: idle (washing 1 h 0 min, spinning 30 min)",
    ]


async def test_a_switch_can_be_a_line_and_a_number_a_timeline(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await remember(hass, "switch.pump", [(_ago(hours=9), "off"), (_ago(hours=5), "on")])
    await remember(hass, "sensor.level", [(_ago(hours=9), "2"), (_ago(hours=5), "3")], CELSIUS)

    mail, missing = await _chart(
        hass,
        server,
        {"entities": ["switch.pump"], "type": "line"},
        {"entities": ["sensor.level"], "type": "timeline"},
    )

    assert not missing
    assert "pump: 1 (lowest 0, highest 1)" in text_of(mail)
    assert "Kitchen: 3\u00a0°C (3\u00a0°C 5 h 0 min, 2\u00a0°C 4 h 0 min)" in text_of(mail)


@pytest.mark.parametrize(
    ("period", "shown"),
    [
        ("today", "28 Nov 2026, 00:00 – 28 Nov 2026, 16:00"),
        ("yesterday", "27 Nov 2026"),
        ("this_week", "23 Nov 2026, 00:00 – 28 Nov 2026, 16:00"),
        ("last_week", "16 Nov 2026 – 22 Nov 2026"),
        ("this_month", "1 Nov 2026, 00:00 – 28 Nov 2026, 16:00"),
        ("last_month", "1 Oct 2026 – 31 Oct 2026"),
        ({"hours": 48}, "26 Nov 2026, 16:00 – 28 Nov 2026, 16:00"),
        ({"days": 60}, "29 Sep 2026, 16:00 – 28 Nov 2026, 16:00"),
        ({"hours": 24 * 60}, "29 Sep 2026, 17:00 – 28 Nov 2026, 16:00"),
        ("7d", "21 Nov 2026, 16:00 – 28 Nov 2026, 16:00"),
    ],
)
async def test_a_period_is_that_of_the_clock_and_the_calendar_of_the_home(
    hass: HomeAssistant, server: ScriptedServer, period: object, shown: str
) -> None:
    await remember(hass, "sensor.kitchen", [(_ago(days=80), "20")], CELSIUS, now="21.5")

    mail, missing = await _chart(hass, server, {"entities": ["sensor.kitchen"], "period": period})

    assert not missing
    assert text_of(mail).splitlines()[2] == shown


async def test_a_time_that_is_over_says_nothing_of_now(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    past = [(_ago(days=3), "17.5"), (_ago(hours=20), "19.5")]
    await remember(hass, "sensor.kitchen", past, CELSIUS, now="30.5")

    (line,) = await _lines(hass, server, {"entities": ["sensor.kitchen"], "period": "yesterday"})

    assert line == "Kitchen: 19.5\u00a0°C (lowest 17.5\u00a0°C, highest 19.5\u00a0°C)"


async def test_the_mail_goes_and_says_which_entity_is_not_there_or_has_no_values(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await remember(hass, "sensor.kitchen", [(_ago(hours=5), "20.5")], CELSIUS)
    quiet = CELSIUS | {"friendly_name": "Cellar"}
    hass.states.async_set("sensor.quiet", "unavailable", quiet)

    mail, missing = await _chart(
        hass, server, {"entities": ["sensor.kitchen", "sensor.quiet", "sensor.none"]}
    )

    assert missing == [
        {"name": "sensor.none", "reason": "There is no entity sensor.none."},
        {"name": "sensor.quiet", "reason": "Cellar has no values in this period."},
    ]
    text, html = text_of(mail), text_of(mail, "html")
    assert all(one["reason"] in text and one["reason"] in html for one in missing)
    assert len(attached(mail)) == 1


@pytest.mark.parametrize("kind", ["line", "bar", "timeline"])
async def test_a_chart_without_any_values_says_so_in_its_place(
    hass: HomeAssistant, server: ScriptedServer, kind: str
) -> None:
    hass.states.async_set("sensor.quiet", "unknown", {"friendly_name": "Cellar"})

    mail, missing = await _chart(
        hass,
        server,
        {"entities": ["sensor.quiet"], "type": kind, "title": "Water"},
        markdown="Before\n\n![](chart:1)\n\nAfter",
        message="",
    )

    reason = "Cellar has no values in this period."
    assert missing == [{"name": "sensor.quiet", "reason": reason}]
    assert text_of(mail).strip().split("\n\n") == ["Before", f"Water\n{reason}", "After"]
    assert not attached(mail)


async def test_without_the_recorder_the_mail_goes_and_says_why(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    hass.states.async_set("sensor.kitchen", "20", CELSIUS)
    hass.config.components.remove("recorder")

    mail, missing = await _chart(hass, server, {"entities": ["sensor.kitchen"]})

    (one,) = missing
    assert one["name"] == "sensor.kitchen"
    assert "recorder is not running" in one["reason"]
    assert one["reason"] in text_of(mail)


@pytest.mark.parametrize(
    ("broken", "error", "reason"),
    [
        ("recorded.line", RuntimeError("database disk image is malformed"), "log says why"),
        ("draw_lines", MemoryError(), "log says why"),
    ],
)
async def test_a_chart_that_fails_does_not_keep_a_mail_from_going(
    hass: HomeAssistant, server: ScriptedServer, broken: str, error: Exception, reason: str
) -> None:
    await remember(hass, "sensor.kitchen", [(_ago(hours=5), "20.5")], CELSIUS)

    with patch(f"{plots.__name__}.{broken}", side_effect=error):
        mail, missing = await _chart(hass, server, {"entities": ["sensor.kitchen"]})

    (one,) = missing
    assert one["name"] == "sensor.kitchen"
    assert reason in one["reason"]
    assert one["reason"] in text_of(mail)
    assert not attached(mail)


async def test_a_recorder_that_does_not_answer_keeps_no_mail_waiting(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await remember(hass, "sensor.kitchen", [(_ago(hours=5), "20.5")], CELSIUS)

    with patch.object(plots, "_PATIENCE", 0):
        mail, missing = await _chart(hass, server, {"entities": ["sensor.kitchen"]})

    assert [one["name"] for one in missing] == ["sensor.kitchen"]
    assert "did not answer within 0 seconds" in text_of(mail)


async def test_a_place_for_a_chart_that_was_not_asked_for_says_so(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    response = await send(hass, to=ANNA, message="", markdown="Look: ![](chart:2)")

    reason = "There is no chart:2: the action asks for 0 charts."
    assert response["missing"] == [{"name": "chart:2", "reason": reason}]
    assert reason in text_of(only_mail(server))


BODIES = {
    "markdown": "First\n\n![](chart:2)\n\nSecond",
    "message": "First\n\n![](chart:2)\n\nSecond",
    "html": "<html><body><p>First</p><p>![](chart:2)</p><p>Second</p></body></html>",
}


@pytest.mark.parametrize("body", BODIES)
async def test_a_chart_stands_where_the_text_says_and_the_others_at_the_end(
    hass: HomeAssistant, server: ScriptedServer, body: str
) -> None:
    for name in ("One", "Two"):
        attributes = CELSIUS | {"friendly_name": name}
        await remember(hass, f"sensor.{name.lower()}", [(_ago(hours=5), "20")], attributes)

    mail, _ = await _chart(
        hass,
        server,
        {"entities": ["sensor.one"]},
        {"entities": ["sensor.two"]},
        **{"message": "", body: BODIES[body]},
    )

    for whole in (text_of(mail), text_of(mail, "html")):
        page = whole.rpartition("zwnj")[2]  # behind what the inbox shows
        places = [page.index(word) for word in ("First", "Two", "Second", "One")]
        assert places == sorted(places)
        assert "chart:2" not in page


async def test_a_plain_mail_shows_its_charts(hass: HomeAssistant, server: ScriptedServer) -> None:
    await remember(hass, "sensor.kitchen", [(_ago(hours=5), "20")], CELSIUS)

    mail, _ = await _chart(hass, server, {"entities": ["sensor.kitchen"]}, layout="plain")

    (picture,) = attached(mail)
    assert f"cid:{picture['Content-ID'][1:-1]}" in text_of(mail, "html")


async def test_charts_alone_are_a_mail(hass: HomeAssistant, server: ScriptedServer) -> None:
    await remember(hass, "sensor.kitchen", [(_ago(hours=5), "20")], CELSIUS)

    await hass.services.async_call(
        "email_courier",
        "send_message",
        {"to": [ANNA], "charts": [{"entities": "sensor.kitchen"}]},
        blocking=True,
    )

    assert "Kitchen: 20" in text_of(only_mail(server))


async def test_who_may_not_see_an_entity_gets_no_chart_of_it(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await remember(hass, "sensor.kitchen", [(_ago(hours=5), "20")], CELSIUS)
    user = MockUser(groups=[]).add_to_hass(hass)
    user.mock_policy({"entities": {"domains": {"button": True, "notify": True}}})

    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            "email_courier",
            "send_message",
            {"to": [ANNA], "message": "", "charts": [{"entities": "sensor.kitchen"}]},
            blocking=True,
            context=Context(user_id=user.id),
        )
    assert not server.record.mails


@pytest.mark.parametrize(
    "chart",
    [
        {},
        {"entities": []},
        {"entities": ["kitchen"]},
        {"entities": ["sensor.kitchen"] * 13},
        {"entities": "sensor.kitchen", "period": "soon"},
        {"entities": "sensor.kitchen", "period": {}},
        {"entities": "sensor.kitchen", "period": {"hours": -1}},
        {"entities": "sensor.kitchen", "period": {"days": 4000}},
        {"entities": "sensor.kitchen", "type": "pie"},
        {"entities": "sensor.kitchen", "statistic": "median"},
        {"entities": [{"entity_id": "sensor.kitchen", "color": "no colour"}]},
        {"entities": "sensor.kitchen", "colour": "red"},
    ],
)
async def test_a_chart_that_makes_no_sense_is_refused(
    hass: HomeAssistant, server: ScriptedServer, chart: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await send(hass, to=ANNA, charts=[chart])
    assert not server.record.mails

"""States as a dashboard shows them."""

import re
from typing import Any

from homeassistant.components.sensor import SensorEntity, SensorStateClass
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.email_courier.mail.compose.content import Words
from custom_components.email_courier.phrases import Phrases, words_of
from tests.support.accounts import load_account
from tests.support.fixtures import Bed
from tests.support.mails import only_mail, send, text_of
from tests.support.pictures import add_entities

ANNA = "anna@example.test"


class Thermometer(SensorEntity):
    """A sensor whose states have more digits than anybody wants to read."""

    _attr_name = "Kitchen"
    _attr_unique_id = "kitchen"
    _attr_native_value = 1284.4567
    _attr_native_unit_of_measurement = "°C"
    _attr_suggested_display_precision = 1
    _attr_state_class = SensorStateClass.MEASUREMENT


async def _lines(hass: HomeAssistant, bed: Bed, *facts: Any) -> list[str]:
    server = await bed.serve()
    await load_account(hass, server, options={"layout": "card"})
    await send(hass, to=ANNA, message="Look", facts=list(facts))
    text = text_of(only_mail(server))
    assert text.startswith("Look\n\n")
    return text.removeprefix("Look\n\n").splitlines()


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "Kitchen: 1,284.5\u00a0°C"),
        ("de", "Kitchen: 1.284,5\u00a0°C"),
        ("es", "Kitchen: 1284,5\u00a0°C"),
        ("sv", "Kitchen: 1\u00a0284,5\u00a0°C"),
    ],
)
async def test_a_number_has_the_digits_and_marks_of_the_home(
    hass: HomeAssistant, bed: Bed, language: str, line: str
) -> None:
    hass.config.language = language
    await add_entities(hass, "sensor", Thermometer())

    assert await _lines(hass, bed, "sensor.kitchen") == [line]


@pytest.mark.parametrize(
    ("entity_id", "state", "attributes", "shown"),
    [
        ("sensor.share", "45", {"unit_of_measurement": "%"}, "45%"),
        ("sensor.angle", "45", {"unit_of_measurement": "°"}, "45°"),
        ("sensor.word", "open", {}, "open"),
        ("sensor.odd", "NaN", {"unit_of_measurement": "W"}, "NaN\u00a0W"),
        ("sensor.text", "much", {"unit_of_measurement": "W"}, "much\u00a0W"),
        ("input_number.wish", "21.5", {}, "21.5"),
        ("sensor.gone", "unavailable", {}, "Unavailable"),
        ("sensor.new", "unknown", {}, "Unknown"),
        (
            "sensor.since",
            "2026-11-21T20:04:00+00:00",
            {"device_class": "timestamp"},
            "21 Nov 2026, 12:04",
        ),
        ("sensor.until", "2026-11-21", {"device_class": "date"}, "21 Nov 2026"),
        ("input_datetime.alarm", "2026-11-21 06:30:00", {}, "21 Nov 2026, 06:30"),
        ("input_datetime.daily", "06:30:00", {}, "06:30:00"),
    ],
)
async def test_a_state_is_shown_as_a_person_reads_it(
    hass: HomeAssistant,
    bed: Bed,
    entity_id: str,
    state: str,
    attributes: dict[str, Any],
    shown: str,
) -> None:
    await async_setup_component(hass, "sensor", {})
    hass.states.async_set(entity_id, state, attributes)

    assert await _lines(hass, bed, {"entity_id": entity_id, "name": "It"}) == [f"It: {shown}"]


async def test_a_word_is_translated(hass: HomeAssistant, bed: Bed) -> None:
    assert await async_setup_component(hass, "binary_sensor", {})
    hass.states.async_set(
        "binary_sensor.door", "on", {"device_class": "door", "friendly_name": "Door"}
    )
    await hass.async_block_till_done()

    assert await _lines(hass, bed, "binary_sensor.door") == ["Door: Open"]


async def test_an_entity_that_is_not_there_is_a_dash_and_named_as_missing(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server, options={"layout": "card"})

    response = await send(hass, to=ANNA, facts="sensor.no_such")

    assert "sensor.no_such: –" in text_of(only_mail(server))
    (missing,) = response["missing"]
    assert missing == {"name": "sensor.no_such", "reason": "There is no entity sensor.no_such."}


@pytest.mark.parametrize("layout", ["card", "plain"])
async def test_facts_stand_in_pages_of_every_kind(
    hass: HomeAssistant, bed: Bed, layout: str
) -> None:
    server = await bed.serve()
    await load_account(hass, server, options={"layout": layout})
    hass.states.async_set(
        "sensor.share", "45", {"unit_of_measurement": "%", "friendly_name": "Share"}
    )

    await send(hass, to=ANNA, message="x", html="<body><p>Mine</p></body>", facts="sensor.share")

    assert text_of(only_mail(server), "html").index("Mine") < text_of(
        only_mail(server), "html"
    ).index(">45%<")
    assert "Share: 45%" in text_of(only_mail(server))


async def test_a_user_who_may_not_read_an_entity_sends_nothing(
    hass: HomeAssistant, bed: Bed, hass_read_only_user: MockUser
) -> None:
    server = await bed.serve()
    await load_account(hass, server)
    hass_read_only_user.mock_policy({"entities": {"domains": {"button": True, "notify": True}}})

    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            "email_courier",
            "send_message",
            {"to": ANNA, "message": "x", "facts": "sensor.secret"},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert server.record.mails == []


@pytest.mark.parametrize(
    "language",
    [
        "de",
        "en",
        "es",
        "fr",
        "it",
        "ja",
        "ko",
        "nl",
        "pl",
        "pt-BR",
        "ru",
        "sv",
        "tr",
        "uk",
        "zh-Hans",
        "zh-Hant",
    ],
)
async def test_every_language_writes_dates(hass: HomeAssistant, bed: Bed, language: str) -> None:
    hass.config.language = language
    await load_account(hass, await bed.serve())
    words: Words = words_of(await Phrases.async_load(hass))

    assert len(words.months.split()) == 12
    for pattern in (words.date, words.date_time):
        assert {"{day}", "{month}", "{year}"} <= set(re.findall(r"\{\w+\}", pattern))
    assert "{name}" in words.automation

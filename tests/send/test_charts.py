"""Charts of what the recorder knows, as names, values and pictures."""

from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.core import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from tests.support.accounts import load_account
from tests.support.fixtures import Bed
from tests.support.history import remember
from tests.support.mails import attached, only_mail, send, text_of
from tests.support.scripted_server import ScriptedServer

ANNA = "anna@example.test"
NOW = "2026-11-28 15:00:00+00:00"
CELSIUS = {"unit_of_measurement": "°C", "state_class": "measurement", "friendly_name": "Kitchen"}


@pytest.fixture(autouse=True)
def _custom_integration(recorder_mock: Recorder, enable_custom_integrations: None) -> None:
    """Have the recorder there before Home Assistant, as it wants to be."""


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


async def test_a_line_says_the_last_the_lowest_and_the_highest_value(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    past = [(_ago(hours=30), "20"), (_ago(hours=12), "18.5"), (_ago(hours=2), "23.4")]
    await remember(hass, "sensor.kitchen", past, CELSIUS, now="21.5")

    mail, missing = await _chart(hass, server, {"entities": ["sensor.kitchen"], "title": "Heat"})

    assert not missing
    assert text_of(mail).splitlines() == [
        "Look",
        "",
        "Heat",
        "27 Nov 2026, 16:00 – 28 Nov 2026, 16:00",
        "Kitchen: 21.5\u00a0°C (lowest 18.5\u00a0°C, highest 23.4\u00a0°C)",
    ]
    (picture,) = attached(mail)
    assert picture.get_content_type() == "image/png"

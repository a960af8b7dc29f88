"""The logbook: deliveries and failures stand there by their names."""

from datetime import timedelta
import json
from pathlib import Path
from typing import Any

from homeassistant.components.recorder.core import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

import custom_components.email_courier.event
from custom_components.email_courier.event import DEFERRED, DELIVERED, FAILED
from tests.support.accounts import load_account
from tests.support.fixtures import Bed
from tests.support.script import Script
from tests.support.sending import send_from

ENTITY = "event.home_mail"


@pytest.fixture(autouse=True)
def _custom_integration(recorder_mock: Recorder, enable_custom_integrations: None) -> None:
    """Have the recorder there before Home Assistant, as it wants to be."""


async def test_a_delivery_and_a_failure_are_entries_of_their_own(
    hass: HomeAssistant, bed: Bed, hass_ws_client: WebSocketGenerator
) -> None:
    hass.config.components.add("frontend")  # for the page, which is not looked at here
    assert await async_setup_component(hass, "logbook", {})
    script = Script(recipient_replies={"bea@example.test": "550 5.1.1 No such user here"})
    account = await load_account(hass, await bed.serve(script))
    start = dt_util.utcnow() - timedelta(minutes=1)
    await send_from(account, "carl@example.test")
    with pytest.raises(HomeAssistantError):
        await send_from(account, "bea@example.test")
    await async_wait_recording_done(hass)

    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {
            "type": "logbook/get_events",
            "start_time": start.isoformat(),
            "entity_ids": [ENTITY],
        }
    )
    entries: list[dict[str, Any]] = (await client.receive_json())["result"]

    told = [entry["attributes"]["event_type"] for entry in entries if "attributes" in entry]
    assert told == [DELIVERED, FAILED]


def test_every_event_has_a_name_in_every_language() -> None:
    folder = Path(custom_components.email_courier.event.__file__).parent / "translations"
    for file in folder.glob("*.json"):
        event = json.loads(file.read_text(encoding="utf-8"))["entity"]["event"]["mail"]
        names = event["state_attributes"]["event_type"]["state"]
        assert set(names) == {DELIVERED, DEFERRED, FAILED}

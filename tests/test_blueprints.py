"""The blueprints, imported from their address and run as an automation."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import dump, parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import attached, only_mail, read, text_of
from tests.support.pictures import JPEG, StillCamera, add_entities
from tests.support.scripted_server import ScriptedServer

FOLDER = Path(__file__).parent.parent / "blueprints" / "automation" / "email_courier"
NAMES = ("alarm", "daily_summary", "doorbell_picture", "low_batteries")
EVERYONE = ["notify.bea", "notify.carl"]
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed) -> ScriptedServer:
    """The server of an account with two recipients."""
    server = await bed.serve()
    await load_account(
        hass,
        server,
        recipient("Bea", ["bea@example.test"]),
        recipient("Carl", ["carl@example.test"]),
    )
    return server


class Blueprints:
    """Imports a blueprint the way the button in the documentation does, and uses it."""

    def __init__(
        self,
        hass: HomeAssistant,
        client: WebSocketGenerator,
        internet: Any,
    ) -> None:
        """Read blueprints from the project instead of from the internet."""
        self._hass = hass
        self._configuration = Path(hass.config.path("configuration.yaml"))
        self._client = client
        self._internet = internet

    async def use(self, name: str, **inputs: Any) -> None:
        """Import a blueprint and run an automation made of it."""
        text = (FOLDER / f"{name}.yaml").read_text()
        address = parse_yaml(text.replace("!input", ""))["blueprint"]["source_url"]  # type: ignore[call-overload, index]
        raw = address.replace("github.com", "raw.githubusercontent.com").replace("/blob/", "/")
        self._internet.get(raw, text=text)
        assert await async_setup_component(self._hass, "automation", {})
        client = await self._client(self._hass)
        await client.send_json_auto_id({"type": "blueprint/import", "url": address})
        answer = await client.receive_json()
        assert answer["success"], answer
        found = answer["result"]
        assert found["validation_errors"] is None
        await client.send_json_auto_id(
            {
                "type": "blueprint/save",
                "domain": "automation",
                "path": found["suggested_filename"],
                "yaml": found["raw_data"],
                "source_url": address,
            }
        )
        assert (await client.receive_json())["success"]
        automation = {
            "alias": "test",
            "use_blueprint": {"path": f"{found['suggested_filename']}.yaml", "input": inputs},
        }
        self._configuration.write_text(dump({"automation": [automation]}))
        await self._hass.services.async_call("automation", "reload", blocking=True)
        state = self._hass.states.get("automation.test")
        assert state is not None
        assert state.state == "on"


@pytest.fixture
async def blueprints(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    aioclient_mock: AiohttpClientMocker,
) -> AsyncIterator[Blueprints]:
    """Blueprints to use; what is made of them is switched off afterwards."""
    yield Blueprints(hass, hass_ws_client, aioclient_mock)
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.test"}, blocking=True
    )


async def _at(hass: HomeAssistant, freezer: FrozenDateTimeFactory, when: datetime) -> None:
    freezer.move_to(when)
    async_fire_time_changed(hass, when)
    await hass.async_block_till_done()


def test_every_blueprint_is_run_here() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(NAMES)


@pytest.mark.parametrize(
    ("sensor", "idle", "rung"),
    [
        ("event.doorbell", "unknown", "2026-11-21T09:00:00.000+00:00"),
        ("binary_sensor.door_motion", "off", "on"),
    ],
)
async def test_a_ring_at_the_door_is_a_mail_with_a_picture(
    hass: HomeAssistant,
    server: ScriptedServer,
    blueprints: Blueprints,
    sensor: str,
    idle: str,
    rung: str,
) -> None:
    await add_entities(hass, "camera", StillCamera("Front door"))
    hass.states.async_set(sensor, idle, {"friendly_name": "Front *door*"})
    await blueprints.use(
        "doorbell_picture",
        doorbell=[sensor],
        camera="camera.front_door",
        recipients=EVERYONE,
        page="/lovelace/cameras",
        pause=0,
    )
    await hass.config.async_update(external_url="https://home.example.test")

    for state in ("unavailable", idle, rung):
        hass.states.async_set(sensor, state, {"friendly_name": "Front *door*"})
        await hass.async_block_till_done()

    mail = only_mail(server)
    assert mail["To"] == "bea@example.test, carl@example.test"
    assert mail["Subject"] == "Somebody is at the door"
    assert mail["X-Priority"] == "2 (High)"
    (picture,) = attached(mail)
    assert picture.get_payload(decode=True) == JPEG
    assert picture.get_content_disposition() == "inline"
    page = text_of(mail, "html")
    assert 'src="cid:door"' in page
    assert 'href="https://home.example.test/lovelace/cameras"' in page
    assert text_of(mail).startswith("Front *door*, ")


async def test_the_doorbell_can_do_without_a_button_and_pauses(
    hass: HomeAssistant, server: ScriptedServer, blueprints: Blueprints
) -> None:
    await add_entities(hass, "camera", StillCamera("Front door"))
    hass.states.async_set("binary_sensor.bell", "off")
    await blueprints.use(
        "doorbell_picture",
        doorbell=["binary_sensor.bell"],
        camera="camera.front_door",
        recipients=EVERYONE,
    )

    async def ring() -> None:
        for state in ("off", "on"):
            hass.states.async_set("binary_sensor.bell", state)
        # Home Assistant would wait for the end of the pause, too.
        await asyncio.sleep(0.5)

    await ring()
    await ring()
    assert 'class="button"' not in text_of(only_mail(server), "html")

    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61))
    await hass.async_block_till_done()
    await ring()
    assert len(server.record.mails) == 2


async def test_an_alarm_is_an_urgent_mail_to_everyone_and_so_is_its_end(
    hass: HomeAssistant, server: ScriptedServer, blueprints: Blueprints
) -> None:
    sensors = {"binary_sensor.kitchen": "Kitchen leak", "binary_sensor.bath": "Bath leak"}
    for entity_id, name in sensors.items():
        hass.states.async_set(entity_id, "off", {"friendly_name": name})
    await blueprints.use(
        "alarm",
        sensors=[*sensors],
        recipients=EVERYONE,
        instructions="The main valve is **below the stairs**.",
    )

    hass.states.async_set("binary_sensor.bath", "on", {"friendly_name": "Bath leak"})
    await hass.async_block_till_done()
    hass.states.async_set("binary_sensor.kitchen", "on", {"friendly_name": "Kitchen leak"})
    await hass.async_block_till_done()
    hass.states.async_set("binary_sensor.kitchen", "off", {"friendly_name": "Kitchen leak"})
    await hass.async_block_till_done()

    bath, kitchen, over = (read(mail.content) for mail in server.record.mails)
    assert bath["Subject"] == "Alarm: Bath leak"
    assert bath["X-Priority"] == "1 (Highest)"
    assert bath["To"] == "bea@example.test, carl@example.test"
    assert "<strong>below the stairs</strong>" in text_of(bath, "html")
    assert "Also on" not in text_of(bath)
    assert "Also on: Bath leak" in text_of(kitchen)
    assert over["Subject"] == "Over: Kitchen leak"
    assert "Still on: Bath leak" in text_of(over)
    assert over["References"] == kitchen["References"] != bath["References"]


async def test_the_end_of_an_alarm_can_be_kept_quiet(
    hass: HomeAssistant, server: ScriptedServer, blueprints: Blueprints
) -> None:
    await blueprints.use(
        "alarm", sensors=["binary_sensor.smoke"], recipients=EVERYONE, all_clear=False
    )

    for state in ("on", "off"):
        hass.states.async_set("binary_sensor.smoke", state)
        await hass.async_block_till_done()

    assert only_mail(server)["Subject"] == "Alarm: smoke"


async def test_the_daily_summary_is_a_table_that_names_cannot_break(
    hass: HomeAssistant,
    server: ScriptedServer,
    blueprints: Blueprints,
    freezer: FrozenDateTimeFactory,
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    hass.states.async_set(
        "sensor.outside", "3.4", {"friendly_name": "Out|side\n<b>", "unit_of_measurement": "°C"}
    )
    hass.states.async_set("lock.door", "locked")
    await blueprints.use(
        "daily_summary",
        entities=["sensor.outside", "lock.door", "sensor.gone"],
        recipients=EVERYONE,
        introduction="How are *you*?",
    )

    await _at(hass, freezer, datetime(2040, 11, 17, 7, 0, tzinfo=BERLIN))

    mail = only_mail(server)
    assert mail["Subject"] == "Good morning (2040-11-17)"
    page = text_of(mail, "html")

    assert page.count("<tr>\n<td style=") == 3
    assert ">Out|side &lt;b&gt;</td>" in page
    assert ">3.4 °C</td>" in page
    assert ">locked</td>" in page
    assert "<em>you</em>" in page
    assert "lock.door: locked\n" in text_of(mail)


async def test_low_batteries_are_mailed_on_their_day_and_only_if_there_are_any(
    hass: HomeAssistant,
    server: ScriptedServer,
    blueprints: Blueprints,
    freezer: FrozenDateTimeFactory,
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    friday = datetime(2040, 11, 16, 10, 0, tzinfo=BERLIN)

    def battery(entity_id: str, state: str, name: str) -> None:
        hass.states.async_set(entity_id, state, {"device_class": "battery", "friendly_name": name})

    battery("sensor.lock", "19.6", "Bea's lock | front")
    battery("sensor.remote", "20", "Remote")
    battery("sensor.telephone", "3", "Telephone")
    battery("sensor.dead", "unavailable", "Dead")
    battery("binary_sensor.window", "on", "Window")
    battery("binary_sensor.door", "off", "Door")
    await blueprints.use("low_batteries", recipients=EVERYONE, without=["sensor.telephone"])

    await _at(hass, freezer, friday)
    assert not server.record.mails
    await _at(hass, freezer, friday + timedelta(days=1))

    mail = only_mail(server)
    assert mail["Subject"] == "2 batteries are low"
    assert text_of(mail) == "Bea's lock | front: 20 %\nWindow: low\n"
    assert ">Bea's lock | front</td>" in text_of(mail, "html").replace("&#x27;", "'")

    battery("sensor.lock", "100", "Lock")
    battery("binary_sensor.window", "off", "Window")
    await _at(hass, freezer, friday + timedelta(days=8))
    assert len(server.record.mails) == 1

"""The blueprints, imported from their address and run as an automation."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import dump, parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    async_mock_service,
)
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from tests.support.accounts import load_account, recipient
from tests.support.answers import Client, be_reachable, links_of, press
from tests.support.clock import SOON
from tests.support.fixtures import Bed
from tests.support.mails import attached, only_mail, read, text_of
from tests.support.pictures import JPEG, StillCamera, add_entities
from tests.support.script import Script
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import let_pass, pass_time, send_from

FOLDER = Path(__file__).parent.parent / "blueprints" / "automation" / "email_courier"
NAMES = (
    *("alarm", "at_home", "backup_failed", "daily_summary", "doorbell_picture"),
    *("low_batteries", "mail_failed", "night", "repairs", "updates"),
    *("open_gate", "alarm_until_acknowledged", "window_rain", "mute"),
    *("weekly_report", "yesterdays_energy"),
)
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
        camera=["camera.front_door"],
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
    assert 'src="cid:camera.front_door"' in page
    assert "Front door</p>" in page
    assert 'href="https://home.example.test/lovelace/cameras"' in page
    assert text_of(mail).startswith("Front *door*")


async def test_the_doorbell_can_do_without_a_button_and_pauses(
    hass: HomeAssistant, server: ScriptedServer, blueprints: Blueprints
) -> None:
    await add_entities(hass, "camera", StillCamera("Front door"))
    hass.states.async_set("binary_sensor.bell", "off")
    await blueprints.use(
        "doorbell_picture",
        doorbell=["binary_sensor.bell"],
        camera=["camera.front_door"],
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
    assert await async_setup_component(hass, "binary_sensor", {})
    sensors = {"binary_sensor.kitchen": "Kitchen leak", "binary_sensor.bath": "Bath leak"}
    for entity_id, name in sensors.items():
        hass.states.async_set(entity_id, "off", {"friendly_name": name})
    await blueprints.use(
        "alarm",
        sensors=[*sensors],
        recipients=EVERYONE,
        instructions="The main valve is **below the stairs**.",
    )

    wet = {"device_class": "moisture"}
    hass.states.async_set("binary_sensor.bath", "on", {"friendly_name": "Bath leak", **wet})
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
    assert text_of(bath).startswith("Bath leak: Wet\n")
    assert "Bath leak" not in text_of(kitchen).partition("\n")[0]
    assert "Bath leak: Wet (" in text_of(kitchen)
    assert over["Subject"] == "Over: Kitchen leak"
    assert text_of(over).startswith("Kitchen leak: Off (")
    assert "Bath leak: Wet (" in text_of(over)
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
    assert await async_setup_component(hass, "lock", {})
    hass.states.async_set("lock.door", "locked")
    in_an_hour = {"device_class": "timestamp", "friendly_name": "Dishwasher"}
    hass.states.async_set("sensor.dishwasher", "2040-11-17T08:00:00+01:00", in_an_hour)
    await blueprints.use(
        "daily_summary",
        entities=["sensor.outside", "lock.door", "sensor.gone", "sensor.dishwasher"],
        recipients=EVERYONE,
        introduction="How are *you*?",
    )

    await _at(hass, freezer, datetime(2040, 11, 17, 7, 0, tzinfo=BERLIN))

    mail = only_mail(server)
    assert mail["Subject"] == "Good morning"
    page = text_of(mail, "html")

    assert page.count("<tr>\n<td style=") == 4
    assert ">Out|side &lt;b&gt;</td>" in page
    assert ">3.4 °C</td>" in page
    assert ">Locked</td>" in page
    assert "Dishwasher: 1 hour\n" in text_of(mail)
    assert "<em>you</em>" in page
    assert "lock.door: Locked\n" in text_of(mail)


async def test_a_weekly_report_asks_for_a_chart_of_each_kind(
    hass: HomeAssistant,
    server: ScriptedServer,
    blueprints: Blueprints,
    freezer: FrozenDateTimeFactory,
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    await blueprints.use(
        "weekly_report",
        recipients=EVERYONE,
        temperatures=["sensor.kitchen", "sensor.bedroom"],
        meters=["sensor.grid", "sensor.solar"],
        doors=["binary_sensor.door"],
        introduction="How *warm* was it?",
    )

    await _at(hass, freezer, datetime(2040, 11, 18, 7, 0, tzinfo=BERLIN))
    assert not server.record.mails, "it is a Sunday"
    await _at(hass, freezer, datetime(2040, 11, 19, 7, 0, tzinfo=BERLIN))

    mail = only_mail(server)
    assert mail["Subject"] == "The week before"
    assert "<em>warm</em>" in text_of(mail, "html")
    assert text_of(mail).count("There is no chart") == 4, "for there is no recorder here"


async def test_yesterdays_energy_asks_for_two_charts_of_each_meter(
    hass: HomeAssistant,
    server: ScriptedServer,
    blueprints: Blueprints,
    freezer: FrozenDateTimeFactory,
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    meters = ["sensor.grid", "sensor.solar"]
    await blueprints.use("yesterdays_energy", recipients=EVERYONE, meters=meters)

    await _at(hass, freezer, datetime(2040, 11, 19, 7, 0, tzinfo=BERLIN))

    mail = only_mail(server)
    assert mail["Subject"] == "Yesterday's energy"
    before, heading, after = text_of(mail).partition("The last seven days")
    assert heading
    assert [part.count("There is no chart") for part in (before, after)] == [2, 2]


async def test_low_batteries_are_mailed_on_their_day_and_only_if_there_are_any(
    hass: HomeAssistant,
    server: ScriptedServer,
    blueprints: Blueprints,
    freezer: FrozenDateTimeFactory,
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    friday = datetime(2040, 11, 16, 10, 0, tzinfo=BERLIN)

    assert await async_setup_component(hass, "binary_sensor", {})

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
    assert mail["Subject"] == "Low batteries: 2"
    assert text_of(mail) == "Bea's lock | front: 20 %\nWindow: Low\n"
    assert ">Bea's lock | front</td>" in text_of(mail, "html").replace("&#x27;", "'")

    battery("sensor.lock", "100", "Lock")
    battery("binary_sensor.window", "off", "Window")
    await _at(hass, freezer, friday + timedelta(days=8))
    assert len(server.record.mails) == 1


async def test_a_failed_mail_is_told_in_another_way_and_the_news_of_it_is_not(
    hass: HomeAssistant, bed: Bed, blueprints: Blueprints
) -> None:
    script = Script(recipient_replies={"bea@example.test": "550 5.1.1 No such user here"})
    server = await bed.serve(script)
    account = await load_account(hass, server, recipient("Bea", ["bea@example.test"]))
    telephone = async_mock_service(hass, "notify", "send_message")
    await blueprints.use("mail_failed", who=["notify.phone"])

    for subject in ("Washing machine", "Email not delivered"):
        with pytest.raises(HomeAssistantError):
            await send_from(account, "bea@example.test", subject=subject)

    (told,) = telephone
    assert told.data["entity_id"] == ["notify.phone"]
    assert told.data["title"] == "Email not delivered"
    assert told.data["message"].splitlines() == [
        "Washing machine",
        "bea@example.test",
        "550 5.1.1 No such user here",
    ]


async def test_mail_that_waits_is_told_after_the_time_that_was_chosen(
    hass: HomeAssistant, server: ScriptedServer, blueprints: Blueprints
) -> None:
    (entry,) = hass.config_entries.async_entries("email_courier")
    telephone = async_mock_service(hass, "notify", "send_message")
    await blueprints.use(
        "mail_failed",
        who=["notify.phone"],
        mail={"entity_id": ["notify.bea"]},
        waiting={"minutes": 10},
    )

    await server.stop()
    for address in ("bea@example.test", "dora@example.test"):
        await send_from(entry.runtime_data, address)
    await pass_time(hass, minutes=11)

    (told,) = telephone
    assert told.data["title"] == "Email is waiting"
    assert "bea@example.test" in told.data["message"]


async def test_a_backup_that_fails_or_is_missing_is_told(
    hass: HomeAssistant,
    server: ScriptedServer,
    blueprints: Blueprints,
    freezer: FrozenDateTimeFactory,
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    event, last = "event.backup_automatic_backup", "sensor.backup_last_successful_automatic_backup"
    friday = datetime(2040, 11, 16, 9, 0, tzinfo=BERLIN)
    await blueprints.use("backup_failed", recipients=EVERYONE)
    freezer.move_to(friday - timedelta(days=2))
    hass.states.async_set(event, "2040-11-01T01:00:00+00:00", {"event_type": "completed"})
    hass.states.async_set(last, (friday - timedelta(days=1)).isoformat())
    await hass.async_block_till_done()

    await _at(hass, freezer, friday)
    hass.states.async_set(event, "2040-11-16T01:00:00+00:00", {"event_type": "completed"})
    await hass.async_block_till_done()
    assert not server.record.mails

    failed = {"event_type": "failed", "failed_reason": "upload_failed"}
    hass.states.async_set(event, "2040-11-17T01:00:00+00:00", failed)
    await hass.async_block_till_done()
    await _at(hass, freezer, friday + timedelta(days=2))

    first, second = (read(mail.content) for mail in server.record.mails)
    assert first["Subject"] == "The backup failed"
    assert "upload_failed" in text_of(first)
    assert second["Subject"] == "There is no recent backup"
    assert "3 days" in text_of(second)


async def test_updates_are_listed_on_their_day_if_there_are_any(
    hass: HomeAssistant,
    server: ScriptedServer,
    blueprints: Blueprints,
    freezer: FrozenDateTimeFactory,
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    friday = datetime(2040, 11, 16, 18, 0, tzinfo=BERLIN)
    versions = {"installed_version": "1.0", "latest_version": "1.1", "title": "Lamp"}
    hass.states.async_set("update.lamp", "off", versions)
    await blueprints.use("updates", recipients=EVERYONE)

    await _at(hass, freezer, friday)
    assert not server.record.mails
    url = {"release_url": "https://example.test/1.1"}
    hass.states.async_set("update.lamp", "on", versions | url)
    await _at(hass, freezer, friday + timedelta(days=1))
    assert not server.record.mails
    await _at(hass, freezer, friday + timedelta(days=7))

    mail = only_mail(server)
    assert mail["Subject"] == "Updates are available: 1"
    assert text_of(mail) == "Lamp: 1.0 → 1.1 https://example.test/1.1\n"
    assert 'href="https://example.test/1.1"' in text_of(mail, "html")


async def test_what_needs_repair_within_a_minute_comes_together(
    hass: HomeAssistant, server: ScriptedServer, blueprints: Blueprints
) -> None:
    def create(domain: str, issue_id: str) -> None:
        ir.async_create_issue(
            hass,
            domain,
            issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=issue_id,
        )

    create("lamp", "known_before")
    await blueprints.use("repairs", recipients=EVERYONE, without=["toaster"])
    for domain, issue_id in (("toaster", "burnt"), ("lamp", "bulb_broken"), ("socket", "loose")):
        create(domain, issue_id)
        await asyncio.sleep(0.1)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61))
    await hass.async_block_till_done()

    mail = only_mail(server)
    assert mail["Subject"] == "Something needs repair: lamp, socket"
    assert text_of(mail) == "lamp: bulb broken\nsocket: loose\n"


async def test_those_at_home_get_it_and_others_when_nobody_is(
    hass: HomeAssistant, server: ScriptedServer, blueprints: Blueprints
) -> None:
    hass.states.async_set("person.bea", "home")
    hass.states.async_set("person.carl", "not_home")
    await blueprints.use(
        "at_home",
        trigger=[{"trigger": "event", "event_type": "parcel"}],
        people=[
            {"person": "person.bea", "recipient": "notify.bea"},
            {"person": "person.carl", "recipient": "notify.carl"},
        ],
        otherwise=EVERYONE,
        title="A parcel",
        message="{{ now().year }}",
    )

    for state in ("home", "not_home"):
        hass.states.async_set("person.bea", state)
        hass.bus.async_fire("parcel")
        await hass.async_block_till_done()

    first, second = server.record.mails
    assert first.recipients == ("bea@example.test",)
    assert second.recipients == ("bea@example.test", "carl@example.test")


async def test_at_night_only_what_is_urgent_comes_and_the_rest_in_the_morning(
    hass: HomeAssistant,
    server: ScriptedServer,
    blueprints: Blueprints,
    freezer: FrozenDateTimeFactory,
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    assert await async_setup_component(hass, "binary_sensor", {})
    names = {"binary_sensor.smoke": "Smoke", "binary_sensor.gate": "Gate"}

    async def go_off(entity_id: str) -> None:
        for state in ("off", "on"):
            hass.states.async_set(entity_id, state, {"friendly_name": names[entity_id]})
            await hass.async_block_till_done()

    await blueprints.use(
        "night", urgent=["binary_sensor.smoke"], others=["binary_sensor.gate"], recipients=EVERYONE
    )
    await _at(hass, freezer, datetime(2040, 11, 16, 20, 0, tzinfo=BERLIN))
    await go_off("binary_sensor.gate")
    freezer.move_to(datetime(2040, 11, 17, 1, 0, tzinfo=BERLIN))
    await go_off("binary_sensor.gate")
    await go_off("binary_sensor.smoke")
    await _at(hass, freezer, datetime(2040, 11, 17, 7, 0, tzinfo=BERLIN))

    mails = [read(mail.content) for mail in server.record.mails]
    assert [mail["Subject"] for mail in mails] == ["Gate: On", "Smoke: On", "Last night"]
    assert mails[1]["X-Priority"] == "1 (Highest)"
    assert text_of(mails[2]) == "Gate: On (6 hours)\n"


@pytest.fixture
async def browser(
    hass: HomeAssistant,
    server: ScriptedServer,  # noqa: ARG001 - it has to be there first
    hass_client_no_auth: ClientSessionGenerator,
) -> Client:
    """A browser that has never been here; Home Assistant can be reached from outside."""
    await be_reachable(hass)
    return await hass_client_no_auth()


async def _links(server: ScriptedServer) -> dict[str, str]:
    """Wait for a mail, and return where its buttons lead."""
    async with asyncio.timeout(SOON):
        while not server.record.mails:
            await asyncio.sleep(0.01)
    return links_of(read(server.record.mails[-1].content))


@pytest.mark.parametrize(("button", "count"), [("Open the gate", 1), ("Ignore", 0)])
async def test_who_presses_the_button_opens_the_gate(
    hass: HomeAssistant,
    server: ScriptedServer,
    browser: Client,
    blueprints: Blueprints,
    button: str,
    count: int,
) -> None:
    opened = async_mock_service(hass, "cover", "open_cover")
    hass.states.async_set("binary_sensor.bell", "off", {"friendly_name": "Gate"})
    await blueprints.use(
        "open_gate",
        doorbell=["binary_sensor.bell"],
        recipients=EVERYONE,
        sign_in=False,
        open=[{"action": "cover.open_cover", "target": {"entity_id": "cover.gate"}}],
    )

    hass.states.async_set("binary_sensor.bell", "on", {"friendly_name": "Gate"})
    links = await _links(server)
    assert links.keys() == {"Open the gate", "Ignore"}
    assert (await press(browser, links[button])).status == 200
    await hass.async_block_till_done()

    assert len(opened) == count


async def test_an_alarm_comes_again_until_somebody_acknowledges(
    hass: HomeAssistant,
    server: ScriptedServer,
    browser: Client,
    blueprints: Blueprints,
    freezer: FrozenDateTimeFactory,
) -> None:
    hass.states.async_set("binary_sensor.leak", "off", {"friendly_name": "Cellar"})
    await blueprints.use(
        "alarm_until_acknowledged", sensors=["binary_sensor.leak"], recipients=EVERYONE
    )

    hass.states.async_set("binary_sensor.leak", "on", {"friendly_name": "Cellar"})
    await hass.async_block_till_done()
    await let_pass(hass, freezer, minutes=5)
    links = links_of(read(server.record.mails[-1].content))
    await press(browser, links["I am looking after it"])
    await let_pass(hass, freezer, minutes=20)

    assert len(server.record.mails) == 2
    assert read(server.record.mails[1].content)["Subject"] == "Alarm: Cellar"


@pytest.mark.parametrize("rain", ["binary_sensor.rain", "weather.home"])
async def test_a_window_that_is_open_in_the_rain_is_closed_by_the_button(
    hass: HomeAssistant,
    server: ScriptedServer,
    browser: Client,
    blueprints: Blueprints,
    rain: str,
) -> None:
    closed = async_mock_service(hass, "cover", "close_cover")
    wet, dry = ("on", "off") if rain.startswith("binary") else ("rainy", "sunny")
    hass.states.async_set(rain, dry)
    hass.states.async_set("cover.roof", "open", {"friendly_name": "Roof"})
    hass.states.async_set("cover.bath", "closed", {"friendly_name": "Bath"})
    await blueprints.use(
        "window_rain",
        rain=rain,
        windows=["cover.roof", "cover.bath"],
        recipients=EVERYONE,
        close=[{"action": "cover.close_cover", "data": {"entity_id": "{{ window }}"}}],
    )

    hass.states.async_set(rain, wet)
    links = await _links(server)
    assert text_of(read(server.record.mails[0].content)).startswith("Roof\n")
    await press(browser, links["Close it"])
    await hass.async_block_till_done()

    assert [call.data["entity_id"] for call in closed] == ["cover.roof"]


async def test_a_sensor_is_mute_for_an_hour_once_that_was_pressed(
    hass: HomeAssistant, server: ScriptedServer, browser: Client, blueprints: Blueprints
) -> None:
    assert await async_setup_component(hass, "timer", {"timer": {"quiet": {}}})
    hass.states.async_set("binary_sensor.dog", "off", {"friendly_name": "Dog"})
    await blueprints.use(
        "mute", sensors=["binary_sensor.dog"], recipients=EVERYONE, timer="timer.quiet"
    )

    async def bark() -> None:
        for state in ("on", "off"):
            hass.states.async_set("binary_sensor.dog", state, {"friendly_name": "Dog"})
            await hass.async_block_till_done()

    await bark()
    links = await _links(server)
    await press(browser, links["Mute this for an hour"])
    await hass.async_block_till_done()
    await bark()
    assert len(server.record.mails) == 1
    await pass_time(hass, hours=1, minutes=1)
    await bark()

    assert len(server.record.mails) == 2

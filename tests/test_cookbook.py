"""Every recipe of the cookbook does what it says, exactly as it stands there."""

from collections import Counter
from datetime import datetime, timedelta
import inspect
from pathlib import Path
import re
import sys
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.auth.mfa_modules import auth_mfa_module_from_config
from homeassistant.auth.mfa_modules.notify import NotifyAuthModule
from homeassistant.components.notify import NotifyEntity
from homeassistant.components.notify.const import DATA_COMPONENT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.email_courier.mail.outbox.submission import Rank
from tests.support.accounts import load_account, recipient
from tests.support.documents import ROOT, examples
from tests.support.fixtures import Bed
from tests.support.history import remember
from tests.support.mails import attached, only_mail, read, text_of
from tests.support.pictures import JPEG, StillCamera, add_entities
from tests.support.script import Script, Step, say
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import let_pass, send_from
from tests.support.yaml_actions import automate, configure, run

PAGE = (ROOT / "docs" / "cookbook.md").read_text()
RECIPES = list(examples(PAGE))
BERLIN = ZoneInfo("Europe/Berlin")
MOTION = "binary_sensor.door_motion"


class Telephone(NotifyEntity):
    """A telephone that remembers what it was told."""

    _attr_name = "Telephone"
    _attr_unique_id = "telephone"

    def __init__(self) -> None:
        """Know nothing yet."""
        self.told: list[tuple[str | None, str]] = []

    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Remember it."""
        self.told.append((title, message))


@pytest.fixture
def recipe(request: pytest.FixtureRequest) -> str:
    """The block that the test is named after."""
    return dict(RECIPES)[request.node.name.removeprefix("test_")]


@pytest.fixture
async def telephone(hass: HomeAssistant) -> Telephone:
    """A telephone in the house."""
    assert await async_setup_component(hass, "notify", {})
    telephone = Telephone()
    await hass.data[DATA_COMPONENT].async_add_entities([telephone])
    return telephone


async def house(hass: HomeAssistant, bed: Bed, script: Script | None = None) -> ScriptedServer:
    """Set up the house that the cookbook speaks of."""
    server = await bed.serve(*([] if script is None else [script]))
    people = (
        recipient("Anna", ["anna@example.test"]),
        recipient("Bob", ["bob@example.test"]),
    )
    await load_account(hass, server, *people, title="home@example.com")
    await add_entities(hass, "camera", StillCamera("Front door"))
    return server


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed) -> ScriptedServer:
    """The server of that house."""
    return await house(hass, bed)


async def move(hass: HomeAssistant) -> None:
    for state in ("off", "on"):
        hass.states.async_set(MOTION, state)
        await hass.async_block_till_done()


def test_the_questions_are_numbered_and_every_recipe_is_run_here() -> None:
    tests = inspect.getmembers(sys.modules[__name__], inspect.isfunction)
    run_here = [
        name.removeprefix("test_")
        for name, test in tests
        if name.startswith("test_") and "recipe" in inspect.signature(test).parameters
    ]
    assert Counter(name for name, _ in RECIPES) == Counter(run_here)
    assert [int(number) for number in re.findall(r"^### (\d+)\. ", PAGE, re.MULTILINE)] == [
        *range(1, len(RECIPES) + 1)
    ]


async def test_snapshot_at_night(
    hass: HomeAssistant, server: ScriptedServer, recipe: str, freezer: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    await automate(hass, recipe)

    for hour in (12, 23):
        freezer.move_to(datetime(2040, 11, 16, hour, 0, tzinfo=BERLIN))
        await move(hass)

    mail = only_mail(server)
    assert mail["To"] == "anna@example.test, bob@example.test"
    assert text_of(mail) == "Seen at 23:00.\n"
    (picture,) = attached(mail)
    assert picture.get_payload(decode=True) == JPEG
    assert "Front door</p>" in text_of(mail, "html")


async def test_once_an_hour(
    hass: HomeAssistant, server: ScriptedServer, recipe: str, freezer: FrozenDateTimeFactory
) -> None:
    await automate(hass, recipe)

    for minutes in (0, 30, 31):
        freezer.tick(timedelta(minutes=minutes))
        await move(hass)

    assert len(server.record.mails) == 2


async def test_link_to_camera(hass: HomeAssistant, server: ScriptedServer, recipe: str) -> None:
    await hass.config.async_update(external_url="https://home.example.test")

    await run(hass, recipe)

    page = text_of(only_mail(server), "html")
    assert 'href="https://home.example.test/lovelace/cameras"' in page
    assert "cid:camera.front_door" in page


async def test_picture_in_the_text(
    hass: HomeAssistant, server: ScriptedServer, recipe: str
) -> None:
    await run(hass, recipe)

    page = text_of(only_mail(server), "html")
    assert page.index("It is open") < page.index("cid:camera.front_door") < page.index("Close it")


async def test_file_every_monday(
    hass: HomeAssistant,
    server: ScriptedServer,
    recipe: str,
    tmp_path: Path,
    freezer: FrozenDateTimeFactory,
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    (tmp_path / "energy.csv").write_text("day;kWh\n")
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    await automate(hass, recipe.replace("/config/www", str(tmp_path)))

    for day in (18, 19, 20):  # the 19th is a Monday
        when = datetime(2040, 11, day, 8, 0, tzinfo=BERLIN)
        freezer.move_to(when)
        async_fire_time_changed(hass, when)
        await hass.async_block_till_done()

    (table,) = attached(only_mail(server))
    assert table.get_filename() == "energy.csv"
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


async def test_everybody(hass: HomeAssistant, server: ScriptedServer, recipe: str) -> None:
    await run(hass, recipe)

    assert only_mail(server)["To"] == "anna@example.test, bob@example.test"


async def test_typed_address(hass: HomeAssistant, server: ScriptedServer, recipe: str) -> None:
    hass.states.async_set("input_text.guest", "carl@example.test")

    await run(hass, recipe)

    assert only_mail(server)["To"] == "carl@example.test"


async def test_at_home(hass: HomeAssistant, server: ScriptedServer, recipe: str) -> None:
    hass.states.async_set("person.anna", "not_home")
    hass.states.async_set("person.bob", "home")

    await run(hass, recipe)

    assert only_mail(server)["To"] == "bob@example.test"


async def test_telephone_and_mail(
    hass: HomeAssistant, server: ScriptedServer, recipe: str, telephone: Telephone
) -> None:
    await run(hass, recipe)

    assert only_mail(server)["Subject"] == "Laundry"
    assert [message for _, message in telephone.told] == ["The washing machine is done."]


async def test_old_group(hass: HomeAssistant, bed: Bed, recipe: str) -> None:
    await configure(hass, recipe)
    server = await house(hass, bed)

    await hass.services.async_call("notify", "everybody", {"message": "Hi"}, blocking=True)

    assert only_mail(server)["To"] == "anna@example.test, bob@example.test"


async def test_alert_until_done(hass: HomeAssistant, server: ScriptedServer, recipe: str) -> None:
    hass.states.async_set("binary_sensor.garage", "off")
    await configure(hass, recipe)

    for state in ("on", "off"):
        hass.states.async_set("binary_sensor.garage", state)
        await hass.async_block_till_done()

    texts = [text_of(read(mail.content)) for mail in server.record.mails]
    assert texts == ["The garage is open\n", "The garage is closed\n"]


async def test_mfa(hass: HomeAssistant, server: ScriptedServer, recipe: str) -> None:
    written: Any = parse_yaml(recipe)
    (module_config,) = written["homeassistant"]["auth_mfa_modules"]

    module = await auth_mfa_module_from_config(hass, module_config)

    assert isinstance(module, NotifyAuthModule)
    assert "home_example_com" in module.aync_get_available_notify_services()
    assert not server.record.mails


async def test_core_example(
    hass: HomeAssistant, server: ScriptedServer, recipe: str, tmp_path: Path
) -> None:
    (tmp_path / "snapshot.jpg").write_bytes(JPEG)
    hass.config.allowlist_external_dirs = {str(tmp_path)}

    await run(hass, recipe.replace("/config/www", str(tmp_path)))

    mail = only_mail(server)
    assert mail["To"] == "anna@example.com"
    assert "cid:snapshot.jpg" in text_of(mail, "html")
    assert len(attached(mail)) == 1


async def test_webhook(
    hass: HomeAssistant,
    server: ScriptedServer,
    recipe: str,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    assert await async_setup_component(hass, "webhook", {})
    await automate(hass, recipe)
    client = await hass_client_no_auth()

    address = "/api/webhook/put-something-here-that-nobody-guesses"
    await client.post(address, json={"title": "NAS", "message": "A disk is full."})
    await hass.async_block_till_done()

    mail = only_mail(server)
    assert mail["Subject"] == "NAS"
    assert text_of(mail) == "A disk is full.\n"


async def test_email_failed(
    hass: HomeAssistant, bed: Bed, recipe: str, telephone: Telephone
) -> None:
    script = Script(recipient_replies={"anna@example.test": "550 5.1.1 No such user here"})
    await house(hass, bed, script)
    await automate(hass, recipe)

    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(
            "email_courier",
            "send_message",
            {"title": "Laundry", "message": "Done."},
            target={"entity_id": "notify.anna"},
            blocking=True,
        )
    await hass.async_block_till_done()

    assert [message for _, message in telephone.told] == [
        "anna@example.test: 550 5.1.1 No such user here"
    ]


async def test_email_waits(
    hass: HomeAssistant,
    server: ScriptedServer,
    recipe: str,
    telephone: Telephone,
    freezer: FrozenDateTimeFactory,
) -> None:
    await automate(hass, recipe)
    await server.stop()
    (entry,) = hass.config_entries.async_entries("email_courier")

    await send_from(entry.runtime_data, "anna@example.test")
    await let_pass(hass, freezer, minutes=59)
    assert not telephone.told
    await let_pass(hass, freezer, minutes=2)

    assert len(telephone.told) == 1


async def test_why(hass: HomeAssistant, bed: Bed, recipe: str) -> None:
    assert await async_setup_component(hass, "persistent_notification", {})
    busy = Script(answers={Step.GREETING: say("421 4.3.2 Try again later")})
    await house(hass, bed, busy)
    (entry,) = hass.config_entries.async_entries("email_courier")
    await send_from(entry.runtime_data, "anna@example.test", subject="Laundry")

    await run(hass, recipe)

    (told,) = hass.data["persistent_notification"].values()
    assert "- waiting: Laundry: 421 4.3.2 Try again later" in told["message"]


async def test_gmail_534(hass: HomeAssistant, bed: Bed, recipe: str) -> None:
    assert await async_setup_component(hass, "persistent_notification", {})
    words = "534 5.7.9 Application-specific password required"
    await house(hass, bed, Script(answers={Step.AUTH_VERDICT: say(words)}))
    (entry,) = hass.config_entries.async_entries("email_courier")
    await automate(hass, recipe)

    with pytest.raises(HomeAssistantError):
        await send_from(entry.runtime_data, "anna@example.test")

    told = [
        one
        for one in hass.data["persistent_notification"].values()
        if one["title"] == "home@example.com needs an app password"
    ]
    assert [one["message"] for one in told] == [words]


async def test_otherwise(
    hass: HomeAssistant, server: ScriptedServer, recipe: str, telephone: Telephone
) -> None:
    await server.stop()

    await run(hass, recipe)

    assert [message for _, message in telephone.told] == ["The door is open."]


async def test_not_too_late(hass: HomeAssistant, server: ScriptedServer, recipe: str) -> None:
    await server.stop()

    await run(hass, recipe)
    (entry,) = hass.config_entries.async_entries("email_courier")
    (record,) = await entry.runtime_data.courier.waiting()
    assert record.id.life == 600
    assert record.id.rank is Rank.HIGH


@pytest.mark.usefixtures("recorder_mock")
async def test_graph_by_mail(hass: HomeAssistant, server: ScriptedServer, recipe: str) -> None:
    for name, value in (("living_room", "20.5"), ("outside", "-3.5")):
        past = [(dt_util.utcnow() - timedelta(hours=9), "7")]
        attributes = {"unit_of_measurement": "°C", "friendly_name": name}
        await remember(hass, f"sensor.{name}_temperature", past, attributes, now=value)
    await automate(hass, recipe)

    automation = {"entity_id": "automation.the_heating_every_morning"}
    await hass.services.async_call("automation", "trigger", automation, blocking=True)

    await hass.services.async_call("automation", "turn_off", automation, blocking=True)

    mail = only_mail(server)
    assert mail["Subject"] == "The heating since yesterday"
    (picture,) = attached(mail)
    assert picture.get_content_type() == "image/png"
    assert text_of(mail).splitlines()[1:] == [
        "living_room: 20.5\u00a0°C (lowest 7.0\u00a0°C, highest 20.5\u00a0°C)",
        "outside: -3.5\u00a0°C (lowest -3.5\u00a0°C, highest 7.0\u00a0°C)",
    ]

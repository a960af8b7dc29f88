"""The YAML in the documentation does what the documentation says, exactly as it stands there.

A block has a name in front of it, `<!-- example: name -->`, and the test of that name takes it by
the fixture `example`.
"""

from collections import Counter
from datetime import timedelta
import inspect
from io import BytesIO
from pathlib import Path
import sys
from typing import Any

from homeassistant.auth.mfa_modules import auth_mfa_module_from_config
from homeassistant.auth.mfa_modules.notify import NotifyAuthModule
from homeassistant.components.persistent_notification import (
    Notification,
    UpdateType,
    async_register_callback,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, label_registry as lr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
from PIL import Image
import pytest

from tests.support.accounts import load_account, recipient
from tests.support.documents import examples, pages
from tests.support.fixtures import Bed
from tests.support.history import remember
from tests.support.mails import attached, only_mail, send_unasked, text_of
from tests.support.pictures import JPEG, StillCamera, add_entities
from tests.support.script import Script, Step, say
from tests.support.scripted_server import ScriptedServer
from tests.support.yaml_actions import automate, configure, run

COOKBOOK = "cookbook.md"
"""Its recipes have tests of their own."""
EXAMPLES = [
    example for page in pages() if page.name != COOKBOOK for example in examples(page.read_text())
]


@pytest.fixture
def example(request: pytest.FixtureRequest) -> str:
    """The block that the test is named after."""
    return dict(EXAMPLES)[request.node.name.removeprefix("test_")]


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed) -> ScriptedServer:
    """A family's server; the family has a camera."""
    server = await bed.serve()
    family = recipient("Family", ["bea@example.test", "carl@example.test"])
    await load_account(hass, server, family, title="home@example.com")
    await add_entities(hass, "camera", StillCamera("Front door"))
    return server


@pytest.fixture
async def notifications(hass: HomeAssistant) -> list[tuple[str | None, str]]:
    """Titles and texts of what is shown in Home Assistant."""
    assert await async_setup_component(hass, "persistent_notification", {})
    shown: list[tuple[str | None, str]] = []

    @callback
    def show(_: UpdateType, changed: dict[str, Notification]) -> None:
        shown.extend(
            (notification["title"], notification["message"]) for notification in changed.values()
        )

    async_register_callback(hass, show)
    return shown


def test_every_example_is_run_here() -> None:
    tests = inspect.getmembers(sys.modules[__name__], inspect.isfunction)
    run_here = [
        name.removeprefix("test_")
        for name, test in tests
        if name.startswith("test_") and "example" in inspect.signature(test).parameters
    ]
    assert Counter(name for name, _ in EXAMPLES) == Counter(run_here)


@pytest.mark.parametrize(
    "page",
    [
        "```yaml\na: 1\n```\n",
        "```yml\na: 1\n```\n",
        "~~~ YAML\na: 1\n~~~\n",
        "````yaml title=x\na: 1\n````\n",
        "1. do\n\n   ```yaml\na: 1\n   ```\n",
        "<!-- example: one -->\n\n```yaml\na: 1\n```\n",
    ],
)
def test_a_block_without_a_name_is_noticed(page: str) -> None:
    assert list(examples(page)) == [("", "a: 1\n")]


def test_a_block_has_the_name_in_front_of_it() -> None:
    page = "<!-- example: one -->\n```yaml\na: 1\n```\n\n```yaml\nb: 2\n```\n"
    assert list(examples(page)) == [("one", "a: 1\n"), ("", "b: 2\n")]


def test_all_pages_are_looked_at() -> None:
    names = {path.name for path in pages()}
    assert {"README.md", "actions.md", "PULL_REQUEST_TEMPLATE.md", "notes.md"} <= names


async def test_leak(hass: HomeAssistant, server: ScriptedServer, example: str) -> None:
    hass.states.async_set("binary_sensor.leak_kitchen", "off")
    await automate(hass, example)

    hass.states.async_set("binary_sensor.leak_kitchen", "on")
    await hass.async_block_till_done()

    mail = only_mail(server)
    assert mail["To"] == "bea@example.test, carl@example.test"
    assert mail["Subject"] == "Water in the kitchen"
    assert text_of(mail) == "The leak sensor under the sink is wet.\n"


async def test_text(hass: HomeAssistant, server: ScriptedServer, example: str) -> None:
    await run(hass, example)

    mail = only_mail(server)
    assert mail["To"] == "bea@example.test, carl@example.test"
    assert mail["Subject"] == "Smoke in the hallway"
    assert mail["X-Priority"] == "2 (High)"
    assert text_of(mail) == "The smoke detector went off.\n"


async def test_snapshot(hass: HomeAssistant, server: ScriptedServer, example: str) -> None:
    await run(hass, example)

    (picture,) = attached(only_mail(server))
    assert picture.get_payload(decode=True) == JPEG
    assert picture.get_content_disposition() == "inline"
    assert (picture.get_filename() or "").startswith("front_door_")


async def test_doorbell(hass: HomeAssistant, server: ScriptedServer, example: str) -> None:
    await hass.config.async_update(external_url="https://home.example.test")
    await run(hass, example)

    mail = only_mail(server)
    page = text_of(mail, "html")
    (picture,) = attached(mail)
    assert picture.get_content_disposition() == "inline"
    for piece in (
        ">🔔<",
        ">Somebody is at the door</h1>",
        ">Front door</p>",
        ">Open the camera</a>",
    ):
        assert piece in page
    assert "Open the camera: https://home.example.test/lovelace/cameras" in text_of(mail)


async def test_alarm(hass: HomeAssistant, server: ScriptedServer, example: str) -> None:
    hass.states.async_set("binary_sensor.leak_kitchen", "wet")
    hass.states.async_set(
        "sensor.water_today", "1284.5", {"unit_of_measurement": "L", "friendly_name": "Water"}
    )
    await run(hass, example)

    mail = only_mail(server)
    page = text_of(mail, "html")
    assert "is wet.\nThe main valve was closed at once.\n\n> WARNING\n" in text_of(mail)
    assert text_of(mail).endswith("Leak sensor: wet\nWater: 1,284.5\u00a0L\n")
    # the family's account is plain, as version 1.0 has made it
    assert "<strong>wet</strong>" in page
    assert 'class="bar"' not in page


@pytest.mark.usefixtures("recorder_mock")
async def test_charts(hass: HomeAssistant, server: ScriptedServer, example: str) -> None:
    celsius = {"unit_of_measurement": "°C", "state_class": "measurement"}
    meter = {"unit_of_measurement": "kWh", "state_class": "total_increasing"}
    past = [(dt_util.utcnow() - timedelta(hours=9), "20")]
    await remember(hass, "sensor.kitchen_temperature", past, celsius, now="21")
    await remember(hass, "sensor.bedroom_temperature", past, celsius, now="18")
    await remember(hass, "sensor.energy_total", past, meter, now="22")
    doors = [(dt_util.utcnow() - timedelta(days=2), "off")]
    await remember(hass, "binary_sensor.front_door", doors, {"device_class": "door"})

    await run(hass, example)

    mail = only_mail(server)
    text = text_of(mail)
    pieces = [
        "The rooms:",
        "Temperatures",
        "Bedroom: 18",
        "The rest",
        "Energy",
        "front door: Closed",
    ]
    places = [text.index(piece) for piece in pieces]
    assert places == sorted(places)
    assert [one.get_filename() for one in attached(mail)] == [
        "chart-1.png",
        "chart-2.png",
        "chart-3.png",
    ]


async def test_markdown(hass: HomeAssistant, server: ScriptedServer, example: str) -> None:
    await run(hass, example)

    mail = only_mail(server)
    assert text_of(mail) == (
        "Room          Energy  Change\n"
        "---------  ---------  ------\n"
        "Kitchen     21.4 kWh   -12 %\n"
        "Heat pump  104.8 kWh   -15 %\n"
        "\n"
        "☑ Change the filter\n"
        "☐ Empty the rain barrel\n"
    )


async def test_pictures(
    hass: HomeAssistant, server: ScriptedServer, example: str, tmp_path: Path
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    large = Image.linear_gradient("L").resize((1000, 500)).convert("RGB")
    large.save(tmp_path / "plan.png")
    await run(hass, example.replace("/config/www", str(tmp_path)))

    (plan,) = attached(only_mail(server))
    # what this camera gives is not even a picture
    assert "camera.front_door is damaged" in text_of(only_mail(server))
    content = plan.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert Image.open(BytesIO(content)).size == (400, 200)


async def test_html(hass: HomeAssistant, server: ScriptedServer, example: str) -> None:
    await run(hass, example)

    mail = only_mail(server)
    (picture,) = attached(mail)
    assert picture["Content-ID"] == "<door>"
    assert picture.get_content_disposition() == "inline"
    assert 'src="cid:door"' in text_of(mail, "html")


async def test_report(
    hass: HomeAssistant, server: ScriptedServer, example: str, tmp_path: Path
) -> None:
    (tmp_path / "energy.csv").write_text("day;kWh\n1;7.2\n")
    hass.config.allowlist_external_dirs = {str(tmp_path)}

    await run(hass, example.replace("/config/www", str(tmp_path)))

    mail = only_mail(server)
    assert mail["To"] == "bea@example.test, carl@example.test, Accounting <accounting@example.com>"
    assert ">7.2</td>" in text_of(mail, "html")
    assert text_of(mail) == "The energy report is attached.\n"
    (table,) = attached(mail)
    assert table.get_filename() == "energy.csv"
    assert table.get_content_type() == "text/csv"
    assert table.get_payload(decode=True) == b"day;kWh\n1;7.2\n"


async def test_response(
    hass: HomeAssistant,
    bed: Bed,
    example: str,
    notifications: list[tuple[str | None, str]],
) -> None:
    script = Script(recipient_replies={"carl@example.test": "550 5.1.1 No such user here"})
    server = await bed.serve(script)
    await load_account(hass, server, recipient("Family", ["bea@example.test", "carl@example.test"]))

    await run(hass, example)

    assert only_mail(server)["Subject"] == "Hello"
    assert [text for _, text in notifications] == ["carl@example.test: 550 5.1.1 No such user here"]


async def test_entity(hass: HomeAssistant, server: ScriptedServer, example: str) -> None:
    await run(hass, example)

    mail = only_mail(server)
    assert mail["To"] == "bea@example.test, carl@example.test"
    assert mail["Subject"] == "Hello"
    assert text_of(mail) == "The washing machine is done.\n"


async def test_waiting(
    hass: HomeAssistant,
    bed: Bed,
    example: str,
    notifications: list[tuple[str | None, str]],
) -> None:
    script = Script(answers={Step.GREETING: say("421 4.3.2 Try again later")})
    await load_account(hass, await bed.serve(script))
    await send_unasked(hass, to="bea@example.test", title="Laundry")

    await run(hass, example)

    told = "- Laundry, for bea@example.test: 421 4.3.2 Try again later"
    assert notifications == [("1 mails wait", told)]


async def test_classic(
    hass: HomeAssistant, server: ScriptedServer, example: str, tmp_path: Path
) -> None:
    (tmp_path / "door.jpg").write_bytes(JPEG)
    hass.config.allowlist_external_dirs = {str(tmp_path)}

    await run(hass, example.replace("/config/www", str(tmp_path)))

    mail = only_mail(server)
    assert mail["To"] == "anna@example.com"
    assert mail["Subject"] == "The door is open"
    (picture,) = attached(mail)
    assert picture.get_filename() == "door.jpg"
    assert picture.get_payload(decode=True) == JPEG


async def test_alert(hass: HomeAssistant, server: ScriptedServer, example: str) -> None:
    hass.states.async_set("binary_sensor.freezer_door", "off")
    await configure(hass, example)

    hass.states.async_set("binary_sensor.freezer_door", "on")
    await hass.async_block_till_done()

    mail = only_mail(server)
    assert mail["To"] == "bea@example.test, carl@example.test"
    assert text_of(mail) == "The freezer is open\n"
    hass.states.async_set("binary_sensor.freezer_door", "off")
    await hass.async_block_till_done()


async def test_group(
    hass: HomeAssistant,
    bed: Bed,
    example: str,
    notifications: list[tuple[str | None, str]],
) -> None:
    await configure(hass, example)
    server = await bed.serve()
    await load_account(hass, server, title="home@example.com")

    await hass.services.async_call(
        "notify", "everybody", {"message": "Hi", "data": {"push": {"sound": "none"}}}, blocking=True
    )

    assert only_mail(server)["To"] == "anna@example.com"
    assert [text for _, text in notifications] == ["Hi"]


async def test_login_codes(hass: HomeAssistant, server: ScriptedServer, example: str) -> None:
    written: Any = parse_yaml(example)
    (module_config,) = written["homeassistant"]["auth_mfa_modules"]

    module = await auth_mfa_module_from_config(hass, module_config)

    assert isinstance(module, NotifyAuthModule)
    assert "home_example_com" in module.aync_get_available_notify_services()
    assert not server.record.mails


async def test_failed(
    hass: HomeAssistant,
    bed: Bed,
    example: str,
    notifications: list[tuple[str | None, str]],
) -> None:
    script = Script(recipient_replies={"bea@example.test": "550 5.1.1 No such user here"})
    entry = (await load_account(hass, await bed.serve(script), title="home@example.com")).entry
    await automate(hass, example)

    await send_unasked(hass, to="anna@example.test", title="Laundry")
    with pytest.raises(HomeAssistantError):
        await send_unasked(hass, to="bea@example.test", title="Laundry")
    await hass.async_block_till_done()
    told = [("Not delivered: Laundry", "bea@example.test: 550 5.1.1 No such user here")]
    assert notifications == told

    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert notifications == told


async def test_told(
    hass: HomeAssistant,
    bed: Bed,
    example: str,
    notifications: list[tuple[str | None, str]],
) -> None:
    script = Script(recipient_replies={"bea@example.test": "550 5.1.1 No such user here"})
    server = await bed.serve(script)
    await load_account(hass, server, recipient("Bea", ["bea@example.test"]))
    await automate(hass, example)

    with pytest.raises(HomeAssistantError):
        await send_unasked(hass, entity_id="notify.bea", title="Smoke")
    await hass.async_block_till_done()

    assert notifications == [("Not delivered to Bea", "Smoke: 550 5.1.1 No such user here")]


async def test_recent(
    hass: HomeAssistant,
    bed: Bed,
    example: str,
    notifications: list[tuple[str | None, str]],
) -> None:
    script = Script(recipient_replies={"bea@example.test": "550 5.1.1 No such user here"})
    await load_account(hass, await bed.serve(script))
    await send_unasked(hass, to="anna@example.test", title="Laundry")
    with pytest.raises(HomeAssistantError):
        await send_unasked(hass, to="bea@example.test", title="Laundry")

    await run(hass, example)

    told = "- Laundry, for bea@example.test: 550 5.1.1 No such user here"
    assert notifications == [("1 mails failed today", told)]


async def test_target(hass: HomeAssistant, server: ScriptedServer, example: str) -> None:
    label = lr.async_get(hass).async_create("Alarm")
    er.async_get(hass).async_update_entity("notify.family", labels={label.label_id})

    await run(hass, example)

    mail = only_mail(server)
    assert mail["To"] == "bea@example.test, carl@example.test"
    assert "cid:camera.front_door" in text_of(mail, "html")


async def test_trigger(
    hass: HomeAssistant, bed: Bed, example: str, notifications: list[tuple[str | None, str]]
) -> None:
    script = Script(recipient_replies={"bea@example.test": "550 5.1.1 No such user here"})
    await load_account(hass, await bed.serve(script), recipient("Family", ["bea@example.test"]))
    await automate(hass, example)

    with pytest.raises(HomeAssistantError):
        await send_unasked(hass, entity_id="notify.family", title="Laundry")
    await hass.async_block_till_done()

    assert notifications == [
        ("Not delivered: Laundry", "bea@example.test: 550 5.1.1 No such user here")
    ]

"""The mails that people want first, as the README shows them."""

from pathlib import Path
import re

from homeassistant.core import HomeAssistant
import pytest

from tests.accounts import load_account, recipient
from tests.mails import attached, only_mail, text_of
from tests.pictures import JPEG, StillCamera, add_entities
from tests.support.fixtures import Bed
from tests.support.scripted_server import ScriptedServer
from tests.yaml_actions import run

README = Path(__file__).parent.parent / "README.md"
_EXAMPLE = re.compile(r"<!-- example: (\w+) -->\n```yaml\n(.*?)```", re.DOTALL)
EXAMPLES = dict(_EXAMPLE.findall(README.read_text()))


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed) -> ScriptedServer:
    """A family's server; the family has a camera."""
    server = await bed.serve()
    await load_account(hass, server, recipient("Family", ["bea@example.test"]))
    await add_entities(hass, "camera", StillCamera("Front door"))
    return server


def test_every_example_is_run_here() -> None:
    assert EXAMPLES.keys() == {"text", "snapshot", "html", "report"}


async def test_text(hass: HomeAssistant, server: ScriptedServer) -> None:
    await run(hass, EXAMPLES["text"])

    mail = only_mail(server)
    assert mail["To"] == "bea@example.test"
    assert mail["Subject"] == "Smoke in the hallway"
    assert mail["X-Priority"] == "2 (High)"
    assert text_of(mail) == "The smoke detector went off.\n"


async def test_snapshot(hass: HomeAssistant, server: ScriptedServer) -> None:
    await run(hass, EXAMPLES["snapshot"])

    (picture,) = attached(only_mail(server))
    assert picture.get_payload(decode=True) == JPEG
    assert picture.get_content_disposition() == "attachment"
    assert (picture.get_filename() or "").startswith("front_door_")


async def test_html(hass: HomeAssistant, server: ScriptedServer) -> None:
    await run(hass, EXAMPLES["html"])

    mail = only_mail(server)
    (picture,) = attached(mail)
    assert picture["Content-ID"] == "<door>"
    assert picture.get_content_disposition() == "inline"
    assert 'src="cid:door"' in text_of(mail, "html")


async def test_report(hass: HomeAssistant, server: ScriptedServer, tmp_path: Path) -> None:
    (tmp_path / "energy.csv").write_text("day;kWh\n1;7.2\n")
    hass.config.allowlist_external_dirs = {str(tmp_path)}

    await run(hass, EXAMPLES["report"].replace("/config/www", str(tmp_path)))

    mail = only_mail(server)
    assert mail["To"] == "bea@example.test, Accounting <accounting@example.com>"
    assert ">7.2</td>" in text_of(mail, "html")
    assert text_of(mail) == "The energy report is attached.\n"
    (table,) = attached(mail)
    assert table.get_filename() == "energy.csv"
    assert table.get_content_type() == "text/csv"
    assert table.get_payload(decode=True) == b"day;kWh\n1;7.2\n"

"""Nothing here holds Home Assistant's event loop up, in the eyes of those who watch over it.

Home Assistant runs in asyncio's debug mode, and its own detector of blocking calls is on, as it
always is outside of a test harness.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
import re

import pytest

from tests.support.certificates import Certificates
from tests.support.script import HEALTHY, PASSWORD, USERNAME
from tests.support.scripted_server import ScriptedServer

from .client import Json
from .demo import DOMAIN, ENTITY, FAMILY_ADDRESSES, add_recipient
from .dialog import Dialog
from .hass_runner import HomeAssistant

_FAULT = re.compile(
    "(?:Detected|Caught) blocking call|never awaited|was never retrieved"
    "|was destroyed but it is pending|Non-thread-safe operation"
)
_DELAY = re.compile(r"Executing <.*> took \d+\.\d+ seconds", re.DOTALL)
_ENTRY = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.MULTILINE)
_LARGE = 20_000_000
_COMPONENT = Path(__file__).resolve().parents[1] / "bench" / "component"
_CONFIGURATION = """\
camera:
  - platform: courier_bench
"""


def complaints(log: str, kind: re.Pattern[str]) -> list[str]:
    """Return the entries of a kind that name this integration, be it in their tracebacks."""
    return [entry for entry in _ENTRY.split(log) if DOMAIN in entry and kind.search(entry)]


@dataclass(frozen=True)
class House:
    """A Home Assistant whose event loop is watched, and the mail server of its account."""

    hass: HomeAssistant
    server: ScriptedServer
    entry_id: str

    async def send(self, title: str, **fields: object) -> str:
        """Send a mail to the family and return its status."""
        answer: Json = await self.hass.client.call(
            "email_courier.send_message",
            {"title": title, "message": "Hello", **fields},
            target={"entity_id": ENTITY},
            response=True,
        )
        return str(answer["status"])

    async def walk(self) -> list[str]:
        """Do all that could hold the event loop up; return what held it up."""
        before = len(self.hass.log())
        self.server.record.mails.clear()
        for title in ("One", "Two", "Three"):
            assert await self.send(title) == "sent"
        file, picture = {"path": "www/film.mp4"}, {"entity_id": "camera.bench_20"}
        assert await self.send("A large file", attachments=[file]) == "sent"
        assert await self.send("A large picture", attachments=[picture]) == "sent"
        await self.server.stop()
        assert await self.send("Waits") == "queued"
        await self.hass.client.get(f"/api/diagnostics/config_entry/{self.entry_id}")
        await self.server.start()
        await self.hass.client.post(f"/api/config/config_entries/entry/{self.entry_id}/reload")
        async with asyncio.timeout(60):
            while len(self.server.record.mails) < 6:
                await asyncio.sleep(0.1)
        return complaints(self.hass.log()[before:], _DELAY)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Set everything up in the dialogs, as a person would."""
    certificates = Certificates()
    hass = HomeAssistant(
        tmp_path / "config",
        authority_pem=certificates.authority_pem,
        configuration=_CONFIGURATION,
        debug=True,
    )
    _add_camera(hass.folder)
    film = hass.folder / "www" / "film.mp4"
    film.parent.mkdir()
    film.write_bytes(b"\0\0\0\x18ftypisom" + bytes(_LARGE))
    async with ScriptedServer(HEALTHY, certificates) as server, AsyncExitStack() as stack:
        stack.push_async_callback(hass.stop)
        await hass.start()
        dialog = Dialog(hass.client)
        account = await dialog.complete(
            await dialog.begin(DOMAIN),
            {
                "sender": USERNAME,
                "host": server.host,
                "port": server.port,
                "encryption": "starttls",
                "verify_ssl": True,
                "username": USERNAME,
                "password": PASSWORD,
            },
        )
        await add_recipient(hass, account)
        yield House(hass, server, account["result"]["entry_id"])


async def test_the_event_loop_is_never_held_up(house: House) -> None:
    delays = await house.walk()
    if delays:
        # A busy machine delays whatever it likes, but not the same work twice.
        delays = await house.walk()
    await house.hass.stop()

    assert delays == []
    assert complaints(house.hass.log(), _FAULT) == []
    mails = house.server.record.mails
    titles = [message_from_bytes(mail.content, policy=policy.default)["Subject"] for mail in mails]
    assert titles == ["One", "Two", "Three", "A large file", "A large picture", "Waits"]
    assert all(mail.recipients == FAMILY_ADDRESSES for mail in mails)
    assert all(len(mail.content) > _LARGE for mail in mails[3:5])


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ("WARNING [homeassistant.util.loop] Detected blocking call to sleep", _FAULT),
        ("WARNING [py.warnings] RuntimeWarning: coroutine 'x' was never awaited", _FAULT),
        ("ERROR [homeassistant] Error doing job: Task exception was never retrieved", _FAULT),
        ("WARNING [asyncio] Executing <Task pending\n> took 0.120 seconds", _DELAY),
    ],
)
def test_what_would_be_wrong_is_found_where_this_integration_is_named(
    entry: str, kind: re.Pattern[str]
) -> None:
    before = "2026-11-21 12:00:00.000+00:00 WARNING [asyncio] nothing\n"
    named = f"2026-11-21 12:00:01.000+00:00 {entry}\n  in custom_components/{DOMAIN}/account.py\n"
    assert complaints(before + named, kind) == [named]
    assert complaints(before + named.replace(DOMAIN, "other"), kind) == []


def _add_camera(folder: Path) -> None:
    """Put in a camera with a picture as large as the file, without all that measures."""
    component = folder / "custom_components" / "courier_bench"
    component.mkdir()
    (component / "__init__.py").touch()
    for name in ("manifest.json", "camera.py"):
        (component / name).symlink_to(_COMPONENT / name)

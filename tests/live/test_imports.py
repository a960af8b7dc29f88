"""What the first mail, question, answer and report import, they import off the event loop."""

import asyncio
import json
from pathlib import Path
import re

import aiohttp

from tests.support.certificates import Certificates
from tests.support.script import HEALTHY, PASSWORD, USERNAME
from tests.support.scripted_server import ScriptedServer

from .client import Json
from .demo import DOMAIN
from .hass_runner import HomeAssistant

_WATCH = '''
import logging
import sys
import threading

_LOGGER = logging.getLogger(__name__)
_WATCHED = ("custom_components.email_courier", "aiosmtplib", "markdown_it", "scramp")


class _Watch:
    """Says what is imported by the thread of the event loop."""

    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread() and name.startswith(_WATCHED):
            _LOGGER.error("imported on the event loop: %s", name)


async def async_setup(hass, config):
    sys.meta_path.insert(0, _Watch())
    return True
'''
_FAULT = re.compile(r"imported on the event loop: .*|(?:Detected|Caught) blocking call.*")
_LINK = re.compile(r"http://[^\s\"<>]+/api/email_courier/answer\?t=[\w-]+")
_PROOF = re.compile(r'name="proof" value="([^"]+)"')


def _add_watch(folder: Path) -> None:
    component = folder / "custom_components" / "import_watch"
    component.mkdir()
    (component / "__init__.py").write_text(_WATCH)
    manifest = {"domain": "import_watch", "name": "Watch", "version": "1", "requirements": []}
    (component / "manifest.json").write_text(json.dumps(manifest))


def _add_account(folder: Path, server: ScriptedServer) -> None:
    """Store an account with a recipient and a report, as an earlier run would have."""
    shared: Json = {"unique_id": None}
    subentries = [
        {
            "subentry_type": "recipient",
            "subentry_id": "01FAMILY",
            "title": "Family",
            "data": {"to": ["bea@example.test"]},
        },
        {
            "subentry_type": "report",
            "subentry_id": "01REPORT",
            "title": "Every day",
            "data": {
                "recipients": ["bea@example.test"],
                "frequency": "daily",
                "time": "07:00:00",
                "sections": ["batteries"],
            },
        },
    ]
    entry = {
        **shared,
        "created_at": "2026-01-01T00:00:00+00:00",
        "modified_at": "2026-01-01T00:00:00+00:00",
        "data": {
            "sender": USERNAME,
            "host": server.host,
            "port": server.port,
            "encryption": "starttls",
            "verify_ssl": True,
            "username": USERNAME,
            "password": PASSWORD,
        },
        "disabled_by": None,
        "discovery_keys": {},
        "domain": DOMAIN,
        "entry_id": "01ACCOUNT",
        "minor_version": 2,
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "subentries": [{**shared, **subentry} for subentry in subentries],
        "title": "Home",
        "version": 1,
    }
    stored = {"key": "core.config_entries", "version": 1, "minor_version": 5}
    (folder / ".storage" / "core.config_entries").write_text(
        json.dumps({**stored, "data": {"entries": [entry]}})
    )


async def _mail(server: ScriptedServer, number: int) -> str:
    """Return a mail once so many are there, its soft line ends undone."""
    async with asyncio.timeout(60):
        while len(server.record.mails) < number:
            await asyncio.sleep(0.1)
    text = server.record.mails[number - 1].content.decode()
    return text.replace("=\r\n", "").replace("=3D", "=")


async def _answer(link: str) -> None:
    """Press the button of a page."""
    async with aiohttp.ClientSession() as session:
        async with session.get(link) as response:
            proof = _PROOF.search(await response.text())
        assert proof is not None
        async with session.post(link, data={"proof": proof[1]}) as response:
            assert response.status == 200


async def test_nothing_is_imported_on_the_event_loop(tmp_path: Path) -> None:
    certificates = Certificates()
    hass = HomeAssistant(
        tmp_path / "config",
        authority_pem=certificates.authority_pem,
        configuration="import_watch:\n",
    )
    _add_watch(hass.folder)
    async with ScriptedServer(HEALTHY, certificates) as server:
        _add_account(hass.folder, server)
        await hass.start()
        try:
            client = hass.client
            await client.command("config/core/update", external_url=hass.url)
            sending = {"to": ["bea@example.test"], "message": "**Hello**", "markdown": "**Hello**"}
            await client.call(f"{DOMAIN}.send_message", sending)
            await _mail(server, 1)
            actions = [{"action": "OPEN", "title": "Open the gate"}]
            asking = {**sending, "title": "The gate", "actions": actions}
            question = asyncio.create_task(client.call(f"{DOMAIN}.ask", asking, response=True))
            link = _LINK.search(await _mail(server, 2))
            assert link is not None
            await _answer(link[0])
            assert (await question)["action"] == "OPEN"
            [button] = [name for name in await client.states("button") if "every_day" in name]
            await client.call("button.press", {"entity_id": button})
            await _mail(server, 3)
            await client.call(f"{DOMAIN}.list_waiting", {}, response=True)
            await client.call("notify.home", {"message": "Hello"})
            await _mail(server, 4)
            await client.get("/api/diagnostics/config_entry/01ACCOUNT")
        finally:
            await hass.stop()
    assert _FAULT.findall(hass.log()) == []

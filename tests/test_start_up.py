"""What a start of Home Assistant has to do for this integration: little, and nothing outside."""

import json
from pathlib import Path
import subprocess
import sys

from homeassistant.core import CoreState, HomeAssistant
from homeassistant.util.ssl import client_context
import pytest

from custom_components.email_courier import services
from custom_components.email_courier.entry import async_context_for
from custom_components.email_courier.mail.settings import Trust
from tests.support.accounts import account_entry, load, recipient
from tests.support.fixtures import Bed

_PACKAGE = Path(services.__file__).parent
_ROOT = _PACKAGE.parents[1]
_IMPORT_ALL = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""


async def test_an_account_is_set_up_without_a_connection(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    hass.set_state(CoreState.starting)
    await load(hass, account_entry(server, recipient("Anna", ["anna@example.test"])))
    await hass.async_block_till_done()
    assert server.record.connections == 0
    assert hass.states.get("notify.anna") is not None


async def test_an_account_uses_the_context_that_home_assistant_has(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    assert await async_context_for(hass, Trust()) is client_context()


def test_importing_all_of_it_brings_neither_cameras_nor_speech() -> None:
    files = (file.relative_to(_ROOT).with_suffix("") for file in _PACKAGE.rglob("[!_]*.py"))
    modules = [".".join(file.parts) for file in files]
    found = subprocess.run(
        (sys.executable, "-c", _IMPORT_ALL, *modules),
        capture_output=True,
        text=True,
        check=True,
        cwd=_ROOT,
    )
    imported = set(json.loads(found.stdout))
    assert "custom_components.email_courier.send.attachments" in imported
    heavy = {"homeassistant.components." + name for name in ("camera", "stream", "image", "tts")}
    assert imported.isdisjoint(heavy)

"""What a start of Home Assistant has to do for this integration: little, and nothing outside."""

from collections.abc import Iterable
from importlib.util import find_spec
import json
from pathlib import Path
import subprocess
import sys

from homeassistant.core import CoreState, HomeAssistant
from homeassistant.loader import BASE_PRELOAD_PLATFORMS
from homeassistant.util.ssl import client_context
import pytest

import custom_components.email_courier as integration
from custom_components.email_courier import services
from custom_components.email_courier.entry import async_context_for
from custom_components.email_courier.mail.settings import Trust
from tests.support.accounts import account_entry, load, recipient
from tests.support.fixtures import Bed

_PACKAGE = Path(services.__file__).parent
_ROOT = _PACKAGE.parents[1]
_NAME = services.__package__
_AT_START = [
    _NAME,
    *(
        f"{_NAME}.{name}"
        for name in (*BASE_PRELOAD_PLATFORMS, *integration.PLATFORMS)
        if (_PACKAGE / f"{name}.py").exists()
    ),
]
"""What Home Assistant imports of an integration with a loaded account, and by that all else."""
_LATER = [
    *("aiosmtplib", "markdown_it", "scramp"),
    *(
        f"{_NAME}.{name}"
        for name in (
            *("mail.smtp", "mail.redaction", "mail.compose.message", "mail.compose.bodies"),
            *("mail.charts", "mail.discovery", "mail.verify", "mail.arrival"),
            *("send.message", "send.targets", "send.attachments", "send.buttons", "send.facts"),
            *("send.ask", "send.repeat", "send.legacy", "send.waiting", "send.plots"),
            *("answer.book", "answer.page", "answer.sign_in", "answer.token"),
            *("report.message", "report.measured", "report.sections", "pictures"),
        )
    ),
]
"""What the first mail, action, answer, digest, report or dialog imports, with all that is in it."""
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


def test_a_start_imports_nothing_that_only_a_first_use_needs() -> None:
    at_start = _imported(_AT_START)
    assert {f"{_NAME}.mail.outbox.courier", f"{_NAME}.services"} <= at_start
    assert [name for name in at_start for later in _LATER if _is_within(name, later)] == []


@pytest.mark.parametrize("name", _LATER)
def test_what_a_start_leaves_out_is_there(name: str) -> None:
    assert find_spec(name) is not None


def test_importing_all_of_it_brings_neither_cameras_nor_speech() -> None:
    files = (file.relative_to(_ROOT).with_suffix("") for file in _PACKAGE.rglob("[!_]*.py"))
    modules = [".".join(file.parts) for file in files]
    imported = _imported(modules)
    assert "custom_components.email_courier.send.attachments" in imported
    heavy = {"homeassistant.components." + name for name in ("camera", "stream", "image", "tts")}
    assert imported.isdisjoint(heavy)


def _imported(modules: Iterable[str]) -> set[str]:
    """Return what is imported in a process that imports these after Home Assistant."""
    found = subprocess.run(
        (sys.executable, "-c", _IMPORT_ALL, *modules),
        capture_output=True,
        text=True,
        check=True,
        cwd=_ROOT,
    )
    return set(json.loads(found.stdout))


def _is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")

"""How far a reader walks who follows one mail that is delivered at once."""

from collections.abc import Iterator, Sequence
import contextlib
from itertools import pairwise
from pathlib import Path
import sys
import tomllib
from types import CodeType

from homeassistant.core import HomeAssistant

import custom_components.email_courier as integration
from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY

_SOURCES = str(Path(integration.__file__).parent)
_TOOL = 4
"""An id for monitoring (PEP 669) that neither coverage nor a profiler takes."""


@contextlib.contextmanager
def _files_entered() -> Iterator[list[str]]:
    """Note the file of each function of the integration that is entered for the first time."""
    files: list[str] = []
    seen: set[CodeType] = set()

    def enter(code: CodeType, _offset: int) -> None:
        if code not in seen and code.co_filename.startswith(_SOURCES):
            seen.add(code)
            files.append(code.co_filename.removeprefix(_SOURCES))

    monitoring = sys.monitoring
    monitoring.use_tool_id(_TOOL, "one mail")
    monitoring.register_callback(_TOOL, monitoring.events.PY_START, enter)
    monitoring.set_events(_TOOL, monitoring.events.PY_START)
    try:
        yield files
    finally:
        monitoring.set_events(_TOOL, 0)
        monitoring.free_tool_id(_TOOL)


def _changes(files: Sequence[str]) -> int:
    return sum(before != after for before, after in pairwise(files))


async def test_whoever_follows_a_delivered_mail_seldom_changes_the_file(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY)
    await load_account(hass, server, recipient("Family", ["bea@example.test"]))
    with _files_entered() as files:
        await hass.services.async_call(
            "email_courier",
            "send_message",
            {"entity_id": "notify.family", "title": "Washing machine", "message": "It is done."},
            blocking=True,
        )
    assert len(server.record.mails) == 1
    figures = {
        "file_changes_of_one_mail": _changes(files),
        "file_changes_in_the_outbox": _changes([file for file in files if "/outbox/" in file]),
    }
    project = Path(__file__).parents[1] / "pyproject.toml"
    bounds = tomllib.loads(project.read_text())["tool"]["structure"]
    for name, figure in figures.items():
        print(f"{name.replace('_', ' '):<28}{figure:>5}  of at most {bounds[name]}")
        assert figure <= bounds[name]

"""A whole Home Assistant comes up, and comes up again on what it left behind."""

from collections.abc import AsyncIterator
import fcntl
from pathlib import Path

import pytest

from .dialog import Dialog
from .hass_runner import HomeAssistant, StartError, home_assistant


@pytest.fixture
async def hass(tmp_path: Path) -> AsyncIterator[HomeAssistant]:
    """A running Home Assistant."""
    async with home_assistant(tmp_path / "config") as running:
        yield running


async def test_a_dialog_is_answered_to_its_end(hass: HomeAssistant) -> None:
    dialog = Dialog(hass.client)
    created = await dialog.complete(await dialog.begin("sun"), {})
    assert created["result"]["domain"] == "sun"
    assert (await hass.client.until_state("sun.sun"))["state"] in ("above_horizon", "below_horizon")


async def test_what_was_set_up_outlives_a_stop_and_a_kill(hass: HomeAssistant) -> None:
    dialog = Dialog(hass.client)
    await dialog.complete(await dialog.begin("sun"), {})
    await hass.restart()
    await hass.client.until_state("sun.sun")
    await hass.kill()
    await hass.start()
    await hass.client.until_state("sun.sun")


async def test_one_that_ends_at_once_says_why(tmp_path: Path) -> None:
    second = HomeAssistant(tmp_path / "config")
    with (second.folder / ".ha_run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StartError, match="already running"):
            await second.start()


async def test_this_integration_is_found_by_it(hass: HomeAssistant) -> None:
    found = await hass.client.command("manifest/get", integration="email_courier")
    assert not found["is_built_in"]

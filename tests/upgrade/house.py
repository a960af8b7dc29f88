"""A Home Assistant that really reads and writes its `.storage`, as the test harness's does not.

As a program it runs the version that lies in the folder's own `custom_components`, in a process of
its own, so that two versions never meet in one. It imports nothing of this project for that reason.

    python tests/upgrade/house.py CONFIG

It loads what is stored, notes what is there before the network is touched, then lets some hours of
timers fire, so that all that waits is sent, prints both notes as one line of JSON, and sends one
new mail from each account.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
import json
from pathlib import Path
import sys
from typing import Any, Final

from homeassistant import loader
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    category_registry as cr,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    frame,
    issue_registry as ir,
    label_registry as lr,
    restore_state as rs,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    async_test_home_assistant,
)

DOMAIN: Final = "email_courier"
NEW: Final = "A new mail"
"""The subject of what the program sends itself."""
_REGISTRIES: Final = (ar, cr, dr, er, fr, ir, lr, rs)


@asynccontextmanager
async def running(config: Path) -> AsyncIterator[HomeAssistant]:
    """Run Home Assistant with the integration on a configuration folder, and stop it at the end.

    It is starting still: call `start` to have mail delivered.
    """
    async with async_test_home_assistant(
        load_registries=False, config_dir=str(config), initial_state=CoreState.starting
    ) as hass:
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        frame.async_setup(hass)
        dr.async_setup(hass)
        for registry in _REGISTRIES:
            await registry.async_load(hass)
        await hass.config_entries.async_initialize()
        try:
            assert await async_setup_component(hass, DOMAIN, {})
            await hass.async_block_till_done()
            yield hass
        finally:
            await hass.async_stop(force=True)


async def start(hass: HomeAssistant) -> None:
    """Let Home Assistant have started."""
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done(wait_background_tasks=True)


async def pass_time(hass: HomeAssistant, **time: float) -> None:
    """Let the timers of that time fire, also those that are only set meanwhile."""
    until = dt_util.utcnow() + timedelta(**time)
    for _ in range(3):
        async_fire_time_changed(hass, until)
        await hass.async_block_till_done(wait_background_tasks=True)


async def act(hass: HomeAssistant, action: str, **data: Any) -> dict[str, Any]:
    """Call an action of the integration and return its response."""
    response = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )
    assert isinstance(response, dict)
    return response


async def waiting(hass: HomeAssistant, entry_id: str) -> list[dict[str, Any]]:
    """List the waiting mail of an account."""
    mails: list[dict[str, Any]] = (await act(hass, "list_waiting", config_entry_id=entry_id))[
        "mails"
    ]
    return mails


async def deliver(hass: HomeAssistant) -> None:
    """Let Home Assistant have started and pass time that is enough for all that waits."""
    await start(hass)
    for minutes in (1, 62, 180):
        await pass_time(hass, minutes=minutes)


async def notes(hass: HomeAssistant) -> dict[str, Any]:
    """Return what a user can see, account by account: its state, entities, waiting mail, past."""
    integration = await loader.async_get_integration(hass, DOMAIN)
    diagnostics = await integration.async_get_platform("diagnostics")
    registry = er.async_get(hass)
    noted: dict[str, Any] = {}
    for entry in hass.config_entries.async_entries(DOMAIN):
        shown = await diagnostics.async_get_config_entry_diagnostics(hass, entry)
        noted[entry.title] = {
            "state": entry.state.value,
            "entities": {
                entity.entity_id: entity.unique_id
                for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
                if hass.states.get(entity.entity_id) is not None
            },
            "waiting": await waiting(hass, entry.entry_id),
            "outcomes": shown["outcomes"],
        }
    return noted


async def _run(config: Path) -> None:
    async with running(config) as hass:
        before = await notes(hass)
        await deliver(hass)
        after = await notes(hass)
        for title in after:
            await act(
                hass,
                "send_message",
                config_entry_id=title.lower(),
                to=["bea@example.test"],
                title=NEW,
                message="It works.",
            )
        print(json.dumps([before, after]))  # noqa: T201 - what it is run for
    source = str(sys.modules[f"custom_components.{DOMAIN}"].__file__)
    assert Path(source).is_relative_to(config), source


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]).resolve()))

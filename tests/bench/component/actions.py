"""Measures other integrations from inside Home Assistant, through its own registry of actions.

Only the measurements put this into a Home Assistant.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
import sys
import time
from types import MappingProxyType
from typing import Any

from homeassistant.components import camera
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_START, Platform
from homeassistant.core import (
    Event,
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.discovery import async_load_platform
from homeassistant.helpers.recorder import get_instance
from homeassistant.helpers.typing import ConfigType

from .gauge import Gauge, settled_memory

DOMAIN = "courier_bench"
CONFIG_SCHEMA = cv.empty_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, and note what is imported when everything is set up."""
    imported: list[str] = []

    @callback
    def note(_event: Event) -> None:
        imported.extend(sys.modules)

    @callback
    def imported_at_start(_call: ServiceCall) -> ServiceResponse:
        """Return the modules in the order in which they were imported."""
        return {"modules": [*imported]}

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_START, note)
    for action in (
        *(add_account, reload, reload_all, remember, measure, footprint),
        imported_at_start,
    ):
        hass.services.async_register(
            DOMAIN, action.__name__, action, supports_response=SupportsResponse.ONLY
        )
    hass.services.async_register(DOMAIN, look.__name__, look)
    await async_load_platform(hass, Platform.CAMERA, DOMAIN, {}, config)
    return True


async def add_account(call: ServiceCall) -> ServiceResponse:
    """Add a config entry without its dialog; return its id and its notify entities."""
    hass = call.hass
    entry: ConfigEntry[Any] = ConfigEntry(
        data=call.data["data"],
        discovery_keys=MappingProxyType({}),
        domain=call.data["domain"],
        minor_version=1,
        options=call.data["options"],
        source="user",
        subentries_data=call.data["subentries"],
        title=call.data["title"],
        unique_id=None,
        version=1,
    )
    await hass.config_entries.async_add(entry)
    # Core's loads its classic action in a task of its own.
    await hass.async_block_till_done()
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {
        "entry_id": entry.entry_id,
        "state": entry.state.value,
        "entities": [it.entity_id for it in entities if it.domain == "notify"],
    }


async def reload(call: ServiceCall) -> ServiceResponse:
    """Unload an entry and set it up again; return how many seconds the latter took."""
    entries = call.hass.config_entries
    await entries.async_unload(call.data["entry_id"])
    await call.hass.async_block_till_done()
    start = time.perf_counter()
    await entries.async_setup(call.data["entry_id"])
    seconds = time.perf_counter() - start
    await call.hass.async_block_till_done()
    return {"seconds": seconds}


async def reload_all(call: ServiceCall) -> ServiceResponse:
    """Unload entries and set them up again, all at once; return the seconds of the latter."""
    entries = call.hass.config_entries
    for entry_id in call.data["entry_ids"]:
        await entries.async_unload(entry_id)
    await call.hass.async_block_till_done()
    start = time.perf_counter()
    await asyncio.gather(*map(entries.async_setup, call.data["entry_ids"]))
    seconds = time.perf_counter() - start
    await call.hass.async_block_till_done()
    return {"seconds": seconds}


async def footprint(call: ServiceCall) -> ServiceResponse:
    """Return the memory of the process once all is done that was begun."""
    await call.hass.async_block_till_done()
    return {"bytes": await settled_memory()}


async def remember(call: ServiceCall) -> ServiceResponse:
    """Give four thermometers and four meters a past, and a state now; return what it took."""
    from . import past  # noqa: PLC0415 - the recorder is there in one of the houses alone

    hass = call.hass
    start = time.perf_counter()
    write = partial(past.write, hass, time.time(), call.data["days"], call.data["years"])
    await get_instance(hass).async_add_executor_job(write)
    for number in range(4):
        measured = {"unit_of_measurement": "°C", "state_class": "measurement"}
        hass.states.async_set(f"sensor.bench_{number}", past.value(number, 0), measured)
        meter = {"unit_of_measurement": "kWh", "state_class": "total_increasing"}
        hass.states.async_set(f"sensor.bench_meter_{number}", "7008", meter)
    return {"seconds": time.perf_counter() - start}


async def look(call: ServiceCall) -> None:
    """Have a camera make its picture, and do nothing with it."""
    await camera.async_get_image(call.hass, call.data["entity_id"])


async def measure(call: ServiceCall) -> ServiceResponse:
    """Perform an action so many times, all at once or in turn, and return what it took.

    Returns seconds, of the clock and of the processor, and with `watch` also the longest stall of
    the event loop in seconds and the extra memory in bytes.
    """
    gauge = Gauge()
    if call.data.get("watch"):
        await gauge.start()
    start, computed = time.perf_counter(), time.process_time()
    if call.data["parallel"]:
        await asyncio.gather(*(_once(call.hass, call.data, n) for n in range(call.data["times"])))
    else:
        for number in range(call.data["times"]):
            await _once(call.hass, call.data, number)
    seconds = time.perf_counter() - start
    taken: dict[str, Any] = {"seconds": seconds, "processor": time.process_time() - computed}
    if call.data.get("watch"):
        taken |= await gauge.stop()
    return taken


async def _once(hass: HomeAssistant, wanted: Mapping[str, Any], number: int) -> None:
    domain, _, service = wanted["action"].partition(".")
    data = wanted["data"]
    if not wanted.get("response"):
        data = {**data, "title": f"Mail {number}"}
    await hass.services.async_call(
        domain,
        service,
        data,
        blocking=True,
        target=wanted.get("target"),
        return_response=wanted.get("response", False),
    )

"""Home Assistant as the outbox sees it: a clock, tasks, worker threads, timers and a folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .mail.outbox.runtime import Host


def outbox_folder(hass: HomeAssistant, entry_id: str) -> Path:
    """Return where the mail of an account waits."""
    return Path(hass.config.path(STORAGE_DIR, DOMAIN, entry_id))


def iso_time(timestamp: float | None) -> str | None:
    """Return a time of the outbox as Home Assistant shows it."""
    return None if timestamp is None else dt_util.utc_from_timestamp(timestamp).isoformat()


def outbox_host(hass: HomeAssistant) -> Host:
    """Return what an account's outbox works with."""

    def spawn[T](work: Coroutine[Any, Any, T], name: str, /) -> asyncio.Task[T]:
        return hass.async_create_task(work, f"{DOMAIN} {name}")

    def call_at(when: float, action: Callable[[], None], /) -> Callable[[], None]:
        return hass.loop.call_later(max(when - time.monotonic(), 0.0), action).cancel

    return Host(
        clock=time.time,
        monotonic=time.monotonic,
        run_blocking=hass.async_add_executor_job,
        spawn=spawn,
        call_at=call_at,
    )

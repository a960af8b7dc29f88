"""Home Assistant as the outbox sees it: a clock, tasks, worker threads, timers and a folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
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
        @callback
        def fire(_now: datetime) -> None:
            action()

        return async_track_point_in_utc_time(hass, fire, datetime.fromtimestamp(when, UTC))

    return Host(
        clock=lambda: dt_util.utcnow().timestamp(),
        run_blocking=hass.async_add_executor_job,
        spawn=spawn,
        finish=spawn,
        call_at=call_at,
    )

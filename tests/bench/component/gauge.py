"""How long the event loop stands still, and how much memory the process takes meanwhile."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from pathlib import Path

_BEAT = 0.001
"""Seconds between two looks at the clock."""
_MMAP_THRESHOLD = -3  # mallopt(3)
_LARGE = 131_072
"""Bytes from which a block goes back to the system at once: glibc would raise this by itself, and
what was kept from the last time would not be counted the next."""
_REST = 0.2
"""Seconds for what ran before to come to its end."""
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # proc(5)


class Gauge:
    """Watches from start() to stop()."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._worst = 0.0
        self._due = 0.0
        self._before = 0
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin, from a clean state of the memory."""
        self._before = await settled_memory()
        _CLEAR.write_text(_RESET_PEAK)  # noqa: ASYNC240 - not a file on a disk
        self._beat()

    async def stop(self) -> dict[str, float]:
        """Return the longest stall in seconds and the extra memory at its peak in bytes."""
        peak = _status("VmHWM")
        await asyncio.sleep(2 * _BEAT)
        if self._timer is not None:
            self._timer.cancel()
        return {"stall": self._worst, "memory": max(peak - self._before, 0)}

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._due:
            self._worst = max(self._worst, now - self._due)
        self._due = now + _BEAT
        self._timer = loop.call_at(self._due, self._beat)


async def settled_memory() -> int:
    """Return the resident memory in bytes, once nothing is left in it that nobody needs."""
    await asyncio.sleep(_REST)
    gc.collect()
    library = ctypes.CDLL(None)
    library.mallopt(_MMAP_THRESHOLD, _LARGE)
    library.malloc_trim(0)
    return _status("VmRSS")


def _status(name: str) -> int:
    """Return a figure of proc(5) in bytes."""
    line = next(it for it in _STATUS.read_text().splitlines() if it.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024

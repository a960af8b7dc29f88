"""Cameras whose picture has a certain size, made anew at each look."""

from __future__ import annotations

import os

from homeassistant.components.camera import Camera
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType

SIZES = (1, 10, 20)
"""Megabytes."""


async def async_setup_platform(
    hass: HomeAssistant,
    config: ConfigType,
    async_add_entities: AddEntitiesCallback,
    discovery_info: DiscoveryInfoType | None = None,
) -> None:
    """Add one camera for each size: camera.bench_1 and so on."""
    async_add_entities(_Camera(size) for size in SIZES)


class _Camera(Camera):
    _attr_should_poll = False

    def __init__(self, size: int) -> None:
        super().__init__()
        self._attr_name = f"Bench {size}"
        self._size = size * 1_000_000

    def camera_image(self, width: int | None = None, height: int | None = None) -> bytes:
        """Return a picture as large as promised. It is made in a worker thread.

        Nothing is put in front of what chance gives: a copy of so many bytes alone would hold the
        event loop up for 20 ms, because Python's lock is kept meanwhile.
        """
        return os.urandom(self._size)

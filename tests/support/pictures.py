"""Cameras and images for tests, and the smallest pictures there are."""

import asyncio
from base64 import b64decode

from homeassistant.components.camera import Camera
from homeassistant.components.image import ImageEntity
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity import Entity
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import setup_test_component_platform

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00 a picture \xff\xd9"
PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)


class StillCamera(Camera):
    """A camera that always sees the same, at once or after others have been asked, too."""

    def __init__(self, name: str, picture: bytes | None = JPEG) -> None:
        """See a picture; without one, be broken."""
        super().__init__()
        self._attr_name = name
        self._attr_unique_id = name
        self._picture = picture
        self.meeting: asyncio.Barrier | None = None

    async def async_camera_image(
        self,
        width: int | None = None,  # noqa: ARG002
        height: int | None = None,  # noqa: ARG002
    ) -> bytes | None:
        """Take a picture, whatever size is wished for."""
        if self.meeting is not None:
            await self.meeting.wait()
        if self._picture is None:
            raise HomeAssistantError("the lens cap is on")
        return self._picture


class StillImage(ImageEntity):
    """An image entity."""

    _attr_content_type = "image/png"

    def __init__(self, hass: HomeAssistant, name: str) -> None:
        """Show a picture."""
        super().__init__(hass)
        self._attr_name = name
        self._attr_unique_id = name
        self._attr_image_last_updated = dt_util.utcnow()

    async def async_image(self) -> bytes:
        """Return the picture."""
        return PNG


async def add_entities(hass: HomeAssistant, domain: str, *entities: Entity) -> None:
    """Add entities to Home Assistant."""
    setup_test_component_platform(hass, domain, entities)
    assert await async_setup_component(hass, domain, {domain: {"platform": "test"}})
    await hass.async_block_till_done()

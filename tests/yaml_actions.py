"""Actions as people write them: in YAML, run by Home Assistant's own scripts."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml


async def run(hass: HomeAssistant, text: str) -> None:
    """Run one action or a list of them to its end."""
    sequence: Any = parse_yaml(text)
    assert await async_setup_component(hass, "script", {"script": {"test": {"sequence": sequence}}})
    await hass.services.async_call("script", "test", blocking=True)

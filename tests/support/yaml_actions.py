"""Actions and automations as people write them: in YAML, run by Home Assistant itself."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml


async def run(hass: HomeAssistant, text: str) -> None:
    """Run one action, a list of them, or those of an automation, to their end."""
    written: Any = parse_yaml(text)
    sequence = written["actions"] if isinstance(written, dict) and "actions" in written else written
    assert await async_setup_component(hass, "script", {"script": {"test": {"sequence": sequence}}})
    await hass.services.async_call("script", "test", blocking=True)


async def automate(hass: HomeAssistant, text: str) -> None:
    """Have an automation wait for its triggers."""
    written: Any = parse_yaml(text)
    assert await async_setup_component(hass, "automation", {"automation": [written]})
    (automation,) = hass.states.async_all("automation")
    assert automation.state == "on"


async def configure(hass: HomeAssistant, text: str) -> None:
    """Set up what stands in configuration.yaml."""
    written: Any = parse_yaml(text)
    for component in written:
        assert await async_setup_component(hass, component, written)
    await hass.async_block_till_done()

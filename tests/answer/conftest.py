"""A Home Assistant that can be reached from outside, and browsers that have never been there."""

from typing import Any

from homeassistant.core import Event, HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.email_courier.const import DOMAIN, EVENT_ACTION
from tests.support.answers import Client, be_reachable


@pytest.fixture
async def client(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator) -> Client:
    """A browser that has never been here."""
    assert await async_setup_component(hass, DOMAIN, {})
    await be_reachable(hass)
    return await hass_client_no_auth()


@pytest.fixture
def pressed(hass: HomeAssistant) -> list[Event[dict[str, Any]]]:
    """What automations have been told."""
    return async_capture_events(hass, EVENT_ACTION)

"""The action that sends a mail."""

from __future__ import annotations

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)

from .const import DOMAIN
from .rights import async_rights
from .send.fields import SEND_MESSAGE
from .send.message import async_send, report_refusals, response
from .send.targets import async_destinations

SERVICE_SEND_MESSAGE = "send_message"


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions that do not depend on an account."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_SEND_MESSAGE,
        _async_send_message,
        schema=SEND_MESSAGE,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_send_message(call: ServiceCall) -> ServiceResponse:
    """Send one mail per account, or raise when nobody gets any."""
    rights = await async_rights(call)
    destinations = await async_destinations(call.hass, call.data, rights)
    sent = await async_send(call.hass, destinations, call.data, rights)
    if call.return_response:
        return response(sent)
    report_refusals(sent)
    return None

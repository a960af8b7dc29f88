"""The actions, which are there whether an account is loaded or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse, callback
from homeassistant.helpers.service import async_register_admin_service

from .const import DOMAIN
from .errors import async_worded
from .send.ask import async_ask
from .send.buttons import async_revoke_actions
from .send.fields import ASK, SEND_MESSAGE
from .send.message import async_send
from .send.repeat import async_send_message
from .send.waiting import (
    ACCOUNT,
    ACCOUNT_AND_MAILS,
    RECENT,
    SEND_AGAIN,
    async_drop_waiting,
    async_list_recent,
    async_list_waiting,
    async_retry_waiting,
    async_send_again,
)

SERVICE_SEND_MESSAGE = "send_message"
SERVICE_LIST_WAITING = "list_waiting"
SERVICE_RETRY_WAITING = "retry_waiting"
SERVICE_DROP_WAITING = "drop_waiting"
SERVICE_LIST_RECENT = "list_recent"
SERVICE_SEND_AGAIN = "send_again"
SERVICE_ASK = "ask"
SERVICE_REVOKE_ACTIONS = "revoke_actions"


def _worded[Result](
    action: Callable[[ServiceCall], Awaitable[Result]],
) -> Callable[[ServiceCall], Coroutine[Any, Any, Result]]:
    """Have the errors of an action in the language of who has called it by hand."""

    async def act(call: ServiceCall) -> Result:
        async with async_worded(call.hass):
            return await action(call)

    return act


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the action for everyone and those for administrators."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_SEND_MESSAGE,
        _worded(partial(async_send_message, async_send)),
        schema=SEND_MESSAGE,
        supports_response=SupportsResponse.OPTIONAL,
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_LIST_WAITING,
        _worded(async_list_waiting),
        schema=ACCOUNT,
        supports_response=SupportsResponse.ONLY,
    )
    async_register_admin_service(
        hass, DOMAIN, SERVICE_RETRY_WAITING, _worded(async_retry_waiting), schema=ACCOUNT_AND_MAILS
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_DROP_WAITING,
        _worded(async_drop_waiting),
        schema=ACCOUNT_AND_MAILS,
        supports_response=SupportsResponse.OPTIONAL,
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_LIST_RECENT,
        async_list_recent,
        schema=RECENT,
        supports_response=SupportsResponse.ONLY,
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_SEND_AGAIN,
        async_send_again,
        schema=SEND_AGAIN,
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        DOMAIN,
        SERVICE_ASK,
        _worded(partial(async_ask, async_send)),
        schema=ASK,
        supports_response=SupportsResponse.ONLY,
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_REVOKE_ACTIONS,
        _worded(async_revoke_actions),
        schema=ACCOUNT_AND_MAILS,
        supports_response=SupportsResponse.OPTIONAL,
    )

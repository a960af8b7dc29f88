"""The actions: those that are there whether an account is loaded or not, and that of each account.

What they do is imported once Home Assistant has started, or with the first call before that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.components.notify.const import (
    ATTR_DATA,
    ATTR_MESSAGE,
    ATTR_TARGET,
    ATTR_TITLE,
    DOMAIN as NOTIFY_DOMAIN,
)
from homeassistant.core import (
    CALLBACK_TYPE,
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.importlib import async_import_module
from homeassistant.helpers.service import async_register_admin_service, async_set_service_schema
from homeassistant.util import slugify
from homeassistant.util.hass_dict import HassKey
import voluptuous as vol

from .const import DOMAIN
from .errors import async_worded
from .phrases import Phrases
from .send.fields import ACCOUNT, ACCOUNT_AND_MAILS, ASK, RECENT, SEND_AGAIN, SEND_MESSAGE

if TYPE_CHECKING:
    from .account import Account

SERVICE_SEND_MESSAGE = "send_message"
SERVICE_LIST_WAITING = "list_waiting"
SERVICE_RETRY_WAITING = "retry_waiting"
SERVICE_DROP_WAITING = "drop_waiting"
SERVICE_LIST_RECENT = "list_recent"
SERVICE_SEND_AGAIN = "send_again"
SERVICE_ASK = "ask"
SERVICE_REVOKE_ACTIONS = "revoke_actions"

_IMPORTING: HassKey[asyncio.Task[None]] = HassKey(f"{DOMAIN}_actions")
_MODULES: Final = ("ask", "buttons", "legacy", "message", "repeat", "waiting")

type _Action = Callable[[ServiceCall], Awaitable[ServiceResponse]]


async def async_import_actions(hass: HomeAssistant) -> None:
    """Import what the actions do, to its end even if a caller leaves: others may wait for it."""
    if _IMPORTING not in hass.data:
        hass.data[_IMPORTING] = hass.async_create_task(_async_import(hass), f"{DOMAIN} actions")
    await asyncio.shield(hass.data[_IMPORTING])


async def _async_import(hass: HomeAssistant) -> None:
    for module in _MODULES:
        await async_import_module(hass, f"{__package__}.send.{module}")


async def _async_act(call: ServiceCall) -> ServiceResponse:
    """Perform an action, with its errors in the language of who has called it by hand."""
    await async_import_actions(call.hass)
    from .send.ask import async_ask  # noqa: PLC0415 - a start goes without
    from .send.buttons import async_revoke_actions  # noqa: PLC0415
    from .send.message import async_send  # noqa: PLC0415
    from .send.repeat import async_send_message  # noqa: PLC0415
    from .send.waiting import (  # noqa: PLC0415
        async_drop_waiting,
        async_list_recent,
        async_list_waiting,
        async_retry_waiting,
        async_send_again,
    )

    actions: dict[str, _Action] = {
        SERVICE_SEND_MESSAGE: partial(async_send_message, async_send),
        SERVICE_LIST_WAITING: async_list_waiting,
        SERVICE_RETRY_WAITING: async_retry_waiting,
        SERVICE_DROP_WAITING: async_drop_waiting,
        SERVICE_LIST_RECENT: async_list_recent,
        SERVICE_SEND_AGAIN: async_send_again,
        SERVICE_ASK: partial(async_ask, async_send),
        SERVICE_REVOKE_ACTIONS: async_revoke_actions,
    }
    async with async_worded(call.hass):
        return await actions[call.service](call)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions for everyone and those for administrators."""
    for name, schema, answers in (
        (SERVICE_SEND_MESSAGE, SEND_MESSAGE, SupportsResponse.OPTIONAL),
        (SERVICE_ASK, ASK, SupportsResponse.ONLY),
    ):
        hass.services.async_register(
            DOMAIN, name, _async_act, schema=schema, supports_response=answers
        )
    for name, schema, answers in (
        (SERVICE_LIST_WAITING, ACCOUNT, SupportsResponse.ONLY),
        (SERVICE_RETRY_WAITING, ACCOUNT_AND_MAILS, SupportsResponse.NONE),
        (SERVICE_DROP_WAITING, ACCOUNT_AND_MAILS, SupportsResponse.OPTIONAL),
        (SERVICE_LIST_RECENT, RECENT, SupportsResponse.ONLY),
        (SERVICE_SEND_AGAIN, SEND_AGAIN, SupportsResponse.OPTIONAL),
        (SERVICE_REVOKE_ACTIONS, ACCOUNT_AND_MAILS, SupportsResponse.OPTIONAL),
    ):
        async_register_admin_service(
            hass, DOMAIN, name, _async_act, schema=schema, supports_response=answers
        )


def _text(value: object) -> str:
    """Take any message: what a template made into a list or nothing is not worth losing mail."""
    return "" if value is None else str(value)


_CLASSIC = vol.Schema(
    {
        vol.Required(ATTR_MESSAGE): vol.Any(cv.string, _text),
        vol.Optional(ATTR_TITLE): object,
        vol.Optional(ATTR_TARGET): object,
        vol.Optional(ATTR_DATA): object,
    }
)
_CLASSIC_FIELDS: Final = {
    ATTR_MESSAGE: {"text": {"multiline": True}},
    ATTR_TITLE: {"text": {}},
    ATTR_TARGET: {"text": {"multiple": True}},
    ATTR_DATA: {"object": {}},
}


async def async_register_classic(hass: HomeAssistant, account: Account) -> CALLBACK_TYPE:
    """Register the action of an account under a free name; return what removes it."""
    phrases = await Phrases.async_load(hass)
    name = account.classic_action = _free_name(hass, slugify(account.entry.title))
    hass.services.async_register(
        NOTIFY_DOMAIN,
        name,
        partial(_async_notify, account),
        schema=_CLASSIC,
        supports_response=SupportsResponse.OPTIONAL,
    )
    async_set_service_schema(
        hass,
        NOTIFY_DOMAIN,
        name,
        {
            "name": phrases.say("classic_name", account=account.entry.title),
            "description": phrases.say("classic_description", account=account.entry.title),
            "fields": {
                field: {
                    "name": phrases.say(f"classic_{field}"),
                    "description": phrases.say(f"classic_{field}_description"),
                    "required": field == ATTR_MESSAGE,
                    "selector": selector,
                }
                for field, selector in _CLASSIC_FIELDS.items()
            },
        },
    )
    return partial(hass.services.async_remove, NOTIFY_DOMAIN, name)


async def _async_notify(account: Account, call: ServiceCall) -> ServiceResponse:
    """Send one mail to the targets, else to all recipients of the account."""
    await async_import_actions(call.hass)
    from .send.legacy import async_send_classic  # noqa: PLC0415 - a start goes without
    from .send.message import async_send  # noqa: PLC0415

    async with async_worded(call.hass):
        return await async_send_classic(async_send, account, call)


def _free_name(hass: HomeAssistant, wanted: str) -> str:
    name, number = wanted, 1
    while hass.services.has_service(NOTIFY_DOMAIN, name):
        number += 1
        name = f"{wanted}_{number}"
    return name

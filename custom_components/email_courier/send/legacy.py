"""The classic action `notify.<account>`, which alerts, login codes and notify groups know."""

from __future__ import annotations

from functools import partial
from typing import Final

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
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_set_service_schema
from homeassistant.util import slugify
import voluptuous as vol

from ..account import Account
from ..phrases import Phrases
from .fields import COMMON_FIELDS, Field
from .message import async_send
from .targets import Destination, async_everyone

ATTR_IMAGES: Final = "images"

# A notify group hands the same data to mail, telephones and loudspeakers: what is not for mail is
# passed over.
_DATA = vol.Schema(
    {**COMMON_FIELDS, vol.Optional(ATTR_IMAGES): vol.All(cv.ensure_list, [cv.string])},
    extra=vol.REMOVE_EXTRA,
)
_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_MESSAGE): cv.string,
        vol.Optional(ATTR_TITLE): cv.string,
        vol.Optional(ATTR_TARGET): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(ATTR_DATA, default=dict): _DATA,
    }
)
_FIELDS: Final = {
    ATTR_MESSAGE: {"text": {"multiline": True}},
    ATTR_TITLE: {"text": {}},
    ATTR_TARGET: {"text": {"multiple": True}},
    ATTR_DATA: {"object": {}},
}


async def async_register_classic(hass: HomeAssistant, account: Account) -> CALLBACK_TYPE:
    """Register the action of an account under a free name; return what removes it."""
    phrases = await Phrases.async_load(hass)
    name = _free_name(hass, slugify(account.entry.title))
    hass.services.async_register(
        NOTIFY_DOMAIN,
        name,
        partial(_async_notify, account),
        schema=_SCHEMA,
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
                for field, selector in _FIELDS.items()
            },
        },
    )
    return partial(hass.services.async_remove, NOTIFY_DOMAIN, name)


async def _async_notify(account: Account, call: ServiceCall) -> ServiceResponse:
    """Send one mail to the targets, else to all recipients of the account."""
    fields = {
        **call.data[ATTR_DATA],
        **{name: call.data[name] for name in (ATTR_MESSAGE, ATTR_TITLE) if name in call.data},
    }
    fields[Field.TO] = [*call.data.get(ATTR_TARGET, ()), *fields.get(Field.TO, ())]
    names_somebody = any(fields.get(name) for name in (Field.TO, *cv.ENTITY_SERVICE_FIELDS))
    own = Destination(account) if names_somebody else async_everyone(account)
    return await async_send(call, fields, own, fields.get(ATTR_IMAGES, ()))


def _free_name(hass: HomeAssistant, wanted: str) -> str:
    name, number = wanted, 1
    while hass.services.has_service(NOTIFY_DOMAIN, name):
        number += 1
        name = f"{wanted}_{number}"
    return name

"""The classic action `notify.<account>`, which alerts, login codes and notify groups know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.components.notify.const import (
    ATTR_DATA,
    ATTR_MESSAGE,
    ATTR_TARGET,
    ATTR_TITLE,
)
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.group import expand_entity_ids
import voluptuous as vol

from ..account import Account
from ..answer.question import MAX_ACTIONS, Action
from ..const import LOGGER
from ..mail.compose.content import Layout
from ..mail.compose.text_html import absolute_link
from .buttons import Send
from .fields import COMMON_FIELDS, Field, actions, attachments
from .targets import (
    WITHIN,
    Destination,
    async_everyone,
    async_excluded,
    async_may_be_recipient,
    async_recipients_within,
)

ATTR_IMAGES: Final = "images"


def _header_name(value: object) -> str:
    """Pass over the header fields of a web request, such as Content-Type."""
    name = cv.string(value)
    if name.lower().startswith("content-"):
        raise vol.Invalid("a mail has its own")
    return name


def _links(value: object) -> list[Action]:
    """Take buttons that only lead somewhere: others are for telephones, which act upon them."""
    taken = actions(value)
    if any(not one.is_link or absolute_link(one.uri, _ANY_HOME) is None for one in taken):
        raise vol.Invalid("a mail answers only what asks by email_courier.send_message")
    return taken


_ANY_HOME: Final = "https://home.invalid"
_TEXTS = vol.All(cv.ensure_list, [cv.string])
_DATA: Final = {
    str(name): vol.Schema(shape)
    for name, shape in {
        **COMMON_FIELDS,
        Field.ACTIONS: _links,
        Field.ATTACHMENTS: attachments(extra=vol.REMOVE_EXTRA),
        Field.HEADERS: {_header_name: cv.string},
        ATTR_IMAGES: _TEXTS,
    }.items()
}
# Some of Home Assistant's own validators take it for granted that they are given text or numbers.
_REFUSALS: Final = (
    vol.Invalid,
    ServiceValidationError,
    AttributeError,
    OverflowError,
    TypeError,
    ValueError,
)
_EXCLUDE: Final = "exclude"


async def async_send_classic(send: Send, account: Account, call: ServiceCall) -> ServiceResponse:
    """Send one mail to the targets, else to all recipients of the account.

    send: sends what the fields of an action ask for.
    """
    fields, passed_over = _understood(call.hass, call.data, account.layout)
    if passed_over:
        LOGGER.warning(
            "%s.%s: passed over what no mail can have: %s",
            call.domain,
            call.service,
            ", ".join(dict.fromkeys(passed_over)),
        )
    named = any(name in fields for name in (ATTR_ENTITY_ID, *WITHIN))
    if named or any(address.strip(" ,;\r\n") for address in fields[Field.TO]):
        own = Destination(account)
    else:
        own = async_everyone(account, async_excluded(call.hass, fields))
    return await send(call, fields, own, fields.get(ATTR_IMAGES, ()))


def _understood(
    hass: HomeAssistant, call: Mapping[str, Any], account_layout: Layout
) -> tuple[dict[str, Any], list[str]]:
    """Return the fields of a mail, and the names of what is there but cannot be understood.

    A notify group hands the same to mail, telephones and loudspeakers: what is not for mail does
    not stop it. Raises Invalid for people to leave out that cannot be told, for they would get it.
    """
    fields: dict[str, Any] = {ATTR_MESSAGE: call[ATTR_MESSAGE], Field.QUEUE: True}
    passed_over: list[str] = []

    def take(name: str, shape: vol.Schema, given: Mapping[str, Any]) -> None:
        if name not in given:
            return
        fitting, is_all = _fitting(shape, given[name])
        if not is_all:
            passed_over.append(name)
        if is_all or fitting:
            fields[name] = fitting

    take(ATTR_TITLE, vol.Schema(cv.string), call)
    take(ATTR_TARGET, vol.Schema(_TEXTS), call)
    data = call.get(ATTR_DATA) or {}
    if isinstance(data, Mapping):
        if data.get(_EXCLUDE):
            vol.Schema({_EXCLUDE: _DATA.get(_EXCLUDE, _not_known)})({_EXCLUDE: data[_EXCLUDE]})
        if data.get(ATTR_ENTITY_ID) is None:  # which would be taken for nobody at all
            data = {name: value for name, value in data.items() if name != ATTR_ENTITY_ID}
        for name, shape in _DATA.items():
            take(name, shape, data)
    else:
        passed_over.append(ATTR_DATA)
    fields[Field.TO] = [*fields.pop(ATTR_TARGET, ()), *fields.get(Field.TO, ())]
    passed_over += _take_out_other_entities(hass, fields)
    layout = fields.get(Field.LAYOUT, account_layout)
    has_place = fields.get(Field.MARKDOWN) or (layout is Layout.CARD and not fields.get(Field.HTML))
    if fields.get(Field.BUTTON) is not None and not has_place:
        del fields[Field.BUTTON]
        passed_over.append(Field.BUTTON)
    fields[Field.ACTIONS] = fields.get(Field.ACTIONS, [])[:MAX_ACTIONS]
    return fields, passed_over


def _fitting(shape: vol.Schema, value: object) -> tuple[Any, bool]:
    """Return what of a value fits, and whether that is all of it. None where nothing does."""
    try:
        return shape(value), True
    except _REFUSALS:
        pass
    parts: Iterable[Any] = ()
    if isinstance(value, list) and len(value) > 1:
        parts = [[one] for one in value]
    elif isinstance(value, Mapping) and len(value) > 1:
        parts = [{name: one} for name, one in value.items()]
    fitting = [part for part, is_all in (_fitting(shape, part) for part in parts) if is_all]
    if fitting and all(isinstance(part, list) for part in fitting):
        return [one for part in fitting for one in part], False
    if fitting and all(isinstance(part, dict) for part in fitting):
        return {name: one for part in fitting for name, one in part.items()}, False
    return None, False


def _not_known(_value: object) -> None:
    raise vol.Invalid("this version of Home Assistant does not know whom to leave out")


def _take_out_other_entities(hass: HomeAssistant, fields: dict[str, Any]) -> list[str]:
    """Leave lamps and loudspeakers to those they are meant for; return the fields they were in.

    What is neither there nor known to be something else stays: a recipient may be misspelt.
    """
    names: list[str] = []
    if isinstance(named := fields.get(ATTR_ENTITY_ID), list):
        everything = expand_entity_ids(hass, named) or named
        fitting = [entity_id for entity_id in everything if async_may_be_recipient(hass, entity_id)]
        if fitting != everything:
            names.append(ATTR_ENTITY_ID)
            fields[ATTR_ENTITY_ID] = fitting
        if not fitting:
            del fields[ATTR_ENTITY_ID]
    for name in WITHIN:
        if name in fields and not async_recipients_within(hass, {name: fields[name]}):
            del fields[name]
            names.append(name)
    return names

"""Who is behind a call: what its user may do, and which automation or script had it made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from homeassistant.auth.permissions import AbstractPermissions
from homeassistant.const import ATTR_FRIENDLY_NAME, ATTR_ID
from homeassistant.core import Context, HomeAssistant, ServiceCall, State, callback
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.network import NoURLAvailableError, get_url

from .mail.compose.content import SentBy, Words


class Rights(NamedTuple):
    """The rights of a call, as Home Assistant's own actions on entities ask for them.

    permissions: those of the user; None for an administrator and for a call without a user.
    """

    context: Context
    permissions: AbstractPermissions | None = None

    def allow(self, permission: str, entity_id: str | None) -> bool:
        """Tell whether an entity may be read or controlled.

        What has no entity (None) is for those alone who may do the same with all entities.
        """
        if self.permissions is None:
            return True
        if entity_id is None:
            return self.permissions.access_all_entities(permission)
        return self.permissions.check_entity(entity_id, permission)

    def require(self, permission: str, entity_ids: Iterable[str | None]) -> None:
        """Raise Unauthorized, which names the first of the entities that may not be used."""
        for entity_id in entity_ids:
            if not self.allow(permission, entity_id):
                raise Unauthorized(context=self.context, entity_id=entity_id, permission=permission)

    def require_all(self, permission: str) -> None:
        """Raise Unauthorized, before an error that tells what is there and what is not."""
        self.require(permission, [None])


async def async_rights(call: ServiceCall) -> Rights:
    """Return the rights of a call. Raises UnknownUser when its user is not there any more."""
    if call.context.user_id is None:
        return Rights(call.context)
    user = await call.hass.auth.async_get_user(call.context.user_id)
    if user is None:
        raise UnknownUser(context=call.context)
    return Rights(call.context, None if user.is_admin else user.permissions)


_DOMAINS: Final = ("automation", "script", "alert")
"""Those that act in a context which they show as that of their own state."""


@callback
def async_sent_by(hass: HomeAssistant, words: Words, context: Context | None) -> SentBy | None:
    """Return what has acted in a context, the automation before the scripts that it runs."""
    if context is None:
        return None
    for domain in _DOMAINS:
        for state in hass.states.async_all(domain):
            if state.context.id == context.id:
                pattern = {"automation": words.automation, "script": words.script}.get(domain)
                name = _name(state)
                return SentBy(
                    name if pattern is None else pattern.format(name=name), _url(hass, state)
                )
    return None


def _name(state: State) -> str:
    return str(state.attributes.get(ATTR_FRIENDLY_NAME) or state.name)


def _url(hass: HomeAssistant, state: State) -> str | None:
    """Return its page by the external address, which alone leads there from anywhere."""
    try:
        base = get_url(hass, allow_internal=False)
    except NoURLAvailableError:
        return None
    if state.domain == "automation":
        ident = state.attributes.get(ATTR_ID)
    else:
        entry = er.async_get(hass).async_get(state.entity_id)
        ident = entry.unique_id if entry is not None and state.domain == "script" else None
    if ident:
        return f"{base}/config/{state.domain}/edit/{ident}"
    return f"{base}/history?entity_id={state.entity_id}"

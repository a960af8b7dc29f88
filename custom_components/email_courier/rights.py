"""What the user behind a call may do, asked before anything is looked up, fetched or sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from homeassistant.auth.permissions import AbstractPermissions
from homeassistant.core import Context, ServiceCall
from homeassistant.exceptions import Unauthorized, UnknownUser


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

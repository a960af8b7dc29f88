"""Who presses a button, told by Home Assistant's own login.

The login is the one of `/auth/authorize`. What it gives is exchanged once, at `/auth/token`, for a
token that is revoked at once: it says who somebody is, and is good for nothing else.
"""

from __future__ import annotations

from http import HTTPStatus
import re
import time
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode

from aiohttp import ClientError, ClientTimeout
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.network import NoURLAvailableError, get_url

from .question import Question

if TYPE_CHECKING:
    from homeassistant.auth.models import User

USER: Final = "user"
UNTIL: Final = "until"

_LIFE: Final = 600
"""Seconds from the login to the press."""
_MOST_FAILURES: Final = 3
"""Logins of one question that may come to nothing. Home Assistant counts each as one of its own."""
_CODE: Final = re.compile("[0-9a-f]{32}", re.ASCII)
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - where others listen
_TIMEOUT: Final = ClientTimeout(total=10)


class Signed(NamedTuple):
    """Somebody who has just signed in. until: UTC timestamp in seconds, as text."""

    user_id: str
    name: str
    until: str


def async_external_url(hass: HomeAssistant) -> str | None:
    """Return the address that leads here from anywhere, that of Home Assistant Cloud included."""
    try:
        return get_url(hass, allow_internal=False)
    except NoURLAvailableError:
        return None


def async_authorize_url(hass: HomeAssistant, path: str, token: str) -> str | None:
    """Return where somebody signs in who then comes back to a path."""
    base = async_external_url(hass)
    if base is None:
        return None
    query = urlencode(
        {
            "response_type": "code",
            "client_id": f"{base}/",
            "redirect_uri": f"{base}{path}",
            "state": token,
        }
    )
    return f"{base}/auth/authorize?{query}"


async def async_signed_in(hass: HomeAssistant, question: Question, code: str) -> Signed | None:
    """Return who has signed in; None for a code that is good for nothing."""
    base = async_external_url(hass)
    if base is None or not _CODE.fullmatch(code):
        return None
    if question.failed_logins >= _MOST_FAILURES:
        return None
    user = await _async_exchanged(hass, code, f"{base}/")
    if user is None:
        question.failed_logins += 1
        return None
    return Signed(user.id, user.name or "", str(int(time.time()) + _LIFE))


async def async_user(hass: HomeAssistant, user_id: str, until: str) -> User | None:
    """Return who has signed in, if that was not too long ago and the user is still there."""
    if not until.isascii() or not until.isdigit() or int(until[:12]) < time.time():
        return None
    user = await hass.auth.async_get_user(user_id)
    return user if user is not None and user.is_active else None


async def _async_exchanged(hass: HomeAssistant, code: str, client_id: str) -> User | None:
    """Return whose code it is; the code is used up, and what it gives is revoked."""
    api = hass.config.api
    if api is None:
        return None
    scheme = "https" if api.use_ssl else "http"
    host = _ANYWHERE.get(api.host, api.host)
    # It asks itself: the certificate is for the name that others know it by.
    session = async_get_clientsession(hass, verify_ssl=False)
    fields = {"grant_type": "authorization_code", "code": code, "client_id": client_id}
    try:
        async with session.post(
            f"{scheme}://{host}:{api.port}/auth/token",
            data=fields,
            timeout=_TIMEOUT,
            allow_redirects=False,
        ) as response:
            if response.status != HTTPStatus.OK:
                return None
            given = await response.json()
    except ClientError, TimeoutError, ValueError:
        return None
    token = hass.auth.async_get_refresh_token_by_token(str(given.get("refresh_token")))
    if token is None:
        return None
    hass.auth.async_remove_refresh_token(token)
    return token.user if token.user.is_active else None

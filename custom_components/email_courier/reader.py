"""Who reads a text, and in which language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.generated.languages import LANGUAGES
from homeassistant.helpers.http import current_request
from homeassistant.util.language import matches

if TYPE_CHECKING:
    from homeassistant.auth.models import User

_ACCEPT_LANGUAGE = "Accept-Language"
_FRONTEND = "frontend"
_WEBSOCKET = "websocket_api"
_SIMPLIFIED = ("cn", "sg", "my")
_COMMA = ("decimal_comma", "space_comma", "quote_comma")
_POINT = ("comma_decimal", "quote_decimal")
"""What a person can choose for numbers in the profile, whatever the language is."""


class Reader:
    """What is known of the person who waits for an answer.

    language: as the frontend names it. comma: whether numbers have a decimal comma, None where
    the language decides.
    """

    __slots__ = ("comma", "language")

    def __init__(self, language: str, *, comma: bool | None = None) -> None:
        """Take what is known."""
        self.language = language
        self.comma = comma


async def async_reader(hass: HomeAssistant) -> Reader | None:
    """Return who waits for the answer to the request that is being served; None for nobody.

    The language is the one in the person's profile, else the browser's, else the home's: that is
    how the frontend chooses the one that it shows its own texts in.
    """
    request = current_request.get()
    user = _user_of_connection(hass)
    if request is None and user is None:
        return None
    if user is None and request is not None:
        user = request.get("hass_user")
    chosen = await _async_profile(hass, user) if user is not None else {}
    language = chosen.get("language")
    if not isinstance(language, str) or not language:
        accepted = request.headers.get(_ACCEPT_LANGUAGE, "") if request is not None else ""
        language = _accepted(accepted) or hass.config.language
    format_ = chosen.get("number_format")
    comma = True if format_ in _COMMA else False if format_ in _POINT else None
    return Reader(language, comma=comma)


@callback
def _user_of_connection(hass: HomeAssistant) -> User | None:
    """Return who has sent the command that is being served over a websocket."""
    if _WEBSOCKET not in hass.config.components:
        return None
    from homeassistant.components.websocket_api.connection import (  # noqa: PLC0415 - it is loaded
        current_connection,
    )

    connection = current_connection.get()
    return None if connection is None else connection.user


async def _async_profile(hass: HomeAssistant, user: User) -> Mapping[str, Any]:
    """Return what a person has chosen for language and numbers."""
    if _FRONTEND not in hass.config.components:
        return {}
    from homeassistant.components.frontend.storage import (  # noqa: PLC0415 - it is loaded
        async_user_store,
    )

    chosen = (await async_user_store(hass, user.id)).data.get("language")
    return chosen if isinstance(chosen, dict) else {}


def _accepted(header: str) -> str | None:
    """Return the first language of a browser's that Home Assistant has (RFC 9110, 12.5.4)."""
    for tag in _by_weight(header):
        if tag != "*" and (found := matches(_with_script(tag), LANGUAGES)):
            return found[0]
    return None


def _with_script(tag: str) -> str:
    """Name the script of Chinese by the country, all that browsers say, as the frontend does."""
    language, _, rest = tag.lower().partition("-")
    if language != "zh" or rest.startswith(("hans", "hant")):
        return tag
    return "zh-Hans" if rest in _SIMPLIFIED else "zh-Hant"


def _by_weight(header: str) -> Iterator[str]:
    weighed: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            quality = 0
        if tag.strip() and quality > 0:
            weighed.append((-quality, tag.strip()))
    yield from (tag for _, tag in sorted(weighed, key=lambda one: one[0]))

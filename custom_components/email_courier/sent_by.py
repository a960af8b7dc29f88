"""Where a mail comes from, as its footer says: an automation, a script, or another entity."""

from __future__ import annotations

from typing import Final

from homeassistant.const import ATTR_FRIENDLY_NAME, ATTR_ID
from homeassistant.core import Context, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.network import NoURLAvailableError, get_url

from .mail.compose.content import SentBy, Words

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

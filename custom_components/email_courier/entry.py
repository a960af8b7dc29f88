"""Between a config entry's stored values and the mail layer's settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
import os
import ssl
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
    Platform,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util, slugify
from homeassistant.util.ssl import (
    client_context,
    client_context_no_verify,
    create_client_context,
)

from .const import (
    CONF_CA_FILE,
    CONF_ENCRYPTION,
    CONF_FINGERPRINT,
    CONF_HELLO_NAME,
    CONF_TIMEOUT,
    DEFAULT_TIMEOUT,
)
from .mail.settings import (
    AccessTokens,
    Deadlines,
    Encryption,
    Login,
    ServerSettings,
    TokenLogin,
    Trust,
)


def settings_of(
    data: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    deadlines: Deadlines | None = None,
    tokens: AccessTokens | None = None,
) -> ServerSettings:
    """Return what an account's values say; no username means no login.

    tokens: what an account with a sign-in logs in with.
    """
    return ServerSettings(
        host=data[CONF_HOST],
        port=int(data[CONF_PORT]),
        encryption=Encryption(data[CONF_ENCRYPTION]),
        trust=trust_of(data, options),
        login=_login_of(data, tokens),
        hello_name=options.get(CONF_HELLO_NAME) or None,
        deadlines=deadlines
        or Deadlines().within(float(options.get(CONF_TIMEOUT, DEFAULT_TIMEOUT))),
    )


def _login_of(data: Mapping[str, Any], tokens: AccessTokens | None) -> Login | TokenLogin | None:
    username = data.get(CONF_USERNAME)
    if not username:
        return None
    if tokens is not None:
        return TokenLogin(username, tokens)
    return Login(username, data.get(CONF_PASSWORD) or "")


def trust_of(data: Mapping[str, Any], options: Mapping[str, Any]) -> Trust:
    """Return which certificate an account accepts."""
    return Trust(
        verify=data.get(CONF_VERIFY_SSL, True),
        fingerprint=data.get(CONF_FINGERPRINT),
        ca_file=options.get(CONF_CA_FILE) or None,
    )


def time_in(data: Mapping[str, Any], name: str) -> datetime | None:
    """Return a time that the dialog has stored; None where it has not, or it cannot be read."""
    time = dt_util.parse_datetime(str(data.get(name)))
    return None if time is None else dt_util.as_utc(time)


def same_account(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two accounts are the same: one sender at one server with one login."""
    return _identity(one) == _identity(other)


def is_sender_of(entry: ConfigEntry, sender: str) -> bool:
    """Tell whether an account sends from this address."""
    return _same_case(entry.data["sender"]) == _same_case(sender)


def _same_case(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def _identity(data: Mapping[str, Any]) -> tuple[str, str, str]:
    return (
        _same_case(data["sender"]),
        data[CONF_HOST].rstrip(".").lower(),
        data.get(CONF_USERNAME) or "",
    )


@callback
def async_save(hass: HomeAssistant, entry: ConfigEntry[Any], **changes: Any) -> None:
    """Update an entry (title, data, options) and load it anew.

    A loaded entry does that by itself, but only where something has changed: the same password
    given again shall end a pause as well. And one that could not be loaded listens to nothing.
    """
    is_loaded = bool(entry.update_listeners)
    is_changed = hass.config_entries.async_update_entry(entry, **changes)
    if not (is_loaded and is_changed):
        hass.config_entries.async_schedule_reload(entry.entry_id)


async def async_context_for(hass: HomeAssistant, trust: Trust) -> ssl.SSLContext:
    """Return the context for a trust: a shared one, unless there are further authorities.

    Raises OSError when a CA file cannot be read.
    """
    if not trust.checks_chain:
        return client_context_no_verify()
    # The shared context was made when Home Assistant was imported; authorities that this
    # variable has named since then are only in a new one.
    if trust.ca_file is None and "REQUESTS_CA_BUNDLE" not in os.environ:
        return client_context()
    return await hass.async_add_executor_job(_with_authorities, trust.ca_file)


def _with_authorities(ca_file: str | None) -> ssl.SSLContext:
    context = create_client_context()
    if ca_file is not None:
        from .mail.smtp.tls import add_authorities  # noqa: PLC0415 - few accounts need it

        add_authorities(context, ca_file)
    return context


CORE_DOMAIN: Final = "smtp"
CORE_SERVER: Final = "server"


@callback
def names_of(hass: HomeAssistant, core_entry: ConfigEntry) -> dict[str, str]:
    """Return what an automation may name of an account there, each with whom that writes to.

    That is one address, or nothing for what writes to all of them.
    """
    names = {f"{Platform.NOTIFY}.{slugify(core_entry.title)}": ""}
    for entity in er.async_entries_for_config_entry(er.async_get(hass), core_entry.entry_id):
        address = entity.unique_id.removeprefix(f"{core_entry.entry_id}_")
        names[entity.entity_id] = names[entity.id] = address
    for device in dr.async_entries_for_config_entry(dr.async_get(hass), core_entry.entry_id):
        names[device.id] = ""
    return names

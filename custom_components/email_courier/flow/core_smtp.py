"""Accounts of Home Assistant's own SMTP integration, to take over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PASSWORD, CONF_PORT, CONF_USERNAME, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant

from ..const import (
    CONF_ENCRYPTION,
    CONF_REPLY_TO,
    CONF_SENDER,
    CONF_SENDER_NAME,
    CONF_TIMEOUT,
    DOMAIN,
    MAX_TIMEOUT,
    MIN_TIMEOUT,
)
from ..entry import CORE_DOMAIN, CORE_SERVER, names_of, same_account
from ..mail.address import Mailbox, parse_mailbox
from ..mail.failure import MailError
from ..mail.settings import SUBMISSION_PORT, Encryption
from ..recipients import format_mailbox
from .draft import Draft

_CORE_REPLY_TO_NAME = "reply_to_name"


class CoreRecipient(NamedTuple):
    """A recipient there: one address."""

    name: str
    mailbox: Mailbox


class CoreAccount(NamedTuple):
    """An account there, as a draft and options for here."""

    title: str
    draft: Draft
    options: Mapping[str, Any]
    recipients: tuple[CoreRecipient, ...]


def core_accounts(hass: HomeAssistant) -> Mapping[str, CoreAccount]:
    """Return the accounts that are not here yet, by their config entry's id."""
    own = hass.config_entries.async_entries(DOMAIN)
    accounts = {
        entry.entry_id: _account(hass, entry)
        for entry in hass.config_entries.async_entries(CORE_DOMAIN, include_ignore=False)
        if {CONF_SENDER, CORE_SERVER} <= entry.data.keys()
    }
    return {
        entry_id: account
        for entry_id, account in accounts.items()
        if not any(same_account(account.draft.data(), entry.data) for entry in own)
    }


def _account(hass: HomeAssistant, entry: ConfigEntry[Any]) -> CoreAccount:
    data = entry.data
    return CoreAccount(
        title=f"{entry.title} ({data[CORE_SERVER]})",
        draft=Draft(
            sender=data[CONF_SENDER],
            host=data[CORE_SERVER],
            port=int(data.get(CONF_PORT, SUBMISSION_PORT)),
            encryption=Encryption(data.get(CONF_ENCRYPTION, Encryption.STARTTLS)),
            verify_ssl=data.get(CONF_VERIFY_SSL, True),
            username=data.get(CONF_USERNAME),
            password=data.get(CONF_PASSWORD),
            timeout=_timeout(entry),
            replaces=names_of(hass, entry),
        ),
        options=dict(_options(entry)),
        recipients=tuple(_recipients(entry)),
    )


def _options(entry: ConfigEntry[Any]) -> Iterator[tuple[str, Any]]:
    if name := entry.data.get(CONF_SENDER_NAME):
        yield CONF_SENDER_NAME, name
    if mailbox := _mailbox(entry.options.get(CONF_REPLY_TO) or ""):
        name = entry.options.get(_CORE_REPLY_TO_NAME) or mailbox.name
        yield CONF_REPLY_TO, [format_mailbox(mailbox.named(name))]


def _timeout(entry: ConfigEntry[Any]) -> int | None:
    timeout = entry.options.get(CONF_TIMEOUT)
    return None if timeout is None else min(max(int(timeout), MIN_TIMEOUT), MAX_TIMEOUT)


def _recipients(entry: ConfigEntry[Any]) -> Iterator[CoreRecipient]:
    for subentry in entry.subentries.values():
        if mailbox := _mailbox(subentry.unique_id or ""):
            yield CoreRecipient(subentry.title, mailbox)


def _mailbox(text: str) -> Mailbox | None:
    """Read an address there, where anything may have been typed; what is none is left out."""
    try:
        return parse_mailbox(text)
    except MailError:
        return None

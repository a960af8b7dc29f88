"""Accounts of Home Assistant's own SMTP integration, to take over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PASSWORD, CONF_PORT, CONF_USERNAME, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant

from .const import DOMAIN
from .draft import Draft
from .entry_data import same_account
from .mail.settings import Encryption

CORE_DOMAIN = "smtp"


@dataclass(frozen=True, slots=True)
class CoreRecipient:
    """A recipient there: one address."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class CoreAccount:
    """An account there, as a draft for here."""

    title: str
    draft: Draft
    sender_name: str
    recipients: tuple[CoreRecipient, ...]


def core_accounts(hass: HomeAssistant) -> Mapping[str, CoreAccount]:
    """Return the accounts that are not here yet, by their config entry's id."""
    own = hass.config_entries.async_entries(DOMAIN)
    accounts = {
        entry.entry_id: _account(entry)
        for entry in hass.config_entries.async_entries(CORE_DOMAIN, include_ignore=False)
        if {"sender", "server"} <= entry.data.keys()
    }
    return {
        entry_id: account
        for entry_id, account in accounts.items()
        if not any(same_account(account.draft.data(), entry.data) for entry in own)
    }


def _account(entry: ConfigEntry) -> CoreAccount:
    data = entry.data
    return CoreAccount(
        title=f"{entry.title} ({data['server']})",
        draft=Draft(
            sender=data["sender"],
            host=data["server"],
            port=int(data.get(CONF_PORT, 587)),
            encryption=Encryption(data.get("encryption", "starttls")),
            verify_ssl=data.get(CONF_VERIFY_SSL, True),
            username=data.get(CONF_USERNAME),
            password=data.get(CONF_PASSWORD),
        ),
        sender_name=data.get("sender_name") or "",
        recipients=tuple(
            CoreRecipient(subentry.title, subentry.unique_id)
            for subentry in entry.subentries.values()
            if subentry.unique_id
        ),
    )

"""What a person may attach to a bug report: no secret, no subject, no one's address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .account import EmailCourierConfigEntry
from .const import CONF_BCC, CONF_CC, CONF_REPLY_TO, CONF_SENDER, CONF_SENDER_NAME, CONF_TO
from .mail.handshake import Proof
from .mail.outbox.events import OutboxState
from .mail.outbox.record import MailRecord
from .mail.settings import ServerSettings
from .redaction import HIDDEN, domains, hide, without_details

_MOST_MAILS = 50
_ADDRESSES = (CONF_TO, CONF_CC, CONF_BCC)


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: EmailCourierConfigEntry
) -> dict[str, Any]:
    """Return the settings, what the server has shown, and how the mail stands."""
    account = entry.runtime_data
    secrets = _secrets(entry)
    waiting = await account.courier.waiting()
    return {
        "settings": _settings(entry),
        "trust": _trust(account.settings),
        "recipients": [
            {name: domains(subentry.data.get(name, ())) for name in _ADDRESSES}
            for subentry in entry.subentries.values()
        ],
        "server": _server(account.proof),
        "outbox": _state(account.courier.state, secrets),
        "waiting": [_mail(record, secrets) for record in waiting[:_MOST_MAILS]],
    }


def _secrets(entry: EmailCourierConfigEntry) -> tuple[str, ...]:
    """Return what a server may echo: the login, and a username even where it is no address."""
    names = (CONF_PASSWORD, CONF_USERNAME)
    return tuple(value for name in names if (value := entry.data.get(name)))


def _settings(entry: EmailCourierConfigEntry) -> dict[str, Any]:
    data = {**entry.data, **entry.options}
    for name in (CONF_PASSWORD, CONF_USERNAME, CONF_SENDER_NAME):
        if data.get(name):
            data[name] = HIDDEN
    data[CONF_REPLY_TO] = domains(data.get(CONF_REPLY_TO) or ())
    data[CONF_SENDER] = domains([data[CONF_SENDER]])[0]
    return hide(data)


def _trust(settings: ServerSettings) -> str:
    """Say how the server's certificate is checked."""
    trust = settings.trust
    if trust.fingerprint is not None:
        return "exactly one certificate"
    if not trust.verify:
        return "any certificate (verify_ssl is off)"
    if trust.ca_file is not None:
        return "known authorities and those of a CA file"
    return "known authorities"


def _server(proof: Proof | None) -> dict[str, Any] | None:
    """Return what the last connection has shown since the account was loaded."""
    if proof is None:
        return None
    certificate = proof.certificate
    return {
        "name": proof.server,
        "tls_version": proof.tls_version,
        "certificate": None if certificate is None else certificate.facts(),
        "login_mechanism": proof.mechanism,
        "size_limit": proof.size_limit,
        "extensions": dict(proof.extensions),
    }


def _state(state: OutboxState, secrets: Iterable[str]) -> dict[str, Any]:
    return {
        "waiting": state.waiting,
        "waiting_bytes": state.waiting_bytes,
        "fullness": round(state.fullness, 3),
        "down": without_details(state.down, secrets),
        "paused": without_details(state.paused, secrets),
        "next_attempt": _iso(state.next_attempt),
    }


def _mail(record: MailRecord, secrets: Iterable[str]) -> dict[str, Any]:
    return {
        "priority": record.id.rank.name.lower(),
        "size": record.id.size,
        "created": _iso(record.id.created),
        "expires": _iso(record.id.expires),
        "attempts": record.attempts,
        "next_attempt": _iso(record.next_attempt or None),
        "passed": len(record.passed),
        "owed": [
            {
                "domain": domains([owed.address])[0],
                "lost_replies": owed.lost_replies,
                "failure": without_details(owed.failure, secrets),
            }
            for owed in record.owed
        ],
    }


def _iso(timestamp: float | None) -> str | None:
    return None if timestamp is None else dt_util.utc_from_timestamp(timestamp).isoformat()

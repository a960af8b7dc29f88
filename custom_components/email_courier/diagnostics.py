"""What a person may attach to a bug report: no secret, no subject, no one's address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from email.utils import parseaddr
import re
from typing import TYPE_CHECKING, Any

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_USERNAME, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.importlib import async_import_module

from .account import EmailCourierConfigEntry
from .const import (
    CONF_ALLOW_PLAIN_LOGIN,
    CONF_BACKUP_ACCOUNT,
    CONF_BACKUP_AFTER,
    CONF_BCC,
    CONF_CA_FILE,
    CONF_CC,
    CONF_DELIVERED_AT,
    CONF_DROP_LARGE_ATTACHMENTS,
    CONF_ENCRYPTION,
    CONF_FINGERPRINT,
    CONF_FLOOD_LIMIT,
    CONF_HELLO_NAME,
    CONF_HIDE_SUBJECTS,
    CONF_MAX_MAILS,
    CONF_MAX_MEGABYTES,
    CONF_PROVEN_AT,
    CONF_SENDER,
    CONF_TIMEOUT,
    CONF_TO,
    CONF_WAITING_AFTER,
    CONF_WRITE_FIRST,
)
from .flow.arrival import async_judge
from .mail.failure import Failure
from .mail.outbox.events import OutboxState
from .mail.outbox.record import MailRecord
from .mail.settings import ServerSettings
from .outbox_host import iso_time

if TYPE_CHECKING:
    from .mail.smtp.session import Proof

_MOST_MAILS = 50
_ADDRESSES = (CONF_TO, CONF_CC, CONF_BCC)
_SHORTEST_SECRET = 4
_HARMLESS = frozenset(
    {
        CONF_ALLOW_PLAIN_LOGIN,
        CONF_BACKUP_ACCOUNT,
        CONF_BACKUP_AFTER,
        CONF_CA_FILE,
        CONF_DELIVERED_AT,
        CONF_DROP_LARGE_ATTACHMENTS,
        CONF_ENCRYPTION,
        CONF_FINGERPRINT,
        CONF_FLOOD_LIMIT,
        CONF_HELLO_NAME,
        CONF_HIDE_SUBJECTS,
        CONF_HOST,
        CONF_MAX_MAILS,
        CONF_MAX_MEGABYTES,
        CONF_PORT,
        CONF_PROVEN_AT,
        CONF_TIMEOUT,
        CONF_VERIFY_SSL,
        CONF_WAITING_AFTER,
        CONF_WRITE_FIRST,
    }
)
_OWN_WORDS = frozenset({"kind", "stage", "permanence", "outcome", "reason"})
"""Names of data whose values are words of a fixed list, whatever a subject says."""
_LOCAL_PART = re.compile(r"""("[^"]*"|[^\s<>()\[\]:;,"'=@]+)@(?=[^\s@])""")


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: EmailCourierConfigEntry
) -> dict[str, Any]:
    """Return the settings, what the server has shown, and how the mail stands."""
    await async_import_module(hass, f"{__package__}.mail.redaction")
    account = entry.runtime_data
    courier = account.courier
    redactor = Redactor(_hidden_texts(entry)).also(_people(entry))
    waiting = (await courier.waiting())[:_MOST_MAILS]
    outcomes = courier.history[-_MOST_MAILS:]
    quotable = [text for record in waiting for text in _of_record(record)]
    quotable += [text for outcome in outcomes for text in _of_outcome(outcome)]
    return {
        "settings": _settings(entry),
        "trust": _trust(account.settings),
        "recipients": [
            {name: domains(subentry.data.get(name, ())) for name in _ADDRESSES}
            for subentry in entry.subentries.values()
        ],
        "server": _server(account.proof, redactor),
        "arrival": await _async_arrival(hass, entry, redactor),
        "outbox": _state(courier.state, redactor.also(quotable)),
        "waiting": [_mail(record, redactor.also(_of_record(record))) for record in waiting],
        "outcomes": [_outcome(each, redactor.also(_of_outcome(each))) for each in outcomes],
    }


def _hidden_texts(entry: EmailCourierConfigEntry) -> set[str]:
    """Return all that is stored and not harmless, at any depth: a server may echo it."""
    stored = {**entry.data, **entry.options}
    found = texts_in([value for name, value in stored.items() if name not in _HARMLESS])
    return {text for text in found if len(text) >= _SHORTEST_SECRET}


def _people(entry: EmailCourierConfigEntry) -> list[str]:
    """Return the addresses that the account and its recipients are set up with, and the names."""
    recipients = entry.subentries.values()
    texts = texts_in([entry.data, entry.options, *(each.data for each in recipients)])
    return [*(each.title for each in recipients), *(text for text in texts if "@" in text)]


def _of_record(record: MailRecord) -> list[str]:
    """Return what of a waiting mail a server may quote."""
    return [record.subject, record.sender, *record.addresses]


def _of_outcome(outcome: Mapping[str, Any]) -> list[str]:
    """Return what of a mail in the history a server may have quoted; old files may be damaged."""
    return list(texts_in([outcome.get("subject"), outcome.get("recipients")]))


def _settings(entry: EmailCourierConfigEntry) -> dict[str, Any]:
    """Return what is known to be harmless; of anything else, that it is there."""
    from .mail.redaction import HIDDEN  # noqa: PLC0415 - a start goes without

    stored = {**entry.data, **entry.options}
    settings = {name: value if name in _HARMLESS else HIDDEN for name, value in stored.items()}
    [settings[CONF_SENDER]] = domains([stored[CONF_SENDER]])
    return settings


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


def _server(proof: Proof | None, redactor: Redactor) -> dict[str, Any] | None:
    """Return what the last connection has shown since the account was loaded."""
    if proof is None:
        return None
    certificate = proof.certificate
    return {
        "name": redactor.text(proof.server),
        "tls_version": proof.tls_version,
        "certificate": None if certificate is None else certificate.facts(),
        "login_mechanism": proof.mechanism,
        "size_limit": proof.size_limit,
        "extensions": redactor.data(proof.extensions),
    }


async def _async_arrival(
    hass: HomeAssistant, entry: EmailCourierConfigEntry, redactor: Redactor
) -> dict[str, Any]:
    """Return what the sender's domain says of the server just now (SPF, DMARC)."""
    data = entry.data
    arrival = await async_judge(hass, data[CONF_SENDER], data[CONF_HOST], data.get(CONF_USERNAME))
    spf, dmarc = arrival.spf, arrival.dmarc
    return {
        "verdict": arrival.verdict.value,
        "concern": arrival.concern and arrival.concern.value,
        "spf": None if spf is None else spf.result.value,
        "spf_record": redactor.text(spf.record) if spf and spf.record else None,
        "dmarc": None if dmarc is None else dmarc.policy.value,
        "dmarc_record": None if dmarc is None else redactor.text(dmarc.record),
    }


def _state(state: OutboxState, redactor: Redactor) -> dict[str, Any]:
    return {
        "waiting": state.waiting,
        "waiting_bytes": state.waiting_bytes,
        "fullness": round(state.fullness, 3),
        "down": _failure(state.down, redactor),
        "paused": _failure(state.paused, redactor),
        "is_suspended": state.is_suspended,
        "next_attempt": iso_time(state.next_attempt),
    }


def _mail(record: MailRecord, redactor: Redactor) -> dict[str, Any]:
    return {
        "message_id": record.message_id,
        "priority": record.id.rank.name.lower(),
        "size": record.id.size,
        "created": iso_time(record.born),
        "expires": iso_time(record.expires),
        "attempts": record.attempts,
        "next_attempt": iso_time(record.next_attempt or None),
        "passed": list(record.visited_accounts),
        "owed": [
            {
                "domain": domains([owed.address])[0],
                "lost_replies": owed.lost_replies,
                "failure": _failure(owed.failure, redactor),
            }
            for owed in record.owed
        ],
    }


def _outcome(outcome: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    """Return one entry of the history; its Message-ID is what a server's log can be searched by."""
    plain = {name: value for name, value in outcome.items() if name != "subject"}
    times = {name: iso_time(outcome[name]) for name in ("at", "next_attempt") if name in outcome}
    return {
        **redactor.data(plain),
        **times,
        "message_id": outcome["message_id"],
        "recipients": domains(outcome["recipients"]),
    }


def _failure(failure: Failure | None, redactor: Redactor) -> dict[str, Any] | None:
    return None if failure is None else redactor.data(failure.as_dict())


def domains(addresses: Iterable[str]) -> list[str]:
    """Return only the domains of addresses."""
    return [address.rpartition("@")[2].rstrip("> ") for address in addresses]


def texts_in(value: object) -> Iterator[str]:
    """Go through all texts in plain data."""
    match value:
        case str():
            yield value
        case Mapping():
            yield from texts_in(list(value.values()))
        case list() | tuple():
            for item in value:
                yield from texts_in(item)


class Redactor:
    """Hides secrets, what mails say of themselves, and the local part of every address.

    The domain says enough.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        """Know what is not to be seen in any form, also as a part of something longer."""
        from .mail.redaction import NOTHING_HIDDEN, Redactor as Hiding  # noqa: PLC0415

        self._secrets = Hiding.for_login("", secrets)
        self._words = NOTHING_HIDDEN

    def also(self, texts: Iterable[str]) -> Redactor:
        """Return one that also hides subjects, names and addresses, where they are whole words."""
        other = copy(self)
        words = (word for text in texts for word in _words_of(text))
        other._words = self._words.also(words)  # noqa: SLF001 - a Redactor as well
        return other

    def text(self, text: str) -> str:
        """Hide it in a text."""
        from .mail.redaction import HIDDEN  # noqa: PLC0415

        shown = _LOCAL_PART.sub(f"{HIDDEN}@", self._secrets.text(text))
        return self._words.text(shown)

    def data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Hide it in all texts of plain data."""
        return {
            name: value if name in _OWN_WORDS else self._value(value)
            for name, value in data.items()
        }

    def _value(self, value: object) -> object:
        match value:
            case str():
                return self.text(value)
            case Mapping():
                return self.data(value)
            case list() | tuple():
                if value and all(isinstance(item, str) for item in value):
                    return self.text("\n".join(value)).split("\n")
                return [self._value(item) for item in value]
        return value


def _words_of(text: str) -> Iterator[str]:
    """Return a text and, of an address, each part that a server may quote alone."""
    yield text
    name, address = parseaddr(text) if "@" in text else ("", "")
    yield from (address, address.rpartition("@")[0], name, *name.split())

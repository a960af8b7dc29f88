"""The actions on an outbox: what waits and what became of mail; try it, drop it, send it again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from homeassistant.components.notify.const import DOMAIN as NOTIFY_DOMAIN
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.service import async_get_config_entry
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonValueType

from ..account import Account, loaded_account, origin_of
from ..const import DOMAIN, SUBENTRY_RECIPIENT
from ..errors import async_raise_if_not_trying, error_for_disk, request_error
from ..mail.failure import Failure
from ..mail.outbox.given_up import bare
from ..mail.outbox.record import MailRecord
from ..mail.outbox.runtime import in_pieces
from ..mail.outbox.submission import Receipt
from ..outbox_host import iso_time
from ..recipients import Recipients
from .fields import (
    ATTR_CONFIG_ENTRY_ID,
    ATTR_LIMIT,
    ATTR_MESSAGE_ID,
    ATTR_RECIPIENT,
    ATTR_SINCE,
    ATTR_STATE,
    ATTR_UNTIL,
)

type _Chosen = list[tuple[Account, Collection[str] | None]]
"""Accounts, each with the names in its outbox of some mails, or with None for all of them."""


async def async_list_waiting(call: ServiceCall) -> ServiceResponse:
    """Return all waiting mails, account by account, first in line first."""
    mails: list[JsonValueType] = []
    for account in _accounts(call):
        next_attempt = account.courier.state.next_attempt
        entry_id = account.entry.entry_id
        describe = partial(_describe, entry_id, next_attempt)
        mails += await in_pieces(await account.courier.waiting(), describe)
    return {"mails": mails}


async def async_retry_waiting(call: ServiceCall) -> None:
    """Try waiting mails now; a login that was refused is not tried again, nor a paused account.

    Raises HomeAssistantError where that leaves no account to try.
    """
    errors: list[HomeAssistantError] = []
    chosen = await _async_chosen(call, await _async_waiting(call))
    for account, names in chosen:
        try:
            async_raise_if_not_trying(account.courier, account.entry.title)
        except HomeAssistantError as error:
            errors.append(error)
        else:
            account.courier.retry_now(names)
    if len(errors) == len(chosen):
        raise errors[0]


async def async_drop_waiting(call: ServiceCall) -> ServiceResponse:
    """Forget waiting mails; return how many."""
    _require_choice(call)
    dropped = 0
    for account, names in await _async_chosen(call, await _async_waiting(call)):
        try:
            dropped += await account.courier.drop(names)
        except OSError as error:
            raise error_for_disk(error, account=account.entry.title) from error
    return {"dropped": dropped} if call.return_response else None


async def async_list_recent(call: ServiceCall) -> ServiceResponse:
    """Return what became of the last mails, the latest first."""
    found: list[tuple[float, dict[str, Any]]] = []
    addresses = _addresses(call)
    for account in _accounts(call):
        kept = {record.message_id for record in await account.courier.given_up()}
        found += [
            (float(outcome["at"]), _recent(account, outcome, kept))
            for outcome in _standing(account.courier.history)
            if _is_asked_for(outcome, call.data, addresses)
        ]
    found.sort(key=lambda each: each[0], reverse=True)
    return {"mails": [mail for _, mail in found[: call.data[ATTR_LIMIT]]]}


async def async_send_again(call: ServiceCall) -> ServiceResponse:
    """Send given-up mails to those who did not get them; return what became of each.

    Raises the first error where any was not sent, once all have been tried.
    """
    _require_choice(call)
    kept: dict[Account, Sequence[MailRecord]] = {
        account: await account.courier.given_up() for account in _accounts(call)
    }
    names = call.data.get(ATTR_MESSAGE_ID)
    wanted: list[tuple[Account, str]] = []
    for account, records in kept.items():
        known = {bare(record.message_id): record.message_id for record in records}
        parts = {bare(p.message_id): r.message_id for r in records for p in r.stands_for}
        asked = known if names is None else (bare(name) for name in names)
        ids = [(parts | known)[name] for name in asked if name in parts or name in known]
        wanted += [(account, message_id) for message_id in dict.fromkeys(ids)]
    if names is not None:
        _require_known(names, [record for records in kept.values() for record in records])
    mails: list[JsonValueType] = []
    errors: list[HomeAssistantError] = []
    for account, message_id in wanted:
        try:
            receipt = await account.async_send_again(message_id, origin_of(call.context))
        except HomeAssistantError as error:
            errors.append(error)
        else:
            if receipt is not None:
                mails.append(_sent_again(account, message_id, receipt))
    if errors:
        raise errors[0]
    return {"mails": mails} if call.return_response else None


def _accounts(call: ServiceCall) -> list[Account]:
    """Return the account that is named, else all that are loaded. Raises ServiceValidationError."""
    entry_id = call.data.get(ATTR_CONFIG_ENTRY_ID)
    if entry_id is not None:
        named: Account = async_get_config_entry(call.hass, DOMAIN, entry_id).runtime_data
        return [named]
    entries = call.hass.config_entries.async_entries(DOMAIN)
    accounts = [
        account for each in entries if (account := loaded_account(call.hass, each.entry_id))
    ]
    if not accounts:
        raise request_error("no_account_loaded")
    return accounts


def _require_choice(call: ServiceCall) -> None:
    """Raise ServiceValidationError for an action on all mail of several accounts."""
    accounts = _accounts(call)
    if len(accounts) > 1 and call.data.get(ATTR_MESSAGE_ID) is None:
        names = ", ".join(sorted(account.entry.title for account in accounts))
        raise request_error("mails_unclear", accounts=names)


async def _async_waiting(call: ServiceCall) -> dict[Account, Sequence[MailRecord]]:
    """Return the waiting mails of all accounts in question, where single ones are asked for."""
    is_all = call.data.get(ATTR_MESSAGE_ID) is None
    return {
        account: () if is_all else await account.courier.waiting() for account in _accounts(call)
    }


async def _async_chosen(
    call: ServiceCall, waiting: Mapping[Account, Sequence[MailRecord]]
) -> _Chosen:
    """Return the mails that are asked for. Raises ServiceValidationError for one that is none."""
    wanted: list[str] | None = call.data.get(ATTR_MESSAGE_ID)
    if wanted is None:
        return [(account, None) for account in waiting]
    ids = {bare(message_id) for message_id in wanted}
    chosen: _Chosen = []
    found: set[str] = set()
    for account, records in waiting.items():
        asked = [record for record in records if bare(record.message_id) in ids]
        found |= {bare(record.message_id) for record in asked}
        if asked:
            chosen.append((account, [str(record.id) for record in asked]))
    for message_id in wanted:
        if bare(message_id) not in found:
            accounts = ", ".join(sorted(account.entry.title for account in waiting))
            raise request_error("mail_not_waiting", message_id=message_id, account=accounts)
    return chosen


def _require_known(names: Sequence[str], records: Sequence[MailRecord]) -> None:
    """Raise ServiceValidationError for a mail of which nothing is kept."""
    known = {bare(record.message_id) for record in records}
    known |= {bare(part.message_id) for record in records for part in record.stands_for}
    for name in names:
        if bare(name) not in known:
            raise request_error("mail_not_given_up", message_id=name)


def _addresses(call: ServiceCall) -> frozenset[str] | None:
    """Return whom recent mail is asked for; None for everybody. Raises ServiceValidationError.

    A recipient is named by its notify entity, by its name, or by an address.
    """
    named: str | None = call.data.get(ATTR_RECIPIENT)
    if named is None:
        return None
    entity = er.async_get(call.hass).async_get(named)
    found: set[str] = set()
    for entry in call.hass.config_entries.async_entries(DOMAIN):
        for subentry in entry.get_subentries_of_type(SUBENTRY_RECIPIENT):
            is_entity = (
                entity is not None
                and entity.domain == NOTIFY_DOMAIN
                and entity.config_subentry_id == subentry.subentry_id
            )
            if is_entity or subentry.title.casefold() == named.strip().casefold():
                found.update(Recipients.of_subentry(subentry).addresses)
    if not found and "@" not in named:
        raise request_error("recipient_not_found", entity_id=named)
    return frozenset(address.casefold() for address in found or {named.strip()})


def _standing(history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return what still holds: that a mail waits is over once something else became of it.

    Raises nothing for what an old or damaged file may hold.
    """
    standing: list[Mapping[str, Any]] = []
    later: dict[object, set[str]] = {}
    for outcome in reversed(history):
        recipients = outcome.get("recipients")
        if not isinstance(recipients, list) or not isinstance(outcome.get("at"), int | float):
            continue
        told = later.setdefault(str(outcome.get("message_id")), set())
        if outcome.get("outcome") == "deferred" and told.issuperset(map(str, recipients)):
            continue
        told.update(map(str, recipients))
        standing.append(outcome)
    return standing


def _is_asked_for(
    outcome: Mapping[str, Any], asked: Mapping[str, Any], addresses: frozenset[str] | None
) -> bool:
    at = float(outcome["at"])
    since, until = asked.get(ATTR_SINCE), asked.get(ATTR_UNTIL)
    return (
        (since is None or at >= dt_util.as_utc(since).timestamp())
        and (until is None or at <= dt_util.as_utc(until).timestamp())
        and (ATTR_STATE not in asked or outcome.get("outcome") in asked[ATTR_STATE])
        and (
            addresses is None
            or any(str(each).casefold() in addresses for each in outcome["recipients"])
        )
    )


def _recent(account: Account, outcome: Mapping[str, Any], kept: Collection[str]) -> dict[str, Any]:
    kind, reply = _cause_in(outcome.get("failure"))
    state, message_id = outcome.get("outcome"), outcome.get("message_id")
    return {
        "config_entry_id": account.entry.entry_id,
        "message_id": message_id,
        "state": state,
        "time": iso_time(outcome["at"]),
        "subject": outcome.get("subject") or None,
        "recipients": outcome["recipients"],
        "attempts": outcome.get("attempts"),
        "kind": kind,
        "reply": outcome.get("reply") or reply,
        "reason": outcome.get("reason"),
        "backup": outcome.get("backup"),
        "digest": outcome.get("digest"),
        "can_send_again": state == "failed" and message_id in kept,
    }


def _cause_in(stored: object) -> tuple[str | None, str | None]:
    """Return the kind of a stored failure, and what the server said or what else the cause is."""
    if not isinstance(stored, Mapping):
        return None, None
    try:
        failure = Failure.from_dict(stored)
    except KeyError, TypeError, ValueError:
        return None, None
    return failure.kind.value, failure.server_words or None


def _sent_again(account: Account, message_id: str, receipt: Receipt) -> dict[str, Any]:
    return {
        "config_entry_id": account.entry.entry_id,
        "message_id": receipt.message_id,
        "sent_before_as": message_id,
        "status": receipt.status.value,
        "accepted": [each.address for each in receipt.accepted],
        "refused": [each.address for each in receipt.refused],
        "queued": [each.address for each in receipt.owed],
    }


def _describe(
    entry_id: str, next_attempt: float | None, record: MailRecord
) -> dict[str, JsonValueType]:
    """next_attempt: that of the account, in seconds; a mail may have a later one of its own."""
    failure = record.failure
    due = None if next_attempt is None else max(next_attempt, record.next_attempt)
    return {
        "config_entry_id": entry_id,
        "message_id": record.message_id,
        "subject": record.subject,
        "recipients": list(record.addresses),
        "priority": record.id.rank.name.lower(),
        "size": record.id.size,
        "created": iso_time(record.born),
        "expires": iso_time(record.expires),
        "attempts": record.attempts,
        "next_attempt": iso_time(due),
        "kind": None if failure is None else failure.kind.value,
        "reply": None if failure is None else failure.server_words or None,
    }

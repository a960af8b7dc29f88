"""The actions on waiting mail: list it, try it now, drop it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry
import voluptuous as vol

from ..account import Account
from ..const import DOMAIN
from ..errors import error_for_disk, error_for_failure, request_error
from ..mail.outbox.record import MailRecord
from ..outbox_host import iso_time

ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
ATTR_MESSAGE_ID: Final = "message_id"

ACCOUNT: Final = vol.Schema({vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string})
ACCOUNT_AND_MAILS: Final = ACCOUNT.extend(
    {vol.Optional(ATTR_MESSAGE_ID): vol.All(cv.ensure_list, [cv.string])}
)


async def async_list_waiting(call: ServiceCall) -> ServiceResponse:
    """Return all waiting mails, first in line first."""
    account = _account(call)
    next_attempt = account.courier.state.next_attempt
    records = await account.courier.waiting()
    return {"mails": [_describe(record, next_attempt) for record in records]}


async def async_retry_waiting(call: ServiceCall) -> None:
    """Try waiting mails now; a login that was refused is not tried again."""
    account = _account(call)
    if (refusal := account.courier.paused) is not None:
        raise error_for_failure(refusal, account=account.entry.title)
    account.courier.retry_now(await _async_chosen(account, call))


async def async_drop_waiting(call: ServiceCall) -> ServiceResponse:
    """Forget waiting mails; return how many."""
    account = _account(call)
    try:
        dropped = await account.courier.drop(await _async_chosen(account, call))
    except OSError as error:
        raise error_for_disk(error, account=account.entry.title) from error
    return {"dropped": dropped} if call.return_response else None


def _account(call: ServiceCall) -> Account:
    entry = async_get_config_entry(call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY_ID))
    account: Account = entry.runtime_data
    return account


async def _async_chosen(account: Account, call: ServiceCall) -> Collection[str] | None:
    """Return the names in the outbox of the mails that were asked for, None for all of them."""
    wanted: list[str] | None = call.data.get(ATTR_MESSAGE_ID)
    if wanted is None:
        return None
    waiting: dict[str, list[str]] = {}
    for record in await account.courier.waiting():
        waiting.setdefault(_bare(record.message_id), []).append(str(record.id))
    chosen: list[str] = []
    for message_id in wanted:
        if (names := waiting.get(_bare(message_id))) is None:
            raise request_error(
                "mail_not_waiting", message_id=message_id, account=account.entry.title
            )
        chosen += names
    return chosen


def _bare(message_id: str) -> str:
    """Message-IDs are the same with and without their brackets."""
    return message_id.strip().removeprefix("<").removesuffix(">")


def _describe(record: MailRecord, next_attempt: float | None) -> dict[str, Any]:
    """next_attempt: that of the account, in seconds; a mail may have a later one of its own."""
    failure = record.failure
    due = None if next_attempt is None else max(next_attempt, record.next_attempt)
    return {
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

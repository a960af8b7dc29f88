"""The actions on waiting mail: list it, try it now, drop it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry, async_register_admin_service
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..account import Account
from ..const import DOMAIN
from ..errors import action_error, error_for_failure, request_error
from ..mail.outbox.record import MailRecord

SERVICE_LIST_WAITING: Final = "list_waiting"
SERVICE_RETRY_WAITING: Final = "retry_waiting"
SERVICE_DROP_WAITING: Final = "drop_waiting"

ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
ATTR_MESSAGE_ID: Final = "message_id"

_ACCOUNT: Final = {vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string}
_ACCOUNT_AND_MAILS: Final = vol.Schema(
    {**_ACCOUNT, vol.Optional(ATTR_MESSAGE_ID): vol.All(cv.ensure_list, [cv.string])}
)


@callback
def async_setup_outbox_services(hass: HomeAssistant) -> None:
    """Register them, for administrators; they do not depend on an account."""
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_LIST_WAITING,
        _async_list,
        schema=vol.Schema(_ACCOUNT),
        supports_response=SupportsResponse.ONLY,
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_RETRY_WAITING,
        _async_retry,
        schema=_ACCOUNT_AND_MAILS,
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_DROP_WAITING,
        _async_drop,
        schema=_ACCOUNT_AND_MAILS,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_list(call: ServiceCall) -> ServiceResponse:
    """Return all waiting mails, first in line first."""
    account = _account(call)
    next_attempt = account.courier.state.next_attempt
    records = await account.courier.waiting()
    return {"mails": [_describe(record, next_attempt) for record in records]}


async def _async_retry(call: ServiceCall) -> None:
    """Try waiting mails now; a login that was refused is not tried again."""
    account = _account(call)
    if (refusal := account.courier.paused) is not None:
        raise error_for_failure(refusal, account=account.entry.title)
    account.courier.retry_now(await _async_chosen(account, call))


async def _async_drop(call: ServiceCall) -> ServiceResponse:
    """Forget waiting mails; return how many."""
    account = _account(call)
    try:
        dropped = await account.courier.drop(await _async_chosen(account, call))
    except OSError as error:
        raise action_error("outbox_disk", account=account.entry.title, detail=str(error)) from error
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
        "created": _iso(record.born),
        "expires": _iso(record.expires),
        "attempts": record.attempts,
        "next_attempt": None if due is None else _iso(due),
        "kind": None if failure is None else failure.kind.value,
        "reply": None if failure is None else failure.server_words or None,
    }


def _iso(timestamp: float) -> str:
    return dt_util.utc_from_timestamp(timestamp).isoformat()

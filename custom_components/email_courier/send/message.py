"""Sending what an action asks for: one mail per account, all at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.notify import ATTR_TITLE_DEFAULT
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util.json import JsonObjectType

from ..const import LOGGER, SIGNAL_NOTIFIED
from ..mail.envelope import RecipientOutcome
from ..mail.failure import MailError
from ..mail.outbox.submission import DAY, Receipt, Status
from ..rights import Rights, async_rights
from .attachments import AttachmentRequest, async_fetch
from .fields import Field
from .targets import Destination, async_destinations, mailboxes

_AS_THEY_ARE = (Field.HTML, Field.MARKDOWN, Field.BUTTON, Field.PRIORITY, Field.THREAD)
_LISTS = ("accepted", "refused", "queued")


class Sent(NamedTuple):
    """What became of one mail: a receipt, or the error that nobody got it for."""

    destination: Destination
    result: Receipt | HomeAssistantError


async def async_send_message(call: ServiceCall) -> ServiceResponse:
    """Send one mail per account, or raise when nobody gets any."""
    return await async_send(call, call.data)


async def async_send(
    call: ServiceCall,
    fields: Mapping[str, Any],
    own: Destination | None = None,
    images: Sequence[str] = (),
) -> ServiceResponse:
    """Send what the fields of an action ask for, and answer its call.

    own: what typed addresses are added to where the action is that of one account.
    images: paths of pictures, beside the attachments.
    Raises HomeAssistantError when a mail neither went out nor was kept and nobody asked for an
    answer, and when there is nothing to answer but that.
    """
    rights = await async_rights(call)
    destinations = await async_destinations(call.hass, fields, rights, own)
    sent = await _async_send_to_all(call.hass, destinations, fields, rights, images)
    if call.return_response:
        return _response(sent)
    _report_refusals(sent)
    return None


async def _async_send_to_all(
    hass: HomeAssistant,
    destinations: Sequence[Destination],
    fields: Mapping[str, Any],
    rights: Rights,
    images: Sequence[str],
) -> list[Sent]:
    """Send the same content to every destination.

    Raises HomeAssistantError when no mail at all went out or was kept, and
    ServiceValidationError, before anything is sent, for what cannot be part of a mail.
    Raises Unauthorized, before anything is fetched, for pictures that the user may not see.
    """
    wanted: list[AttachmentRequest] = fields.get(Field.ATTACHMENTS, [])
    if pictured := [one.pictured for one in wanted if one.pictured is not None]:
        rights.require(POLICY_READ, pictured)
    content = _content(fields)
    requests = [*wanted, *(AttachmentRequest(path=path) for path in images)]
    fetched = await async_fetch(hass, requests) if requests else ()
    content |= {"attachments": fetched[: len(wanted)], "images": fetched[len(wanted) :]}
    try:
        results = await _async_results(destinations, content, fields)
    finally:
        for attachment in fetched:
            attachment.close()
    sent: list[Sent] = []
    for destination, result in zip(destinations, results, strict=True):
        if isinstance(result, BaseException) and not isinstance(result, HomeAssistantError):
            raise result
        sent.append(Sent(destination, result))
    if not any(isinstance(one.result, Receipt) for one in sent):
        _raise_failure(sent)
    for one in sent:
        if isinstance(one.result, Receipt):
            for subentry_id in one.destination.subentry_ids:
                async_dispatcher_send(hass, SIGNAL_NOTIFIED.format(subentry_id))
    return sent


def _content(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what every mail has in common, without attachments. Raises as above."""
    return {
        "sender_name": fields.get(Field.SENDER_NAME),
        "reply_to": mailboxes(fields[Field.REPLY_TO]) if Field.REPLY_TO in fields else None,
        "subject": fields.get(Field.TITLE) or ATTR_TITLE_DEFAULT,
        "text": fields.get(Field.MESSAGE, ""),
        "headers": fields.get(Field.HEADERS, {}),
        **{field: fields[field] for field in _AS_THEY_ARE if field in fields},
    }


async def _async_results(
    destinations: Sequence[Destination], content: Mapping[str, Any], fields: Mapping[str, Any]
) -> list[Receipt | BaseException]:
    """Send to every destination at the same time."""
    lifetime: timedelta = fields.get(Field.EXPIRES_AFTER, timedelta(seconds=DAY))
    return await asyncio.gather(
        *(
            destination.account.async_send(
                destination.account.content(
                    to=destination.recipients.to,
                    cc=destination.recipients.cc,
                    bcc=destination.recipients.bcc,
                    **content,
                ),
                queue=fields[Field.QUEUE],
                expires_after=lifetime.total_seconds(),
            )
            for destination in destinations
        ),
        return_exceptions=True,
    )


def _raise_failure(sent: Sequence[Sent]) -> None:
    """Raise the error of the first mail that nobody gets, and log those of the others."""
    errors = [one.result for one in sent if isinstance(one.result, HomeAssistantError)]
    for error in errors[1:]:
        LOGGER.error("%s", error)
    if errors:
        raise errors[0]


def _response(sent: Sequence[Sent]) -> JsonObjectType:
    """Return what became of one mail, or of several together and one by one."""
    mails = [_of_one(one) for one in sent]
    if len(mails) == 1:
        return mails[0]
    first = next(mail for mail in mails if mail["message_id"] is not None)
    states = {mail["status"] for mail in mails}
    together: dict[str, Any] = {
        **first,
        "status": states.pop() if len(states) == 1 else Status.PARTIAL.value,
        **{name: [item for mail in mails for item in mail[name]] for name in _LISTS},
        "attempts": sum(mail["attempts"] for mail in mails),
        "mails": [
            {"config_entry_id": one.destination.account.entry.entry_id, **mail}
            for one, mail in zip(sent, mails, strict=True)
        ],
    }
    return together


def _report_refusals(sent: Sequence[Sent]) -> None:
    """Name in the log everyone who does not get a mail that others do get.

    Raises HomeAssistantError for a mail that nobody gets: an action that returns without an error
    and without an answer has sent or kept all of them.
    """
    for one in sent:
        if isinstance(one.result, Receipt) and one.result.refused:
            LOGGER.warning(
                "%s: not everyone gets the mail. Refused: %s",
                one.destination.account.entry.title,
                "; ".join(f"{each.address} ({_words(each)})" for each in one.result.refused),
            )
    _raise_failure(sent)


def _of_one(sent: Sent) -> dict[str, Any]:
    receipt = sent.result
    if not isinstance(receipt, Receipt):
        words = _words_of(receipt)
        return {
            "message_id": None,
            "status": "failed",
            "accepted": [],
            "refused": [
                {"address": address, "reply": words} for address in sent.destination.addresses
            ],
            "queued": [],
            "server_reply": words,
            "attempts": 0,
        }
    return {
        "message_id": receipt.message_id,
        "status": receipt.status.value,
        "accepted": [outcome.address for outcome in receipt.accepted],
        "refused": [
            {"address": outcome.address, "reply": _words(outcome)} for outcome in receipt.refused
        ],
        "queued": [outcome.address for outcome in receipt.owed],
        "server_reply": receipt.server_reply,
        "attempts": receipt.attempts,
    }


def _words(outcome: RecipientOutcome) -> str:
    return outcome.failure.server_words if outcome.failure is not None else ""


def _words_of(error: HomeAssistantError) -> str:
    """Return what the server said, or the error's own text where it said nothing."""
    cause = error.__cause__
    return (cause.failure.server_words if isinstance(cause, MailError) else "") or str(error)

"""Sending what an action asks for: one mail per account, all at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from copy import replace
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.importlib import async_import_module
from homeassistant.util.json import JsonObjectType

from ..account import Account, origin_of
from ..caller import Rights, async_rights, async_sent_by
from ..const import LOGGER, SIGNAL_NOTIFIED, SUBJECT_OF_CORE
from ..mail.compose.content import Attachment, Content, Layout, SentBy
from ..mail.envelope import RecipientOutcome
from ..mail.failure import MailError
from ..mail.outbox.submission import DAY, Receipt, Status
from ..message_size import without
from .attachments import async_fetch
from .buttons import Asking, MailAsking, async_asking
from .charts import ChartRequest, chart_request
from .facts import async_facts
from .fields import TEXTS, AttachmentRequest, Field, Missing
from .missing import async_missing, broken_attachment, without_missing
from .targets import Destination, async_destinations, mailboxes

_AS_THEY_ARE = (
    Field.HTML,
    Field.MARKDOWN,
    Field.BUTTON,
    Field.PRIORITY,
    Field.THREAD,
    Field.ICON,
    Field.COLOR,
)
_PLOTS = f"{__package__}.plots"
_LISTS = ("accepted", "refused", "queued")


class Sent(NamedTuple):
    """What became of one mail: a receipt, or the error that nobody got it for."""

    destination: Destination
    result: Receipt | HomeAssistantError
    missing: Sequence[Missing] = ()


class _Beside(NamedTuple):
    """What the fields of an action do not say.

    images: paths of pictures, beside the attachments. asking: what the mail asks.
    is_lenient: what a layout has no place for is passed over.
    """

    images: Sequence[str]
    asking: Asking | None
    is_lenient: bool


class _Order(NamedTuple):
    """What was asked for, apart from whom it goes to.

    fetched: as wanted; None for what is missing.
    """

    call: ServiceCall
    fields: Mapping[str, Any]
    content: Mapping[str, Any]
    wanted: Sequence[AttachmentRequest]
    fetched: Sequence[Attachment | None]
    missing: Sequence[Missing]
    needs_attachments: bool
    beside: _Beside

    def wish(self, attachment: Attachment) -> AttachmentRequest:
        """Return how an attachment was asked for."""
        pairs = zip(self.wanted, self.fetched, strict=True)
        return next(
            (wanted for wanted, fetched in pairs if fetched is attachment),
            AttachmentRequest(path=attachment.filename),  # the picture of a chart
        )


async def async_send(
    call: ServiceCall,
    fields: Mapping[str, Any],
    own: Destination | None = None,
    images: Sequence[str] = (),
    asking: Asking | None = None,
) -> ServiceResponse:
    """Send what the fields of an action ask for, and answer its call.

    own: what typed addresses are added to where the action is that of one account.
    images: paths of pictures, beside the attachments.
    asking: what the mail asks; without it, what its fields say.
    Raises HomeAssistantError when a mail neither went out nor was kept and nobody asked for an
    answer, and when there is nothing to answer but that.
    """
    rights = await async_rights(call)
    destinations = await async_destinations(call.hass, fields, rights, own)
    content = _content(fields)
    if own is not None and not content["subject"]:
        content["subject"] = SUBJECT_OF_CORE  # login codes come that way
    if asking is None:
        asking = await async_asking(call, fields)
    beside = _Beside(images, asking, is_lenient=own is not None)
    sent = await _async_send_to_all(call, destinations, fields, rights, content, beside)
    if call.return_response:
        return _response(sent)
    _report_refusals(sent)
    return None


async def _async_send_to_all(
    call: ServiceCall,
    destinations: Sequence[Destination],
    fields: Mapping[str, Any],
    rights: Rights,
    content: dict[str, Any],
    beside: _Beside,
) -> list[Sent]:
    """Send the same content to every destination.

    content: what all mails have in common, without attachments.

    An attachment that cannot be had is missing, and the mail says so; it is an error where the
    fields say that attachments are required, and always where its folder is not allowed.
    Raises HomeAssistantError when no mail at all went out or was kept, and
    ServiceValidationError, before anything is sent, for what cannot be part of a mail.
    Raises Unauthorized, before anything is fetched, for pictures and states that the user may not
    see.
    """
    hass = call.hass
    wanted = [*fields.get(Field.ATTACHMENTS, ()), *_shown(fields.get(Field.CAMERA, ()))]
    charts = [chart_request(one) for one in fields.get(Field.CHARTS, ())]
    if seen := _entities_in(fields, wanted, charts):
        rights.require(POLICY_READ, seen)
    attached = len(wanted)
    wanted = [*wanted, *(AttachmentRequest(path=path) for path in beside.images)]
    if (width := fields.get(Field.MAX_WIDTH)) is not None:
        wanted = [one if one.max_width else one._replace(max_width=width) for one in wanted]
    missing: list[Missing] = []
    needs_attachments: bool = fields.get(Field.ATTACHMENTS_REQUIRED, False)
    warm_up = partial(_warm_up, destinations)
    if charts:
        warm_up()
    showing = _async_shown_states(hass, fields, charts, missing)
    not_fetched: list[Missing] = []
    fetch = partial(async_fetch, hass, wanted, None if needs_attachments else not_fetched, warm_up)
    fetched, shown = await _async_side_by_side(hass, fetch if wanted else None, showing)
    missing += not_fetched
    content |= shown
    if wanted:
        content |= {"attachments": _there(fetched[:attached]), "images": _there(fetched[attached:])}
    order = _Order(call, fields, content, wanted, fetched, missing, needs_attachments, beside)
    try:
        sent = await asyncio.gather(*(_async_send_one(one, order) for one in destinations))
    finally:
        for attachment in _there(fetched):
            attachment.close()
    if not any(isinstance(one.result, Receipt) for one in sent):
        _raise_failure(sent)
    for one in sent:
        if isinstance(one.result, Receipt):
            for subentry_id in one.destination.subentry_ids:
                async_dispatcher_send(hass, SIGNAL_NOTIFIED.format(subentry_id))
    return sent


def _warm_up(destinations: Sequence[Destination]) -> None:
    for one in destinations:
        one.account.async_warm_up()


def _entities_in(
    fields: Mapping[str, Any], wanted: Sequence[AttachmentRequest], charts: Sequence[ChartRequest]
) -> list[str]:
    """Return whose pictures and states a mail is to show."""
    return [
        *(one.pictured for one in wanted if one.pictured is not None),
        *(one.entity_id for one in fields.get(Field.FACTS, ())),
        *(one.entity_id for chart in charts for one in chart.entities),
    ]


async def _async_side_by_side(
    hass: HomeAssistant,
    fetch: Callable[[], Awaitable[Sequence[Attachment | None]]] | None,
    showing: Coroutine[Any, Any, dict[str, Any]],
) -> tuple[Sequence[Attachment | None], dict[str, Any]]:
    """Fetch attachments while the recorder is asked and charts are drawn; close what fails."""
    if fetch is None:
        return (), await showing
    shown = hass.async_create_task(showing, "email_courier states and charts")
    try:
        fetched = await fetch()
    except BaseException:
        shown.cancel()
        await asyncio.gather(shown, return_exceptions=True)  # whatever it says, this comes first
        raise
    try:
        return fetched, await shown
    except BaseException:
        for attachment in _there(fetched):
            attachment.close()
        raise


async def _async_shown_states(
    hass: HomeAssistant,
    fields: Mapping[str, Any],
    charts: Sequence[ChartRequest],
    missing: list[Missing],
) -> dict[str, Any]:
    """Return what entities say just now, and what they said before, as content."""
    shown: dict[str, Any] = {}
    if facts := fields.get(Field.FACTS):
        shown["facts"] = await async_facts(hass, facts, missing)
    marks = {mark for text in TEXTS for mark in _marks_in(fields.get(text))}
    if charts or marks:
        await async_import_module(hass, _PLOTS)
        from .plots import async_charts  # noqa: PLC0415 - a start goes without

        shown["charts"] = await async_charts(hass, charts, marks, missing)
    return shown


def _marks_in(text: str | None) -> Iterable[str]:
    """Return the charts that a text shows. Most texts show none."""
    if not text or "](chart:" not in text:
        return ()
    from ..mail.compose.figures import marks_in  # noqa: PLC0415 - a start goes without

    return marks_in(text)


def _shown(entity_ids: Sequence[str]) -> Iterator[AttachmentRequest]:
    """Yield the pictures that show themselves.

    Their content ids are the ids of the entities: HTML and Markdown can say where they stand.
    """
    for entity_id in dict.fromkeys(entity_ids):
        yield AttachmentRequest(entity_id=entity_id, content_id=entity_id, is_shown=True)


def _content(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what every mail has in common, without attachments. Raises ServiceValidationError."""
    return {
        "sender_name": fields.get(Field.SENDER_NAME),
        "reply_to": mailboxes(fields[Field.REPLY_TO]) if Field.REPLY_TO in fields else None,
        "subject": fields.get(Field.TITLE),
        "heading": fields.get(Field.TITLE) or "",
        "text": fields.get(Field.MESSAGE, ""),
        "headers": fields.get(Field.HEADERS, {}),
        **{field: fields[field] for field in _AS_THEY_ARE if field in fields},
    }


def _there(fetched: Sequence[Attachment | None]) -> tuple[Attachment, ...]:
    return tuple(one for one in fetched if one is not None)


def _content_for(
    destination: Destination, order: _Order, mail_asking: MailAsking | None
) -> Content:
    """Return the content of one mail, in the layout that was asked for or is wished for there."""
    account = destination.account
    layout = order.fields.get(Field.LAYOUT) or account.layout_for(*destination.subentry_ids)
    content = account.content(
        to=destination.recipients.to,
        cc=destination.recipients.cc,
        bcc=destination.recipients.bcc,
        layout=layout,
        sent_by=_sent_by(order, account) if layout is Layout.CARD else None,
        actions=() if mail_asking is None else mail_asking.links,
        **order.content,
    )
    if order.beside.is_lenient and not (content.markdown or content.has_card):
        content = replace(content, button=None)
    return content


def _sent_by(order: _Order, account: Account) -> SentBy | None:
    return async_sent_by(order.call.hass, account.words, order.call.context)


async def _async_send_one(destination: Destination, order: _Order) -> Sent:
    """Send to one destination, without a file that breaks while the mail is composed."""
    missing = [*order.missing]
    lifetime: timedelta = order.fields.get(Field.EXPIRES_AFTER, timedelta(seconds=DAY))
    asking = order.beside.asking
    mail_asking = None if asking is None else asking.in_mail(destination)
    content = _content_for(destination, order, mail_asking)
    if missing:
        content = without_missing(content, missing, order.wanted)
    while True:
        left_out: list[Attachment] = []  # by what the account's options say
        try:
            receipt = await destination.account.async_send(
                content,
                queue=order.fields[Field.QUEUE],
                expires_after=lifetime.total_seconds(),
                left_out=None if order.needs_attachments else left_out,
                origin=origin_of(order.call.context, destination.subentry_ids),
                before=None if mail_asking is None else mail_asking.async_keep,
            )
        except HomeAssistantError as error:
            broken = broken_attachment(error)
            if broken is None or order.needs_attachments:
                if mail_asking is not None:
                    await mail_asking.async_forget()
                return Sent(destination, error, missing)
            missing.append(
                await async_missing(order.call.hass, order.wish(broken.attachment), error)
            )
            lighter = without(content, [broken.attachment])
            content = without_missing(lighter, missing[-1:], order.wanted)
        else:
            missing += [
                await async_missing(order.call.hass, order.wish(one), None) for one in left_out
            ]
            return Sent(destination, receipt, missing)


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
        "missing": [*{one["name"]: one for mail in mails for one in mail["missing"]}.values()],
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
    missing = [one.as_dict for one in sent.missing]
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
            "missing": missing,
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
        "missing": missing,
    }


def _words(outcome: RecipientOutcome) -> str:
    return outcome.failure.server_words if outcome.failure is not None else ""


def _words_of(error: HomeAssistantError) -> str:
    """Return what the server said, or the error's own text where it said nothing."""
    cause = error.__cause__
    return (cause.failure.server_words if isinstance(cause, MailError) else "") or str(error)

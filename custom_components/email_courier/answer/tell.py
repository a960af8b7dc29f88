"""Telling Home Assistant of an answer: as an event in the shape of the companion app's."""

from __future__ import annotations

from functools import partial
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send

from ..const import DOMAIN, EVENT_ACTION, SIGNAL_ANSWER
from ..entity import MAIL_EVENT, unique_id
from .book import book_of
from .question import Answer, Question


@callback
def async_start_telling(hass: HomeAssistant) -> CALLBACK_TYPE:
    """Fire an event for each answer from now on; return what ends that."""
    return book_of(hass).async_watch(partial(_tell, hass))


def described(answer: Answer) -> dict[str, Any]:
    """Return what is told of an answer wherever it is told."""
    return {
        "action": answer.action.name,
        "reply_text": answer.reply_text,
        "user": answer.user,
        "subject": answer.mail.subject or None,
        "message_id": answer.mail.message_id,
        "recipients": list(answer.mail.recipients),
    }


@callback
def _tell(hass: HomeAssistant, question: Question, answer: Answer | None) -> None:
    if answer is None:
        return
    entry_id = answer.mail.entry_id
    entry = hass.config_entries.async_get_entry(entry_id)
    data: dict[str, Any] = {
        **described(answer),
        "title": answer.action.title,
        "tag": question.thread,
        "account": None if entry is None else entry.title,
        "config_entry_id": entry_id,
    }
    if entry is not None:
        entity_id = er.async_get(hass).async_get_entity_id(
            Platform.EVENT, DOMAIN, unique_id(entry, MAIL_EVENT)
        )
        device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, entry_id), entry_id)
        if entity_id is not None:
            data["entity_id"] = entity_id
        if device is not None:
            data["device_id"] = device.id
    context = Context(user_id=answer.user_id, parent_id=question.context_id)
    hass.bus.async_fire(EVENT_ACTION, data, context=context)
    async_dispatcher_send(hass, SIGNAL_ANSWER, answer)

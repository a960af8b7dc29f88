"""Mail that comes again until somebody has answered it, across restarts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any, Final

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import (
    CALLBACK_TYPE,
    Context,
    Event,
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
import voluptuous as vol

from ..account import loaded_account
from ..answer.book import Book, async_book
from ..answer.question import Action, Answer, Question
from ..const import DOMAIN, LOGGER
from .buttons import Send, async_asking
from .fields import SEND_MESSAGE, Field, Repeat, require_content

_LEFT: Final = "left"
_NEXT: Final = "next"
_FIELDS: Final = "fields"


class Repeater:
    """Sends open questions again at their times, and stops at the first answer."""

    def __init__(self, hass: HomeAssistant, book: Book, send: Send) -> None:
        """Repeat nothing yet. send: sends what the fields of an action ask for."""
        self._hass = hass
        self._send = send
        self._book = book
        self._timers: dict[str, CALLBACK_TYPE] = {}

    @callback
    def async_start(self) -> None:
        """Go on with what was being repeated before a restart."""
        self._book.async_watch(self._follow)
        self._hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._async_on_stop)
        for question in self._book.questions:
            self._schedule(question)

    def prepare(self, question: Question, fields: Mapping[str, Any]) -> None:
        """Note how a question is asked again, so that this is kept together with it."""
        repeat: Repeat = fields[Field.REPEAT_UNTIL_ANSWERED]
        question.repeat = {
            _LEFT: repeat.maximum,
            _NEXT: dt_util.utcnow().timestamp() + repeat.interval.total_seconds(),
            _FIELDS: plain(fields),
        }

    @callback
    def async_begin(self, question: Question) -> None:
        """Repeat a mail that has just been sent, where anybody gets it."""
        if question.mails:
            self._schedule(question)

    @callback
    def _async_on_stop(self, _event: Event) -> None:
        self.async_close()

    @callback
    def async_close(self) -> None:
        """Send nothing any more."""
        while self._timers:
            self._timers.popitem()[1]()

    def _schedule(self, question: Question) -> None:
        self._cancel(question)
        if question.repeat is None or question.answered is not None:
            return
        delay = max(question.repeat[_NEXT] - dt_util.utcnow().timestamp(), 0)
        self._timers[question.id] = async_call_later(
            self._hass, delay, partial(self._async_again, question)
        )

    def _cancel(self, question: Question) -> None:
        if (cancel := self._timers.pop(question.id, None)) is not None:
            cancel()

    @callback
    def _follow(self, question: Question, answer: Answer | None) -> None:
        self._cancel(question)
        if question.repeat is not None and answer is not None:
            question.repeat = None
            self._book.note_change(question)
            self._hass.async_create_task(self._async_stop(question), "email_courier repeat")

    async def _async_stop(self, question: Question) -> None:
        """Take back what has not gone out yet: it would ask what has been answered."""
        ids = {mail.message_id for mail in question.mails}
        for entry_id in {mail.entry_id for mail in question.mails}:
            if (account := loaded_account(self._hass, entry_id)) is None:
                continue
            waiting = await account.courier.waiting()
            names = [str(record.id) for record in waiting if record.message_id in ids]
            if names:
                try:
                    await account.courier.drop(names)
                except OSError as error:
                    LOGGER.error("A mail that was answered goes out still: %s", error.strerror)

    async def _async_again(self, question: Question, _now: datetime) -> None:
        self._timers.pop(question.id, None)
        repeat = question.repeat
        if repeat is None or question.answered is not None:
            return
        repeat[_LEFT] -= 1
        fields = SEND_MESSAGE(repeat[_FIELDS])
        interval: timedelta = fields[Field.REPEAT_UNTIL_ANSWERED].interval
        repeat[_NEXT] = dt_util.utcnow().timestamp() + interval.total_seconds()
        if repeat[_LEFT] <= 0:
            question.repeat = None
        self._book.note_change(question)
        context = Context(id=question.context_id, user_id=question.user_id)
        call = ServiceCall(self._hass, DOMAIN, "send_message", fields, context)
        try:
            asking = await async_asking(call, fields, question)
            await self._send(call, fields, asking=asking)
        except (HomeAssistantError, vol.Invalid) as error:
            LOGGER.error("A mail that was to come again was not sent: %s", error)
        self._schedule(question)
        if question.repeat is None:
            await self._save(question)

    async def _save(self, question: Question) -> None:
        try:
            await self._book.async_save(question)
        except OSError as error:
            LOGGER.error("That a mail has come again could not be saved: %s", error.strerror)


REPEATER: HassKey[Repeater] = HassKey(f"{DOMAIN}_repeater")


async def async_repeater(hass: HomeAssistant, send: Send) -> Repeater:
    """Return what repeats mail in this Home Assistant."""
    book = await async_book(hass)
    if REPEATER not in hass.data:
        repeater = hass.data[REPEATER] = Repeater(hass, book, send)
        repeater.async_start()
    return hass.data[REPEATER]


async def async_send_message(send: Send, call: ServiceCall) -> ServiceResponse:
    """Send one mail per account, and again until it is answered where that is asked for.

    send: sends what the fields of an action ask for.
    Raises HomeAssistantError when nobody gets any.
    """
    fields = call.data
    require_content(fields)
    asking = None
    if Field.REPEAT_UNTIL_ANSWERED in fields:
        asking = await async_asking(call, fields)
    if asking is None:
        return await send(call, fields)
    repeater = await async_repeater(call.hass, send)
    repeater.prepare(asking.question, fields)
    response = await send(call, fields, asking=asking)
    repeater.async_begin(asking.question)
    return response


def plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an action as they can be stored, and be taken again."""
    return {str(name): _plain(value) for name, value in fields.items()}


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return {"seconds": value.total_seconds()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Action):
        return {
            "action": value.name,
            "title": value.title,
            "uri": value.uri,
            "behavior": "textInput" if value.wants_text else "",
            "destructive": value.is_destructive,
            "icon": value.icon,
        }
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {
            name: _plain(part)
            for name, part in value._asdict().items()
            if part is not None and not name.startswith("is_")
        }
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(part) for part in value]
    return value

"""Asking by mail: a script goes on once somebody has pressed a button."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, ServiceCall, ServiceResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..answer.question import Answer, Question
from ..const import LOGGER, SIGNAL_MAIL, SIGNAL_UNLOADED
from ..errors import request_error
from ..mail.outbox.events import CourierEvent, Dropped, Failed
from .buttons import Asking, Send, async_asking
from .fields import Field, require_content

if TYPE_CHECKING:
    from ..account import Account


class AskStatus(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    FAILED = "failed"


type _End = Answer | AskStatus


async def async_ask(send: Send, call: ServiceCall) -> ServiceResponse:
    """Send a mail with buttons, and return which of them was pressed.

    send: sends what the fields of an action ask for.
    Raises ServiceValidationError for what cannot be asked; anything else that keeps it from being
    answered is a status.
    """
    require_content(call.data)
    actions = call.data.get(Field.ACTIONS, ())
    if all(action.is_link for action in actions):
        raise request_error("ask_without_actions", field=Field.ACTIONS)
    asking = await async_asking(call, call.data)
    if asking is None:
        raise request_error("ask_without_actions", field=Field.ACTIONS)
    waiting = _Waiting(call.hass, asking)
    waiting.async_begin()
    response: ServiceResponse = None
    try:
        try:
            async with asyncio.timeout(call.data[Field.TIMEOUT].total_seconds()):
                await send(call, call.data, asking=asking)
                end = await waiting.end
        except TimeoutError:
            end = AskStatus.TIMEOUT
        except ServiceValidationError, Unauthorized:
            raise
        except HomeAssistantError as error:
            LOGGER.error("Nobody could be asked: %s", error)
            end = AskStatus.FAILED
        response = _response(asking, end)
    finally:
        waiting.async_end()
        if Field.ACTIONS_EXPIRE_AFTER not in call.data:
            await _async_close(asking)
    return response


async def _async_close(asking: Asking) -> None:
    """Let nobody press what nothing waits for any more; who comes later reads when it was."""
    if asking.question.answered is not None:
        return
    try:
        await asking.book.async_revoke(lambda question, _mail: question is asking.question)
    except OSError as error:
        LOGGER.error("That a question is over could not be saved: %s", error.strerror)


class _Waiting:
    """Waits for what ends a question."""

    def __init__(self, hass: HomeAssistant, asking: Asking) -> None:
        self._hass = hass
        self._asking = asking
        self._failed: dict[str, set[str]] = {}
        self._ends: list[Any] = []
        self.end: asyncio.Future[_End] = hass.loop.create_future()

    @callback
    def async_begin(self) -> None:
        hass = self._hass
        self._ends = [
            self._asking.book.async_watch(self._follow_answers),
            async_dispatcher_connect(hass, SIGNAL_MAIL, self._follow_mail),
            async_dispatcher_connect(hass, SIGNAL_UNLOADED, self._follow_unloading),
            hass.bus.async_listen(EVENT_HOMEASSISTANT_STOP, self._follow_stop),
        ]

    @callback
    def async_end(self) -> None:
        while self._ends:
            self._ends.pop()()

    def _finish(self, end: _End) -> None:
        if not self.end.done():
            self.end.set_result(end)

    def _follow_answers(self, question: Question, answer: Answer | None) -> None:
        if question is self._asking.question:
            self._finish(AskStatus.CANCELLED if answer is None else answer)

    @callback
    def _follow_mail(self, _account: Account, event: CourierEvent | None) -> None:
        """End the wait once nobody at all is going to get it."""
        if not isinstance(event, (Failed, Dropped)):
            return
        mails = {mail.message_id: mail for mail in self._asking.question.mails}
        if event.message_id not in mails:
            return
        self._failed.setdefault(event.message_id, set()).update(event.recipients)
        if all(
            self._failed.get(message_id, set()).issuperset(mail.recipients)
            for message_id, mail in mails.items()
        ):
            self._finish(AskStatus.FAILED)

    @callback
    def _follow_unloading(self, entry_id: str) -> None:
        mails = self._asking.question.mails
        if mails and all(mail.entry_id == entry_id for mail in mails):
            self._finish(AskStatus.CANCELLED)

    @callback
    def _follow_stop(self, _event: Event) -> None:
        self._finish(AskStatus.CANCELLED)


def _response(asking: Asking, end: _End) -> ServiceResponse:
    if isinstance(end, Answer):
        return {
            "status": AskStatus.ANSWERED.value,
            "action": end.action.name,
            "reply_text": end.reply_text,
            "user": end.user,
            "message_id": end.mail.message_id,
        }
    is_sent = end is not AskStatus.FAILED and asking.message_ids
    return {
        "status": end.value,
        "action": None,
        "reply_text": None,
        "user": None,
        "message_id": asking.message_ids[-1] if is_sent else None,
    }

"""What a mail asks, from the fields of an action to the links of its buttons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
import secrets
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.util import dt as dt_util

from ..answer.book import Book, async_book
from ..answer.question import Action, AskedMail, Question
from ..answer.sign_in import async_external_url
from ..const import ANSWER_PATH, ANSWER_TOKEN, CONF_HIDE_SUBJECTS, DOMAIN
from ..errors import error_for_disk, request_error
from ..mail.compose.content import ActionLink
from ..mail.outbox.given_up import bare
from ..phrases import Phrases
from .fields import LONGEST_LIFE, Field, Repeat

if TYPE_CHECKING:
    from ..mail.compose.message import ComposedMail
    from .targets import Destination

type Send = Callable[..., Awaitable[ServiceResponse]]
"""Sends what the fields of an action ask for: that of `message`."""

DEFAULT_LIFE: Final = timedelta(days=1)
_AFTER_TIMEOUT: Final = timedelta(minutes=1)
"""What waits for the answer ends the question itself, unless Home Assistant is restarted."""
_MESSAGE_ID: Final = "message_id"
ACKNOWLEDGE: Final = "ACKNOWLEDGE"
"""The action of a mail that comes again until it is answered, and names no other."""


class Asking:
    """A question on its way into mails, one for each account. message_ids: those it has had."""

    def __init__(self, book: Book, question: Question, base_url: str | None) -> None:
        """Ask nobody yet. base_url: None where no button needs it."""
        self.book = book
        self.question = question
        self.message_ids: list[str] = []
        self._base_url = base_url

    def in_mail(self, destination: Destination) -> MailAsking:
        """Return the question in the mail to a destination, with links of its own."""
        made: dict[str, int] = {}
        links: list[ActionLink] = []
        for number, action in enumerate(self.question.actions):
            address = action.uri
            if not action.is_link:
                token, name = self.book.signer.token()
                made[name] = number
                address = f"{self._base_url}{ANSWER_PATH}?{urlencode({ANSWER_TOKEN: token})}"
            links.append(_link(action, address))
        account = destination.account
        mail = AskedMail(account.entry.entry_id, made, destination.addresses)
        hides = bool(account.entry.options.get(CONF_HIDE_SUBJECTS))
        return MailAsking(self, mail, tuple(links), hides_subject=hides)


class MailAsking:
    """A question in one mail. links: those of its buttons."""

    def __init__(
        self, asking: Asking, mail: AskedMail, links: tuple[ActionLink, ...], *, hides_subject: bool
    ) -> None:
        """Belong to a mail that is not composed yet."""
        self.links = links
        self._asking = asking
        self._mail = mail
        self._hides_subject = hides_subject

    async def async_keep(self, composed: ComposedMail) -> None:
        """Let it be answered, before anybody can have the mail. Raises OSError."""
        if not self._mail.links:
            return
        self._mail.message_id = composed.message_id
        self._asking.message_ids.append(composed.message_id)
        self._mail.subject = "" if self._hides_subject else composed.subject
        await self._asking.book.async_keep(self._asking.question, self._mail)

    async def async_forget(self) -> None:
        """Take back what nobody gets."""
        await self._asking.book.async_forget(self._asking.question, self._mail)


async def async_asking(
    call: ServiceCall, fields: Mapping[str, Any], question: Question | None = None
) -> Asking | None:
    """Return what the fields of an action ask; None where they ask nothing.

    question: one that is asked again. Raises ServiceValidationError for buttons that nobody could
    press.
    """
    repeat: Repeat | None = fields.get(Field.REPEAT_UNTIL_ANSWERED)
    actions: Sequence[Action] = fields.get(Field.ACTIONS, ())
    if not actions and repeat is None:
        return None
    hass = call.hass
    if repeat is not None and all(action.is_link for action in actions):
        title = (await Phrases.async_load(hass)).say("answer_acknowledge")
        actions = [Action(ACKNOWLEDGE, title), *actions]
    base_url = async_external_url(hass)
    if base_url is None and not all(action.is_link for action in actions):
        raise request_error("actions_need_address", field=Field.ACTIONS)
    book = await async_book(hass)
    if question is None:
        question = _question(call, fields, actions)
    return Asking(book, question, base_url)


async def async_revoke_actions(call: ServiceCall) -> ServiceResponse:
    """Let buttons be pressed no more: of an account, of some mails, or all; return how many mails.

    Raises ServiceValidationError for an account that is none, for a mail without buttons to press,
    and where it is not told which of several accounts is meant.
    """
    entry_id: str | None = call.data.get(Field.CONFIG_ENTRY_ID)
    names: list[str] | None = call.data.get(_MESSAGE_ID)
    entries = {each.entry_id: each for each in call.hass.config_entries.async_entries(DOMAIN)}
    if entry_id is not None and entry_id not in entries:
        raise request_error("account_not_found", entry_id=entry_id)
    if entry_id is None and names is None and len(entries) > 1:
        titles = ", ".join(sorted(each.title for each in entries.values()))
        raise request_error("mails_unclear", accounts=titles)
    book = await async_book(call.hass)
    ids = None if names is None else {bare(name) for name in names}

    def is_meant(_question: Question, mail: AskedMail) -> bool:
        is_named = ids is None or bare(mail.message_id) in ids
        return is_named and entry_id in (None, mail.entry_id)

    if ids is not None:
        known = {bare(mail.message_id) for one in book.questions for mail in one.mails}
        for name in names or ():
            if bare(name) not in known:
                raise request_error("mail_without_actions", message_id=name)
    try:
        revoked = await book.async_revoke(is_meant)
    except OSError as error:
        raise error_for_disk(error, account=_title(entries.get(entry_id or ""))) from error
    return {"revoked": revoked} if call.return_response else None


def _title(entry: ConfigEntry | None) -> str:
    return "Email Courier" if entry is None else entry.title


def life_of(fields: Mapping[str, Any]) -> timedelta:
    """Return how long the buttons of a mail can be pressed."""
    life: timedelta | None = fields.get(Field.ACTIONS_EXPIRE_AFTER)
    timeout: timedelta | None = fields.get(Field.TIMEOUT)
    if timeout is not None:
        life = max(life or timeout, timeout + _AFTER_TIMEOUT)
    elif life is None:
        life = DEFAULT_LIFE
    repeat: Repeat | None = fields.get(Field.REPEAT_UNTIL_ANSWERED)
    if repeat is not None:
        life = max(life, repeat.interval * (repeat.maximum + 1))
    return min(life, LONGEST_LIFE)


def _question(call: ServiceCall, fields: Mapping[str, Any], actions: Sequence[Action]) -> Question:
    question = Question(
        secrets.token_hex(8),
        actions,
        dt_util.utcnow().timestamp() + life_of(fields).total_seconds(),
        is_once=fields.get(Field.ACTIONS_ONCE, True),
        needs_user=fields.get(Field.ACTIONS_SIGN_IN, False),
        thread=fields.get(Field.THREAD),
    )
    question.context_id, question.user_id = call.context.id, call.context.user_id
    return question


def _link(action: Action, address: str) -> ActionLink:
    return ActionLink(action.name, action.title, address, action.is_destructive, action.icon)

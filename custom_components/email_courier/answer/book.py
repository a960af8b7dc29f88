"""The open questions of all accounts, on disk before anybody can answer them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
import json
from pathlib import Path
import secrets
from typing import Any, Final, NamedTuple

from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import CALLBACK_TYPE, Context, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util import dt as dt_util
from homeassistant.util.file import WriteError, write_utf8_file_atomic
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, EVENT_ACTION, LOGGER, SIGNAL_ANSWER
from ..entity import MAIL_EVENT, async_entity_id
from .question import Action, Answer, AskedMail, Question
from .token import KEY_SIZE, Refusal, Signer

MOST_OPEN: Final = 1000
"""Questions that are kept; beyond, the oldest can no longer be answered."""

_FILE: Final = f"{DOMAIN}.questions"
_MARK: Final = f"{DOMAIN}.questions.log"
"""Says which state of the file is the latest. Home Assistant leaves *.log out of its backups: a
file without its mark, or with another, has been put back, and what it says was open has long been
answered or revoked."""
_VERSION: Final = 1

type Watcher = Callable[[Question, Answer | None], None]


class Asked(NamedTuple):
    """What a link stands for."""

    question: Question
    mail: AskedMail
    action: Action


class Book:
    """Knows every open question, and lets each be answered once.

    What is given here is on disk when the call returns; of what is taken the same is true.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Know nothing yet."""
        self._hass = hass
        self.path = Path(hass.config.path(STORAGE_DIR, _FILE))
        self._mark = Path(hass.config.path(STORAGE_DIR, _MARK))
        self._loading = asyncio.Lock()
        self._saving = asyncio.Lock()
        self._key = b""
        self._signer: Signer | None = None
        self._questions: dict[str, Question] = {}
        self._texts: dict[str, str] = {}
        self._links: dict[str, Asked] = {}
        self._timer: CALLBACK_TYPE | None = None
        self._watchers: list[Watcher] = []
        self._is_closed = False

    async def async_load(self) -> None:
        """Read what is on disk, once."""
        async with self._loading:
            if self._signer is not None:
                return
            key, questions, self._texts = await self._hass.async_add_executor_job(self._load)
            self._key = key
            self._signer = Signer(key)
            for question in questions:
                self._take_in(question)
            self._set_timer()

    @property
    def signer(self) -> Signer:
        """What makes and reads tokens. Raises RuntimeError before anything is loaded."""
        if self._signer is None:
            raise RuntimeError("not loaded")
        return self._signer

    @property
    def questions(self) -> tuple[Question, ...]:
        """Everything that is not expired, answered or not, the oldest first."""
        return tuple(self._questions.values())

    @callback
    def async_watch(self, watcher: Watcher) -> CALLBACK_TYPE:
        """Tell of each answer, and of a question that nobody can answer any more (None)."""
        self._watchers.append(watcher)
        return partial(self._watchers.remove, watcher)

    def find(self, token: str) -> Asked | Refusal | None:
        """Return what a token stands for; None for one of ours that is over."""
        name = self.signer.name(token)
        if isinstance(name, Refusal):
            return name
        asked = self._links.get(name)
        if asked is None or asked.question.expires <= dt_util.utcnow().timestamp():
            return None
        return asked

    async def async_keep(self, question: Question, mail: AskedMail) -> None:
        """Let a mail be answered. Raises OSError when that cannot be written."""
        if mail not in question.mails:
            question.mails.append(mail)
        self._take_in(question)
        while len(self._questions) > MOST_OPEN:
            oldest = next(iter(self._questions.values()))
            LOGGER.warning("More than %s mails wait for an answer; the oldest can go", MOST_OPEN)
            self._drop(oldest)
        self._set_timer()
        await self.async_save(question)

    async def async_answer(
        self,
        asked: Asked,
        *,
        reply_text: str | None = None,
        user_id: str | None = None,
        user: str | None = None,
    ) -> Answer | None:
        """Answer a question, or return None where somebody was faster.

        Whoever answers at the same time finds it answered, whatever the disk takes. Raises OSError
        when that cannot be written; then nothing was answered.
        """
        question, at = asked.question, dt_util.utcnow().timestamp()
        if question.is_over or question.id not in self._questions:
            return None
        before = question.answered
        question.answered = at
        try:
            await self.async_save(question)
        except OSError:
            question.answered = before
            self.note_change(question)
            raise
        answer = Answer(question, asked.mail, asked.action, at, reply_text, user_id, user)
        self._tell(question, answer)
        return answer

    async def async_forget(self, question: Question, mail: AskedMail) -> None:
        """Take back a mail that nobody gets; its links are of no use to anybody."""
        if mail not in question.mails:
            return
        self._forget(question, mail)
        if not question.mails:
            self._drop(question)
        with suppress(OSError):
            await self.async_save()

    async def async_revoke(self, is_meant: Callable[[Question, AskedMail], bool]) -> int:
        """Let mails be answered no more; return how many. Raises OSError."""
        revoked = 0
        for question in self.questions:
            meant = [mail for mail in question.mails if is_meant(question, mail)]
            for mail in meant:
                self._forget(question, mail)
                revoked += not question.is_over
            if meant and not question.mails:
                self._drop(question)
        if revoked:
            await self.async_save()
        return revoked

    async def async_erase(self) -> None:
        """Remove the files; the key stays the same until Home Assistant is restarted."""
        async with self._saving:
            await self._hass.async_add_executor_job(self._unlink)

    @callback
    def note_change(self, question: Question) -> None:
        """Have a question written as it is now, the next time that anything is written."""
        self._texts.pop(question.id, None)

    async def async_save(self, *changed: Question) -> None:
        """Write everything to disk, of questions that have not changed what is known already.

        Raises OSError.
        """
        for question in changed:
            self.note_change(question)
        async with self._saving:
            for question in self.questions:
                if question.id not in self._texts:
                    self._texts[question.id] = _text_of(question)
            texts = [self._texts[question.id] for question in self.questions]
            mark = secrets.token_hex(16)
            await self._hass.async_add_executor_job(self._write, texts, mark)

    def _take_in(self, question: Question) -> None:
        self._questions[question.id] = question
        for mail in question.mails:
            for name, number in mail.links.items():
                self._links[name] = Asked(question, mail, question.actions[number])

    def _forget(self, question: Question, mail: AskedMail) -> None:
        question.mails.remove(mail)
        self.note_change(question)
        for name in mail.links:
            self._links.pop(name, None)

    def _drop(self, question: Question) -> None:
        for mail in (*question.mails,):
            self._forget(question, mail)
        self._questions.pop(question.id, None)
        self.note_change(question)
        if question.answered is None:
            self._tell(question, None)

    def _tell(self, question: Question, answer: Answer | None) -> None:
        for watcher in (*self._watchers,):
            watcher(question, answer)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer()
            self._timer = None
        if self._questions and not self._is_closed:
            first = min(question.expires for question in self._questions.values())
            when = dt_util.utc_from_timestamp(first)
            self._timer = async_track_point_in_utc_time(self._hass, self._async_expire, when)

    @callback
    def async_close(self) -> None:
        """Wait for nothing any more."""
        self._is_closed = True
        if self._timer is not None:
            self._timer()
            self._timer = None

    async def _async_expire(self, now: datetime) -> None:
        self._timer = None
        for question in self.questions:
            if question.expires <= now.timestamp():
                self._drop(question)
        self._set_timer()
        with suppress(OSError):  # the next change writes it; until then it is read as expired
            await self.async_save()

    def _load(self) -> tuple[bytes, Sequence[Question], dict[str, str]]:
        key, questions = self._read()
        return key, questions, {question.id: _text_of(question) for question in questions}

    def _read(self) -> tuple[bytes, Sequence[Question]]:
        """Return key and questions; of what cannot be read or was put back, nothing is open."""
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8"))
            key = _key_in(stored)
            questions = [Question.from_dict(each) for each in stored["questions"]]
        except FileNotFoundError:
            return secrets.token_bytes(KEY_SIZE), ()
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            LOGGER.error(
                "No mail can be answered that was sent before now: %s", type(error).__name__
            )
            return secrets.token_bytes(KEY_SIZE), ()
        if questions and stored["mark"] != _text(self._mark):
            LOGGER.warning(
                "The open questions come from a backup: no mail can be answered that was sent"
                " before now"
            )
            return key, ()
        now = dt_util.utcnow().timestamp()
        return key, [question for question in questions if question.expires > now]

    def _unlink(self) -> None:
        for path in (self.path, self._mark):
            path.unlink(missing_ok=True)

    def _write(self, texts: Sequence[str], mark: str) -> None:
        head = json.dumps({"version": _VERSION, "mark": mark, "key": self._key.hex()})
        text = f'{head[:-1]}, "questions": [{", ".join(texts)}]}}'
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_utf8_file_atomic(str(self._mark), mark, private=True)
            write_utf8_file_atomic(str(self.path), text, private=True)
        except WriteError as error:
            cause = error.__cause__
            raise cause if isinstance(cause, OSError) else OSError(str(error)) from error


def _text_of(question: Question) -> str:
    return json.dumps(question.as_dict())


def _key_in(stored: Mapping[str, Any]) -> bytes:
    """Return the key in a file. Raises KeyError, TypeError, ValueError for one that is none."""
    secret = bytes.fromhex(stored["key"])
    if len(secret) != KEY_SIZE or stored["version"] != _VERSION:
        raise ValueError("of another version")
    return secret


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError, ValueError:
        return None


BOOK: HassKey[Book] = HassKey(f"{DOMAIN}_questions")


@callback
def book_of(hass: HomeAssistant) -> Book:
    """Return the book of this Home Assistant, loaded or not; its answers are told as events."""
    if BOOK not in hass.data:
        book = hass.data[BOOK] = Book(hass)

        @callback
        def close(_event: Event) -> None:
            book.async_close()

        book.async_watch(partial(_tell_answer, hass))
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, close)
    return hass.data[BOOK]


@callback
def _tell_answer(hass: HomeAssistant, question: Question, answer: Answer | None) -> None:
    """Fire the event of an answer; None for a question that nobody can answer any more."""
    if answer is None:
        return
    entry_id = answer.mail.entry_id
    entry = hass.config_entries.async_get_entry(entry_id)
    data: dict[str, Any] = {
        **answer.as_event_data(),
        "title": answer.action.title,
        "tag": question.thread,
        "account": None if entry is None else entry.title,
        "config_entry_id": entry_id,
    }
    if entry is not None:
        entity_id = async_entity_id(hass, entry, Platform.EVENT, MAIL_EVENT)
        device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, entry_id), entry_id)
        if entity_id is not None:
            data["entity_id"] = entity_id
        if device is not None:
            data["device_id"] = device.id
    context = Context(user_id=answer.user_id, parent_id=question.context_id)
    hass.bus.async_fire(EVENT_ACTION, data, context=context)
    async_dispatcher_send(hass, SIGNAL_ANSWER, answer)


async def async_book(hass: HomeAssistant) -> Book:
    """Return the book of this Home Assistant, loaded."""
    book = book_of(hass)
    await book.async_load()
    return book

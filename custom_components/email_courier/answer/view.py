"""What Home Assistant serves behind the button of a mail.

Only a POST that the page itself sends acts. Whatever fetches the link finds the page, and no more.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
import re
from typing import TYPE_CHECKING, Final
import unicodedata
from urllib.parse import parse_qs, urlencode

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.util import dt as dt_util
from yarl import URL

from ..const import ANSWER_PATH as PATH, ANSWER_TOKEN as TOKEN, DOMAIN, LOGGER
from ..phrases import Phrases, words_of
from .book import Asked, Book, async_book
from .page import HEADERS, MAX_REPLY, PROOF, REPLY_TEXT, Form, page_html
from .sign_in import UNTIL, USER, Signed, async_authorize_url, async_signed_in, async_user
from .token import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST: Final = 1024
"""Bytes that a form without a text can have."""
_MOST_WITH_TEXT: Final = 1024 + 12 * MAX_REPLY
"""A character is four bytes at most, and each of them three in a form."""
_SECONDS: Final = 10
"""That the body of a request may take."""
_MOST_REPORTS: Final = 20
"""Wrong logins that are being looked into at once; each asks a name server."""
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_SAME_SITE: Final = (None, "same-origin", "none")
_INVISIBLE: Final = re.compile(r"[^\S\n]+")


class AnswerView(HomeAssistantView):
    """The page of a button, for whoever has its link."""

    url = PATH
    name = f"api:{DOMAIN}:answer"
    requires_auth = False

    def __init__(self) -> None:
        """Serve nobody yet."""
        self._reports: set[asyncio.Task[None]] = set()

    async def get(self, request: web.Request) -> web.Response:
        """Show what is asked."""
        return await _Visit.async_begin(request, await async_book(request.app[KEY_HASS])).show()

    async def head(self, request: web.Request) -> web.Response:
        """Say what GET would, without a page."""
        response = await self.get(request)
        return web.Response(status=response.status, headers=HEADERS)

    async def post(self, request: web.Request) -> web.Response:
        """Take an answer."""
        visit = _Visit.async_begin(request, await async_book(request.app[KEY_HASS]))
        if visit.asked is Refusal.FORGED:
            self._report(request)
        return await visit.answer()

    def _report(self, request: web.Request) -> None:
        """Count a guess as a wrong login, once it was answered, and without the link in the log."""
        if len(self._reports) >= _MOST_REPORTS:
            return
        from homeassistant.components.http.ban import process_wrong_login  # noqa: PLC0415 - rare

        cut = request.clone(rel_url=URL(PATH), remote=request.remote or "")
        task = request.app[KEY_HASS].async_create_background_task(
            process_wrong_login(cut), f"{DOMAIN} wrong login"
        )
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)


class _Visit:
    """One request for the page of a link."""

    def __init__(self, request: web.Request, book: Book, token: str) -> None:
        self._request = request
        self._hass: HomeAssistant = request.app[KEY_HASS]
        self._book = book
        self._token = token
        self.asked = book.find(token)

    @classmethod
    def async_begin(cls, request: web.Request, book: Book) -> _Visit:
        """Take the token from the link, or from the way back of a login."""
        query = request.query
        return cls(request, book, query.get(TOKEN) or query.get("state") or "")

    async def show(self) -> web.Response:
        """Return the page that GET shows."""
        if not isinstance(self.asked, Asked) or self.asked.question.is_over:
            return await self._closed()
        code = self._request.query.get("code")
        if not self.asked.question.needs_user or code is None:
            return await self._open(self.asked)
        signed = await async_signed_in(self._hass, self.asked.question, code)
        if signed is None:
            self._book.note_change(self.asked.question)  # which counts them
        return await self._open(self.asked, signed)

    async def answer(self) -> web.Response:
        """Act upon a form, if it is the one of the page."""
        asked = self.asked
        if not isinstance(asked, Asked) or asked.question.is_over:
            return await self._closed()
        if self._request.headers.get("Sec-Fetch-Site") not in _SAME_SITE:
            return await self._open(asked, status=HTTPStatus.FORBIDDEN)
        try:
            fields = await self._fields(_MOST_WITH_TEXT if asked.action.wants_text else _MOST)
        except ValueError:
            return await self._open(asked, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if asked.question.needs_user and USER not in fields:
            return await self._to_login(asked, fields)
        return await self._answer(asked, fields)

    async def _answer(self, asked: Asked, fields: Mapping[str, str]) -> web.Response:
        who: list[str] = []
        user = None
        if asked.question.needs_user:
            who = [fields.get(USER, ""), fields.get(UNTIL, "")]
            user = await async_user(self._hass, *who)
        text = _readable(fields.get(REPLY_TEXT, "")) if asked.action.wants_text else None
        is_proven = self._book.signer.proves(fields.get(PROOF, ""), self._token, *who)
        is_missing = text is not None and not 0 < len(text) <= MAX_REPLY
        if not is_proven or is_missing or (asked.question.needs_user and user is None):
            return await self._open(asked, status=HTTPStatus.BAD_REQUEST)
        try:
            answer = await self._book.async_answer(
                asked,
                reply_text=text,
                user_id=None if user is None else user.id,
                user=None if user is None else user.name,
            )
        except OSError as error:
            LOGGER.error("An answer could not be saved, and nothing was done: %s", error.strerror)
            phrases = await Phrases.async_load(self._hass)
            return self._page(HTTPStatus.SERVICE_UNAVAILABLE, phrases.say("answer_not_saved"))
        if answer is None:
            return await self._closed()
        phrases = await Phrases.async_load(self._hass)
        return self._page(
            HTTPStatus.OK,
            phrases.say("answer_done"),
            (asked.action.title,),
            icon="\N{WHITE HEAVY CHECK MARK}",
        )

    async def _to_login(self, asked: Asked, fields: Mapping[str, str]) -> web.Response:
        is_proven = self._book.signer.proves(fields.get(PROOF, ""), self._token)
        target = async_authorize_url(self._hass, PATH, self._token) if is_proven else None
        if target is None:
            return await self._open(asked, status=HTTPStatus.BAD_REQUEST)
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={**HEADERS, "Location": target})

    async def _open(
        self, asked: Asked, signed: Signed | None = None, status: HTTPStatus = HTTPStatus.OK
    ) -> web.Response:
        """Show a question that can be answered."""
        question, phrases = asked.question, await Phrases.async_load(self._hass)
        action = asked.action
        must_sign_in = question.needs_user and signed is None
        proofs = () if signed is None else (signed.user_id, signed.until)
        form = Form(
            phrases.say("answer_sign_in") if must_sign_in else action.title,
            self._book.signer.proof(self._token, *proofs),
            phrases.say("answer_text") if action.wants_text and not must_sign_in else "",
            action.is_destructive and not must_sign_in,
            () if signed is None else ((USER, signed.user_id), (UNTIL, signed.until)),
            f"{PATH}?{urlencode({TOKEN: self._token})}",
        )
        lines = [self._hass.config.location_name]
        if must_sign_in:
            lines.append(action.title)
        if signed is not None:
            lines.append(phrases.say("answer_signed_in", name=signed.name))
        until = phrases.say("answer_until", time=self._time(phrases, question.expires))
        heading = asked.mail.subject or action.title
        return self._page(status, heading, tuple(lines), form=form, note=until, icon=action.icon)

    async def _closed(self) -> web.Response:
        """Show that nothing can be answered here, and no more than that."""
        phrases = await Phrases.async_load(self._hass)
        if isinstance(self.asked, Refusal):
            return self._page(HTTPStatus.NOT_FOUND, phrases.say("answer_unknown"))
        if self.asked is None:
            return self._page(HTTPStatus.GONE, phrases.say("answer_over"))
        answered = self.asked.question.answered or 0
        return self._page(
            HTTPStatus.GONE,
            phrases.say("answer_answered"),
            (phrases.say("answer_answered_at", time=self._time(phrases, answered)),),
        )

    def _page(
        self,
        status: HTTPStatus,
        heading: str,
        lines: tuple[str, ...] = (),
        *,
        form: Form | None = None,
        note: str = "",
        icon: str = "",
    ) -> web.Response:
        text = page_html(
            language=self._hass.config.language,
            heading=heading,
            lines=lines,
            form=form,
            note=note,
            icon=icon,
        )
        return web.Response(status=status, text=text, content_type="text/html", headers=HEADERS)

    @staticmethod
    def _time(phrases: Phrases, timestamp: float) -> str:
        moment = dt_util.as_local(dt_util.utc_from_timestamp(timestamp))
        return words_of(phrases).written_time(moment)

    async def _fields(self, most: int) -> dict[str, str]:
        """Read a form. Raises ValueError for one that is too large or too slow."""
        if self._request.content_type != _FORM_TYPE:
            return {}
        body = bytearray()
        try:
            async with asyncio.timeout(_SECONDS):
                while chunk := await self._request.content.readany():
                    body += chunk
                    if len(body) > most:
                        raise ValueError("too large")
        except TimeoutError as error:
            raise ValueError("too slow") from error
        found = parse_qs(body.decode("utf-8", "replace"), errors="replace", max_num_fields=8)
        return {name: values[0] for name, values in found.items()}


def _readable(text: str) -> str:
    """Return a text without what nobody sees, its lines ending as Python has them."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    seen = "".join(
        sign for sign in lines if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cs")
    )
    return _INVISIBLE.sub(" ", seen).strip()

"""The page behind a button: what a visit to it finds, and how that looks.

It has no script, no picture, and nothing from anywhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from html import escape
from http import HTTPStatus
import re
from typing import Final, NamedTuple
import unicodedata
from urllib.parse import parse_qs, urlencode

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import KEY_HASS
from homeassistant.util import dt as dt_util

from ..const import ANSWER_PATH, ANSWER_TOKEN, LOGGER
from ..phrases import Phrases, words_of
from .book import Asked, Book, async_book
from .sign_in import UNTIL, USER, Signed, async_authorize_url, async_signed_in, async_user
from .token import Refusal

PROOF: Final = "proof"
REPLY_TEXT: Final = "reply_text"
MAX_REPLY: Final = 500
"""Characters of a text that answers."""
_MOST: Final = 1024
"""Bytes that a form without a text can have."""
_MOST_WITH_TEXT: Final = 1024 + 12 * MAX_REPLY
"""A character is four bytes at most, and each of them three in a form."""
_SECONDS: Final = 10
"""That the body of a request may take."""
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_SAME_SITE: Final = (None, "same-origin", "none")
_INVISIBLE: Final = re.compile(r"[^\S\n]+")

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}

_STYLE: Final = """\
:root { color-scheme: light dark; --page: #f1f3f5; --card: #fff; --text: #1f2328; --muted: #59636e;
  --line: #8c959f; --act: #0969da; --on-act: #fff; --danger: #d1242f; --soft: #eaeef2; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --card: #161b22; --text: #e6edf3;
  --muted: #9198a1; --line: #656c76; --act: #6cb0ff; --on-act: #0d1117; --danger: #ff8182;
  --soft: #21262d; } }
* { box-sizing: border-box; }
html, body { height: 100%; }
body { margin: 0; display: flex; align-items: center; justify-content: center; padding: 16px;
  background: var(--page); color: var(--text); line-height: 1.5; font-size: 17px;
  font-family: -apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif;
  overflow-wrap: anywhere; }
main { width: 100%; max-width: 440px; margin: auto; padding: 36px 28px; border-radius: 16px;
  background: var(--card); text-align: center; }
h1 { margin: 0 0 8px; font-size: 26px; line-height: 1.25; font-weight: 600; }
p { margin: 0 0 24px; }
p:last-child { margin-bottom: 0; }
.icon { margin-bottom: 8px; font-size: 44px; line-height: 1.2; }
.muted { color: var(--muted); font-size: 15px; }
form { margin: 0 0 24px; }
label { display: block; margin: 0 0 6px; text-align: start; font-size: 15px; }
textarea { display: block; width: 100%; margin: 0 0 16px; padding: 12px; font: inherit;
  color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
button { width: 100%; min-height: 52px; padding: 12px 20px; border: 0; border-radius: 10px;
  font: inherit; font-weight: 600; background: var(--act); color: var(--on-act);
  cursor: pointer; }
button.danger { background: var(--danger); }
:focus-visible { outline: 3px solid var(--text); outline-offset: 3px; }
"""


class Visit:
    """One request for the page of a link."""

    def __init__(self, request: web.Request, book: Book, token: str) -> None:
        """Look up what a token stands for."""
        self._request = request
        self._hass: HomeAssistant = request.app[KEY_HASS]
        self._book = book
        self._token = token
        self._asked = book.find(token)

    @classmethod
    async def async_begin(cls, request: web.Request) -> Visit:
        """Take the token from the link, or from the way back of a login."""
        query = request.query
        token = query.get(ANSWER_TOKEN) or query.get("state") or ""
        return cls(request, await async_book(request.app[KEY_HASS]), token)

    @property
    def is_guess(self) -> bool:
        """Whether nobody was ever given this link."""
        return self._asked is Refusal.FORGED

    async def show(self) -> web.Response:
        """Return the page that GET shows."""
        if not isinstance(self._asked, Asked) or self._asked.question.is_over:
            return await self._closed()
        code = self._request.query.get("code")
        if not self._asked.question.needs_user or code is None:
            return await self._open(self._asked)
        signed = await async_signed_in(self._hass, self._asked.question, code)
        if signed is None:
            self._book.note_change(self._asked.question)  # which counts them
        return await self._open(self._asked, signed)

    async def answer(self) -> web.Response:
        """Act upon a form, if it is the one of the page."""
        asked = self._asked
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
        target = async_authorize_url(self._hass, ANSWER_PATH, self._token) if is_proven else None
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
            f"{ANSWER_PATH}?{urlencode({ANSWER_TOKEN: self._token})}",
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
        if isinstance(self._asked, Refusal):
            return self._page(HTTPStatus.NOT_FOUND, phrases.say("answer_unknown"))
        if self._asked is None:
            return self._page(HTTPStatus.GONE, phrases.say("answer_over"))
        answered = self._asked.question.answered or 0
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


class Form(NamedTuple):
    """The one form of a page. proof: what says that the page has been read.

    text_label: what its text is called; without one it asks for no text.
    more: hidden fields, by their names. target: where it is sent to.
    """

    button: str
    proof: str
    text_label: str = ""
    is_destructive: bool = False
    more: tuple[tuple[str, str], ...] = ()
    target: str = ""


def page_html(
    *,
    language: str,
    heading: str,
    lines: tuple[str, ...] = (),
    form: Form | None = None,
    note: str = "",
    icon: str = "",
) -> str:
    """Return a page. note: what stands below all else."""
    parts = [
        f'<div class="icon" aria-hidden="true">{escape(icon)}</div>\n' if icon else "",
        f'<h1 dir="auto">{escape(heading)}</h1>\n',
        *(f'<p dir="auto">{escape(line)}</p>\n' for line in lines if line),
        "" if form is None else _form_html(form),
        f'<p class="muted" dir="auto">{escape(note)}</p>\n' if note else "",
    ]
    return f"""\
<!DOCTYPE html>
<html lang="{escape(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="color-scheme" content="light dark">
<title>{escape(heading)}</title>
<style>
{_STYLE}</style>
</head>
<body>
<main>
{"".join(parts)}</main>
</body>
</html>
"""


def _form_html(form: Form) -> str:
    text = ""
    if form.text_label:
        text = (
            f'<label for="{REPLY_TEXT}">{escape(form.text_label)}</label>\n'
            f'<textarea id="{REPLY_TEXT}" name="{REPLY_TEXT}" rows="3" required dir="auto"'
            f' maxlength="{MAX_REPLY}"></textarea>\n'
        )
    danger = ' class="danger"' if form.is_destructive else ""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n'
        for name, value in ((PROOF, form.proof), *form.more)
    )
    return (
        f'<form method="post" action="{escape(form.target)}" accept-charset="utf-8"'
        f' autocomplete="off">\n{hidden}{text}'
        f'<button type="submit" dir="auto"{danger}>{escape(form.button)}</button>\n</form>\n'
    )


def _readable(text: str) -> str:
    """Return a text without what nobody sees, its lines ending as Python has them."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    seen = "".join(
        sign for sign in lines if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cs")
    )
    return _INVISIBLE.sub(" ", seen).strip()

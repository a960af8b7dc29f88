"""Taking secrets out of what a server says, in whatever form it gives them back.

A form is looked for in several views of a text: without blanks and line ends, and with the escapes
of URLs, HTML, quoted-printable and programs undone. Each view knows where its characters stood, so
that the text itself is changed. No step takes more than linear time, however a server words it.
"""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
import html
from operator import itemgetter
import re
import string
import sys
from typing import Final, NamedTuple
import unicodedata
from urllib.parse import unquote_to_bytes

HIDDEN: Final = "**REDACTED**"

SHORTEST: Final = 4
"""Characters below which blotting out would only make a reply unreadable, and show the secret.

A secret that is shorter is looked for together with its username.
"""
SHORT: Final = 8
"""Characters below which ordinary words, put together, may happen to be the same."""

_REMEMBERED: Final = 64
_RECURRING: Final = 80
"""Of texts that hold nothing, so many of at most so many characters are known again: most replies
are always the same."""

BLANKS: Final = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+"
)
"""What is seen as a blank or not at all."""

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")

_CODES = r"(?:[2-5]\d\d[ -])?(?:[245]\.\d{1,3}\.\d{1,3}(?=\s))?"
_LINE_ENDS = re.compile(rf"=?\r?\n[ \t]*{_CODES}|{BLANKS.pattern}")
"""With the codes in front of a reply's next line; also the soft ones of quoted-printable."""
_CODES_IN_FRONT = re.compile(rf"[ \t]*{_CODES}[ \t]*")
_BASE64 = f"{string.ascii_letters}{string.digits}+/-_="
_BASE64_BEHIND = re.compile(r"[A-Za-z0-9+/_=-]*")

_ANSWER_LINK = re.compile(r"email_?courier/answer\?t=([A-Za-z0-9_=-]{8,})", re.IGNORECASE)
"""A link that acts at home: a server that refuses a mail for what is in it may quote it."""
_OF_ANSWER_LINK: Final = "courier"

_URL = re.compile(r"(?:%[0-9A-Fa-f]{2})+|\+")
_HTML = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31}\d{0,2});")
_QUOTED_PRINTABLE = re.compile(r"(?:=[0-9A-Fa-f]{2})+|_")
_BACKSLASH = re.compile(
    r"\\u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}"
    r"|\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-7]{3}|.)",
    re.DOTALL,
)
_DOUBLED = re.compile(r"""([\\"'%])\1""")
"""As SQL, CSV and printf have it in place of a backslash."""
_MAYBE_ESCAPED = re.compile(rf"[%+&=_\\]|{_DOUBLED.pattern}")
"""What each of these begins with, and a soft line end."""
_NEUTRAL = frozenset("abfnrtv")
"""Behind a backslash: line ends and other characters that count as blanks."""
_ONE_UNIT: Final = 8
"""Digits behind a backslash, at most, that stand for one number."""


class Form(NamedTuple):
    """What to look for in a folded text without blanks.

    is_word: only where it is no part of a longer word. is_encoded: the secret is but a part of
    what was encoded, and the rest is to be hidden with it.
    """

    text: str
    is_word: bool = False
    is_encoded: bool = False


def fold(text: str) -> str:
    """Return a text in small letters, with as many characters as it had."""
    return text.replace("\u0130", "i").lower()


def forms_of(secret: str, username: str) -> Iterator[Form]:
    """Return every form of a secret that is long enough to be told from anything else."""
    yield from (Form(text) for text in _written(secret))
    for data in _bytes_of(secret):
        encoded = [data.hex(), *_inside_base64(data)]
        yield from (Form(fold(text), is_encoded=True) for text in encoded if len(text) >= SHORTEST)
    if len(BLANKS.sub("", secret)) < SHORTEST:
        yield from _with_username(secret, username)


def _with_username(secret: str, username: str) -> Iterator[Form]:
    """Return the forms of a short secret: beside its username, and encoded as a whole."""
    yield from (Form(text, is_word=True) for text in _written(f"{username}:{secret}"))
    encoded = (
        secret,
        f"{username}:{secret}",
        f"\0{username}\0{secret}",
        f"{username}\0{username}\0{secret}",
    )
    for whole in encoded:
        text = base64.b64encode(whole.encode("utf-8", "replace")).decode().rstrip("=")
        if len(text) >= SHORTEST:
            yield Form(fold(text), is_word=True, is_encoded=True)


def hint_of(words: str) -> Iterator[Form]:
    """Return the forms of what is no secret, but private."""
    yield from (Form(text, is_word=True) for text in _written(words))
    if len(words) >= SHORT:
        for data in _bytes_of(words):
            yield from (Form(fold(text), is_encoded=True) for text in _inside_base64(data))


def _written(secret: str) -> Iterator[str]:
    """Return how it may be written, also where its characters are misread."""
    texts = {secret, *(unicodedata.normalize(form, secret) for form in ("NFC", "NFD", "NFKC"))}
    if not secret.isascii():
        texts.add(secret.encode("utf-8", "replace").decode("latin-1"))
        if len(BLANKS.sub("", _NOT_ASCII.sub("", secret))) >= SHORTEST:
            texts |= {_NOT_ASCII.sub(lost, secret) for lost in ("\ufffd", "?", "")}
    texts |= {text.upper() for text in texts}
    for text in sorted({fold(BLANKS.sub("", text)) for text in texts}):
        if len(text) >= SHORTEST:
            yield text


def _bytes_of(secret: str) -> list[bytes]:
    """Return its bytes in the character sets of mail."""
    # Servers and people leave out blanks before it is encoded.
    texts = dict.fromkeys((secret, secret.strip(), BLANKS.sub("", secret)))
    data = [text.encode("utf-8", "replace") for text in texts if text]
    if not secret.isascii() and _NOT_ASCII.sub("", secret) and max(secret) <= "\xff":
        data.append(secret.encode("latin-1"))
    return data


def _inside_base64(data: bytes) -> Iterator[str]:
    """Return what base64 of anything that holds these bytes has in it (RFC 4648 section 4).

    Three bytes are four characters, so there are three ways for them to come to stand; the
    characters at both ends depend on the bytes beside them.
    """
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data + bytes(2)).decode()
        first = (before * 8 + 5) // 6
        last = (before + len(data)) * 8 // 6
        inner = encoded[first:last]
        yield inner
        yield inner.translate({ord("+"): "-", ord("/"): "_"})


type _Piece = tuple[int, int, int, bool]
"""Where a part of a view begins, where it began and ended in the text that the view was made of,
and whether it is the same there, character for character."""


class _Span(NamedTuple):
    """A part of a text that is to be hidden."""

    start: int
    end: int
    is_encoded: bool = False


class _View:
    """A text in which some parts stand for others."""

    def __init__(self, text: str, made_of: _View | None, pieces: list[_Piece]) -> None:
        """Know which text this was made of; None for the first one, which has no pieces."""
        self.text = text
        self._made_of = made_of
        self._pieces = pieces
        self._starts = [piece[0] for piece in pieces]

    def undo(self, token: re.Pattern[str], meaning: Callable[[str], str]) -> _View:
        """Return the view in which tokens are replaced by what they mean; itself without any."""
        parts: list[str] = []
        pieces: list[_Piece] = []
        here = there = 0
        for match in token.finditer(self.text):
            start, end = match.span()
            if start > there:
                parts.append(self.text[there:start])
                pieces.append((here, there, start, True))
                here += start - there
            if part := meaning(match[0]):
                parts.append(part)
                pieces.append((here, start, end, False))
                here += len(part)
            there = end
        if there == 0:
            return self
        if there < len(self.text):
            parts.append(self.text[there:])
            pieces.append((here, there, len(self.text), True))
        return _View("".join(parts), self, pieces)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return where characters of this view stood in the first text."""
        if self._made_of is None:
            return start, end
        here, there, _, is_same = self._pieces[bisect_right(self._starts, start) - 1]
        first = there + start - here if is_same else there
        here, there, last, is_same = self._pieces[bisect_right(self._starts, end - 1) - 1]
        return self._made_of.origin(first, there + end - here if is_same else last)

    def begins_piece(self, index: int) -> bool:
        """Whether something was left out or replaced in front of a character."""
        return self._made_of is not None and (
            index == len(self.text) or self._starts[bisect_right(self._starts, index) - 1] == index
        )


class Redactor:
    """Hides secrets, and whatever else a server is not to be quoted with."""

    def __init__(self, forms: Iterable[Form] = (), secrets: tuple[str, ...] = ()) -> None:
        """Know what to look for; see for_login."""
        self.secrets = secrets
        self._forms = tuple(dict.fromkeys(forms))
        self._harmless: set[str] = set()

    @classmethod
    def for_login(cls, username: str, secrets: Iterable[str]) -> Redactor:
        """Return the redactor for the secrets of one login."""
        secrets = tuple(secrets)
        forms = (form for secret in secrets if secret for form in forms_of(secret, username))
        return cls(forms, secrets)

    def also(self, words: Iterable[str]) -> Redactor:
        """Return one that hides words as well, where they are not part of longer ones."""
        return Redactor((*self._forms, *(form for word in words for form in hint_of(word))))

    def text(self, text: str) -> str:
        """Return a text without them."""
        if text in self._harmless:
            return text
        if self._is_harmless(text):
            if len(text) <= _RECURRING and len(self._harmless) < _REMEMBERED:
                self._harmless.add(text)
            return text
        parts = []
        done = 0
        for span in _merged(text, self._spans(text)):
            parts += [text[done : span.start], _hidden(text[span.start : span.end])]
            done = span.end
        return "".join((*parts, text[done:]))

    def lines(self, lines: Iterable[str]) -> tuple[str, ...]:
        """Return lines without what stands in one of them, or in several together."""
        return tuple(self.text("\n".join(lines)).split("\n"))

    def _is_harmless(self, text: str) -> bool:
        """Tell quickly of most texts that nothing in them is to be hidden."""
        if not text or not (self._forms or _OF_ANSWER_LINK in fold(BLANKS.sub("", text))):
            return True
        if _MAYBE_ESCAPED.search(text):
            return False
        views = {fold(blanks.sub("", text)) for blanks in (BLANKS, _LINE_ENDS)}
        return not any(form.text in view for view in views for form in self._forms)

    def _spans(self, text: str) -> Iterator[_Span]:
        for view in _views(text):
            for link in _ANSWER_LINK.finditer(view.text):
                yield _Span(*view.origin(*link.span(1)))
            folded = fold(view.text)
            for form in self._forms:
                start = folded.find(form.text)
                while start >= 0:
                    end = start + len(form.text)
                    span = _Span(*view.origin(start, end), form.is_encoded)
                    if _counts(form, text, span, view, (start, end)):
                        yield span
                    # Not from its end: what does not count may begin within one that does.
                    start = folded.find(form.text, start + 1)


NOTHING_HIDDEN: Final = Redactor()


def _views(text: str) -> Iterator[_View]:
    """Return a text as it may have been meant, each view once."""
    whole = _View(text, None, [])
    bare = {view.text: view for token in (BLANKS, _LINE_ENDS) for view in [whole.undo(token, _no)]}
    for view in bare.values():
        yield view
        url = view.undo(_URL, _from_url)
        page = view.undo(_HTML, _from_html)
        code = view.undo(_BACKSLASH, _from_backslash)
        undone = (
            url,
            url.undo(_URL, _from_url),
            url.undo(_HTML, _from_html),
            page,
            page.undo(_HTML, _from_html),
            page.undo(_URL, _from_url),
            page.undo(_BACKSLASH, _from_backslash),
            view.undo(_QUOTED_PRINTABLE, _from_quoted_printable),
            code,
            code.undo(_BACKSLASH, _from_backslash),
            view.undo(_DOUBLED, itemgetter(0)),
        )
        yield from dict.fromkeys(other for other in undone if other is not view)


def _no(_token: str) -> str:
    return ""


def _from_url(token: str) -> str:
    return "" if token == "+" else _bare(unquote_to_bytes(token).decode("utf-8", "replace"))


def _from_html(token: str) -> str:
    return _bare(html.unescape(token))


def _from_quoted_printable(token: str) -> str:
    if token == "_":
        return ""
    return _bare(bytes.fromhex(token.replace("=", "")).decode("utf-8", "replace"))


def _from_backslash(token: str) -> str:
    kind, digits = token[1], token[2:]
    if len(digits) > _ONE_UNIT:  # two units of UTF-16 for one character
        units = bytes.fromhex(token.replace("\\u", ""))
        return _bare(units.decode("utf-16-be", "replace"))
    if digits:
        number = int(token[1:], 8) if kind.isdigit() else int(digits, 16)
        return _bare(chr(number)) if number <= sys.maxunicode else ""
    return "" if kind in _NEUTRAL else kind


def _bare(text: str) -> str:
    return BLANKS.sub("", text)


def _counts(form: Form, text: str, span: _Span, view: _View, at: tuple[int, int]) -> bool:
    """Tell a form from letters of other words that happen to follow each other."""
    may_be_part = not form.is_word
    if may_be_part and (len(form.text) >= SHORT or not BLANKS.search(text, span.start, span.end)):
        return True
    begins = span.start == 0 or not text[span.start - 1].isalnum() or view.begins_piece(at[0])
    ends = span.end == len(text) or not text[span.end].isalnum() or view.begins_piece(at[1])
    return begins and ends


def _merged(text: str, spans: Iterable[_Span]) -> Iterator[_Span]:
    """Return spans in order, without overlap, each with all of the base64 that it is a part of."""
    last: _Span | None = None
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        start, end = span.start, span.end
        if span.is_encoded and (last is None or end > last.end):
            floor = 0 if last is None else min(last.end, start)
            before = text[floor:start]
            start -= len(before) - len(before.rstrip(_BASE64))
            behind = _BASE64_BEHIND.match(text, end)
            end = end if behind is None else behind.end()
        if last is not None and start <= last.end:
            last = _Span(last.start, max(last.end, end))
            continue
        if last is not None:
            yield last
        last = _Span(start, end)
    if last is not None:
        yield last


def _hidden(part: str) -> str:
    """Hide a part of a text, and keep its line ends and the codes behind them."""
    first, *others = part.split("\n")
    shown = [HIDDEN if first else ""]
    for line in others:
        codes = _CODES_IN_FRONT.match(line)
        kept = "" if codes is None else codes[0]
        shown.append(kept + HIDDEN if line[len(kept) :] else kept)
    return "\n".join(shown)

"""Plain text as HTML, where a link may lead, and the direction that a text is read in."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
import re
from typing import Final, NamedTuple
from unicodedata import bidirectional
from urllib.parse import urljoin, urlsplit

from .encoding import body_text
from .theme import LINK

_ADDRESS = re.compile(
    r"(?<![\w@.+-])(?:"
    r"(?P<web>(?:(?:https?|homeassistant)://|www\.[\w-]{1,63}\.)"
    r"[^\s<>\"\u3000-\u303f\uff01-\uff0f]{1,2000})"
    r"|(?<![:/])(?P<mail>[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})"
    r"(?![\w@-]))",
    re.IGNORECASE,
)
_TRAILING = "?!.,:;*_~'\"\u2019\u201d"
_PAIRS = {")": "(", "]": "[", "}": "{"}
_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})
_BLANKS = re.compile("^ +|  +", re.MULTILINE)


class Link(NamedTuple):
    """An address within text: where it stands there, and where it leads."""

    start: int
    end: int
    target: str


def bare_links(text: str) -> Iterator[Link]:
    """Yield the addresses in text, without the punctuation that ends a sentence.

    As GitHub's Markdown has it: a closing bracket belongs to an address that opens one.
    """
    at = 0
    while match := _ADDRESS.search(text, at):
        link = _link(match)
        if link.target:
            yield link
        at = max(link.end, match.start() + 1)


def bare_link_at(text: str, start: int) -> Link | None:
    """Return the address that begins at a place in text."""
    match = _ADDRESS.match(text, start)
    link = match and _link(match)
    return link if link and link.target else None


def text_html(text: str, *, color: str = LINK) -> str:
    """Return text as paragraphs in HTML: its lines end where they did, its addresses are links."""
    paragraphs = re.split(r"\n{2,}", body_text(text).strip("\n"))
    return "".join(
        f'<p dir="auto" style="margin:0 0 16px">{_lines(paragraph, color)}</p>\n'
        for paragraph in paragraphs
        if paragraph.strip()
    )


def is_right_to_left(language: str, *texts: str) -> bool:
    """Tell how texts are read: as the first letter says that says it, else as in a language."""
    for text in texts:
        for letter in text[:1000]:
            match bidirectional(letter):
                case "L":
                    return False
                case "R" | "AL":
                    return True
    return language.partition("-")[0].lower() in _RIGHT_TO_LEFT


def _lines(text: str, color: str) -> str:
    pieces: list[str] = []
    at = 0
    for link in bare_links(text):
        pieces.append(_shown(text[at : link.start]))
        pieces.append(
            f'<a href="{escape(link.target)}" style="color:{color}">'
            f"{escape(text[link.start : link.end])}</a>"
        )
        at = link.end
    pieces.append(_shown(text[at:]))
    return "".join(pieces).replace("\n", "<br>\n")


def _shown(text: str) -> str:
    """Keep blanks that somebody has aligned lines with."""
    indented = _BLANKS.sub(lambda found: "\u00a0" * (len(found[0]) - 1) + " ", text)
    return escape(indented.replace("\t", "\u00a0\u00a0\u00a0 "))


def _link(match: re.Match[str]) -> Link:
    start, found = match.start(), match[0]
    if match["mail"]:
        return Link(start, match.end(), f"mailto:{found}")
    found = found[: _length_without_punctuation(found)]
    if found[:4].lower() == "www.":
        return Link(start, start + len(found), f"https://{found}")
    scheme, _, rest = found.partition("://")
    return Link(start, start + len(found), f"{scheme.lower()}://{rest}" if rest.strip("/") else "")


def _length_without_punctuation(address: str) -> int:
    surplus = {end: address.count(end) - address.count(begin) for end, begin in _PAIRS.items()}
    length = len(address)
    while length:
        last = address[length - 1]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in _TRAILING:
            break
        length -= 1
    return length


LINKS: Final = frozenset({"http", "https", "mailto", "tel", "homeassistant"})
"""The schemes that a mail may link to."""
_WEB: Final = frozenset({"http", "https"})


def absolute_link(url: str, base_url: str | None) -> str | None:
    """Return where a link leads, or None when a mail must not or cannot link there."""
    try:
        relative = not urlsplit(url).scheme
        target = urljoin(base_url, url) if base_url and relative else url
        parts = urlsplit(target)
        has_host = bool(parts.hostname)
    except ValueError:
        return None
    if parts.scheme not in LINKS or (parts.scheme in _WEB and not has_host):
        return None
    return target

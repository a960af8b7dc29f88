"""HTML as the plain text that stands beside it (RFC 2046 section 5.1.4).

Read with the standard library's parser, which takes any broken HTML in linear time. Libraries
for this build a tree first: measured with 10 MB and with a hundred thousand nested elements they
took a minute, lost the text or needed a parser in C of many megabytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from html.parser import HTMLParser
import re

from .text_page import TextPage

_UNSHOWN = frozenset({
    "script", "style", "title", "template", "iframe", "noembed", "noframes", "object", "svg",
    "datalist",
})  # fmt: skip
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "aside", "body", "caption", "center", "dd", "details", "dir", "div", "dt",
    "fieldset", "figcaption", "footer", "form", "header", "html", "legend", "li", "main", "nav",
    "option", "section", "summary", "tbody", "tfoot", "thead", "tr",
})  # fmt: skip
_APART = frozenset({
    "blockquote", "dl", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "menu", "ol", "p",
    "pre", "table", "ul",
})  # fmt: skip
_LISTS = frozenset({"ul", "ol", "menu", "dir"})
_CLOSED_BY_NEXT = frozenset({"li", "option", "p", "tr", "td", "th"})

_RULE = "-" * 30
_MAX_DEPTH = 8
"""Levels of quotation and of indentation that are shown; deeper ones look like the last."""
_NO_TARGETS = ("#", "cid:", "data:", "javascript:", "vbscript:")
_HIDING = r"(?:display\s*:\s*none|mso-hide\s*:\s*all)"
_FILLING = "[\xad\u034f\u200b\ufeff]"
"""What a preview text is padded with; nobody sees it."""

type Attributes = list[tuple[str, str | None]]


def html_text(html: str) -> str:
    r"""Return what a reader sees of HTML, with \n between lines; empty where there is nothing.

    Links keep their address, pictures their description; lists, tables, quotations and
    preformatted text keep their shape. Never raises, whatever the HTML is like.
    """
    html = re.sub(_FILLING, "", html)
    reader = _read(html, hide=True)
    # A reader without style sheets shows what they hide; that is better than nothing.
    return reader.text() or _read(html, hide=False).text() or reader.stand_in()


def _read(html: str, *, hide: bool) -> _Reader:
    reader = _Reader(hide=hide)
    reader.feed(html)
    reader.close()
    return reader


class _Link:
    """An open link: where it leads, and the text in it so far."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.words: list[str] = []


class _Reader(HTMLParser):
    """Writes a page while the parser goes through HTML."""

    def __init__(self, *, hide: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._page = TextPage()
        self._titles: list[str] = []
        self._pictures: list[str] = []
        self._hide = hide
        self._unshown = ""
        self._unshown_depth = 0
        self._link: _Link | None = None
        self._lists: list[int | None] = []
        self._quotes = 0
        self._preformatted = 0
        self._is_in_row = False

    def text(self) -> str:
        """Return what was read."""
        return self._page.text()

    def stand_in(self) -> str:
        """Return what may stand for a page without any text: title, names of pictures."""
        return " ".join(" ".join([*self._titles, *self._pictures]).split())

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        """Open an element."""
        if self._is_unshown(tag, attrs):
            return
        self._separate(tag)
        match tag:
            case "br":
                self._page.break_line()
            case "hr":
                self._page.add(_RULE)
                self._page.end_line(2)
            case "img":
                self._picture(dict(attrs))
            case "a":
                self._end_link()
                self._begin_link(dict(attrs).get("href") or "")
            case "pre":
                self._preformatted += 1
            case "td" | "th":
                self._page.begin_cell(first=not self._is_in_row)
                self._is_in_row = True
            case "tr" | "table":
                self._end_row()
            case _:
                self._indent(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        """Open an element that ends with a slash, which HTML does not take for an end."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        if self._unshown:
            if tag == self._unshown:
                self._unshown_depth -= 1
                if not self._unshown_depth:
                    self._unshown = ""
            return
        match tag:
            case "br":
                self._page.break_line()
            case "a":
                self._end_link()
            case "pre":
                self._preformatted = max(self._preformatted - 1, 0)
            case "tr" | "table":
                self._end_row()
            case _:
                self._outdent(tag)
        self._separate(tag)

    def handle_data(self, data: str) -> None:
        """Add text."""
        if self._unshown:
            if self._unshown == "title":
                self._titles.append(data)
            return
        if self._preformatted:
            self._add_as_it_is(data)
            return
        words = data.split()
        if data[:1].isspace():
            self._page.blank()
        if words:
            self._add(" ".join(words))
            if data[-1].isspace():
                self._page.blank()

    def close(self) -> None:
        """Take what was not closed for closed."""
        super().close()
        self._end_link()

    def _add(self, text: str) -> None:
        self._page.add(text)
        if self._link is not None:
            self._link.words.append(text)

    def _add_as_it_is(self, data: str) -> None:
        first, *others = data.expandtabs().splitlines() or [""]
        if first.strip():
            self._add(first)
        for line in others:
            self._page.break_line()
            if line.strip():
                self._add(line)
        if data.endswith("\n"):
            self._page.break_line()

    def _is_unshown(self, tag: str, attrs: Attributes) -> bool:
        """Tell whether nothing of an element is shown, and remember that until its end."""
        if self._unshown:
            if tag != self._unshown:
                return True
            if tag not in _CLOSED_BY_NEXT:
                self._unshown_depth += 1
                return True
            self._unshown = ""
        if tag in _VOID:
            return self._hide and _is_hidden(attrs)
        if tag in _UNSHOWN or (self._hide and _is_hidden(attrs)):
            self._unshown, self._unshown_depth = tag, 1
        return bool(self._unshown)

    def _picture(self, attributes: dict[str, str | None]) -> None:
        if description := " ".join((attributes.get("alt") or "").split()):
            self._add(f"[{description}]")
        else:
            source = attributes.get("src") or ""
            if source and not source.startswith("data:"):
                name = source.removeprefix("cid:").partition("?")[0].rpartition("/")[2]
                self._pictures.append(f"[{name[:100]}]")

    def _begin_link(self, href: str) -> None:
        target = "".join(href.split())
        if target and not target.lower().startswith(_NO_TARGETS):
            self._link = _Link(target)

    def _end_link(self) -> None:
        if self._link is None:
            return
        link, self._link = self._link, None
        bare = link.target.removeprefix("mailto:").removeprefix("tel:").rstrip("/")
        if not link.words:
            self._page.blank()
            self._page.add(link.target)
        elif not _is_same(" ".join(link.words), bare):
            self._page.add_behind(f"({link.target})")

    def _separate(self, tag: str) -> None:
        """End the line, or the paragraph, where a tag does so."""
        if tag in _APART:
            # A list in a list stands close.
            self._page.end_line(1 if tag in _LISTS and self._lists else 2)
        elif tag in _BLOCKS:
            self._page.end_line()

    def _indent(self, tag: str, attrs: Attributes) -> None:
        """Change what lines begin with, where an element does so."""
        if tag == "blockquote":
            self._quotes += 1
        elif tag in _LISTS:
            self._lists.append(_start(dict(attrs)) if tag == "ol" else None)
        elif tag == "li":
            self._page.mark(self._next_mark(), self._prefix(len(self._lists) - 1))
        self._set_prefix()

    def _outdent(self, tag: str) -> None:
        """Undo what _indent did."""
        if tag == "blockquote":
            self._quotes = max(self._quotes - 1, 0)
        elif tag == "li" or tag in _LISTS:
            self._page.end_mark()
            if tag != "li" and self._lists:
                self._lists.pop()
        self._set_prefix()

    def _end_row(self) -> None:
        self._is_in_row = False
        self._page.end_mark()

    def _next_mark(self) -> str:
        if not self._lists or (number := self._lists[-1]) is None:
            return "*"
        self._lists[-1] = number + 1
        return f"{number}."

    def _set_prefix(self) -> None:
        self._page.prefix = self._prefix(len(self._lists))

    def _prefix(self, depth: int) -> str:
        return "> " * min(self._quotes, _MAX_DEPTH) + "  " * min(depth, _MAX_DEPTH)


def _is_hidden(attrs: Iterable[tuple[str, str | None]]) -> bool:
    return any(
        name == "hidden" or (name == "style" and value and re.search(_HIDING, value, re.IGNORECASE))
        for name, value in attrs
    )


def _start(attributes: dict[str, str | None]) -> int:
    start = attributes.get("start") or ""
    return int(start) if re.fullmatch("[0-9]{1,6}", start) else 1


def _is_same(text: str, target: str) -> bool:
    """Tell whether a link's text says where it leads."""
    bare = target.partition("://")[2] or target
    return text.strip().rstrip("/").lower() in {target.lower(), bare.lower()}

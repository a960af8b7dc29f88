"""Markdown as HTML that is safe in a mail, as people write it.

CommonMark, with what GitHub's has beside it: tables, strike-through, task lists, callouts, bare
addresses as links; and a line ends where it was ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import replace
from html import escape
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from .content import Words
from .figures import SCHEME as _CHART
from .text_html import LINKS, absolute_link, bare_link_at, bare_links
from .theme import HAIRLINE, INNER, LINK, MONOSPACE, MUTED, SOFT, TEXT

if TYPE_CHECKING:
    from markdown_it.rules_inline import StateInline

_PICTURE: Final = "cid"

PICTURE_STYLE: Final = "display:block;width:100%;max-width:100%;height:auto;border:0"
GAP_STYLE: Final = f"padding:16px;background:{SOFT};border-radius:8px;font-size:14px"

_SCHEME_BEFORE: Final = r"(?i)(?:^|[^\w@.+-])(https?|homeassistant)$"
_TASK: Final = r"\[([ xX])\][ \t]+"
_CALLOUT: Final = r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*"
_NUMBER: Final = (
    r"[^\w\s]*\s?\d[\d.,:'\u2019\u00a0\u202f /-]*"
    r"(?:\s?[^\W\d]{0,6}[²³]?(?:/[^\W\d]+)?|\s?[%‰°€$£¥]\w?)"
)
_SHORT: Final = 14
"""Letters; a longer heading of numbers may be broken."""
_CALLOUTS: Final = {
    "NOTE": ("#0969da", "\u2139\ufe0f"),
    "TIP": ("#1a7f37", "\U0001f4a1"),
    "IMPORTANT": ("#8250df", "\u2757"),
    "WARNING": ("#bf8700", "\u26a0\ufe0f"),
    "CAUTION": ("#d1242f", "\U0001f6d1"),
}

_STYLES: Final = {
    "h1": "margin:24px 0 12px;font-size:22px;line-height:1.3;font-weight:600",
    "h2": "margin:24px 0 12px;font-size:19px;line-height:1.3;font-weight:600",
    "h3": "margin:20px 0 8px;font-size:17px;line-height:1.3;font-weight:600",
    "h4": "margin:16px 0 8px;font-size:16px;line-height:1.3;font-weight:600",
    "h5": "margin:16px 0 8px;font-size:15px;line-height:1.3;font-weight:600",
    "h6": "margin:16px 0 8px;font-size:15px;line-height:1.3;font-weight:600",
    "p": "margin:0 0 16px",
    "ul": "margin:0 0 16px;padding-START:24px",
    "ol": "margin:0 0 16px;padding-START:24px",
    "li": "margin:0 0 4px",
    "blockquote": f"margin:0 0 16px;padding-START:16px;border-START:4px solid {HAIRLINE}",
    "table": "width:100%;margin:0 0 16px;border-collapse:collapse",
    "th": f"padding:8px 0;border-bottom:1px solid {HAIRLINE};color:{MUTED};font-size:13px;"
    "font-weight:600;text-align:START",
    "td": f"padding:8px 0;border-bottom:1px solid {HAIRLINE};text-align:START",
    "hr": f"margin:24px 0;border:0;border-top:1px solid {HAIRLINE}",
    "code": f"padding:2px 4px;background:{SOFT};border-radius:4px;font-family:{MONOSPACE};"
    "font-size:14px",
    "img": PICTURE_STYLE,
    "a": f"color:{LINK}",
}
_CLASSES: Final = {
    "code": "soft",
    "th": "line muted",
    "td": "line",
    "hr": "line",
    "blockquote": "line",
}
_WITH_DIRECTION: Final = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "li"})
_PRE: Final = (
    f"margin:0 0 16px;padding:12px;background:{SOFT};border-radius:6px;font-family:{MONOSPACE};"
    "font-size:14px;line-height:1.45;white-space:pre-wrap;word-break:break-word"
)


class Rendered(NamedTuple):
    """Markdown as HTML, and the pictures (content ids as written there) that it shows."""

    html: str
    shown: frozenset[str]


class Style(NamedTuple):
    """How Markdown is set.

    below: levels that headings are moved down by. right_to_left: the direction of the page.
    blocks: what stands for a picture with such an address, as HTML.
    """

    below: int = 0
    right_to_left: bool = False
    words: Words = Words()
    blocks: Mapping[str, str] = MappingProxyType({})


_USUAL: Final = Style()


def render(
    source: str,
    pictures: Mapping[str, str],
    base_url: str | None = None,
    gaps: Mapping[str, str] | None = None,
    style: Style = _USUAL,
) -> Rendered:
    """Render markdown.

    Raw HTML comes out as text. A picture is shown when its address is "cid:" and a key of
    pictures (content id as written: as sent); a key of gaps is the sentence in its place. Any
    other becomes a link or its description, so that reading the mail loads nothing. A link
    without a host leads below base_url.
    """
    renderer = _Renderer(pictures, base_url, gaps or {}, style)
    return Rendered(renderer.render(source), frozenset(renderer.shown))


def parse(source: str) -> list[Token]:
    """Return markdown as the parser's tokens."""
    return parser().parse(source)


def task_of(item: str) -> tuple[str, str] | None:
    """Return the box of a task and the text behind it."""
    match = re.match(_TASK, item)
    return match and ("\u2610" if match[1] == " " else "\u2611", item[match.end() :])


def callout_of(text: str) -> tuple[str, str] | None:
    """Return the kind of a callout, such as WARNING, and the text behind its mark."""
    match = re.match(_CALLOUT, text)
    return match and (match[1], text[match.end() :])


def is_number(cell: str) -> bool:
    """Tell whether a cell of a table is a number, perhaps with its unit."""
    return bool(re.fullmatch(_NUMBER, cell.strip(" *~`_")))


def plain_lines(source: str) -> Iterator[str]:
    """Yield the lines of the text in markdown: without marks, addresses and pictures."""
    for token in parser().parse(source):
        if token.type in {"fence", "code_block"}:
            yield from token.content.splitlines()
        elif token.children is not None:
            yield from _text_of(token.children).split("\n")


def _text_of(tokens: list[Token]) -> str:
    breaks = {"softbreak", "hardbreak"}
    return "".join(
        "\n" if token.type in breaks else token.content
        for token in tokens
        if token.type in breaks or token.type in {"text", "code_inline"}
    )


class _Markdown(MarkdownIt):
    """The parser, with our choice of what may be an address at all."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the parser's name
        """Let through what the renderer can judge: our schemes, pictures, relative links."""
        try:
            return urlsplit(url).scheme in LINKS | {_PICTURE, _CHART, ""}
        except ValueError:
            return False


def parser() -> MarkdownIt:
    """Return a parser for the Markdown that mails are written in."""
    made = _Markdown("commonmark", {"html": False, "breaks": True})
    made.enable(["table", "strikethrough"])
    made.inline.ruler.after("text", "bare_link", _bare_link)
    return made


def _bare_link(state: StateInline, silent: bool) -> bool:
    """Take an address before its underscores can be taken for emphasis."""
    if state.src[state.pos : state.pos + 3] != "://" or state.linkLevel > 0:
        return False
    before = re.search(_SCHEME_BEFORE, state.pending[-20:])
    if before is None:
        return False
    link = bare_link_at(state.src, state.pos - len(before[1]))
    if link is None:
        return False
    if not silent:
        state.pending = state.pending[: -len(before[1])]
        state.push("link_open", "a", 1).attrSet("href", link.target)
        state.push("text", "", 0).content = state.src[link.start : link.end]
        state.push("link_close", "a", -1)
    state.pos = link.end
    return True


class _Renderer:
    """Renders one text, remembering the pictures shown."""

    def __init__(
        self,
        pictures: Mapping[str, str],
        base_url: str | None,
        gaps: Mapping[str, str],
        style: Style,
    ) -> None:
        self.shown: set[str] = set()
        self._pictures = pictures
        self._base_url = base_url
        self._gaps = gaps
        self._style = style
        self._start = "right" if style.right_to_left else "left"
        self._end = "left" if style.right_to_left else "right"
        self._parser = parser()
        self._moved = 0

    def render(self, source: str) -> str:
        tokens = self._parser.parse(source)
        levels = [int(token.tag[1]) for token in tokens if token.type == "heading_open"]
        # No level is left out between the page's own heading and the text's first kind.
        self._moved = self._style.below + 1 - min(levels, default=1)
        _mark_tasks(tokens)
        self._align_numbers(tokens)
        tokens = self._with_blocks(self._callouts(tokens))
        for token in tokens:
            if token.children is not None:
                token.children = [
                    self._styled(child) for child in self._without_remote(token.children)
                ]
            if token.type in {"fence", "code_block"}:
                self._preformat(token)
            self._styled(token)
        return str(self._parser.renderer.render(tokens, self._parser.options, {}))

    def _styled(self, token: Token) -> Token:
        style = _STYLES.get(token.tag)
        if style and token.nesting >= 0:
            own = token.attrGet("style")
            style = f"{style};{own}" if own else style
            token.attrSet("style", style.replace("START", self._start))
            if token.tag in _CLASSES:
                token.attrSet("class", _CLASSES[token.tag])
            if token.tag in _WITH_DIRECTION:
                token.attrSet("dir", "auto")
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + self._moved, 6)}"
        return token

    def _preformat(self, token: Token) -> None:
        """Let code wrap; the parser's own renderer has no place for the style."""
        token.type, token.tag = "html_block", ""
        lines = escape(token.content.rstrip("\n"))
        token.content = f'<pre class="soft" dir="ltr" style="{_PRE}">{lines}</pre>\n'

    def _align_numbers(self, tokens: list[Token]) -> None:
        """Put numbers to the other side, where nothing else was asked for, and keep them whole."""
        columns: list[list[tuple[Token, str]]] = []
        column = 0
        for token, following in zip(tokens, [*tokens[1:], *tokens[:1]], strict=True):
            if token.type == "table_open":
                columns = []
                token.attrSet("width", "100%")
            elif token.type == "tr_open":
                column = 0
            elif token.type in {"th_open", "td_open"}:
                if column == len(columns):
                    columns.append([])
                columns[column].append((token, following.content))
                column += 1
            elif token.type == "table_close":
                for cells in columns:
                    self._align_column(cells, is_last=cells is columns[-1])

    def _align_column(self, cells: list[tuple[Token, str]], *, is_last: bool) -> None:
        body = [text for cell, text in cells if cell.tag == "td" and text.strip(" -\u2013\u2014")]
        has_numbers = bool(body) and all(map(is_number, body))
        for cell, text in cells:
            if cell.tag == "th":
                cell.attrSet("scope", "col")
            own = str(cell.attrGet("style") or "")
            if has_numbers and not own:
                own = f"text-align:{self._end}"
            if is_number(text) if cell.tag == "td" else has_numbers and len(text) < _SHORT:
                own += ";white-space:nowrap"
                cell.attrSet("nowrap", "nowrap")
            if cell.tag == "td" and is_number(text):
                cell.attrSet("dir", "ltr")
            if not is_last:
                own += f";padding-{self._end}:16px"
            cell.attrSet("style", own.strip(";"))

    def _with_blocks(self, tokens: list[Token]) -> list[Token]:
        """Return tokens with each block beside the paragraph that it stood in, not within it."""
        kept: list[Token] = []
        for token in tokens:
            kept.append(token)
            is_in_paragraph = len(kept) > 1 and kept[-2].type == "paragraph_open"
            if token.type == "inline" and is_in_paragraph and self._has_block(token):
                opening, inline = kept[-2:]
                kept[-2:] = self._split(opening, inline)
            elif token.type == "paragraph_close" and kept[-2].type == "html_block":
                kept.pop()
        return kept

    def _split(self, opening: Token, inline: Token) -> Iterator[Token]:
        """Yield a paragraph as several, with blocks between; the last one is left open."""
        closing = Token("paragraph_close", "p", -1, block=True, hidden=opening.hidden)
        text: list[Token] = []
        depth = 0
        for child in [*(inline.children or ()), None]:
            is_block = child is not None and depth == 0 and self._block_of(child) is not None
            if child is not None and not is_block:
                depth += child.nesting
                text.append(child)
                continue
            while text and text[-1].type.endswith("break"):
                text.pop()
            if any(one.content.strip() or one.nesting for one in text):
                part = Token("inline", "", 0, children=text, content=inline.content)
                yield from (replace(opening, attrs={}), part)
                if child is not None:
                    yield replace(closing)
            text = []
            if child is not None and (block := self._block_of(child)) is not None:
                self.shown.add(str(child.attrGet("src")))
                yield Token("html_block", "", 0, content=block)

    def _has_block(self, inline: Token) -> bool:
        return any(self._block_of(child) is not None for child in inline.children or ())

    def _block_of(self, token: Token) -> str | None:
        is_image = token.type == "image"
        return self._style.blocks.get(str(token.attrGet("src"))) if is_image else None

    def _callouts(self, tokens: list[Token]) -> list[Token]:
        """Return tokens with a table around each quotation that begins with a callout's mark."""
        kept: list[Token] = []
        open_callouts: list[bool] = []
        for number, token in enumerate(tokens):
            if token.type == "blockquote_open":
                kind = _take_callout(tokens[number + 1 : number + 3])
                open_callouts.append(kind is not None)
                kept.append(token if kind is None else self._callout(kind))
            elif token.type == "blockquote_close" and open_callouts.pop():
                kept.append(Token("html_block", "", 0, content="</td></tr></table>\n"))
            else:
                kept.append(token)
        return kept

    def _callout(self, kind: str) -> Token:
        color, sign = _CALLOUTS[kind]
        word = escape(str(getattr(self._style.words, kind.lower())))
        html = (
            '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'
            f' style="margin:0 0 16px"><tr><td class="soft" style="padding:12px 16px 0;'
            f'background:{SOFT};border-{self._start}:4px solid {color}">'
            f'<p dir="auto" style="margin:0 0 8px"><strong><span aria-hidden="true">{sign}</span> '
            f"{word}</strong></p>\n"
        )
        return Token("html_block", "", 0, content=html)

    def _without_remote(self, tokens: list[Token]) -> Iterator[Token]:
        """Yield inline tokens with every link made absolute and no picture from elsewhere."""
        dropped = in_link = False
        for token in tokens:
            if token.type == "link_open":
                target = absolute_link(str(token.attrGet("href") or ""), self._base_url)
                dropped, in_link = target is None, target is not None
                if target is not None:
                    token.attrSet("href", target)
                    yield token
            elif token.type == "link_close":
                if not dropped:
                    yield token
                dropped = in_link = False
            elif token.type == "image":
                yield from self._picture(token, in_link=in_link)
            elif token.type == "text" and not in_link and not dropped:
                yield from _with_links(token)
            else:
                yield token

    def _picture(self, token: Token, *, in_link: bool) -> Iterator[Token]:
        source = str(token.attrGet("src") or "")
        if (block := self._block_of(token)) is not None:
            self.shown.add(source)
            yield Token("html_inline", "", 0, content=block)
            return
        scheme, _, name = source.partition(":")
        name = unquote(name)
        if scheme.lower() == _PICTURE and name in self._pictures:
            self.shown.add(name)
            token.attrSet("src", f"{_PICTURE}:{self._pictures[name]}")
            token.attrSet("width", str(INNER))
            yield token
            return
        if scheme.lower() == _PICTURE and name in self._gaps:
            self.shown.add(name)
            yield Token("html_inline", "", 0, content=gap_html(self._gaps[name], "span"))
            return
        description = description_of(token)
        target = None if in_link else absolute_link(source, self._base_url)
        if target is None:
            yield Token("text", "", 0, content=description)
            return
        yield Token("link_open", "a", 1, attrs={"href": target})
        yield Token("text", "", 0, content=description or target)
        yield Token("link_close", "a", -1)


def description_of(image: Token) -> str:
    """Return what stands for a picture."""
    return "".join(
        " " if child.type in {"softbreak", "hardbreak"} else child.content
        for child in image.children or ()
    )


def gap_html(note: str, tag: str) -> str:
    """Return the place of a picture that is not there."""
    style = f"display:block;{GAP_STYLE};color:{TEXT}"
    return f'<{tag} class="soft text" dir="auto" style="{style}">{escape(note)}</{tag}>'


def _with_links(token: Token) -> Iterator[Token]:
    text, at = token.content, 0
    for link in bare_links(text):
        yield Token("text", "", 0, content=text[at : link.start])
        yield Token("link_open", "a", 1, attrs={"href": link.target})
        yield Token("text", "", 0, content=text[link.start : link.end])
        yield Token("link_close", "a", -1)
        at = link.end
    yield Token("text", "", 0, content=text[at:]) if at else token


def _mark_tasks(tokens: list[Token]) -> None:
    """Put a box in place of a task's brackets, and no other mark before it.

    A list of tasks alone needs no room for marks.
    """
    opened: list[tuple[Token, list[bool]]] = []
    for item, paragraph, inline in zip(tokens, tokens[1:], [*tokens[2:], None], strict=False):
        if item.type.endswith("_list_open"):
            opened.append((item, []))
        elif item.type == "list_item_open":
            is_text = inline is not None and paragraph.type == "paragraph_open"
            opened[-1][1].append(is_text and _mark_task(item, inline))
        elif item.type.endswith("_list_close"):
            _close(*opened.pop())
    for left in opened:  # the last token of all is no item
        _close(*left)


def _close(opening: Token, are_tasks: list[bool]) -> None:
    if all(are_tasks):
        opening.attrSet("style", "padding-START:4px")


def _mark_task(item: Token, inline: Token | None) -> bool:
    first = inline.children[0] if inline is not None and inline.children else None
    if first is None or first.type != "text" or (task := task_of(first.content)) is None:
        return False
    first.content = f"{task[0]}\u00a0{task[1]}"
    item.attrSet("style", "list-style-type:none")
    return True


def _take_callout(following: list[Token]) -> str | None:
    """Return the kind of the callout that a quotation begins with, and take out its mark."""
    if [token.type for token in following] != ["paragraph_open", "inline"]:
        return None
    children = following[1].children or []
    found = callout_of(following[1].content)
    if found is None or not children or callout_of(children[0].content) is None:
        return None
    kind, children[0].content = callout_of(children[0].content) or ("", "")
    if not children[0].content and children[1:2] and children[1].type.endswith("break"):
        del children[1]
    return kind

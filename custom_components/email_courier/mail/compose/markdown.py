"""Markdown as HTML that is safe in a mail: CommonMark, tables and strike-through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

_LINKS = frozenset({"http", "https", "mailto", "tel", "homeassistant"})
_WEB = frozenset({"http", "https"})
_PICTURE = "cid"

# Outlook takes the width of a picture from its attribute, and shows it at full size otherwise.
PICTURE_WIDTH = 536
PICTURE_STYLE = "display:block;width:100%;max-width:100%;height:auto;border:0"

# Many readers drop style sheets, so that what gives the text its shape is inline. Colours that
# dark mode must change are not.
_RULE = "1px solid #9aa0a6"
_STYLES = {
    "h1": "margin:24px 0 12px;font-size:22px;line-height:1.3",
    "h2": "margin:24px 0 12px;font-size:19px;line-height:1.3",
    "h3": "margin:20px 0 8px;font-size:17px;line-height:1.3",
    "p": "margin:0 0 16px",
    "ul": "margin:0 0 16px;padding-left:24px",
    "ol": "margin:0 0 16px;padding-left:24px",
    "blockquote": "margin:0 0 16px;padding-left:16px;border-left:4px solid #03a9f4",
    "table": "margin:0 0 16px;border-collapse:collapse",
    "th": f"padding:6px 12px;border:{_RULE};text-align:left",
    "td": f"padding:6px 12px;border:{_RULE}",
    "hr": f"margin:24px 0;border:0;border-top:{_RULE}",
    "code": "font-family:Consolas,Menlo,monospace;font-size:14px",
    "img": PICTURE_STYLE,
    "a": "color:#0277bd",
}


class Rendered(NamedTuple):
    """Markdown as HTML, and the pictures (content ids as written there) that it shows."""

    html: str
    shown: frozenset[str]


def render(source: str, pictures: Mapping[str, str], base_url: str | None = None) -> Rendered:
    """Render markdown.

    Raw HTML comes out as text. A picture is shown when its address is "cid:" and a key of
    pictures (content id as written: as sent); any other becomes a link or its description,
    so that reading the mail loads nothing. A link without a host leads below base_url.
    """
    renderer = _Renderer(pictures, base_url)
    return Rendered(renderer.render(source), frozenset(renderer.shown))


def plain_lines(source: str) -> Iterator[str]:
    """Yield the lines of the text in markdown: without marks, addresses and pictures."""
    for token in _parser().parse(source):
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


def absolute_link(url: str, base_url: str | None) -> str | None:
    """Return where a link leads, or None when a mail must not or cannot link there."""
    try:
        relative = not urlsplit(url).scheme
        target = urljoin(base_url, url) if base_url and relative else url
        parts = urlsplit(target)
        has_host = bool(parts.hostname)
    except ValueError:
        return None
    if parts.scheme not in _LINKS or (parts.scheme in _WEB and not has_host):
        return None
    return target


class _Markdown(MarkdownIt):
    """The parser, with our choice of what may be an address at all."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the parser's name
        """Let through what the renderer can judge: our schemes, pictures, relative links."""
        try:
            return urlsplit(url).scheme in _LINKS | {_PICTURE, ""}
        except ValueError:
            return False


def _parser() -> _Markdown:
    parser = _Markdown("commonmark", {"html": False})
    parser.enable(["table", "strikethrough"])
    return parser


class _Renderer:
    """Renders one text, remembering the pictures shown."""

    def __init__(self, pictures: Mapping[str, str], base_url: str | None) -> None:
        self.shown: set[str] = set()
        self._pictures = pictures
        self._base_url = base_url
        self._parser = _parser()

    def render(self, source: str) -> str:
        tokens = self._parser.parse(source)
        for token in tokens:
            if token.children is not None:
                token.children = [
                    self._styled(child) for child in self._without_remote(token.children)
                ]
            self._styled(token)
        return str(self._parser.renderer.render(tokens, self._parser.options, {}))

    def _styled(self, token: Token) -> Token:
        style = _STYLES.get(token.tag)
        if style and token.nesting >= 0:
            own = token.attrGet("style")
            token.attrSet("style", f"{style};{own}" if own else style)
        return token

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
            else:
                yield token

    def _picture(self, token: Token, *, in_link: bool) -> Iterator[Token]:
        source = str(token.attrGet("src") or "")
        scheme, _, name = source.partition(":")
        name = unquote(name)
        if scheme.lower() == _PICTURE and name in self._pictures:
            self.shown.add(name)
            token.attrSet("src", f"{_PICTURE}:{self._pictures[name]}")
            token.attrSet("width", str(PICTURE_WIDTH))
            yield token
            return
        description = "".join(
            " " if child.type == "softbreak" else child.content for child in token.children or ()
        )
        target = None if in_link else absolute_link(source, self._base_url)
        if target is None:
            yield Token("text", "", 0, content=description)
            return
        yield Token("link_open", "a", 1, attrs={"href": target})
        yield Token("text", "", 0, content=description or target)
        yield Token("link_close", "a", -1)

"""Markdown as the plain text that stands beside it: what a person would have typed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Final
from unicodedata import combining, east_asian_width

from markdown_it.token import Token

from .content import Words
from .links import absolute_link
from .markdown import callout_of, description_of, is_number, parse, task_of

_RULE: Final = "-" * 30
_BETWEEN: Final = "  "
_UNDERLINES: Final = {"h1": "=", "h2": "-"}
_MAX_COLUMN: Final = 40
"""Columns of text; a cell that is wider moves only what is beside it."""


def markdown_text(
    source: str,
    base_url: str | None = None,
    captions: Mapping[str, str] | None = None,
    words: Words | None = None,
    marks: Collection[str] = (),
) -> str:
    """Return markdown as text.

    Tables are aligned, links keep their address, a picture is its description, else its caption.
    captions: those of pictures, by "cid:" and their content id.
    marks: addresses of pictures that stay as Markdown writes them, alone in their lines.
    """
    writer = _Writer(base_url, captions or {}, words or Words(), marks)
    return "\n".join(writer.blocks(parse(source))).strip("\n")


class _Writer:
    """Writes block after block; each is some lines, with an empty one between."""

    def __init__(
        self,
        base_url: str | None,
        captions: Mapping[str, str],
        words: Words,
        marks: Collection[str],
    ) -> None:
        self._base_url = base_url
        self._captions = captions
        self._words = words
        self._marks = marks

    def blocks(self, tokens: list[Token], *, close: bool = False) -> list[str]:
        """Return the lines of blocks. close: without empty lines between, as in a short list."""
        lines: list[str] = []
        at = 0
        while at < len(tokens):
            end = _end_of(tokens, at)
            block = self._block(tokens[at], tokens[at + 1 : end])
            if lines and block and not close:
                lines.append("")
            lines += block
            at = end + 1
        return lines

    def _block(self, token: Token, inner: list[Token]) -> list[str]:
        match token.type:
            case "heading_open":
                return self._heading(token.tag, inner)
            case "paragraph_open":
                return self._inline(inner[0]).split("\n")
            case "bullet_list_open":
                return self._list(inner, None)
            case "ordered_list_open":
                return self._list(inner, int(token.attrGet("start") or 1))
            case "blockquote_open":
                return self._quotation(inner)
            case "table_open":
                return list(self._table(inner))
            case "fence" | "code_block":
                return [f"    {line}".rstrip() for line in token.content.rstrip("\n").split("\n")]
            case "hr":
                return [_RULE]
        return []

    def _heading(self, tag: str, inner: list[Token]) -> list[str]:
        text = self._inline(inner[0]).replace("\n", " ")
        line = _UNDERLINES.get(tag)
        return [text] if line is None or not text else [text, line * min(_width(text), 70)]

    def _list(self, tokens: list[Token], number: int | None) -> list[str]:
        lines: list[str] = []
        is_close = any(token.type == "paragraph_open" and token.hidden for token in tokens)
        at = 0
        while at < len(tokens):
            end = _end_of(tokens, at)
            mark = "-" if number is None else f"{number}."
            item = self.blocks(tokens[at + 1 : end], close=is_close) or [""]
            if task := task_of(item[0]):
                mark, item[0] = task
            if lines and not is_close:
                lines.append("")
            lines.append(f"{mark} {item[0]}".rstrip())
            lines += [" " * (len(mark) + 1) + line if line else "" for line in item[1:]]
            number = None if number is None else number + 1
            at = end + 1
        return lines

    def _quotation(self, inner: list[Token]) -> list[str]:
        lines = self.blocks(inner)
        if lines and (callout := callout_of(lines[0])):
            kind, rest = callout
            lines[:1] = [str(getattr(self._words, kind.lower())).upper(), *([rest] if rest else [])]
        return [f"> {line}".rstrip() for line in lines]

    def _table(self, tokens: list[Token]) -> Iterator[str]:
        rows: list[list[str]] = []
        sides: list[str] = []
        for token, following in pairwise(tokens):
            if token.type == "tr_open":
                rows.append([])
            elif token.type in {"th_open", "td_open"}:
                rows[-1].append(self._inline(following).replace("\n", " "))
                if token.type == "th_open":
                    sides.append(str(token.attrGet("style") or ""))
        columns = list(zip(*rows, strict=True))
        widths = [min(max(map(_width, column)), _MAX_COLUMN) for column in columns]
        to_the_right = [
            "right" in side or (not side and any(column[1:]) and all(map(_fits, column[1:])))
            for side, column in zip(sides, columns, strict=True)
        ]
        for number, row in enumerate(rows):
            if number == 1:
                yield _BETWEEN.join("-" * width for width in widths)
            cells = (
                " " * (width - _width(cell)) + cell
                if is_right
                else cell + " " * (width - _width(cell))
                for cell, width, is_right in zip(row, widths, to_the_right, strict=True)
            )
            yield _BETWEEN.join(cells).rstrip()

    def _inline(self, token: Token) -> str:
        pieces: list[str] = []
        links: list[tuple[str | None, int]] = []
        for child in token.children or ():
            match child.type:
                case "softbreak" | "hardbreak":
                    pieces.append("\n")
                case "image":
                    pieces.append(self._picture(child))
                case "link_open":
                    href = str(child.attrGet("href") or "")
                    links.append((absolute_link(href, self._base_url), len(pieces)))
                case "link_close":
                    target, begin = links.pop()
                    pieces += _where(target, "".join(pieces[begin:]))
                case _:
                    pieces.append(child.content)
        return "".join(pieces)

    def _picture(self, image: Token) -> str:
        source = str(image.attrGet("src") or "")
        if source in self._marks:
            return f"![]({source})"
        words = description_of(image).strip() or self._captions.get(source, "")
        return f"[{words}]" if words else ""


def _where(target: str | None, text: str) -> list[str]:
    """Return the address of a link whose text does not say it."""
    if target is None or not text:
        return [target] if target else []
    bare = target.removeprefix("mailto:").removeprefix("tel:").partition("://")[2] or target
    said = {target, bare, target.removeprefix("mailto:").removeprefix("tel:")}
    return [] if text.strip() in said else [f" ({target})"]


def _end_of(tokens: list[Token], at: int) -> int:
    """Return where the block ends that begins at a place; a block of one token ends there."""
    depth = 0
    for number in range(at, len(tokens)):
        depth += tokens[number].nesting
        if depth <= 0:
            return number
    return len(tokens)


def _fits(cell: str) -> bool:
    return not cell.strip(" -\u2013\u2014") or is_number(cell)


def _width(text: str) -> int:
    """Return how many columns text takes where letters are all of the same width."""
    return sum(
        0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text
    )

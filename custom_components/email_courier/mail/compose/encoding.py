"""Bodies as 7-bit lines (RFC 2045 section 6), so that no server needs 8BITMIME."""

from __future__ import annotations

from binascii import b2a_base64, b2a_qp
from collections.abc import Iterable, Iterator
from functools import lru_cache
import re
from struct import Struct

_LINE_WISH = 78
_QUOTED_LINE = 76
_MISTAKABLE = (b"\nFrom ", b"\n.\n", b"\n.=\n")
_BASE64_LINE = 57  # bytes that make a line of 76 characters
_BASE64_CHARACTERS = 76
BASE64_BLOCK = _BASE64_LINE * 256
"""Bytes that are encoded at a time. No other thread runs as long as that takes."""


def encode_text(text: str) -> tuple[str, bytes]:
    r"""Return the transfer encoding of text and the text in it, with CRLF.

    text: \n is its only line end. Text goes as it is only when nothing on its way can have a
    reason to change it. Otherwise it stays legible while that does not double its length:
    filters mistrust base64 that need not be.
    """
    if text.isascii() and all(map(_is_untouchable, text.split("\n"))):
        return "7bit", text.replace("\n", "\r\n").encode("ascii")
    raw = text.replace("\n", "\r\n").encode()
    quoted = _unmistakable(b2a_qp(text.encode())).replace(b"\n", b"\r\n")
    if len(quoted) <= 2 * len(raw):
        return "quoted-printable", quoted
    return "base64", b"".join(base64_lines([raw]))


def _unmistakable(quoted: bytes) -> bytes:
    r"""Return quoted-printable, lines ending in \n, without lines that are no mere text to others.

    RFC 2049 section 3: a mailbox file takes "From " for the next mail, and old servers a dot
    alone for the end. Soft line breaks can make such lines, too. A blank that b2a_qp escapes at
    the end of a line can make it longer than RFC 2045 section 6.7 allows.
    """
    written = quoted.split(b"\n")
    framed = b"\n%b\n" % quoted
    if max(map(len, written)) <= _QUOTED_LINE and not any(one in framed for one in _MISTAKABLE):
        return quoted
    lines: list[bytes] = []
    for line in written:
        rest = line
        while rest.startswith(b"From "):
            lines.append(b"=46rom =")
            rest = rest[5:]
        if lines and lines[-1] == b"=46rom =" and len(rest) <= _QUOTED_LINE - 7:
            lines.pop()
            rest = b"=46rom " + rest
        if len(rest) > _QUOTED_LINE:
            lines.append(rest[:-3] + b"=")
            rest = rest[-3:]
        lines.append(b"=2E" + rest[1:] if rest in {b".", b".="} else rest)
    return b"\n".join(lines)


def base64_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield base64 lines, some kB at a time.

    blocks: all but the last must be a multiple of 57 bytes long.
    """
    for block in blocks:
        view = memoryview(block)
        for start in range(0, len(view), BASE64_BLOCK):
            text = b2a_base64(view[start : start + BASE64_BLOCK], newline=False)
            yield b"\r\n".join((*_lines_of(len(text)).unpack(text), b""))


@lru_cache(maxsize=2)
def _lines_of(length: int) -> Struct:
    """Return what cuts so many characters into lines at once, several times as fast as slices."""
    whole, rest = divmod(length, _BASE64_CHARACTERS)
    return Struct(f"{_BASE64_CHARACTERS}s" * whole + f"{rest}s" * bool(rest))


def base64_size(length: int) -> int:
    """Return how many bytes this many bytes are as base64 lines, CRLF included."""
    return 4 * -(-length // 3) + 2 * -(-length // _BASE64_LINE)


def _is_untouchable(line: str) -> bool:
    # mbox files quote a leading "From ", SMTP a leading dot; long lines and
    # trailing blanks are cut by some.
    return (
        len(line) <= _LINE_WISH
        and not line.startswith((".", "From "))
        and not line.endswith((" ", "\t"))
        and (line.isprintable() or line.replace("\t", "").isprintable())
    )


_NEWLINE = "\r\n|[\r\x85\u2028\u2029]"
_NO_BODY_TEXT = "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]"
_NO_LINE_TEXT = "[\x00-\x1f\x7f-\x9f\u2028\u2029]+"
_SURROGATE = "[\ud800-\udfff]"


def one_line(text: str) -> str:
    """Return text as one line: what ends or disturbs a line becomes a space."""
    if text.isprintable():  # nearly all of it is, and this is told faster
        return text.strip()
    return re.sub(_SURROGATE, "\ufffd", re.sub(_NO_LINE_TEXT, " ", text)).strip()


def is_line(text: str) -> bool:
    """Tell whether text is one line already, and can be written as UTF-8."""
    return not (re.search(_NO_LINE_TEXT, text) or re.search(_SURROGATE, text))


def body_text(text: str) -> str:
    r"""Return text with \n as its only line end, with a last line that ends, if there is any.

    Other control characters than tab become U+FFFD: mail has no use for them, and NUL is
    forbidden (RFC 5322 section 4.5).
    """
    text = re.sub(_NO_BODY_TEXT, "\ufffd", re.sub(_NEWLINE, "\n", text))
    return text if not text or text.endswith("\n") else text + "\n"

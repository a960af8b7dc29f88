"""Text from anywhere, made safe for a line or for a body."""

from __future__ import annotations

import re

_NEWLINE = re.compile("\r\n|[\r\x85\u2028\u2029]")
_NO_BODY_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_NO_LINE_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


def one_line(text: str) -> str:
    """Return text as one line: what ends or disturbs a line becomes a space."""
    return _SURROGATE.sub("\ufffd", _NO_LINE_TEXT.sub(" ", text)).strip()


def is_line(text: str) -> bool:
    """Tell whether text is one line already, and can be written as UTF-8."""
    return not (_NO_LINE_TEXT.search(text) or _SURROGATE.search(text))


def body_text(text: str) -> str:
    r"""Return text with \n as its only line end, with a last line that ends, if there is any.

    Other control characters than tab become U+FFFD: mail has no use for them, and NUL is
    forbidden (RFC 5322 section 4.5).
    """
    text = _NO_BODY_TEXT.sub("\ufffd", _NEWLINE.sub("\n", text))
    return text if not text or text.endswith("\n") else text + "\n"

"""A server's reply, cleaned where it enters (RFC 5321 section 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
import re
from typing import TYPE_CHECKING, NamedTuple

from .charset import decode

if TYPE_CHECKING:
    from .redaction import Redactor

MAX_TEXT = 1000
_ENHANCED = re.compile(r"([245])\.([0-9]{1,3})\.([0-9]{1,3})(?=\s|$)")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean_text(raw: bytes | str) -> str:
    """Turn a server's bytes into text that any log, page or JSON encoder can take.

    Bytes that are no UTF-8 are read as charset.decode does, control and direction
    characters become spaces; at most MAX_TEXT characters are kept.
    """
    text = decode(raw) if isinstance(raw, bytes) else raw
    return _UNPRINTABLE.sub(" ", text)[:MAX_TEXT].strip()


class Reply(NamedTuple):
    """A reply: its code and its lines, without the codes in front of them."""

    code: int
    lines: tuple[str, ...] = ()

    @classmethod
    def parse(cls, code: int, text: bytes | str, redactor: Redactor | None = None) -> Reply:
        """Make a reply of a code and its possibly multi-line text, without any secret.

        A line is cut after that, so that no half of a secret is left at its end.
        """
        if isinstance(text, bytes):
            text = decode(text)
        lines: Sequence[str] = text.split("\n")
        if redactor is not None:
            lines = redactor.lines(lines)
        return cls(code, tuple(clean_text(line) for line in lines))

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code (RFC 3463), such as "5.7.8", if there is one.

        The first one whose class is the code's, where lines differ.
        """
        found = [match for line in self.lines if (match := _ENHANCED.match(line))]
        fitting = [match for match in found if match[1] == str(self.code)[0]]
        return next((match[0] for match in fitting or found), None)

    @property
    def text(self) -> str:
        """All lines as one, the enhanced status code included."""
        return self.joined[:MAX_TEXT]

    @property
    def joined(self) -> str:
        """All lines as one, uncut."""
        return " ".join(line for line in self.lines if line)

    @property
    def is_positive(self) -> bool:
        """Whether the command was carried out (2yz)."""
        return 200 <= self.code < 300

    @property
    def is_transient(self) -> bool:
        """Whether the same command may succeed later (4yz)."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """Whether the same command will not succeed (5yz)."""
        return 500 <= self.code < 600

    def __str__(self) -> str:
        """Word for word, as one line."""
        return f"{self.code} {self.text}".rstrip()

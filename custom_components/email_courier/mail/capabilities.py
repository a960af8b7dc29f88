"""What a server offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

USED_EXTENSIONS = frozenset({"8bitmime", "auth", "pipelining", "size", "smtputf8", "starttls"})
"""Those that something here depends on, in lower case."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server said of itself in its last EHLO reply (RFC 5321 section 4.1.1.1).

    extensions: keywords in lower case with their parameters.
    mechanisms: login mechanisms in upper case.
    """

    extensions: Mapping[str, str]
    mechanisms: frozenset[str]

    @property
    def size_limit(self) -> int | None:
        """Octets of the largest message (RFC 1870), None when there is no stated limit."""
        value = self.extensions.get("size", "").strip()
        return int(value) if value.isdecimal() and int(value) > 0 else None

    def has(self, keyword: str) -> bool:
        """Whether an extension is offered, by its keyword in lower case."""
        return keyword in self.extensions


NOTHING = Capabilities({}, frozenset())
"""Of a server that has not spoken yet, or of one that only knows HELO."""

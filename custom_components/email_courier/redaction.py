"""Taking out of diagnostics what tells who writes to whom, and how they log in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
import re
from typing import Any

from .mail.reply import blot_out

HIDDEN = "**REDACTED**"

_LOCAL_PART = re.compile(r"""("[^"]*"|[^\s<>()\[\]:;,"'=@]+)@(?=[^\s@])""")


def domains(addresses: Iterable[str]) -> list[str]:
    """Return only the domains of addresses."""
    return [address.rpartition("@")[2].rstrip("> ") for address in addresses]


def texts_in(value: object) -> Iterator[str]:
    """Go through all texts in plain data."""
    match value:
        case str():
            yield value
        case Mapping():
            yield from texts_in(list(value.values()))
        case list() | tuple():
            for item in value:
                yield from texts_in(item)


class Redactor:
    """Hides secrets, and the local part of every address; the domain says enough."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Know what else is not to be seen."""
        self._secrets = sorted(secrets, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Hide it in a text."""
        return _LOCAL_PART.sub(f"{HIDDEN}@", blot_out(text, self._secrets))

    def data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Hide it in all texts of plain data."""
        return {name: self._value(value) for name, value in data.items()}

    def _value(self, value: object) -> object:
        match value:
            case str():
                return self.text(value)
            case Mapping():
                return self.data(value)
            case list() | tuple():
                return [self._value(item) for item in value]
        return value

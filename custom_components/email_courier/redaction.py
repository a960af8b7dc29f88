"""Taking out of diagnostics what tells who writes to whom, and how they log in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from email.utils import parseaddr
import re
from typing import Any

from .mail.redaction import HIDDEN, NOTHING_HIDDEN, Redactor as SecretRedactor

_OWN_WORDS = frozenset({"kind", "stage", "permanence", "outcome", "reason"})
"""Names of data whose values are words of a fixed list, whatever a subject says."""
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
    """Hides secrets, what mails say of themselves, and the local part of every address.

    The domain says enough.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        """Know what is not to be seen in any form, also as a part of something longer."""
        self._secrets = SecretRedactor.for_login("", secrets)
        self._words = NOTHING_HIDDEN

    def also(self, texts: Iterable[str]) -> Redactor:
        """Return one that also hides subjects, names and addresses, where they are whole words."""
        other = copy(self)
        words = (word for text in texts for word in _words_of(text))
        other._words = self._words.also(words)  # noqa: SLF001 - a Redactor as well
        return other

    def text(self, text: str) -> str:
        """Hide it in a text."""
        shown = _LOCAL_PART.sub(f"{HIDDEN}@", self._secrets.text(text))
        return self._words.text(shown)

    def data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Hide it in all texts of plain data."""
        return {
            name: value if name in _OWN_WORDS else self._value(value)
            for name, value in data.items()
        }

    def _value(self, value: object) -> object:
        match value:
            case str():
                return self.text(value)
            case Mapping():
                return self.data(value)
            case list() | tuple():
                if value and all(isinstance(item, str) for item in value):
                    return self.text("\n".join(value)).split("\n")
                return [self._value(item) for item in value]
        return value


def _words_of(text: str) -> Iterator[str]:
    """Return a text and, of an address, each part that a server may quote alone."""
    yield text
    name, address = parseaddr(text) if "@" in text else ("", "")
    yield from (address, address.rpartition("@")[0], name, *name.split())

"""Taking out of diagnostics what tells who writes to whom, and what about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
import re
from typing import Any

from .mail.failure import Failure

HIDDEN = "**REDACTED**"

_LOCAL_PART = re.compile(r"""("[^"]*"|[^\s<>()\[\]:;,"'=@]+)@(?=[^\s@])""")


def without_addresses(text: str) -> str:
    """Hide the local part of every address in a text; the domain says enough."""
    return _LOCAL_PART.sub(f"{HIDDEN}@", text)


def domains(addresses: Iterable[str]) -> list[str]:
    """Return only the domains of addresses."""
    return [address.rpartition("@")[2].rstrip(">") for address in addresses]


def without_details(failure: Failure | None, secrets: Iterable[str]) -> dict[str, Any] | None:
    """Return a failure with every address in it hidden, and every secret."""
    if failure is None:
        return None
    return hide(failure.without(secrets).as_dict())


def hide(data: Mapping[str, Any]) -> dict[str, Any]:
    """Hide the addresses in all texts of plain data."""
    return {name: _hide(value) for name, value in data.items()}


def _hide(value: object) -> object:
    match value:
        case str():
            return without_addresses(value)
        case Mapping():
            return hide(value)
        case list() | tuple():
            return [_hide(item) for item in value]
    return value

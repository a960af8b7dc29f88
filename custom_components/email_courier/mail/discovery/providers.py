"""The table of providers: facts about mail providers, as data, and slips in their domains."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from functools import cache
import json
from pathlib import Path
from typing import Any, Final

from ..hostname import is_special_use
from ..settings import Encryption, is_loopback
from .dns import Resolver
from .model import Candidate, Hint, LookupFailed, Provider, SecretKind, UsernameForm

_TABLE = Path(__file__).with_name("providers.json")


class Providers:
    """The providers, found by domain, by mail exchanger and by server."""

    def __init__(self, rows: Iterable[Provider]) -> None:
        """Index the rows."""
        self._rows = tuple(rows)
        self._by_domain = {domain: row for row in self._rows for domain in row.domains}
        self._by_mx = {suffix: row for row in self._rows for suffix in row.mx_suffixes}
        # Where several rows share a server, the first one is the general one. On loopback any
        # program may listen: its address names no provider.
        self._by_host = {
            server.host: row
            for row in reversed(self._rows)
            for server in row.servers
            if not is_loopback(server.host)
        }

    def __iter__(self) -> Iterator[Provider]:
        """Go through the rows in the table's order."""
        return iter(self._rows)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._rows)

    def by_domain(self, domain: str) -> Provider | None:
        """Return the provider whose own domain this is (lower-case A-labels)."""
        return self._by_domain.get(domain)

    def by_mail_exchanger(self, host: str) -> Provider | None:
        """Return the provider that runs a mail exchanger; the longest known suffix decides."""
        labels = host.split(".")
        for start in range(len(labels)):
            if (row := self._by_mx.get(".".join(labels[start:]))) is not None:
                return row
        return None

    def by_server(self, host: str) -> Provider | None:
        """Return the provider that a submission server belongs to."""
        return self._by_host.get(host)


@cache
def load() -> Providers:
    """Read the table, the first time from disk: call it in an executor, never on an event loop.

    Raises OSError or ValueError where the installation is damaged.
    """
    return Providers(_provider(row) for row in json.loads(_TABLE.read_text(encoding="utf-8")))


def _provider(row: dict[str, Any]) -> Provider:
    """Return one row of the file as a provider."""
    form, _, name = row["username"].partition(":")
    return Provider(
        key=row["key"],
        name=row["name"],
        domains=tuple(row["domains"]),
        mx_suffixes=tuple(row["mx_suffixes"]),
        servers=tuple(
            Candidate(server["host"], server["port"], Encryption(server["encryption"]))
            for server in row["servers"]
        ),
        username=UsernameForm(form),
        username_name=name or None,
        secret=SecretKind(row["secret"]),
        help_url=row["help_url"],
        hints=tuple(Hint(hint) for hint in row["hints"]),
        sources=tuple(row["sources"]),
    )


_SHORTEST: Final = 6
"""Characters of a domain; in a shorter one every other word is one slip away."""
_SHORTEST_FOR_TWO: Final = 10
"""Characters from which on two slips still leave no doubt about what was meant."""
_LIMIT: Final = 3.0
"""Seconds for the question to the DNS."""


async def meant_domain(domain: str, resolver: Resolver, providers: Providers) -> str | None:
    """Return the provider's domain that was probably meant, or None.

    A domain that takes mail itself (it has an MX record, RFC 5321 section 5.1) is never doubted.
    Where the DNS gives no answer nothing speaks for it.

    domain: lower-case A-labels.
    """
    if is_special_use(domain) or (nearest := nearest_domain(domain, providers)) is None:
        return None
    try:
        async with asyncio.timeout(_LIMIT):
            exchangers = await resolver.mx(domain)
    except LookupFailed, OSError, TimeoutError:
        exchangers = ()
    return None if any(exchanger.host for exchanger in exchangers) else nearest


def nearest_domain(domain: str, providers: Providers) -> str | None:
    """Return the domain of the table that is one slip away, two for a long one, or None.

    The first one in the table's order counts where several are equally near. One that is in the
    table itself is no slip.
    """
    if len(domain) < _SHORTEST or providers.by_domain(domain) is not None:
        return None
    most = 2 if len(domain) >= _SHORTEST_FOR_TWO else 1
    near = [
        (distance, known)
        for provider in providers
        for known in provider.domains
        if len(known) >= _SHORTEST
        and abs(len(known) - len(domain)) <= most
        and (distance := slips_between(domain, known)) <= most
    ]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def slips_between(one: str, other: str) -> int:
    """Count the slips that lead from one text to the other.

    A slip is a character too many, too few or wrong, or two neighbours that have changed places
    (the optimal string alignment distance).
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, character in enumerate(one, 1):
        above, row = row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (character != wanted))
            if i > 1 and j > 1 and (character, one[i - 2]) == (other[j - 2], wanted):
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = above
    return row[-1]

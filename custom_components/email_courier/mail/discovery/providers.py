"""The table of providers: facts about mail providers, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
import json
from pathlib import Path
from typing import Any

from ..settings import Encryption, is_loopback
from .model import Candidate, Hint, Provider, SecretKind, UsernameForm

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

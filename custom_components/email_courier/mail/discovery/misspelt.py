"""Whether a domain looks like that of a known provider with a slip of the finger in it."""

from __future__ import annotations

import asyncio
from typing import Final

from ..hostname import is_special_use
from .dns import Resolver
from .model import LookupFailed
from .providers import Providers

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

"""Which domains exist in public DNS, and which lie within which."""

from __future__ import annotations

import re

_SPECIAL_USE = frozenset(
    {
        "alt",
        "example",
        "example.com",
        "example.net",
        "example.org",
        "home.arpa",
        "internal",
        "invalid",
        "local",
        "localhost",
        "onion",
        "test",
    }
)
"""Special-use names (RFC 2606, 6761, 6762, 7686, 8375, 9476) and the private-use one of ICANN."""

_HOST_NAME = (
    r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)


def is_special_use(domain: str) -> bool:
    """Tell whether nobody outside this network can know anything about a domain.

    True for the special-use names, whatever stands before them, for single labels and for
    address literals (RFC 5321 section 4.1.3).
    """
    if "." not in domain or domain.startswith("["):
        return True
    return any(is_within(domain, name) for name in _SPECIAL_USE)


def is_within(host: str, domain: str) -> bool:
    """Tell whether a host is a domain or lies below it."""
    return host == domain or host.endswith(f".{domain}")


def is_host_name(name: str) -> bool:
    """Tell whether a lower-case name is a full host name, and no IP address."""
    return re.fullmatch(_HOST_NAME, name) is not None

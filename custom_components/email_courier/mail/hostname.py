"""Host names as DNS, TLS and EHLO want them; which are public, and which lie within which."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
import re

import idna

_HELLO = re.compile(r"\[[0-9A-Za-z.:]+\]|(?=.{1,255}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")


def host_to_ascii(host: str) -> str:
    """Return a host name with A-labels (RFC 5891), without brackets or a trailing dot.

    An IPv6 address keeps its zone (RFC 4007 section 11), which is for sockets alone.
    Raises UnicodeError for what can be no host name.
    """
    name = host.strip().strip("[]").rstrip(".")
    if not name:
        raise UnicodeError("empty host name")
    if name.isascii():
        if any(not 0 < len(label) < 64 for label in name.split(".")) and ":" not in name:
            raise UnicodeError("label empty or too long")
        if any(character <= " " or character in "/@\\" for character in name):
            raise UnicodeError("not a host name")
        return name
    return idna.encode(name, uts46=True).decode("ascii")


def address_literal(address: str) -> str:
    """Write an IP address as an EHLO argument (RFC 5321 section 4.1.3)."""
    ip = ip_address(address.split("%", 1)[0])
    if isinstance(ip, IPv6Address):
        return f"[{ip.ipv4_mapped}]" if ip.ipv4_mapped else f"[IPv6:{ip}]"
    return f"[{ip}]"


def is_hello_name(name: str) -> bool:
    """Tell whether a name can stand behind EHLO."""
    return _HELLO.fullmatch(name) is not None


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

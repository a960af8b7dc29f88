"""Where a mail may lead."""

from __future__ import annotations

from typing import Final
from urllib.parse import urljoin, urlsplit

LINKS: Final = frozenset({"http", "https", "mailto", "tel", "homeassistant"})
"""The schemes that a mail may link to."""
_WEB: Final = frozenset({"http", "https"})


def absolute_link(url: str, base_url: str | None) -> str | None:
    """Return where a link leads, or None when a mail must not or cannot link there."""
    try:
        relative = not urlsplit(url).scheme
        target = urljoin(base_url, url) if base_url and relative else url
        parts = urlsplit(target)
        has_host = bool(parts.hostname)
    except ValueError:
        return None
    if parts.scheme not in LINKS or (parts.scheme in _WEB and not has_host):
        return None
    return target

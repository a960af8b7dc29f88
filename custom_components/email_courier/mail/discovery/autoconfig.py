"""The configuration file that a mail provider publishes for mail programs.

The format and the places are those of Thunderbird's autoconfig, version 1.1
(draft-ietf-mailmaint-autoconfig). Only the provider's own domain is asked, never a central
database, which would learn who has an account where.
"""

from __future__ import annotations

import asyncio
from urllib.parse import quote, urljoin, urlsplit

from ..address import Mailbox
from ..hostname import is_host_name, is_special_use
from ..settings import Encryption
from .clientconfig import OutgoingServer, read_outgoing_servers
from .model import Candidate, Discovery, LookupFailed, Origin, SecretKind
from .providers import Providers
from .web import Fetch

MAX_BYTES = 256 * 1024
MAX_REDIRECTS = 3
PATIENCE = 4.5
"""Seconds for one of the two places, its redirects included."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_CANDIDATES = 8
_MAX_USERNAME = 256
_ENCRYPTIONS = {
    "SSL": Encryption.TLS,
    "STARTTLS": Encryption.STARTTLS,
    "plain": Encryption.NONE,
}


async def by_autoconfig(mailbox: Mailbox, fetch: Fetch, providers: Providers) -> Discovery | None:
    """Return what the domain's own configuration file says.

    Both places are asked at once; the first one goes first. Raises LookupFailed where neither
    has a file that can be used.
    """
    tasks = [asyncio.create_task(_read(mailbox, url, fetch)) for url in _places(mailbox)]
    failure: LookupFailed | None = None
    try:
        for task in tasks:
            try:
                servers = await task
            except LookupFailed as error:
                failure = error
                continue
            if (found := _discovery(mailbox, servers, providers)) is not None:
                return found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if failure is not None:
        raise failure
    return None


def _places(mailbox: Mailbox) -> tuple[str, str]:
    """Return the URLs to ask; only the first needs to know the address."""
    domain = mailbox.domain
    query = f"emailaddress={quote(mailbox.address, safe='')}"
    return (
        f"https://autoconfig.{domain}/mail/config-v1.1.xml?{query}",
        f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    )


async def _read(mailbox: Mailbox, url: str, fetch: Fetch) -> list[OutgoingServer]:
    """Return the servers that the file behind a URL names. Raises LookupFailed."""
    try:
        async with asyncio.timeout(PATIENCE):
            document = await _download(url, fetch)
    except TimeoutError as error:
        raise LookupFailed("configuration file takes too long") from error
    # A quarter of a megabyte of tiny elements takes long enough to hold up an event loop.
    servers = await asyncio.to_thread(read_outgoing_servers, document)
    return [server.fill_in(mailbox) for server in servers]


async def _download(url: str, fetch: Fetch) -> bytes:
    """Return the document behind a URL and its redirects. Raises LookupFailed."""
    for _ in range(MAX_REDIRECTS + 1):
        page = await fetch(url, limit=MAX_BYTES + 1)
        if page.status == 200:
            if len(page.body) > MAX_BYTES:
                raise LookupFailed("configuration file is too large")
            return page.body
        if page.status not in _REDIRECTS or not page.location:
            raise LookupFailed(f"HTTP status {page.status}")
        url = _redirected(url, page.location)
    raise LookupFailed("too many redirects")


def _redirected(url: str, location: str) -> str:
    """Return where a redirect leads. Raises LookupFailed for any place without encryption."""
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
    except ValueError as error:
        raise LookupFailed("redirect to no URL") from error
    host = (parts.hostname or "").lower()
    if parts.scheme != "https" or not is_host_name(host) or is_special_use(host):
        raise LookupFailed("redirect to a place that is no public host over HTTPS")
    return target


def _discovery(
    mailbox: Mailbox, servers: list[OutgoingServer], providers: Providers
) -> Discovery | None:
    """Turn the usable servers into an answer.

    Those without encryption come in only where there is no other.
    """
    usable = [
        (server, Candidate(server.hostname, server.port, encryption))
        for server in servers
        if (encryption := _ENCRYPTIONS.get(server.socket_type)) is not None
        and is_host_name(server.hostname)
        and 0 < server.port < 65536
    ]
    encrypted = [(s, c) for s, c in usable if c.encryption is not Encryption.NONE]
    chosen = (encrypted or usable)[:_MAX_CANDIDATES]
    if not chosen:
        return None
    first = chosen[0][0]
    candidates = tuple(candidate for _, candidate in chosen)
    provider = providers.by_server(first.hostname)
    if provider is not None:
        return Discovery.of_provider(Origin.AUTOCONFIG, provider, mailbox, candidates)
    return Discovery(
        Origin.AUTOCONFIG,
        candidates,
        username=_username(first, mailbox),
        secret=SecretKind.OAUTH if first.wants_oauth_only else SecretKind.PASSWORD,
    )


def _username(server: OutgoingServer, mailbox: Mailbox) -> str | None:
    """Return the username that the file gives, else the address; None where no login is wanted."""
    if server.wants_no_login:
        return None
    if server.username and server.username.isprintable() and len(server.username) <= _MAX_USERNAME:
        return server.username
    return mailbox.address

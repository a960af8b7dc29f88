"""What a domain's DNS records say about where its mail is handed in."""

from __future__ import annotations

import asyncio

from ..address import Mailbox
from ..hostname import is_host_name, is_within
from ..settings import Encryption
from .dns import Resolver, ServiceRecord
from .model import Candidate, Discovery, Origin
from .providers import Providers

_SERVICES = (("_submissions", Encryption.TLS), ("_submission", Encryption.STARTTLS))
"""SRV services, implicit TLS first (RFC 8314 section 5.1, RFC 6186 section 3.1)."""

_MAX_CANDIDATES = 8


async def by_mail_exchanger(
    mailbox: Mailbox, resolver: Resolver, providers: Providers
) -> Discovery | None:
    """Return the known provider that the domain's mail goes to.

    Only the exchangers of the best preference count: the others may be a stranger's backup.
    Raises LookupFailed.
    """
    exchangers = await resolver.mx(mailbox.domain)
    best = min((exchanger.preference for exchanger in exchangers), default=0)
    for exchanger in exchangers:
        if exchanger.preference == best:
            provider = providers.by_mail_exchanger(exchanger.host)
            if provider is not None:
                return Discovery.of_provider(Origin.MX, provider, mailbox)
    return None


async def by_service_record(
    mailbox: Mailbox, resolver: Resolver, providers: Providers
) -> Discovery | None:
    """Return the servers that the domain's SRV records name (RFC 6186, RFC 8314).

    A host outside the domain is a mere suggestion, since nothing signed the record: it is
    marked, even where the host is a known provider's. Raises LookupFailed.
    """
    answers = await asyncio.gather(
        *(resolver.srv(f"{service}._tcp.{mailbox.domain}") for service, _ in _SERVICES),
        return_exceptions=True,
    )
    candidates: list[Candidate] = []
    failures: list[BaseException] = []
    for (_, encryption), answer in zip(_SERVICES, answers, strict=True):
        if isinstance(answer, BaseException):
            failures.append(answer)
        else:
            candidates += [
                Candidate(
                    record.target,
                    record.port,
                    encryption,
                    verified=is_within(record.target, mailbox.domain),
                )
                for record in sorted(answer, key=_rank)
                if is_host_name(record.target) and record.port
            ]
    if not candidates:
        if failures:
            raise failures[0]
        return None
    found = tuple(candidates[:_MAX_CANDIDATES])
    provider = providers.by_server(found[0].host)
    if provider is not None:
        return Discovery.of_provider(Origin.SRV, provider, mailbox, found)
    return Discovery(Origin.SRV, found, username=mailbox.address)


def _rank(record: ServiceRecord) -> tuple[int, int, str]:
    """Sort by priority, the heaviest first (RFC 2782, without its dice: a person will see it)."""
    return record.priority, -record.weight, record.target

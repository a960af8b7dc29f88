"""Does the sender's domain allow this server to send for it?

The DNS alone is asked, and the answer is honest about what it cannot know: the address that a
server sends from need not be the one that it takes mail at, and whether it signs (DKIM) shows in
none of the records that are asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from enum import StrEnum
import ipaddress
from typing import Any, NamedTuple

from ..address import Mailbox
from ..discovery.dns import Address, PolicyResolver
from ..discovery.model import Hint, LookupFailed, Provider, SecretKind, UsernameForm
from ..discovery.providers import Providers
from ..hostname import host_to_ascii, is_special_use
from .dmarc import Dmarc, find_dmarc
from .spf import Remembered, SpfCheck, SpfResult, check_spf, forbids_all

DEADLINE = 3.0
"""Seconds for all questions together."""

_MOST_ADDRESSES = 4
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"})
"""Second-level domains that are public suffixes below the domain of a country."""
_NOT_LISTED = (SpfResult.FAIL, SpfResult.SOFTFAIL)


class Verdict(StrEnum):
    """Whether the domain allows the server to send for it."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "not_allowed"
    UNKNOWN = "unknown"


class Concern(StrEnum):
    """What may keep mail from arriving; the words are translations."""

    FOREIGN_SERVER = "foreign_server"
    POLICY = "policy"
    NOT_LISTED = "not_listed"
    NO_SPF = "no_spf"
    BROKEN_SPF = "broken_spf"
    SENDS_NO_MAIL = "sends_no_mail"


class Arrival(NamedTuple):
    """The answer for one sender at one server.

    provider: whose domain the sender's is, where the table knows.
    spf, dmarc: what the DNS said; None where nobody was asked, or nothing was answered.
    """

    verdict: Verdict
    concern: Concern | None = None
    provider: str | None = None
    spf: SpfCheck | None = None
    dmarc: Dmarc | None = None


async def judge(
    sender: Mailbox,
    host: str,
    username: str | None,
    *,
    resolver: PolicyResolver,
    providers: Providers,
    deadline: float = DEADLINE,
) -> Arrival:
    """Tell whether mail from a sender that is handed in at a host is likely to be believed.

    username: the login there, which some providers put on the envelope.
    deadline: seconds; what is not answered by then is not known. Raises nothing but cancellation.
    """
    try:
        server = _Server(host_to_ascii(host).lower(), providers)
    except UnicodeError:
        return Arrival(Verdict.UNKNOWN)
    own = providers.by_domain(sender.domain)
    if own is not None and server.belongs_to(own):
        return Arrival(Verdict.ALLOWED, provider=own.name)
    if is_special_use(sender.domain) or (own is not None and server.is_local):
        return Arrival(Verdict.UNKNOWN)
    remembered = Remembered(resolver)
    spf, dmarc = await _in_time(
        deadline, _ask_spf(sender, server, remembered), _ask_dmarc(sender.domain, remembered)
    )
    if own is not None:
        if spf is not None and spf.result is SpfResult.PASS:
            return Arrival(Verdict.ALLOWED, None, own.name, spf, dmarc)
        return Arrival(Verdict.NOT_ALLOWED, Concern.FOREIGN_SERVER, own.name, spf, dmarc)
    verdict, concern = _weigh(sender.domain, server, spf, dmarc)
    if verdict is Verdict.ALLOWED and _is_under_another_name(server, username, dmarc, providers):
        verdict, concern = Verdict.UNKNOWN, Concern.POLICY
    return Arrival(verdict, concern, None, spf, dmarc)


class _Server:
    """The server that mail is handed in at, and whose it is."""

    def __init__(self, host: str, providers: Providers) -> None:
        self.host = host
        self.is_local = _is_local(host)
        self.signs_for_others = any(
            _signs_for_others(row)
            for row in providers
            if any(server.host == host for server in row.servers)
        )
        label = _label(host)
        own = {label} if label else set()
        kin = [labels for row in providers if own & (labels := _labels_of(row))]
        self._labels = own.union(*kin)

    def belongs_to(self, provider: Provider) -> bool:
        """Tell whether this is one of a provider's servers."""
        return any(one.host == self.host for one in provider.servers) or bool(
            self._labels & _labels_of(provider)
        )

    def is_named_in(self, names: Iterable[str], domain: str) -> bool:
        """Tell whether its owner's domains are among the names in the record of another domain."""
        others = self._labels - {_label(domain)}
        return any(_label(name) in others for name in names)

    def is_within(self, domain: str) -> bool:
        """Tell whether it bears a name of the domain's own organisation."""
        return _label(domain) in self._labels


def _weigh(
    domain: str, server: _Server, spf: SpfCheck | None, dmarc: Dmarc | None
) -> tuple[Verdict, Concern | None]:
    """Return what the records say of a domain that is nobody's but the sender's."""
    if spf is None:
        return Verdict.UNKNOWN, None
    if spf.record is not None and forbids_all(spf.record):
        return Verdict.NOT_ALLOWED, Concern.SENDS_NO_MAIL
    if spf.result is SpfResult.PASS or server.is_named_in(spf.names, domain):
        return Verdict.ALLOWED, None
    if spf.result is SpfResult.PERMERROR:
        return Verdict.UNKNOWN, Concern.BROKEN_SPF
    if spf.result is SpfResult.TEMPERROR or server.signs_for_others:
        return Verdict.UNKNOWN, None
    if spf.result is SpfResult.NONE:
        return Verdict.UNKNOWN, Concern.NO_SPF
    return _weigh_unlisted(domain, server, spf, dmarc)


def _weigh_unlisted(
    domain: str, server: _Server, spf: SpfCheck, dmarc: Dmarc | None
) -> tuple[Verdict, Concern | None]:
    """Return what it means that a record does not name the server at the address it is found at."""
    if server.is_local or server.is_within(domain):
        return Verdict.UNKNOWN, None
    if dmarc is not None and dmarc.is_enforced:
        return Verdict.NOT_ALLOWED, Concern.POLICY
    if spf.result in _NOT_LISTED:
        return Verdict.NOT_ALLOWED, Concern.NOT_LISTED
    return Verdict.UNKNOWN, None


def _is_under_another_name(
    server: _Server, username: str | None, dmarc: Dmarc | None, providers: Providers
) -> bool:
    """Tell whether the server's mailbox is a provider's own address, and DMARC minds.

    Such a provider puts the login on the envelope and signs with its own domain, so that neither
    SPF nor DKIM proves the domain in From (RFC 7489 section 3.1).
    """
    login = (username or "").rpartition("@")[2].lower()
    provider = providers.by_domain(login)
    if dmarc is None or not dmarc.is_enforced or provider is None:
        return False
    return server.belongs_to(provider) and not (
        dmarc.is_aligned(login, dmarc.spf) or dmarc.is_aligned(login, dmarc.dkim)
    )


async def _in_time[A, B](
    deadline: float, first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]
) -> tuple[A | None, B | None]:
    """Ask both at once; what has no answer in time has none."""
    one, two = asyncio.create_task(first), asyncio.create_task(second)
    try:
        await asyncio.wait([one, two], timeout=deadline)
        return (one.result() if one.done() else None), (two.result() if two.done() else None)
    finally:
        for task in (one, two):
            task.cancel()
        await asyncio.gather(one, two, return_exceptions=True)


async def _ask_dmarc(domain: str, resolver: PolicyResolver) -> Dmarc | None:
    try:
        return await find_dmarc(domain, resolver)
    except LookupFailed:
        return None


async def _ask_spf(sender: Mailbox, server: _Server, resolver: PolicyResolver) -> SpfCheck:
    """Check all addresses of the server; the best answer counts."""
    addresses = await _addresses_of(server.host, resolver)
    # Any address will do to learn what there is besides addresses.
    checks = [
        await check_spf(address, sender, resolver)
        for address in addresses or [ipaddress.IPv4Address("192.0.2.1")]
    ]
    passed = [check for check in checks if check.result is SpfResult.PASS]
    best = (passed or checks)[0]
    if not addresses and best.result in (*_NOT_LISTED, SpfResult.NEUTRAL):
        best = best._replace(result=SpfResult.TEMPERROR)
    return best._replace(names=frozenset().union(*(check.names for check in checks)))


async def _addresses_of(host: str, resolver: PolicyResolver) -> Sequence[Address]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    answers = await asyncio.gather(
        *(resolver.addresses(host, version) for version in (4, 6)), return_exceptions=True
    )
    found = [answer for answer in answers if not isinstance(answer, BaseException)]
    return [address for answer in found for address in answer[:_MOST_ADDRESSES]]


def _is_local(host: str) -> bool:
    """Tell whether a server stands in a network of its own, and sends from nobody knows where."""
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        return is_special_use(host)


def _labels_of(provider: Provider) -> set[str]:
    names = [*provider.mx_suffixes, *(server.host for server in provider.servers)]
    names += provider.domains[:1]
    return {label for name in names if (label := _label(name))}


def _label(name: str) -> str | None:
    """Return what an owner calls itself: the label below the public suffix, None without one.

    A provider has the same under several suffixes (`ionos.de`, `ionos.com`).
    """
    labels = name.split(".")
    if len(labels) < 2 or labels[-1].isdecimal():
        return None
    if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL:
        return labels[-3]
    return labels[-2]


def _signs_for_others(provider: Provider) -> bool:
    """Tell whether a service sends for anyone's domain, once that is verified there.

    Its envelopes bear its own domain, so the sender's SPF says nothing; signatures do (DKIM).
    """
    is_mailbox = bool(provider.domains or provider.mx_suffixes)
    return (
        provider.secret is SecretKind.API_KEY
        or Hint.VERIFIED_SENDER in provider.hints
        or (not is_mailbox and provider.username in (UsernameForm.OWN, UsernameForm.FIXED))
    )

"""The kinds of DNS records that are asked for, and how."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
import contextlib
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple, Protocol, Self

import aiodns
import pycares

from .model import LookupFailed

type Address = IPv4Address | IPv6Address

_NO_SUCH_RECORD = frozenset({aiodns.error.ARES_ENOTFOUND, aiodns.error.ARES_ENODATA})


class ServiceRecord(NamedTuple):
    """An SRV record (RFC 2782); the target is lower-case, and empty where it was the root."""

    priority: int
    weight: int
    port: int
    target: str


class MailExchanger(NamedTuple):
    """An MX record; the host is lower-case, and empty for a null MX (RFC 7505)."""

    preference: int
    host: str


class Resolver(Protocol):
    """Asks the DNS; both methods raise LookupFailed where no answer is to be had."""

    async def srv(self, name: str) -> Sequence[ServiceRecord]:
        """Return the SRV records of a name, or nothing where there are none."""

    async def mx(self, domain: str) -> Sequence[MailExchanger]:
        """Return the MX records of a domain, or nothing where there are none."""


class PolicyResolver(Protocol):
    """Asks the DNS who may send for a domain; all methods raise LookupFailed without an answer."""

    async def mx(self, domain: str, /) -> Sequence[MailExchanger]:
        """Return the MX records of a domain, or nothing where there are none."""

    async def txt(self, name: str, /) -> Sequence[str]:
        """Return the TXT records of a name, each in one piece, or nothing where there are none."""

    async def addresses(self, name: str, version: int, /) -> Sequence[Address]:
        """Return the addresses of a name (version 4 or 6), or nothing where there are none."""


class SystemResolver:
    """Asks the name servers of this machine, by aiodns; an asynchronous context manager.

    nameservers: others instead, as "address" or "address:port".
    timeout: seconds for one try with one server.
    tries: how often each server is asked.
    """

    def __init__(
        self, nameservers: Sequence[str] | None = None, *, timeout: float = 1.5, tries: int = 2
    ) -> None:
        """Remember whom to ask; nothing is opened yet."""
        self._nameservers = nameservers
        self._timeout = timeout
        self._tries = tries
        self._channel: aiodns.DNSResolver | None = None

    async def __aenter__(self) -> Self:
        """Open the resolver, in a thread: it reads the system's configuration files.

        A machine where that fails is one without DNS: every question fails later.
        """
        with contextlib.suppress(pycares.AresError):
            self._channel = await asyncio.to_thread(
                aiodns.DNSResolver,
                self._nameservers,
                asyncio.get_running_loop(),
                timeout=self._timeout,
                tries=self._tries,
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give up what is still asked for, and close the sockets."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    async def srv(self, name: str) -> Sequence[ServiceRecord]:
        """Return the SRV records of a name. Raises LookupFailed."""
        return [
            ServiceRecord(data.priority, data.weight, data.port, _host(data.target))
            for data in await self._query(name, "SRV")
            if isinstance(data, pycares.SRVRecordData)
        ]

    async def mx(self, domain: str) -> Sequence[MailExchanger]:
        """Return the MX records of a domain. Raises LookupFailed."""
        return [
            MailExchanger(data.priority, _host(data.exchange))
            for data in await self._query(domain, "MX")
            if isinstance(data, pycares.MXRecordData)
        ]

    async def txt(self, name: str) -> Sequence[str]:
        """Return the TXT records of a name, one character a byte. Raises LookupFailed."""
        return [
            data.data.decode("latin-1")
            for data in await self._query(name, "TXT")
            if isinstance(data, pycares.TXTRecordData)
        ]

    async def addresses(self, name: str, version: int) -> Sequence[Address]:
        """Return the addresses of a name, of IPv4 or of IPv6. Raises LookupFailed."""
        return [
            ip_address(data.addr)
            for data in await self._query(name, "A" if version == 4 else "AAAA")
            if isinstance(data, (pycares.ARecordData, pycares.AAAARecordData))
        ]

    async def _query(self, name: str, kind: str) -> list[object]:
        """Return the data of all records in the answer, aliases included."""
        if self._channel is None:
            raise LookupFailed("resolver is not open")
        try:
            result = await self._channel.query_dns(name, kind)
        except aiodns.error.DNSError as error:
            if error.args and error.args[0] in _NO_SUCH_RECORD:
                return []
            raise LookupFailed(f"{kind} {name}: {error}") from error
        return [record.data for record in result.answer]


def _host(name: str | bytes) -> str:
    """Normalise a name out of an answer; pycares leaves one that is not ASCII as bytes."""
    text = name.decode("ascii", "backslashreplace") if isinstance(name, bytes) else name
    return text.rstrip(".").lower()

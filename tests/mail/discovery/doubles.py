"""What discovery is given instead of a network, where a test is about discovery alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from custom_components.email_courier.mail.discovery.dns import (
    Address,
    MailExchanger,
    ServiceRecord,
)
from custom_components.email_courier.mail.discovery.model import LookupFailed
from custom_components.email_courier.mail.discovery.web import Page
from custom_components.email_courier.mail.settings import Encryption

DOMAIN = "stand-in.email"
"""A domain of public DNS that no provider owns; no packet of a test ever leaves loopback."""

SENDER = f"jane.doe@{DOMAIN}"


@dataclass
class Names:
    """A resolver with its answers at hand; an exception among them is raised."""

    services: Mapping[str, Sequence[ServiceRecord] | Exception] = field(default_factory=dict)
    exchangers: Sequence[MailExchanger] | Exception = ()
    delay: float = 0.0
    asked: list[str] = field(default_factory=list)

    async def srv(self, name: str) -> Sequence[ServiceRecord]:
        self.asked.append(name)
        await asyncio.sleep(self.delay)
        answer = self.services.get(name, ())
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def mx(self, domain: str) -> Sequence[MailExchanger]:
        self.asked.append(domain)
        await asyncio.sleep(self.delay)
        if isinstance(self.exchangers, Exception):
            raise self.exchangers
        return self.exchangers

    async def txt(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        await asyncio.sleep(self.delay)
        return ()

    async def addresses(self, name: str, _version: int) -> Sequence[Address]:
        self.asked.append(name)
        await asyncio.sleep(self.delay)
        return ()


@dataclass
class Pages:
    """A fetch with its pages at hand, by URL without the query."""

    pages: Mapping[str, Page] = field(default_factory=dict)
    delay: float = 0.0
    asked: list[str] = field(default_factory=list)

    async def __call__(self, url: str, *, limit: int) -> Page:
        self.asked.append(url)
        await asyncio.sleep(self.delay)
        page = self.pages.get(url.partition("?")[0])
        if page is None:
            raise LookupFailed("no such host")
        return Page(page.status, page.location, page.body[:limit])


@dataclass
class Ports:
    """Ports and what they speak; `delays` in seconds, others answer at once."""

    speaks: Mapping[tuple[str, int], Encryption] = field(default_factory=dict)
    delays: Mapping[tuple[str, int], float] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Encryption | None:
        self.asked.append((host, port))
        await asyncio.sleep(self.delays.get((host, port), 0))
        return self.speaks.get((host, port))

"""A made-up internet on loopback."""

from collections.abc import AsyncIterator

import pytest

from custom_components.email_courier.mail.address import Mailbox
from custom_components.email_courier.mail.discovery.dns import SystemResolver
from custom_components.email_courier.mail.discovery.providers import Providers, load

from .dns_stand_in import DnsStandIn, dns_stand_in
from .doubles import DOMAIN, SENDER
from .web_stand_in import WebStandIn, web_stand_in


@pytest.fixture(scope="session")
def providers() -> Providers:
    """The table as it is shipped."""
    return load()


@pytest.fixture
def mailbox() -> Mailbox:
    """An address in a domain that is in no table."""
    return Mailbox(SENDER)


@pytest.fixture
async def zone() -> AsyncIterator[DnsStandIn]:
    """A name server to be told what it knows."""
    async with dns_stand_in() as server:
        yield server


@pytest.fixture
async def resolver(zone: DnsStandIn) -> AsyncIterator[SystemResolver]:
    """The resolver of the product, asking that name server."""
    async with SystemResolver(zone.nameservers, timeout=0.3, tries=1) as opened:
        yield opened


@pytest.fixture
async def web() -> AsyncIterator[WebStandIn]:
    """An HTTPS server to be told what it has."""
    async with web_stand_in(DOMAIN, f"autoconfig.{DOMAIN}", "hosting.email") as server:
        yield server

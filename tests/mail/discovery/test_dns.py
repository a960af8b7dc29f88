"""The resolver against a name server on loopback."""

import asyncio
import time

import aiodns
import pycares
import pytest

from custom_components.email_courier.mail.discovery.dns import (
    MailExchanger,
    ServiceRecord,
    SystemResolver,
)
from custom_components.email_courier.mail.discovery.model import LookupFailed
from tests.support.clock import SOON
from tests.support.ports import refusing_port

from .dns_stand_in import DnsStandIn, Fault

SRV_NAME = "_submissions._tcp.stand-in.email"


async def test_service_records_come_with_all_their_parts(
    zone: DnsStandIn, resolver: SystemResolver
) -> None:
    zone.has(SRV_NAME, "SRV", "10 5 465 SMTP.Stand-In.email.", "20 0 465 b.stand-in.email.")

    records = await resolver.srv(SRV_NAME)

    assert sorted(records, key=lambda record: record.priority) == [
        ServiceRecord(10, 5, 465, "smtp.stand-in.email"),
        ServiceRecord(20, 0, 465, "b.stand-in.email"),
    ]


async def test_mail_exchangers_come_with_their_preference(
    zone: DnsStandIn, resolver: SystemResolver
) -> None:
    zone.has("stand-in.email", "MX", "1 ASPMX.L.GOOGLE.COM.")

    assert await resolver.mx("stand-in.email") == [MailExchanger(1, "aspmx.l.google.com")]


async def test_texts_come_in_one_piece_one_character_a_byte(
    zone: DnsStandIn, resolver: SystemResolver
) -> None:
    zone.has("stand-in.email", "TXT", '"v=spf1 " "-all"', '"\\195\\188"')

    assert sorted(await resolver.txt("stand-in.email")) == ["v=spf1 -all", "Ã¼"]


async def test_addresses_come_by_their_version(zone: DnsStandIn, resolver: SystemResolver) -> None:
    zone.has("stand-in.email", "A", "203.0.113.7", "203.0.113.8")
    zone.has("stand-in.email", "AAAA", "2001:db8::7")

    four, six = [await resolver.addresses("stand-in.email", version) for version in (4, 6)]

    assert sorted(map(str, four)) == ["203.0.113.7", "203.0.113.8"]
    assert list(map(str, six)) == ["2001:db8::7"]


async def test_an_alias_is_followed(zone: DnsStandIn, resolver: SystemResolver) -> None:
    zone.has(SRV_NAME, "CNAME", "elsewhere.stand-in.email.")
    zone.has("elsewhere.stand-in.email", "SRV", "0 0 465 smtp.stand-in.email.")

    assert await resolver.srv(SRV_NAME) == [ServiceRecord(0, 0, 465, "smtp.stand-in.email")]


async def test_the_root_as_target_is_an_empty_name(
    zone: DnsStandIn, resolver: SystemResolver
) -> None:
    zone.has(SRV_NAME, "SRV", "0 0 0 .")
    zone.has("stand-in.email", "MX", "0 .")

    assert await resolver.srv(SRV_NAME) == [ServiceRecord(0, 0, 0, "")]
    assert await resolver.mx("stand-in.email") == [MailExchanger(0, "")]


async def test_a_name_that_does_not_exist_has_no_records(resolver: SystemResolver) -> None:
    assert await resolver.srv(SRV_NAME) == []
    assert await resolver.mx("stand-in.email") == []


async def test_a_name_with_other_records_has_none_of_this_kind(
    zone: DnsStandIn, resolver: SystemResolver
) -> None:
    zone.has("stand-in.email", "TXT", '"v=spf1 -all"')

    assert await resolver.mx("stand-in.email") == []


@pytest.mark.parametrize("fault", Fault)
async def test_a_name_server_in_trouble_is_a_failed_lookup(
    zone: DnsStandIn, resolver: SystemResolver, fault: Fault
) -> None:
    zone.fails("stand-in.email", fault)

    with pytest.raises(LookupFailed):
        await resolver.mx("stand-in.email")


async def test_no_name_server_at_all_is_a_failed_lookup() -> None:
    with refusing_port() as port:
        async with SystemResolver([f"127.0.0.1:{port}"], timeout=0.2, tries=1) as resolver:
            with pytest.raises(LookupFailed):
                await resolver.mx("stand-in.email")


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".de", "x." * 130 + "de"])
async def test_a_name_that_dns_cannot_hold_is_a_failed_lookup(
    resolver: SystemResolver, name: str
) -> None:
    with pytest.raises(LookupFailed):
        await resolver.mx(name)


async def test_a_resolver_that_is_not_open_is_a_failed_lookup() -> None:
    with pytest.raises(LookupFailed):
        await SystemResolver().mx("stand-in.email")


async def test_a_machine_whose_resolver_cannot_be_set_up_is_one_without_dns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise pycares.AresError(11, "no servers")

    monkeypatch.setattr(aiodns, "DNSResolver", fail)
    async with SystemResolver() as resolver:
        with pytest.raises(LookupFailed):
            await resolver.mx("stand-in.email")


async def test_closing_does_not_wait_for_a_silent_name_server(zone: DnsStandIn) -> None:
    zone.fails("stand-in.email", Fault.SILENCE)
    async with SystemResolver(zone.nameservers, timeout=30, tries=3) as resolver:
        question = asyncio.create_task(resolver.mx("stand-in.email"))
        await asyncio.sleep(0.1)
        started = time.monotonic()
        question.cancel()
        with pytest.raises(asyncio.CancelledError):
            await question

    assert time.monotonic() - started < SOON

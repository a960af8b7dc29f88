"""What a domain's DNS records are taken for."""

import pytest

from custom_components.email_courier.mail.address import Mailbox
from custom_components.email_courier.mail.discovery.dns import (
    MailExchanger,
    ServiceRecord,
    SystemResolver,
)
from custom_components.email_courier.mail.discovery.model import (
    Candidate,
    LookupFailed,
    Origin,
    SecretKind,
)
from custom_components.email_courier.mail.discovery.providers import Providers
from custom_components.email_courier.mail.discovery.records import (
    by_mail_exchanger,
    by_service_record,
)
from custom_components.email_courier.mail.settings import Encryption

from .dns_stand_in import DnsStandIn, Fault
from .doubles import DOMAIN, SENDER, Names

TLS_NAME = f"_submissions._tcp.{DOMAIN}"
STARTTLS_NAME = f"_submission._tcp.{DOMAIN}"


async def test_both_services_are_found_and_implicit_tls_goes_first(
    zone: DnsStandIn, resolver: SystemResolver, mailbox: Mailbox, providers: Providers
) -> None:
    zone.has(TLS_NAME, "SRV", f"20 0 465 smtp.{DOMAIN}.")
    zone.has(STARTTLS_NAME, "SRV", f"10 0 587 smtp.{DOMAIN}.")

    found = await by_service_record(mailbox, resolver, providers)

    assert found is not None
    assert found.origin is Origin.SRV
    assert found.candidates == (
        Candidate(f"smtp.{DOMAIN}", 465, Encryption.TLS),
        Candidate(f"smtp.{DOMAIN}", 587, Encryption.STARTTLS),
    )
    assert found.username == SENDER


async def test_priority_goes_before_weight_and_the_heavier_first(
    mailbox: Mailbox, providers: Providers
) -> None:
    records = [
        ServiceRecord(20, 99, 465, f"c.{DOMAIN}"),
        ServiceRecord(10, 1, 465, f"b.{DOMAIN}"),
        ServiceRecord(10, 5, 465, f"a.{DOMAIN}"),
    ]

    found = await by_service_record(mailbox, Names({TLS_NAME: records}), providers)

    assert found is not None
    assert [c.host for c in found.candidates] == [f"a.{DOMAIN}", f"b.{DOMAIN}", f"c.{DOMAIN}"]


async def test_a_domain_without_records_is_not_known(
    zone: DnsStandIn, resolver: SystemResolver, mailbox: Mailbox, providers: Providers
) -> None:
    assert await by_service_record(mailbox, resolver, providers) is None
    assert await by_mail_exchanger(mailbox, resolver, providers) is None
    assert {kind for _, kind in zone.asked} == {"SRV", "MX"}


async def test_a_single_dot_says_that_there_is_no_such_service(
    zone: DnsStandIn, resolver: SystemResolver, mailbox: Mailbox, providers: Providers
) -> None:
    zone.has(TLS_NAME, "SRV", "0 0 0 .")
    zone.has(STARTTLS_NAME, "SRV", "0 0 0 .")

    assert await by_service_record(mailbox, resolver, providers) is None


async def test_one_service_may_be_denied_and_the_other_offered(
    zone: DnsStandIn, resolver: SystemResolver, mailbox: Mailbox, providers: Providers
) -> None:
    zone.has(TLS_NAME, "SRV", "0 0 0 .")
    zone.has(STARTTLS_NAME, "SRV", f"0 0 587 smtp.{DOMAIN}.")

    found = await by_service_record(mailbox, resolver, providers)

    assert found is not None
    assert found.best == Candidate(f"smtp.{DOMAIN}", 587, Encryption.STARTTLS)


async def test_a_record_that_points_elsewhere_is_only_a_suggestion(
    zone: DnsStandIn, resolver: SystemResolver, mailbox: Mailbox, providers: Providers
) -> None:
    zone.has(TLS_NAME, "SRV", "0 0 465 smtp.evil-stand-in.email.")

    found = await by_service_record(mailbox, resolver, providers)

    assert found is not None
    assert found.candidates == (
        Candidate("smtp.evil-stand-in.email", 465, Encryption.TLS, verified=False),
    )


async def test_a_record_that_points_to_a_known_provider_brings_its_hints_and_stays_marked(
    zone: DnsStandIn, resolver: SystemResolver, mailbox: Mailbox, providers: Providers
) -> None:
    zone.has(TLS_NAME, "SRV", "0 1 465 smtp.fastmail.com.")

    found = await by_service_record(mailbox, resolver, providers)

    assert found is not None
    assert found.origin is Origin.SRV
    assert found.provider is not None
    assert found.provider.key == "fastmail"
    assert found.secret is SecretKind.APP_PASSWORD
    assert found.best is not None
    assert not found.best.verified


@pytest.mark.parametrize(
    "record",
    [
        ServiceRecord(0, 0, 0, f"smtp.{DOMAIN}"),
        ServiceRecord(0, 0, 465, "localhost"),
        ServiceRecord(0, 0, 465, "192.0.2.1"),
        ServiceRecord(0, 0, 465, "a b.net"),
        ServiceRecord(0, 0, 465, "\\009x.net"),
        ServiceRecord(0, 0, 465, "x\r\nQUIT.net"),
    ],
)
async def test_a_record_that_names_no_server_is_passed_over(
    mailbox: Mailbox, providers: Providers, record: ServiceRecord
) -> None:
    assert await by_service_record(mailbox, Names({TLS_NAME: [record]}), providers) is None


async def test_a_flood_of_records_is_cut_off(mailbox: Mailbox, providers: Providers) -> None:
    flood = [ServiceRecord(0, 0, 465, f"h{number}.{DOMAIN}") for number in range(500)]

    found = await by_service_record(mailbox, Names({TLS_NAME: flood}), providers)

    assert found is not None
    assert len(found.candidates) <= 8


async def test_one_failed_question_does_not_spoil_the_other(
    zone: DnsStandIn, resolver: SystemResolver, mailbox: Mailbox, providers: Providers
) -> None:
    zone.fails(TLS_NAME, Fault.SERVER_FAILURE)
    zone.has(STARTTLS_NAME, "SRV", f"0 0 587 smtp.{DOMAIN}.")

    found = await by_service_record(mailbox, resolver, providers)

    assert found is not None
    assert found.best == Candidate(f"smtp.{DOMAIN}", 587, Encryption.STARTTLS)


async def test_a_failed_question_without_any_answer_is_a_failed_lookup(
    zone: DnsStandIn, resolver: SystemResolver, mailbox: Mailbox, providers: Providers
) -> None:
    zone.fails(TLS_NAME, Fault.GARBAGE)

    with pytest.raises(LookupFailed):
        await by_service_record(mailbox, resolver, providers)


async def test_a_mail_exchanger_of_a_known_provider_is_as_good_as_its_domain(
    zone: DnsStandIn, resolver: SystemResolver, mailbox: Mailbox, providers: Providers
) -> None:
    zone.has(DOMAIN, "MX", "10 alt1.aspmx.l.google.com.", "1 aspmx.l.google.com.")

    found = await by_mail_exchanger(mailbox, resolver, providers)

    assert found is not None
    assert found.origin is Origin.MX
    assert found.provider is not None
    assert found.provider.key == "google_workspace"
    assert found.best == Candidate("smtp.gmail.com", 465, Encryption.TLS)
    assert found.username == SENDER
    assert found.secret is SecretKind.APP_PASSWORD
    assert found.help_url


async def test_a_strangers_backup_exchanger_says_nothing(
    mailbox: Mailbox, providers: Providers
) -> None:
    names = Names(
        exchangers=[MailExchanger(20, "spool.mail.gandi.net"), MailExchanger(10, f"mx.{DOMAIN}")]
    )

    assert await by_mail_exchanger(mailbox, names, providers) is None


async def test_a_domain_that_takes_no_mail_names_no_provider(
    mailbox: Mailbox, providers: Providers
) -> None:
    names = Names(exchangers=[MailExchanger(0, "")])

    assert await by_mail_exchanger(mailbox, names, providers) is None

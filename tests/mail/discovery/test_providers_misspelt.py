"""A domain with a slip of the finger in it, beside those that people really have."""

import pytest

from custom_components.email_courier.mail.discovery.dns import MailExchanger
from custom_components.email_courier.mail.discovery.model import LookupFailed
from custom_components.email_courier.mail.discovery.providers import (
    load,
    meant_domain,
    nearest_domain,
    slips_between,
)
from tests.mail.discovery.doubles import DOMAIN, Names

SLIPS = {
    "gmial.com": "gmail.com",
    "gmal.com": "gmail.com",
    "gmaill.com": "gmail.com",
    "gmail.con": "gmail.com",
    "gmx.ed": "gmx.de",
    "hotmial.com": "hotmail.com",
    "hotmal.cmo": "hotmail.com",
    "outlok.com": "outlook.com",
    "yahooo.com": "yahoo.com",
    "icoud.com": "icloud.com",
    "t-onlin.de": "t-online.de",
}


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("", "", 0),
        ("gmail", "gmail", 0),
        ("gmail", "", 5),
        ("gmial", "gmail", 1),
        ("gmal", "gmail", 1),
        ("gmaail", "gmail", 1),
        ("gmeil", "gmail", 1),
        ("gamil", "gmail", 1),
        ("hotmal.cmo", "hotmail.com", 2),
        ("ca", "abc", 3),
    ],
)
def test_slips_are_counted_either_way(one: str, other: str, slips: int) -> None:
    assert slips_between(one, other) == slips_between(other, one) == slips


@pytest.mark.parametrize(("typed", "meant"), SLIPS.items())
async def test_a_slip_is_seen_where_the_domain_takes_no_mail(typed: str, meant: str) -> None:
    assert await meant_domain(typed, Names(), load()) == meant


async def test_a_domain_that_takes_mail_is_never_doubted() -> None:
    names = Names(exchangers=[MailExchanger(10, "mx.gmial.com")])
    assert await meant_domain("gmial.com", names, load()) is None
    assert names.asked == ["gmial.com"]


async def test_a_domain_that_says_it_takes_no_mail_is_doubted() -> None:
    names = Names(exchangers=[MailExchanger(0, "")])
    assert await meant_domain("gmial.com", names, load()) == "gmail.com"


async def test_without_dns_nothing_speaks_for_a_slip() -> None:
    assert await meant_domain("gmial.com", Names(exchangers=LookupFailed("no")), load()) == (
        "gmail.com"
    )


@pytest.mark.parametrize("domain", [DOMAIN, "gmail.test", "gmx.local", "home", "[127.0.0.1]"])
async def test_nobody_is_asked_about_what_is_like_no_provider(domain: str) -> None:
    names = Names()
    assert await meant_domain(domain, names, load()) is None
    assert names.asked == []


def test_no_domain_of_the_table_is_taken_for_another() -> None:
    providers = load()
    for provider in providers:
        for domain in provider.domains:
            assert nearest_domain(domain, providers) is None


@pytest.mark.parametrize("domain", ["ab.de", "me.co", "firma.de", "example.com", "mail.company"])
def test_short_and_strange_domains_are_left_alone(domain: str) -> None:
    assert nearest_domain(domain, load()) is None

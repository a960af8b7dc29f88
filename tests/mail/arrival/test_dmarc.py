"""DMARC: whose policy is in force, and what it asks for."""

from collections.abc import Sequence
import string

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.arrival.dmarc import Alignment, Dmarc, Policy, find_dmarc
from custom_components.email_courier.mail.discovery.dns import (
    Address,
    MailExchanger,
    SystemResolver,
)
from custom_components.email_courier.mail.discovery.model import LookupFailed
from tests.mail.discovery.dns_stand_in import DnsStandIn, Fault

DOMAIN = "home.stand-in.email"
PARENT = "stand-in.email"


def has_policy(zone: DnsStandIn, name: str, *tags: str) -> None:
    """Give a domain a DMARC record."""
    zone.has(f"_dmarc.{name}", "TXT", f'"{"; ".join(["v=DMARC1", *tags])}"')


async def found(resolver: SystemResolver, domain: str = DOMAIN) -> Dmarc:
    """Return the policy, which there is."""
    dmarc = await find_dmarc(domain, resolver)
    assert dmarc is not None
    return dmarc


async def test_a_domain_without_a_policy_has_none(
    zone: DnsStandIn, resolver: SystemResolver
) -> None:
    assert await find_dmarc(DOMAIN, resolver) is None
    assert [name for name, _ in zone.asked] == [
        "_dmarc.home.stand-in.email",
        "_dmarc.stand-in.email",
        "_dmarc.email",
    ]


async def test_a_domains_own_policy_comes_first(zone: DnsStandIn, resolver: SystemResolver) -> None:
    has_policy(zone, DOMAIN, "p=quarantine", "sp=none", "aspf=s", "adkim=s")
    has_policy(zone, PARENT, "p=reject")

    dmarc = await found(resolver)

    assert (dmarc.policy, dmarc.spf, dmarc.dkim) == ("quarantine", "s", "s")
    assert dmarc.organization == PARENT
    assert dmarc.record == "v=DMARC1; p=quarantine; sp=none; aspf=s; adkim=s"


@pytest.mark.parametrize(
    ("tags", "policy"),
    [
        ("p=reject", "reject"),
        ("p=none; sp=reject", "reject"),
        ("p=reject; sp=quarantine", "quarantine"),
        ("p=reject; sp=none", "none"),
        ("p=reject; sp=nonsense", "reject"),
        ("sp=reject", "reject"),
        ("rua=mailto:a@stand-in.email", "none"),
        ("P = Reject ;", "reject"),
        ("p=reject; t=y", "quarantine"),
        ("p=quarantine; t=y", "none"),
        ("p=reject; pct=0", "quarantine"),
        ("p=reject; pct=50", "reject"),
        ("p=none", "none"),
        ("p=bogus", "none"),
    ],
)
async def test_a_subdomain_is_under_the_policy_of_its_organization(
    zone: DnsStandIn, resolver: SystemResolver, tags: str, policy: str
) -> None:
    has_policy(zone, PARENT, tags)

    dmarc = await found(resolver)

    assert dmarc.policy == policy
    assert dmarc.is_enforced is (policy != "none")
    assert dmarc.organization == PARENT


async def test_what_holds_for_subdomains_does_not_hold_for_the_domain_itself(
    zone: DnsStandIn, resolver: SystemResolver
) -> None:
    has_policy(zone, PARENT, "p=none", "sp=reject")

    assert (await found(resolver, PARENT)).policy is Policy.NONE


@pytest.mark.parametrize(
    "records",
    [
        ['"v=DMARC1; p=reject"', '"v=DMARC1; p=none"'],
        ['"v=dmarc1; p=reject"'],
        ['"v=DMARC2; p=reject"'],
        ['"p=reject; v=DMARC1"'],
        ['"v=spf1 -all"'],
        ['""'],
    ],
)
async def test_what_is_no_record_or_not_the_only_one_is_none(
    zone: DnsStandIn, resolver: SystemResolver, records: list[str]
) -> None:
    zone.has(f"_dmarc.{DOMAIN}", "TXT", *records)

    assert await find_dmarc(DOMAIN, resolver) is None


async def test_the_highest_record_is_the_organizations(
    zone: DnsStandIn, resolver: SystemResolver
) -> None:
    has_policy(zone, "b.stand-in.email", "p=quarantine")
    has_policy(zone, PARENT, "p=none", "sp=reject")

    dmarc = await found(resolver, "a.b.stand-in.email")

    assert (dmarc.organization, dmarc.policy) == (PARENT, "reject")


async def test_a_domain_may_say_that_it_is_an_organization(
    zone: DnsStandIn, resolver: SystemResolver
) -> None:
    has_policy(zone, "b.stand-in.email", "p=quarantine", "psd=n")
    has_policy(zone, PARENT, "p=reject")

    dmarc = await found(resolver, "a.b.stand-in.email")

    assert (dmarc.organization, dmarc.policy) == ("b.stand-in.email", "quarantine")


async def test_a_public_suffix_sets_the_policy_of_who_has_none(
    zone: DnsStandIn, resolver: SystemResolver
) -> None:
    has_policy(zone, "email", "p=reject", "psd=y")

    dmarc = await found(resolver)

    assert (dmarc.organization, dmarc.policy) == (PARENT, "reject")


async def test_of_a_long_name_the_last_labels_are_asked_about(
    zone: DnsStandIn, resolver: SystemResolver
) -> None:
    long = ".".join("abcdefghijk") + f".{PARENT}"

    assert await find_dmarc(long, resolver) is None

    assert len(zone.asked) == 8
    assert zone.asked[1] == (f"_dmarc.g.h.i.j.k.{PARENT}", "TXT")


@pytest.mark.parametrize("name", [DOMAIN, PARENT])
async def test_a_name_server_in_trouble_is_no_answer(
    zone: DnsStandIn, resolver: SystemResolver, name: str
) -> None:
    zone.fails(f"_dmarc.{name}", Fault.SERVER_FAILURE)

    with pytest.raises(LookupFailed):
        await find_dmarc(DOMAIN, resolver)


@pytest.mark.parametrize(
    ("proven", "relaxed", "strict"),
    [
        (DOMAIN, True, True),
        (PARENT, True, False),
        ("other.stand-in.email", True, False),
        ("stand-in.email.example.org", False, False),
        ("notstand-in.email", False, False),
        ("gmail.com", False, False),
    ],
)
def test_a_proven_domain_stands_for_the_one_in_from(
    proven: str, *, relaxed: bool, strict: bool
) -> None:
    dmarc = Dmarc(DOMAIN, PARENT, "", Policy.REJECT)

    assert dmarc.is_aligned(proven, Alignment.RELAXED) is relaxed
    assert dmarc.is_aligned(proven, Alignment.STRICT) is strict


class _Same:
    """A DNS in which every name has the same records."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    async def txt(self, _name: str) -> Sequence[str]:
        return self._texts

    async def mx(self, _domain: str) -> Sequence[MailExchanger]:
        return []

    async def addresses(self, _name: str, _version: int) -> Sequence[Address]:
        return []


@given(
    texts=st.lists(
        st.lists(
            st.sampled_from(["v=DMARC1", "p=", "sp=reject", "psd=y", "psd=n", "t=y", ";", "=", " "])
            | st.text(string.printable + "ü\0", max_size=4)
        ).map("".join),
        max_size=3,
    ),
    domain=st.lists(st.text("ab-", max_size=3), min_size=1, max_size=20).map(".".join),
)
async def test_no_record_raises(texts: list[str], domain: str) -> None:
    dmarc = await find_dmarc(domain, _Same(texts))

    assert dmarc is None or dmarc.policy in Policy

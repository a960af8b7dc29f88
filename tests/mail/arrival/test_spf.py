"""SPF, asked of a name server on loopback: RFC 7208, and records as people write them."""

from collections.abc import Sequence
from ipaddress import ip_address
import re
import string

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.address import Mailbox
from custom_components.email_courier.mail.arrival.spf import (
    MAX_LOOKUPS,
    Remembered,
    SpfResult,
    check_spf,
    forbids_all,
)
from custom_components.email_courier.mail.discovery.dns import (
    Address,
    MailExchanger,
    SystemResolver,
)
from custom_components.email_courier.mail.discovery.model import LookupFailed
from tests.mail.discovery.dns_stand_in import DnsStandIn, Fault

DOMAIN = "stand-in.email"
SENDER = Mailbox(f"jane.doe@{DOMAIN}")
HERE = "203.0.113.7"


async def result(zone: DnsStandIn, address: str = HERE) -> SpfResult:
    """Return what the domain says of an address, to a resolver that remembers nothing."""
    async with SystemResolver(zone.nameservers, timeout=1, tries=1) as resolver:
        return (await check_spf(ip_address(address), SENDER, resolver)).result


def has_record(zone: DnsStandIn, *terms: str, name: str = DOMAIN) -> None:
    """Give a domain an SPF record."""
    zone.has(name, "TXT", f'"v=spf1 {" ".join(terms)}"')


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ("ip4:203.0.113.7 -all", "pass"),
        ("ip4:203.0.113.0/24 -all", "pass"),
        ("ip4:198.51.100.0/24 -all", "fail"),
        ("ip4:198.51.100.0/24 ~all", "softfail"),
        ("ip4:198.51.100.0/24 ?all", "neutral"),
        ("ip4:198.51.100.0/24", "neutral"),
        ("-ip4:203.0.113.0/24 +all", "fail"),
        ("IP4:203.0.113.7 -ALL", "pass"),
        ("ip6:2001:db8::/32 -all", "fail"),
        ("ptr -all", "fail"),
        ("  ip4:203.0.113.7   -all ", "pass"),
        ("exp=explain.stand-in.email moo=%{d} ip4:203.0.113.7 -all", "pass"),
        ("", "neutral"),
        ("ip4:203.0.113.7/33 -all", "permerror"),
        ("ip4:203.0.113 -all", "permerror"),
        ("ip4:2001:db8::1 -all", "permerror"),
        ("ip4 -all", "permerror"),
        ("ip:203.0.113.7 -all", "permerror"),
        ("inlcude:_spf.stand-in.email -all", "permerror"),
        ("include -all", "permerror"),
        ("a/64 -all", "permerror"),
        ("all:stand-in.email", "permerror"),
        ("-redirect=other.email", "permerror"),
        ("redirect=one.email redirect=two.email", "permerror"),
        ("a:%{x}.email -all", "permerror"),
        ("a:%{c}.email -all", "permerror"),
        ("a:100% -all", "permerror"),
        ("ip4:203.0.113.7; -all", "permerror"),
        # the error counts even behind what would have matched
        ("ip4:203.0.113.7 include -all", "permerror"),
    ],
)
async def test_a_record_without_questions_of_its_own(
    zone: DnsStandIn, terms: str, expected: str
) -> None:
    has_record(zone, terms)

    assert await result(zone) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"v=spf1 -all"', "fail"),
        ('"v=spf1"', "neutral"),
        ('"V=SPF1 +all"', "pass"),
        ('"v=spf10 +all"', "none"),
        ('" v=spf1 +all"', "none"),
        ('"v=spf2.0/pra +all"', "none"),
        ('"spf1 +all"', "none"),
        ('"v=spf1 ip4:203.0.113.7" " -all"', "pass"),
        ('"v=spf1 ip4:203.0.11" "3.7 -all"', "pass"),
        ('"v=spf1 a:m\\252ller.email -all"', "permerror"),
        ('"v=spf1\\009-all"', "none"),
    ],
    ids=range(11),
)
async def test_only_what_begins_as_a_record_is_one(
    zone: DnsStandIn, text: str, expected: str
) -> None:
    zone.has(DOMAIN, "TXT", '"google-site-verification=abc"', text)

    assert await result(zone) == expected


async def test_no_record_no_domain_and_a_domain_that_can_have_none(
    zone: DnsStandIn, resolver: SystemResolver
) -> None:
    assert await result(zone) is SpfResult.NONE
    zone.has(DOMAIN, "TXT", '"hello"')
    assert await result(zone) is SpfResult.NONE
    asked = len(zone.asked)
    check = await check_spf(ip_address(HERE), Mailbox("jane@localhost"), resolver)
    assert check.result is SpfResult.NONE
    assert len(zone.asked) == asked


async def test_two_records_are_an_error(zone: DnsStandIn) -> None:
    zone.has(DOMAIN, "TXT", '"v=spf1 +all"', '"v=spf1 -all"')

    assert await result(zone) is SpfResult.PERMERROR


@pytest.mark.parametrize("fault", Fault)
async def test_a_name_server_in_trouble_is_no_answer(zone: DnsStandIn, fault: Fault) -> None:
    zone.fails(DOMAIN, fault)

    assert await result(zone) is SpfResult.TEMPERROR


async def test_the_hosts_and_exchangers_of_a_domain_may_send_for_it(zone: DnsStandIn) -> None:
    zone.has(DOMAIN, "TXT", '"v=spf1 a mx -all"').has(DOMAIN, "MX", "10 mx.stand-in.email.")
    zone.has(DOMAIN, "A", "203.0.113.1").has("mx.stand-in.email", "A", HERE)

    assert await result(zone) is SpfResult.PASS
    assert await result(zone, "203.0.113.1") is SpfResult.PASS
    assert await result(zone, "203.0.113.2") is SpfResult.FAIL


async def test_a_prefix_widens_a_host_to_its_network(zone: DnsStandIn) -> None:
    has_record(zone, "a:web.stand-in.email/24//64", "mx/28", "-all")
    zone.has("web.stand-in.email", "A", "203.0.113.200")
    zone.has("web.stand-in.email", "AAAA", "2001:db8::1")

    assert await result(zone) is SpfResult.PASS
    assert await result(zone, "2001:db8::ffff") is SpfResult.PASS
    assert await result(zone, "2001:db8:1::1") is SpfResult.FAIL


async def test_an_ipv4_address_within_ipv6_is_the_ipv4_address(zone: DnsStandIn) -> None:
    has_record(zone, f"ip4:{HERE}", "-all")

    assert await result(zone, f"::ffff:{HERE}") is SpfResult.PASS


async def test_a_server_without_ipv6_is_no_error_in_the_record(zone: DnsStandIn) -> None:
    has_record(zone, "a:a.email", "a:b.email", "a:c.email", "-all")
    for name in ("a.email", "b.email", "c.email"):
        zone.has(name, "A", "198.51.100.1")

    assert await result(zone, "2001:db8::1") is SpfResult.FAIL


@pytest.mark.parametrize(
    ("included", "expected"),
    [
        (f"ip4:{HERE} -all", "pass"),
        ("-all", "softfail"),
        ("~all", "softfail"),
        ("?all", "softfail"),
        ("nonsense", "permerror"),
    ],
)
async def test_an_included_record_matches_where_it_passes(
    zone: DnsStandIn, included: str, expected: str
) -> None:
    has_record(zone, "include:_spf.host.email", "~all")
    has_record(zone, included, name="_spf.host.email")

    assert await result(zone) == expected


async def test_an_included_domain_without_a_record_is_an_error(zone: DnsStandIn) -> None:
    has_record(zone, "include:_spf.host.email", "~all")
    assert await result(zone) is SpfResult.PERMERROR


async def test_an_included_domain_that_does_not_answer_is_no_answer(zone: DnsStandIn) -> None:
    has_record(zone, "include:_spf.host.email", "~all")
    zone.fails("_spf.host.email", Fault.SERVER_FAILURE)
    assert await result(zone) is SpfResult.TEMPERROR


async def test_a_record_may_stand_elsewhere(zone: DnsStandIn) -> None:
    has_record(zone, "redirect=_spf.%{d}")
    has_record(zone, f"ip4:{HERE}", "-all", name=f"_spf.{DOMAIN}")

    assert await result(zone) is SpfResult.PASS
    assert await result(zone, "198.51.100.1") is SpfResult.FAIL

    has_record(zone, "redirect=nowhere.email")
    assert await result(zone) is SpfResult.PERMERROR

    has_record(zone, "~all", "redirect=nowhere.email")
    assert await result(zone) is SpfResult.SOFTFAIL


async def test_a_name_may_be_made_of_the_sender_and_the_address(zone: DnsStandIn) -> None:
    has_record(zone, "exists:%{ir}.%{v}.%{l1r-}.%{o}._spf.%{d2}", "-all")
    zone.has(f"7.113.0.203.in-addr.jane.doe.{DOMAIN}._spf.{DOMAIN}", "A", "127.0.0.2")
    assert await result(zone) is SpfResult.PASS

    zone.asked.clear()
    has_record(zone, "exists:%{i}.email", "-all")
    await result(zone, "2001:db8::cb01")
    assert (
        "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1.email",
        "A",
    ) in zone.asked


async def test_escapes_and_a_name_that_grows_too_long(zone: DnsStandIn) -> None:
    labels = ".".join(["x" * 60] * 5)
    first, second = f"exists:{labels}.email", "exists:%{p}%%%_%-.email"
    zone.has(DOMAIN, "TXT", f'"v=spf1 {first[:200]}" "{first[200:]} {second} -all"')
    zone.has(".".join(["x" * 60] * 4) + ".email", "A", "127.0.0.2")

    assert await result(zone) is SpfResult.PASS


async def test_ten_questions_are_answered_and_the_eleventh_is_an_error(zone: DnsStandIn) -> None:
    for count in range(MAX_LOOKUPS + 1):
        has_record(zone, f"include:i{count + 1}.email", "-all", name=f"i{count}.email")
    zone.has(DOMAIN, "TXT", '"v=spf1 include:i1.email -all"')
    has_record(zone, f"ip4:{HERE}", name=f"i{MAX_LOOKUPS}.email")
    assert await result(zone) is SpfResult.PASS

    has_record(zone, "include:i11.email", name="i10.email")
    has_record(zone, f"ip4:{HERE}", name="i11.email")
    assert await result(zone) is SpfResult.PERMERROR


async def test_a_record_that_includes_itself_ends(zone: DnsStandIn) -> None:
    has_record(zone, f"include:{DOMAIN}", "-all")

    assert await result(zone) is SpfResult.PERMERROR


async def test_three_questions_that_hold_nothing_are_an_error(zone: DnsStandIn) -> None:
    has_record(zone, "a:a.email", "a:b.email", "~all")
    assert await result(zone) is SpfResult.SOFTFAIL

    has_record(zone, "a:a.email", "a:b.email", "mx:c.email", "~all")
    assert await result(zone) is SpfResult.PERMERROR


async def test_more_than_ten_exchangers_are_an_error(zone: DnsStandIn) -> None:
    has_record(zone, "mx", "~all")
    zone.has(DOMAIN, "MX", *(f"10 mx{count}.stand-in.email." for count in range(11)))

    assert await result(zone) is SpfResult.PERMERROR


async def test_the_names_in_all_records_are_remembered(
    zone: DnsStandIn, resolver: SystemResolver
) -> None:
    has_record(zone, "mx", "a:Web.Stand-In.email", "include:_spf.host.email", "~all")
    has_record(zone, "redirect=_net.host.email", name="_spf.host.email")
    has_record(zone, "~all", name="_net.host.email")
    zone.has(DOMAIN, "MX", "10 mx.mailer.email.").has("mx.mailer.email", "A", "198.51.100.1")

    check = await check_spf(ip_address(HERE), SENDER, resolver)

    assert check.record == ("v=spf1 mx a:Web.Stand-In.email include:_spf.host.email ~all")
    assert check.names == {
        DOMAIN,
        "mx.mailer.email",
        "web.stand-in.email",
        "_spf.host.email",
        "_net.host.email",
    }


@pytest.mark.parametrize(
    ("record", "is_so"),
    [
        ("v=spf1 -all", True),
        ("v=spf1  -ALL exp=why.email", True),
        ("v=spf1 ~all", False),
        ("v=spf1 mx -all", False),
        ("v=spf1", False),
        ("v=spf1 -all:", False),
        ("v=spf1 rubbish!", False),
    ],
)
def test_a_domain_that_sends_no_mail_says_so(record: str, *, is_so: bool) -> None:
    assert forbids_all(record) is is_so


async def test_a_record_of_nobody_knows_how_many_terms_is_an_error(zone: DnsStandIn) -> None:
    pieces = " ".join(f'"{"ip4:198.51.100.1 " * 15}"' for _ in range(40))
    zone.has(DOMAIN, "TXT", f'"v=spf1 " {pieces} "-all"')

    # A name server that sends that much by UDP is none that resolvers believe.
    assert await result(zone) in (SpfResult.PERMERROR, SpfResult.TEMPERROR)
    assert await _of_text("v=spf1 " + "ip4:198.51.100.1 " * 1000) is SpfResult.PERMERROR


async def test_nothing_is_asked_twice(zone: DnsStandIn, resolver: SystemResolver) -> None:
    has_record(zone, "a", "mx", "include:gone.email", "-all")
    zone.fails("gone.email", Fault.SERVER_FAILURE)
    remembered = Remembered(resolver)

    for last in range(3):
        check = await check_spf(ip_address(f"203.0.113.{last}"), SENDER, remembered)
        assert check.result is SpfResult.TEMPERROR

    assert sorted(set(zone.asked)) == sorted(zone.asked)


class _OneRecord:
    """A DNS in which every name has the same record and addresses."""

    def __init__(self, text: str) -> None:
        self.text = text

    async def txt(self, name: str) -> Sequence[str]:
        if len(name) % 7 == 6:
            raise LookupFailed(name)
        return [self.text]

    async def mx(self, domain: str) -> Sequence[MailExchanger]:
        return [MailExchanger(10, domain), MailExchanger(20, "")]

    async def addresses(self, _name: str, version: int) -> Sequence[Address]:
        return [ip_address("198.51.100.1" if version == 4 else "2001:db8::1")]


async def _of_text(text: str, sender: Mailbox = SENDER, address: str = HERE) -> SpfResult:
    return (await check_spf(ip_address(address), sender, _OneRecord(text))).result


_WORDS = st.sampled_from(
    [
        *("a", "mx", "ptr", "all", "include", "exists", "ip4", "ip6", "redirect", "exp", "v=spf1"),
        *("%{", "}", "%%", "%{i}", "%{s5r-}", "%{d0}", "%{l999r.+}", ":", "=", "/", "//", " "),
        *("33", "999", "-", "~", "?", "stand-in.email", "..", ".", "::", "203.0.113.7", "[", "]"),
    ]
)


@given(
    words=st.lists(_WORDS | st.text(string.printable + "ü\0\u2028", max_size=5), max_size=40),
    local_part=st.text("aé%{}'+-", min_size=1, max_size=20),
    address=st.sampled_from([HERE, "2001:db8::1", f"::ffff:{HERE}"]),
)
async def test_no_record_raises(words: list[str], local_part: str, address: str) -> None:
    sender = Mailbox(f"{local_part}@{DOMAIN}")

    assert await _of_text("v=spf1 " + "".join(words), sender, address) in SpfResult
    assert isinstance(forbids_all("".join(words)), bool)


@given(name=st.text(string.printable, min_size=1, max_size=80))
async def test_no_name_that_a_record_holds_raises(name: str) -> None:
    """As the resolver of the product asks for it: of nobody, since nobody listens there."""
    async with SystemResolver(["127.0.0.1:1"], timeout=0.1, tries=1) as resolver:
        printable = re.sub(r"[^!-~]", "", name)
        sender = Mailbox(f"jane@{DOMAIN}")
        check = await check_spf(
            ip_address(HERE), sender, _Then(f"v=spf1 exists:{printable} -all", resolver)
        )

    assert check.result in (SpfResult.TEMPERROR, SpfResult.PERMERROR, SpfResult.FAIL)


class _Then(_OneRecord):
    """One record, and then the questions of another resolver."""

    def __init__(self, text: str, resolver: SystemResolver) -> None:
        super().__init__(text)
        self._resolver = resolver

    async def addresses(self, name: str, version: int) -> Sequence[Address]:
        return await self._resolver.addresses(name, version)

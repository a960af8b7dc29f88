"""Will mail arrive? What the records of a domain mean for a server, and what they cannot say."""

import asyncio
import time

import pytest

from custom_components.email_courier.mail.address import Mailbox
from custom_components.email_courier.mail.arrival.judge import Arrival, judge
from custom_components.email_courier.mail.discovery.dns import SystemResolver
from custom_components.email_courier.mail.discovery.providers import Providers
from tests.mail.discovery.dns_stand_in import DnsStandIn, Fault
from tests.support.clock import SOON

DOMAIN = "stand-in.email"
HOST = "smtp.carrier.email"
"""A server of somebody else's, and not of a provider of the table."""
HERE = "203.0.113.7"


@pytest.fixture(autouse=True)
def carrier(zone: DnsStandIn) -> None:
    zone.has(HOST, "A", HERE)


class Judge:
    """Asks about one sender, as the dialog does."""

    def __init__(self, zone: DnsStandIn, providers: Providers) -> None:
        self.zone = zone
        self._providers = providers

    def spf(self, *terms: str, name: str = DOMAIN) -> None:
        self.zone.has(name, "TXT", f'"v=spf1 {" ".join(terms)}"')

    def dmarc(self, tags: str, name: str = DOMAIN) -> None:
        self.zone.has(f"_dmarc.{name}", "TXT", f'"v=DMARC1; {tags}"')

    async def __call__(
        self,
        host: str = HOST,
        sender: str = f"jane@{DOMAIN}",
        username: str | None = None,
        deadline: float = SOON,
    ) -> Arrival:
        async with SystemResolver(self.zone.nameservers, timeout=deadline, tries=1) as resolver:
            return await judge(
                Mailbox(sender),
                host,
                username,
                resolver=resolver,
                providers=self._providers,
                deadline=deadline,
            )

    async def say(self, host: str = HOST, sender: str = f"jane@{DOMAIN}") -> tuple[str, str | None]:
        """Return the verdict and the concern."""
        arrival = await self(host, sender)
        return arrival.verdict.value, arrival.concern and arrival.concern.value


@pytest.fixture
def judged(zone: DnsStandIn, providers: Providers) -> Judge:
    return Judge(zone, providers)


@pytest.mark.parametrize(
    ("sender", "host"),
    [
        ("me@gmail.com", "smtp.gmail.com"),
        ("me@gmail.com", "SMTP.gmail.com."),
        ("me@googlemail.com", "smtp-relay.gmail.com"),
        ("me@outlook.com", "smtp-mail.outlook.com"),
        ("me@hotmail.de", "smtp.office365.com"),
        ("me@yahoo.com", "smtp.mail.yahoo.com"),
        ("me@icloud.com", "smtp.mail.me.com"),
        ("me@gmx.de", "mail.gmx.net"),
        ("me@web.de", "smtp.web.de"),
        ("me@proton.me", "127.0.0.1"),
    ],
)
async def test_a_provider_through_its_own_server_is_fine_and_nobody_is_asked(
    judged: Judge, sender: str, host: str
) -> None:
    verdict, concern = await judged.say(host, sender=sender)

    assert (verdict, concern) == ("allowed", None)
    assert judged.zone.asked == []


@pytest.mark.parametrize(
    ("sender", "host"),
    [
        ("jane@example.org", HOST),
        ("jane@house.local", HOST),
        ("jane@home.arpa", "mail.home.arpa"),
        ("me@proton.me", "192.168.1.20"),
        ("me@gmail.com", "postfix"),
        ("me@gmail.com", "relay.lan.home.arpa"),
    ],
)
async def test_of_a_private_domain_or_a_relay_at_home_nothing_can_be_told(
    judged: Judge, sender: str, host: str
) -> None:
    assert await judged.say(host, sender=sender) == ("unknown", None)
    assert judged.zone.asked == []


@pytest.mark.parametrize("sender", ["me@gmail.com", "me@yahoo.com", "me@outlook.com"])
@pytest.mark.parametrize("host", [HOST, "smtp.sendgrid.net", "smtp.strato.de"])
async def test_a_providers_address_through_another_server_is_named_with_the_provider(
    judged: Judge, sender: str, host: str
) -> None:
    domain = sender.partition("@")[2]
    judged.spf("ip4:198.51.100.0/24", "~all", name=domain)

    arrival = await judged(host, sender=sender)

    assert (arrival.verdict, arrival.concern) == ("not_allowed", "foreign_server")
    assert arrival.provider is not None


async def test_that_is_known_without_any_dns(judged: Judge) -> None:
    judged.zone.fails("gmail.com", Fault.SERVER_FAILURE)
    judged.zone.fails("_dmarc.gmail.com", Fault.SERVER_FAILURE)

    assert await judged.say(sender="me@gmail.com") == ("not_allowed", "foreign_server")


async def test_unless_the_provider_allows_it(judged: Judge) -> None:
    judged.spf(f"a:{HOST}", "-all", name="outlook.com")

    assert await judged.say(sender="me@outlook.com") == ("allowed", None)


async def test_a_server_at_a_listed_address_is_allowed(judged: Judge) -> None:
    judged.spf("ip4:203.0.113.0/24", "-all")
    judged.dmarc("p=reject")

    assert await judged.say() == ("allowed", None)


async def test_one_listed_address_of_several_is_enough(judged: Judge) -> None:
    judged.zone.has(HOST, "A", "198.51.100.1", "198.51.100.2", HERE)
    judged.spf(f"ip4:{HERE}", "-all")

    assert await judged.say() == ("allowed", None)


async def test_an_ipv6_address_counts_too(judged: Judge) -> None:
    judged.zone.has(HOST, "AAAA", "2001:db8::7")
    judged.spf("ip6:2001:db8::/32", "-all")

    assert await judged.say() == ("allowed", None)


@pytest.mark.parametrize(
    ("host", "include"),
    [
        (HOST, "_spf.carrier.email"),
        ("smtp.gmail.com", "_spf.google.com"),
        ("smtp-relay.gmail.com", "_spf.google.com"),
        ("smtp.office365.com", "spf.protection.outlook.com"),
        ("smtp.ionos.de", "_spf-eu.ionos.com"),
        ("smtp.zoho.eu", "one.zoho.com"),
        ("smtp.fastmail.com", "spf.messagingengine.com"),
        ("mail.infomaniak.com", "spf.infomaniak.ch"),
        ("smtp.sendgrid.net", "sendgrid.net"),
    ],
)
async def test_a_record_that_names_the_servers_owner_allows_it_from_whatever_address(
    judged: Judge, host: str, include: str
) -> None:
    judged.zone.has(host, "A", HERE)
    judged.spf(f"include:{include}", "-all")
    judged.spf("ip4:198.51.100.0/24", "~all", name=include)
    judged.dmarc("p=reject")

    assert await judged.say(host) == ("allowed", None)


@pytest.mark.parametrize("ending", ["-all", "~all"])
async def test_a_server_that_is_not_listed_is_named(judged: Judge, ending: str) -> None:
    judged.spf("include:_spf.google.com", ending)
    judged.spf("ip4:198.51.100.0/24", "~all", name="_spf.google.com")

    assert await judged.say() == ("not_allowed", "not_listed")


@pytest.mark.parametrize("policy", ["reject", "quarantine"])
async def test_a_domain_that_has_others_refuse_such_mail_is_named(
    judged: Judge, policy: str
) -> None:
    judged.spf("ip4:198.51.100.0/24", "?all")
    judged.dmarc(f"p={policy}")

    assert await judged.say() == ("not_allowed", "policy")


async def test_a_policy_that_asks_for_nothing_adds_nothing(judged: Judge) -> None:
    judged.spf("ip4:198.51.100.0/24", "?all")
    judged.dmarc("p=none")

    assert await judged.say() == ("unknown", None)


async def test_a_domain_without_a_record_is_named(judged: Judge) -> None:
    judged.zone.has(DOMAIN, "TXT", '"hello"')

    assert await judged.say() == ("unknown", "no_spf")
    assert await judged.say("192.168.1.20") == ("unknown", "no_spf")


@pytest.mark.parametrize("terms", ["ip4:1.2.3 -all", "include:gone.stand-in.email -all"])
async def test_a_broken_record_is_named(judged: Judge, terms: str) -> None:
    judged.spf(terms)

    assert await judged.say() == ("unknown", "broken_spf")


async def test_a_domain_that_says_that_it_sends_no_mail_is_named(judged: Judge) -> None:
    judged.spf("-all")
    judged.dmarc("p=reject")

    assert await judged.say() == ("not_allowed", "sends_no_mail")
    assert await judged.say("192.168.1.20") == ("not_allowed", "sends_no_mail")


async def test_a_server_of_the_domain_itself_may_send_from_another_address(judged: Judge) -> None:
    judged.zone.has("mail.stand-in.email", "A", HERE)
    judged.spf("mx", "a:web.stand-in.email", "include:relay.host.email", "-all")
    judged.spf("ip4:198.51.100.0/24", "~all", name="relay.host.email")
    judged.zone.has(DOMAIN, "MX", "10 mx.stand-in.email.")
    judged.dmarc("p=reject")

    assert await judged.say("mail.stand-in.email") == ("unknown", None)


async def test_a_relay_at_home_sends_from_nobody_knows_where(judged: Judge) -> None:
    judged.spf("ip4:198.51.100.0/24", "-all")
    judged.dmarc("p=reject")

    assert await judged.say("192.168.1.20") == ("unknown", None)
    assert await judged.say("fe80::1%eth0") == ("unknown", None)


@pytest.mark.parametrize(
    "host", ["email-smtp.eu-west-1.amazonaws.com", "smtp.resend.com", "smtp.mailgun.org"]
)
async def test_a_service_that_signs_for_its_customers_need_not_be_listed(
    judged: Judge, host: str
) -> None:
    judged.zone.has(host, "A", HERE)
    judged.dmarc("p=reject")
    assert await judged.say(host) == ("unknown", None)

    judged.spf("ip4:198.51.100.0/24", "-all")
    assert await judged.say(host) == ("unknown", None)


@pytest.mark.parametrize(
    ("username", "tags", "expected"),
    [
        ("me@gmail.com", "p=reject", ("unknown", "policy")),
        ("me@gmail.com", "p=none", ("allowed", None)),
        (f"jane@{DOMAIN}", "p=reject", ("allowed", None)),
        (None, "p=reject", ("allowed", None)),
        ("", "p=reject", ("allowed", None)),
    ],
)
async def test_another_address_at_a_providers_mailbox_fails_a_policy_even_where_it_is_listed(
    judged: Judge, username: str | None, tags: str, expected: tuple[str, str | None]
) -> None:
    """Gmail puts the login on the envelope and signs as gmail.com."""
    judged.zone.has("smtp.gmail.com", "A", HERE)
    judged.spf(f"ip4:{HERE}", "-all")
    judged.dmarc(tags)

    arrival = await judged("smtp.gmail.com", username=username)

    assert (arrival.verdict, arrival.concern) == expected


@pytest.mark.parametrize("fault", Fault)
async def test_dns_in_trouble_is_nothing_to_worry_about(judged: Judge, fault: Fault) -> None:
    for name in (DOMAIN, f"_dmarc.{DOMAIN}", HOST):
        judged.zone.fails(name, fault)

    arrival = await judged(deadline=0.5)
    assert (arrival.verdict, arrival.concern) == ("unknown", None)


async def test_a_server_that_has_no_address_is_judged_by_what_can_be_known(judged: Judge) -> None:
    judged.spf("ip4:198.51.100.0/24", "-all")
    assert await judged.say("smtp.gone.email") == ("unknown", None)

    judged.spf("include:_spf.gone.email", "-all", name="b.stand-in.email")
    judged.spf("~all", name="_spf.gone.email")
    assert await judged.say("smtp.gone.email", sender="jane@b.stand-in.email") == ("allowed", None)

    assert await judged.say("smtp.gone.email", sender="jane@c.stand-in.email") == (
        "unknown",
        "no_spf",
    )


@pytest.mark.parametrize("host", ["", "a..b", "[::1", "x" * 70 + ".email", "müller.email", "a b.c"])
async def test_an_odd_host_raises_nothing(judged: Judge, host: str) -> None:
    judged.spf("ip4:198.51.100.0/24", "-all")

    assert (await judged(host)).verdict == "unknown"


async def test_slow_dns_is_left_when_time_is_up(judged: Judge, providers: Providers) -> None:
    judged.spf("include:slow.email", "-all")
    judged.zone.fails("slow.email", Fault.SILENCE)
    judged.dmarc("p=reject")
    start = time.monotonic()
    async with SystemResolver(judged.zone.nameservers, timeout=60, tries=3) as resolver:
        arrival = await judge(
            Mailbox(f"jane@{DOMAIN}"),
            HOST,
            None,
            resolver=resolver,
            providers=providers,
            deadline=0.5,
        )

    assert time.monotonic() - start < 0.5 + SOON
    assert (arrival.verdict, arrival.concern, arrival.spf) == ("unknown", None, None)
    assert arrival.dmarc is not None, "what came in time is known"
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_it_says_it_says_with_its_reasons(judged: Judge) -> None:
    judged.spf("ip4:198.51.100.0/24", "-all")
    judged.dmarc("p=reject; rua=mailto:reports@stand-in.email")

    arrival = await judged()

    assert arrival.spf is not None
    assert (arrival.spf.result, arrival.spf.record) == (
        "fail",
        "v=spf1 ip4:198.51.100.0/24 -all",
    )
    assert arrival.dmarc is not None
    assert arrival.dmarc.record == "v=DMARC1; p=reject; rua=mailto:reports@stand-in.email"

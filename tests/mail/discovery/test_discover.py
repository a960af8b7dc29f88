"""From an address to a proposal."""

import asyncio
import time

import aiohttp
import pytest

from custom_components.email_courier.mail.discovery.discover import DEADLINE, discover
from custom_components.email_courier.mail.discovery.dns import (
    MailExchanger,
    ServiceRecord,
    SystemResolver,
)
from custom_components.email_courier.mail.discovery.model import (
    Candidate,
    Discovery,
    LookupFailed,
    Origin,
    SecretKind,
)
from custom_components.email_courier.mail.discovery.providers import Providers
from custom_components.email_courier.mail.discovery.web import Page, SessionFetch
from custom_components.email_courier.mail.failure import FailureKind, MailError
from custom_components.email_courier.mail.settings import Encryption
from tests.support.clock import SOON

from .dns_stand_in import DnsStandIn, Fault
from .doubles import DOMAIN, SENDER, Names, Pages, Ports
from .test_autoconfig import FIRST, document, server
from .test_clientconfig import GOOD
from .web_stand_in import Answer, WebStandIn

SMTP = f"smtp.{DOMAIN}"
EXCHANGER = [MailExchanger(1, "aspmx.l.google.com")]
SERVICES = {f"_submissions._tcp.{DOMAIN}": [ServiceRecord(0, 0, 465, f"srv.{DOMAIN}")]}
FILE = {f"https://{FIRST}": Page(200, None, GOOD)}
OPEN = {(SMTP, 465): Encryption.TLS}

TLS, STARTTLS = Encryption.TLS, Encryption.STARTTLS
PASSWORD, APP, CODE = (
    SecretKind.PASSWORD,
    SecretKind.APP_PASSWORD,
    SecretKind.AUTHORIZATION_CODE,
)


async def ask(
    sender: str,
    providers: Providers,
    *,
    names: Names | None = None,
    pages: Pages | None = None,
    ports: Ports | None = None,
    deadline: float = DEADLINE,
) -> Discovery:
    """Discover with doubles; what is not given knows nothing."""
    return await discover(
        sender,
        resolver=names or Names(),
        fetch=pages or Pages(),
        listen=ports or Ports(),
        providers=providers,
        deadline=deadline,
    )


@pytest.mark.parametrize(
    ("sender", "host", "port", "encryption", "username", "secret"),
    [
        ("jane@gmail.com", "smtp.gmail.com", 465, TLS, "jane@gmail.com", APP),
        (
            "jane@outlook.com",
            "smtp-mail.outlook.com",
            587,
            STARTTLS,
            "jane@outlook.com",
            SecretKind.OAUTH,
        ),
        ("jane@yahoo.com", "smtp.mail.yahoo.com", 465, TLS, "jane@yahoo.com", APP),
        ("jane@icloud.com", "smtp.mail.me.com", 587, STARTTLS, "jane@icloud.com", APP),
        ("jane@aol.com", "smtp.aol.com", 465, TLS, "jane@aol.com", APP),
        ("jane@gmx.de", "mail.gmx.net", 465, TLS, "jane@gmx.de", PASSWORD),
        ("jane@web.de", "smtp.web.de", 465, TLS, "jane", PASSWORD),
        ("jane@t-online.de", "securesmtp.t-online.de", 465, TLS, "jane@t-online.de", APP),
        ("jane@fastmail.com", "smtp.fastmail.com", 465, TLS, "jane@fastmail.com", APP),
        ("jane@qq.com", "smtp.qq.com", 465, TLS, "jane@qq.com", CODE),
    ],
)
async def test_the_ten_most_used_providers_are_known_by_the_address_alone(
    providers: Providers,
    sender: str,
    host: str,
    port: int,
    encryption: Encryption,
    username: str,
    secret: SecretKind,
) -> None:
    names, pages, ports = Names(), Pages(), Ports()

    found = await ask(sender, providers, names=names, pages=pages, ports=ports)

    assert found.origin is Origin.TABLE
    assert found.best == Candidate(host, port, encryption)
    assert found.username == username
    assert found.secret is secret
    assert found.help_url
    assert [*names.asked, *pages.asked, *ports.asked] == []


@pytest.mark.parametrize(
    ("names", "pages", "ports", "origin"),
    [
        (Names(SERVICES, EXCHANGER), Pages(FILE), Ports(OPEN), Origin.MX),
        (Names(SERVICES), Pages(FILE), Ports(OPEN), Origin.SRV),
        (Names(), Pages(FILE), Ports(OPEN), Origin.AUTOCONFIG),
        (Names(), Pages(), Ports(OPEN), Origin.GUESS),
        (Names(), Pages(), Ports(), Origin.NONE),
    ],
)
async def test_the_first_step_that_knows_anything_answers(
    providers: Providers, names: Names, pages: Pages, ports: Ports, origin: Origin
) -> None:
    found = await ask(SENDER, providers, names=names, pages=pages, ports=ports)

    assert found.origin is origin
    assert found.username == ("jane.doe" if origin is Origin.AUTOCONFIG else SENDER)
    assert bool(found.candidates) is (origin is not Origin.NONE)


async def test_a_better_answer_is_waited_for_though_a_worse_one_came_first(
    providers: Providers,
) -> None:
    found = await ask(
        SENDER,
        providers,
        names=Names(exchangers=EXCHANGER, delay=0.3),
        pages=Pages(FILE),
        ports=Ports(OPEN),
    )

    assert found.origin is Origin.MX


async def test_the_best_possible_answer_is_not_kept_waiting_for_worse_ones(
    providers: Providers,
) -> None:
    started = time.monotonic()

    found = await ask(
        SENDER,
        providers,
        names=Names(exchangers=EXCHANGER),
        pages=Pages(delay=3600),
        ports=Ports(delays={(SMTP, 465): 3600}),
    )

    assert found.origin is Origin.MX
    assert time.monotonic() - started < SOON


async def test_at_the_deadline_the_best_answer_until_then_counts(providers: Providers) -> None:
    started = time.monotonic()

    found = await ask(
        SENDER,
        providers,
        names=Names(delay=3600),
        pages=Pages(FILE),
        ports=Ports(OPEN),
        deadline=0.5,
    )

    assert found.origin is Origin.AUTOCONFIG
    assert time.monotonic() - started < SOON


async def test_at_the_deadline_too_an_encrypted_answer_drives_out_a_plain_one(
    providers: Providers,
) -> None:
    plain = Page(200, None, document(server(SMTP, 25, "plain")))

    found = await ask(
        SENDER,
        providers,
        names=Names(delay=3600),
        pages=Pages({f"https://{FIRST}": plain}),
        ports=Ports(OPEN),
        deadline=0.3,
    )

    assert found.origin is Origin.GUESS


async def test_at_the_deadline_without_any_answer_nothing_is_known(providers: Providers) -> None:
    found = await ask(
        SENDER, providers, names=Names(delay=3600), pages=Pages(delay=3600), deadline=0.3
    )

    assert found == Discovery(Origin.NONE, username=SENDER)


async def test_a_machine_without_dns_gets_what_is_left(providers: Providers) -> None:
    broken = LookupFailed("no name server")

    found = await ask(
        SENDER,
        providers,
        names=Names(
            {f"_submission{s}._tcp.{DOMAIN}": broken for s in ("", "s")}, exchangers=broken
        ),
        ports=Ports(OPEN),
    )

    assert found.origin is Origin.GUESS


async def test_an_answer_without_encryption_gives_way_to_a_later_one_with_it(
    providers: Providers,
) -> None:
    plain = Page(200, None, document(server(SMTP, 25, "plain")))

    found = await ask(
        SENDER, providers, pages=Pages({f"https://{FIRST}": plain}), ports=Ports(OPEN)
    )

    assert found.origin is Origin.GUESS
    assert found.best == Candidate(SMTP, 465, Encryption.TLS)


async def test_an_answer_without_encryption_is_given_where_there_is_no_other(
    providers: Providers,
) -> None:
    plain = Page(200, None, document(server(SMTP, 25, "plain")))

    found = await ask(SENDER, providers, pages=Pages({f"https://{FIRST}": plain}))

    assert found.origin is Origin.AUTOCONFIG
    assert found.best == Candidate(SMTP, 25, Encryption.NONE)


@pytest.mark.parametrize(
    "domain",
    ["mail.example.com", "home.test", "nas.local", "x.invalid", "a.home.arpa", "ha.internal"],
)
async def test_nothing_is_asked_about_a_special_use_domain(
    providers: Providers, domain: str
) -> None:
    names, pages, ports = Names(), Pages(), Ports(OPEN)

    found = await ask(f"ha@{domain}", providers, names=names, pages=pages, ports=ports)

    assert found == Discovery(Origin.NONE, username=f"ha@{domain}")
    assert [*names.asked, *pages.asked, *ports.asked] == []


async def test_an_international_domain_is_asked_for_in_ascii(providers: Providers) -> None:
    names, pages, ports = Names(), Pages(), Ports()

    await ask("jane@m\u00fcller-post.email", providers, names=names, pages=pages, ports=ports)

    assert "xn--mller-post-9db.email" in names.asked
    assert all(name.isascii() for name in [*names.asked, *pages.asked])


@pytest.mark.parametrize("sender", ["", "jane", "@gmail.com", "jane@", "a@b@c", "a\r\n@gmail.com"])
async def test_what_is_no_address_is_refused(providers: Providers, sender: str) -> None:
    with pytest.raises(MailError) as refused:
        await ask(sender, providers)

    assert refused.value.failure.kind is FailureKind.INVALID_SENDER


async def test_cancelling_at_any_moment_leaves_no_task(providers: Providers) -> None:
    before = asyncio.all_tasks()
    for turns in range(12):
        asking = asyncio.create_task(
            ask(
                SENDER,
                providers,
                names=Names(delay=3600),
                pages=Pages(delay=3600),
                ports=Ports(delays={(SMTP, 465): 3600}),
            )
        )
        for _ in range(turns):
            await asyncio.sleep(0)
        started = time.monotonic()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert time.monotonic() - started < SOON
        assert asyncio.all_tasks() == before


async def test_an_answer_leaves_no_task(providers: Providers) -> None:
    before = asyncio.all_tasks()

    await ask(SENDER, providers, names=Names(exchangers=EXCHANGER), pages=Pages(delay=3600))

    assert asyncio.all_tasks() == before


async def test_the_whole_way_over_real_connections(
    providers: Providers, zone: DnsStandIn, resolver: SystemResolver, web: WebStandIn
) -> None:
    zone.has(DOMAIN, "MX", f"10 mx.{DOMAIN}.")
    zone.fails(f"_submission._tcp.{DOMAIN}", Fault.SERVER_FAILURE)
    web.on(FIRST, Answer(body=GOOD))

    async with web.session() as session:
        found = await discover(
            SENDER,
            resolver=resolver,
            fetch=SessionFetch(session, (aiohttp.ClientError,)),
            listen=Ports(),
            providers=providers,
        )

    assert found.origin is Origin.AUTOCONFIG
    assert found.best == Candidate("smtp.stand-in.email", 465, Encryption.TLS)


async def test_everything_slow_and_hostile_at_once_still_ends_in_time(
    providers: Providers, zone: DnsStandIn, resolver: SystemResolver, web: WebStandIn
) -> None:
    for name in (DOMAIN, f"_submissions._tcp.{DOMAIN}", f"_submission._tcp.{DOMAIN}"):
        zone.fails(name, Fault.SILENCE)
    web.on(FIRST, Answer(endless=True, drip=0.05))
    started = time.monotonic()

    async with web.session() as session:
        found = await discover(
            SENDER,
            resolver=resolver,
            fetch=SessionFetch(session, (aiohttp.ClientError,)),
            listen=Ports(OPEN, delays={(SMTP, 465): 0.2}),
            providers=providers,
            deadline=1.0,
        )

    assert found.origin is Origin.GUESS
    assert time.monotonic() - started < SOON
    await asyncio.sleep(0.2)
    assert web.open == 0

"""The provider's own configuration file, from wherever it leads."""

import time
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from custom_components.email_courier.mail.address import Mailbox
from custom_components.email_courier.mail.discovery import autoconfig
from custom_components.email_courier.mail.discovery.autoconfig import by_autoconfig
from custom_components.email_courier.mail.discovery.model import (
    Candidate,
    Discovery,
    LookupFailed,
    Origin,
    SecretKind,
)
from custom_components.email_courier.mail.discovery.providers import Providers
from custom_components.email_courier.mail.discovery.web import Page, SessionFetch
from custom_components.email_courier.mail.settings import Encryption
from tests.support.clock import SOON

from .doubles import DOMAIN, SENDER, Pages
from .test_clientconfig import BILLION_LAUGHS, GOOD
from .web_stand_in import Answer, WebStandIn, redirect

FIRST = f"autoconfig.{DOMAIN}/mail/config-v1.1.xml"
SECOND = f"{DOMAIN}/.well-known/autoconfig/mail/config-v1.1.xml"


def server(
    host: str,
    port: int | str,
    socket_type: str,
    username: str = "%EMAILADDRESS%",
    authentication: str = "password-cleartext",
) -> str:
    """Write one server as the format has it."""
    return (
        f'<outgoingServer type="smtp"><hostname>{host}</hostname><port>{port}</port>'
        f"<socketType>{socket_type}</socketType><username>{username}</username>"
        f"<authentication>{authentication}</authentication></outgoingServer>"
    )


def document(*servers: str) -> bytes:
    """Write a whole file."""
    return (
        f"<clientConfig><emailProvider>{''.join(servers)}</emailProvider></clientConfig>"
    ).encode()


async def read(body: bytes, mailbox: Mailbox, providers: Providers) -> Discovery | None:
    """Discover from one file at the first place."""
    pages = Pages({f"https://{FIRST}": Page(200, None, body)})
    return await by_autoconfig(mailbox, pages, providers)


async def discover(web: WebStandIn, mailbox: Mailbox, providers: Providers) -> Discovery | None:
    """Discover over real connections."""
    async with web.session() as session:
        fetch = SessionFetch(session, (aiohttp.ClientError,))
        return await by_autoconfig(mailbox, fetch, providers)


async def test_the_file_at_the_first_place_is_read(
    web: WebStandIn, mailbox: Mailbox, providers: Providers
) -> None:
    web.on(FIRST, Answer(body=GOOD))

    found = await discover(web, mailbox, providers)

    assert found is not None
    assert found.origin is Origin.AUTOCONFIG
    assert found.candidates == (
        Candidate("smtp.stand-in.email", 465, Encryption.TLS),
        Candidate("smtp2.stand-in.email", 587, Encryption.STARTTLS),
    )
    assert found.username == "jane.doe"
    assert found.secret is SecretKind.PASSWORD


async def test_the_file_at_the_second_place_is_read(
    web: WebStandIn, mailbox: Mailbox, providers: Providers
) -> None:
    web.on(SECOND, Answer(body=GOOD))

    found = await discover(web, mailbox, providers)

    assert found is not None
    assert found.best == Candidate("smtp.stand-in.email", 465, Encryption.TLS)


async def test_only_the_provider_hears_the_address_and_only_at_its_own_host(
    web: WebStandIn, mailbox: Mailbox, providers: Providers
) -> None:
    with pytest.raises(LookupFailed):
        await discover(web, mailbox, providers)

    heard = {request.host: urlsplit(request.target) for request in web.requests}
    assert len(web.requests) == len(heard) == 2
    assert heard[f"autoconfig.{DOMAIN}"].path == "/mail/config-v1.1.xml"
    assert parse_qs(heard[f"autoconfig.{DOMAIN}"].query) == {"emailaddress": [SENDER]}
    assert heard[DOMAIN].path == "/.well-known/autoconfig/mail/config-v1.1.xml"
    assert heard[DOMAIN].query == ""


async def test_an_address_cannot_smuggle_anything_into_the_url(
    web: WebStandIn, providers: Providers
) -> None:
    address = f"a&b=c#d/e+f%40@{DOMAIN}"

    with pytest.raises(LookupFailed):
        await discover(web, Mailbox(address), providers)

    target = next(r.target for r in web.requests if r.host == f"autoconfig.{DOMAIN}")
    assert parse_qs(urlsplit(target).query) == {"emailaddress": [address]}


async def test_a_redirect_over_https_is_followed(
    web: WebStandIn, mailbox: Mailbox, providers: Providers
) -> None:
    web.on(FIRST, redirect("https://hosting.email/customers.xml"))
    web.on("hosting.email/customers.xml", redirect("/v2.xml", 307))
    web.on("hosting.email/v2.xml", Answer(body=GOOD))

    found = await discover(web, mailbox, providers)

    assert found is not None
    assert found.best == Candidate("smtp.stand-in.email", 465, Encryption.TLS)


@pytest.mark.parametrize(
    "location",
    [
        f"http://{FIRST}",
        "http://hosting.email/config.xml",
        "//127.0.0.1/config.xml",
        "https://127.0.0.1/config.xml",
        "https://[::1]/config.xml",
        "https://[::1/config.xml",
        "https://localhost/config.xml",
        "https://router.local/config.xml",
        "https://supervisor/config.xml",
        "file:///etc/passwd",
        "ftp://hosting.email/config.xml",
    ],
)
async def test_a_redirect_to_anything_but_a_public_host_over_https_is_refused(
    mailbox: Mailbox, providers: Providers, location: str
) -> None:
    pages = Pages({f"https://{FIRST}": Page(302, location, b""), location: Page(200, None, GOOD)})

    with pytest.raises(LookupFailed):
        await by_autoconfig(mailbox, pages, providers)

    assert len(pages.asked) == 2


async def test_a_redirect_to_http_sends_no_packet(
    web: WebStandIn, mailbox: Mailbox, providers: Providers
) -> None:
    web.on(FIRST, redirect(f"http://{SECOND}"))

    with pytest.raises(LookupFailed):
        await discover(web, mailbox, providers)

    assert len(web.requests) == web.connections == 2


async def test_a_chain_of_redirects_comes_to_an_end(
    web: WebStandIn, mailbox: Mailbox, providers: Providers
) -> None:
    web.on(FIRST, redirect(f"https://{FIRST}"))

    with pytest.raises(LookupFailed):
        await discover(web, mailbox, providers)

    assert len([r for r in web.requests if r.host.startswith("autoconfig.")]) == 4


async def test_three_redirects_are_still_followed(
    web: WebStandIn, mailbox: Mailbox, providers: Providers
) -> None:
    web.on(FIRST, redirect("https://hosting.email/1"))
    web.on("hosting.email/1", redirect("https://hosting.email/2"))
    web.on("hosting.email/2", redirect("https://hosting.email/3"))
    web.on("hosting.email/3", Answer(body=GOOD))

    assert await discover(web, mailbox, providers) is not None


async def test_a_file_that_is_too_large_is_refused(
    web: WebStandIn, mailbox: Mailbox, providers: Providers
) -> None:
    web.on(FIRST, Answer(body=GOOD + b" " * autoconfig.MAX_BYTES))
    web.on(SECOND, Answer(endless=True))

    with pytest.raises(LookupFailed, match="too large"):
        await discover(web, mailbox, providers)


async def test_a_file_of_just_the_allowed_size_is_read(
    mailbox: Mailbox, providers: Providers
) -> None:
    body = GOOD + b" " * (autoconfig.MAX_BYTES - len(GOOD))

    assert await read(body, mailbox, providers) is not None


async def test_an_xml_bomb_is_refused(
    web: WebStandIn, mailbox: Mailbox, providers: Providers
) -> None:
    web.on(FIRST, Answer(body=BILLION_LAUGHS))

    with pytest.raises(LookupFailed):
        await discover(web, mailbox, providers)


async def test_an_endless_drip_at_one_place_does_not_hide_the_other(
    web: WebStandIn, mailbox: Mailbox, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autoconfig, "PATIENCE", 0.6)
    web.on(FIRST, Answer(endless=True, drip=0.05))
    web.on(SECOND, Answer(body=GOOD))
    started = time.monotonic()

    found = await discover(web, mailbox, providers)

    assert found is not None
    assert time.monotonic() - started < SOON


@pytest.mark.parametrize(
    "page",
    [
        Page(404, None, b""),
        Page(500, None, GOOD),
        Page(302, None, b""),
        Page(200, None, b"<html>Welcome</html"),
        Page(204, None, b""),
    ],
)
async def test_a_place_without_a_file_is_a_failed_lookup(
    mailbox: Mailbox, providers: Providers, page: Page
) -> None:
    pages = Pages({f"https://{FIRST}": page, f"https://{SECOND}": page})

    with pytest.raises(LookupFailed):
        await by_autoconfig(mailbox, pages, providers)


async def test_encrypted_servers_drive_out_plain_ones(
    mailbox: Mailbox, providers: Providers
) -> None:
    found = await read(
        document(
            server("smtp.stand-in.email", 25, "plain"),
            server("smtp.stand-in.email", 587, "STARTTLS"),
        ),
        mailbox,
        providers,
    )

    assert found is not None
    assert found.candidates == (Candidate("smtp.stand-in.email", 587, Encryption.STARTTLS),)


async def test_a_plain_server_is_named_where_there_is_no_other(
    mailbox: Mailbox, providers: Providers
) -> None:
    found = await read(document(server("smtp.stand-in.email", 25, "plain")), mailbox, providers)

    assert found is not None
    assert found.best == Candidate("smtp.stand-in.email", 25, Encryption.NONE)


@pytest.mark.parametrize(
    "entry",
    [
        server("localhost", 465, "SSL"),
        server("192.0.2.1", 465, "SSL"),
        server("smtp.stand-in.email", 0, "SSL"),
        server("smtp.stand-in.email", 70000, "SSL"),
        server("smtp.stand-in.email", 465, "magic"),
        server("smtp stand-in email", 465, "SSL"),
        server("", 465, "SSL"),
    ],
)
async def test_a_server_that_cannot_be_connected_to_is_passed_over(
    mailbox: Mailbox, providers: Providers, entry: str
) -> None:
    with pytest.raises(LookupFailed):
        await read(document(entry), mailbox, providers)


async def test_files_that_name_no_usable_server_say_nothing(
    mailbox: Mailbox, providers: Providers
) -> None:
    useless = Page(200, None, document(server("smtp.stand-in.email", 0, "SSL")))
    pages = Pages({f"https://{FIRST}": useless, f"https://{SECOND}": useless})
    assert await by_autoconfig(mailbox, pages, providers) is None


async def test_a_server_elsewhere_is_trusted_because_the_domain_itself_said_so(
    mailbox: Mailbox, providers: Providers
) -> None:
    found = await read(document(server("mail.hosting.email", 465, "SSL")), mailbox, providers)

    assert found is not None
    assert found.best == Candidate("mail.hosting.email", 465, Encryption.TLS, verified=True)


async def test_a_known_providers_server_brings_its_hints(
    mailbox: Mailbox, providers: Providers
) -> None:
    found = await read(document(server("smtp.gmail.com", 465, "SSL")), mailbox, providers)

    assert found is not None
    assert found.origin is Origin.AUTOCONFIG
    assert found.provider is not None
    assert found.provider.key == "gmail"
    assert found.secret is SecretKind.APP_PASSWORD


@pytest.mark.parametrize(
    ("username", "authentication", "expected", "secret"),
    [
        ("%EMAILLOCALPART%", "password-encrypted", "jane.doe", SecretKind.PASSWORD),
        ("", "password-cleartext", SENDER, SecretKind.PASSWORD),
        ("%EMAILADDRESS%", "OAuth2", SENDER, SecretKind.OAUTH),
        ("%EMAILADDRESS%", "none", None, SecretKind.PASSWORD),
        ("x" * 300, "password-cleartext", SENDER, SecretKind.PASSWORD),
        ("a&#9;b", "password-cleartext", SENDER, SecretKind.PASSWORD),
    ],
)
async def test_the_username_is_what_the_file_says_where_that_can_be(
    mailbox: Mailbox,
    providers: Providers,
    username: str,
    authentication: str,
    expected: str | None,
    secret: SecretKind,
) -> None:
    found = await read(
        document(server("smtp.stand-in.email", 465, "SSL", username, authentication)),
        mailbox,
        providers,
    )

    assert found is not None
    assert found.username == expected
    assert found.secret is secret

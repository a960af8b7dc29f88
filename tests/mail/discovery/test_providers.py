"""The table of providers, row by row."""

from collections import Counter
from urllib.parse import urlsplit

import pytest

from custom_components.email_courier.mail.address import Mailbox
from custom_components.email_courier.mail.discovery.model import (
    Hint,
    Provider,
    SecretKind,
    UsernameForm,
)
from custom_components.email_courier.mail.discovery.providers import Providers, load
from custom_components.email_courier.mail.hostname import is_host_name
from custom_components.email_courier.mail.settings import Encryption, is_loopback

ROWS = list(load())

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)

WELL_KNOWN = [
    "gmail",
    "outlook",
    "microsoft_365",
    "yahoo",
    "icloud",
    "aol",
    "gmx",
    "web_de",
    "t_online",
    "mail_de",
    "posteo",
    "mailbox_org",
    "proton_bridge",
    "fastmail",
    "zoho",
    "yandex",
    "qq",
    "163",
    "126",
    "sina",
    "aliyun",
    "naver",
    "orange_fr",
    "free",
    "libero",
    "seznam",
    "resend",
    "brevo",
    "sendgrid",
    "mailgun",
    "mailjet",
    "postmark",
    "amazon_ses",
    "smtp2go",
    "sparkpost",
    "mailtrap",
    "gandi",
    "ovh",
    "ionos_de",
    "strato",
    "hetzner",
    "infomaniak",
    "google_workspace",
    "google_workspace_relay",
    "loops",
    "sendpulse",
    "turbosmtp",
    "turbosmtp_eu",
    "tipimail",
    "sendcloud",
]


def test_the_table_is_large() -> None:
    assert len(ROWS) >= 100
    assert len(load()) == len(ROWS)


@pytest.mark.parametrize("key", WELL_KNOWN)
def test_a_well_known_provider_is_in_the_table(key: str) -> None:
    assert key in {row.key for row in ROWS}


def test_no_key_domain_or_exchanger_stands_twice() -> None:
    for values in (
        [row.key for row in ROWS],
        [domain for row in ROWS for domain in row.domains],
        [suffix for row in ROWS for suffix in row.mx_suffixes],
    ):
        assert [value for value, times in Counter(values).items() if times > 1] == []


@every_row
def test_a_row_has_a_name_a_source_and_a_help_page(row: Provider) -> None:
    assert row.name
    assert row.sources
    assert all(source.strip() for source in row.sources)
    help_page = urlsplit(row.help_url)
    assert help_page.scheme == "https"
    assert is_host_name(help_page.hostname or "")


@every_row
def test_a_row_never_says_plain(row: Provider) -> None:
    assert row.servers
    for server in row.servers:
        assert server.encryption in {Encryption.TLS, Encryption.STARTTLS}
        assert server.verified


@every_row
def test_a_row_has_servers_that_can_be_connected_to(row: Provider) -> None:
    for server in row.servers:
        assert is_host_name(server.host) or is_loopback(server.host)
        assert 0 < server.port < 65536
        if server.port == 465:
            assert server.encryption is Encryption.TLS
        if server.port in {587, 2525}:
            assert server.encryption is Encryption.STARTTLS
    assert len(set(row.servers)) == len(row.servers)


@every_row
def test_a_row_prefers_tls_from_the_first_byte_on_the_same_host(row: Provider) -> None:
    first = row.servers[0]
    if first.encryption is Encryption.STARTTLS:
        assert not any(
            other.encryption is Encryption.TLS for other in row.servers if other.host == first.host
        )


@every_row
def test_a_row_has_domains_as_dns_writes_them(row: Provider) -> None:
    assert all(is_host_name(name) for name in (*row.domains, *row.mx_suffixes))


@every_row
def test_a_row_fixes_a_username_or_does_not(row: Provider) -> None:
    assert (row.username is UsernameForm.FIXED) is bool(row.username_name)


def test_every_hint_is_used() -> None:
    assert {hint for row in ROWS for hint in row.hints} == set(Hint)


@pytest.mark.parametrize(
    ("domain", "key"),
    [
        ("gmail.com", "gmail"),
        ("hotmail.co.uk", "outlook"),
        ("yahoo.de", "yahoo"),
        ("pm.me", "proton_bridge"),
    ],
)
def test_a_domain_finds_its_provider(providers: Providers, domain: str, key: str) -> None:
    row = providers.by_domain(domain)
    assert row is not None
    assert row.key == key


@pytest.mark.parametrize("domain", ["notgmail.com", "mail.gmail.com", "com", ""])
def test_another_domain_finds_none(providers: Providers, domain: str) -> None:
    assert providers.by_domain(domain) is None


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("aspmx.l.google.com", "google_workspace"),
        ("smtp.google.com", "google_workspace"),
        ("alt1.aspmx.l.google.com", "google_workspace"),
        ("aspmx2.googlemail.com", "google_workspace"),
        ("contoso-com.mail.protection.outlook.com", "microsoft_365"),
        ("contoso-com.o-v1.mx.microsoft", "microsoft_365"),
        ("eur.olc.protection.outlook.com", "outlook"),
        ("mx.zoho.eu", "zoho_workplace_eu"),
        ("mx2.zoho.com", "zoho_workplace"),
        ("in1-smtp.messagingengine.com", "fastmail"),
        ("mta5.am0.yahoodns.net", "yahoo"),
        ("mx-aol.mail.gm0.yahoodns.net", "aol"),
        ("mx01.mail.icloud.com", "icloud_custom"),
        ("spool.mail.gandi.net", "gandi"),
        ("mx00.kundenserver.de", "ionos_de"),
        ("smtpin.rzone.de", "strato"),
        ("www123.your-server.de", "hetzner"),
        ("mta-gw.infomaniak.ch", "infomaniak"),
        ("mx1.mail.ovh.net", "ovh"),
        ("mxext1.mailbox.org", "mailbox_org"),
        ("mail.protonmail.ch", "proton_bridge"),
    ],
)
def test_a_mail_exchanger_finds_its_provider(providers: Providers, host: str, key: str) -> None:
    row = providers.by_mail_exchanger(host)
    assert row is not None
    assert row.key == key


@pytest.mark.parametrize("host", ["mx.evilgoogle.com", "mx.stand-in.email", "com", ""])
def test_another_mail_exchanger_finds_none(providers: Providers, host: str) -> None:
    assert providers.by_mail_exchanger(host) is None


def test_a_server_finds_its_provider(providers: Providers) -> None:
    gmail = providers.by_server("smtp.gmail.com")
    resend = providers.by_server("smtp.resend.com")
    assert gmail is not None
    assert gmail.key == "gmail"
    assert resend is not None
    assert resend.username_name == "resend"
    assert providers.by_server("smtp.stand-in.email") is None


def test_a_service_that_takes_no_ordinary_mail_says_so(providers: Providers) -> None:
    loops = providers.by_server("smtp.loops.so")
    assert loops is not None
    assert Hint.TEMPLATES_ONLY in loops.hints


def test_loopback_names_no_provider(providers: Providers) -> None:
    assert providers.by_server("127.0.0.1") is None


@pytest.mark.parametrize(
    ("key", "username"),
    [
        ("gmail", "jane@stand-in.email"),
        ("web_de", "jane"),
        ("resend", "resend"),
        ("sendgrid", "apikey"),
        ("sparkpost", "SMTP_Injection"),
        ("mailtrap", "api"),
        ("amazon_ses", None),
        ("icloud_custom", None),
        ("bol", "jane"),
        ("free", "jane"),
        ("free_older", "jane@stand-in.email"),
        ("laposte", "jane"),
        ("wp_pl", "jane"),
        ("loops", "loops"),
        ("google_workspace_relay", "jane@stand-in.email"),
        ("tipimail", None),
        ("sendcloud", None),
    ],
)
def test_a_username_follows_from_the_address_where_it_can(key: str, username: str | None) -> None:
    row = next(row for row in ROWS if row.key == key)
    assert row.username_for(Mailbox("jane@stand-in.email")) == username


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("gmail", SecretKind.APP_PASSWORD),
        ("icloud", SecretKind.APP_PASSWORD),
        ("outlook", SecretKind.OAUTH),
        ("qq", SecretKind.AUTHORIZATION_CODE),
        ("163", SecretKind.AUTHORIZATION_CODE),
        ("126", SecretKind.AUTHORIZATION_CODE),
        ("sina", SecretKind.AUTHORIZATION_CODE),
        ("resend", SecretKind.API_KEY),
        ("proton_bridge", SecretKind.BRIDGE_PASSWORD),
        ("strato", SecretKind.PASSWORD),
    ],
)
def test_a_row_knows_what_kind_of_secret_is_wanted(key: str, secret: SecretKind) -> None:
    assert next(row for row in ROWS if row.key == key).secret is secret


def test_proton_mail_is_reached_through_its_bridge_on_this_machine(providers: Providers) -> None:
    row = providers.by_domain("proton.me")
    assert row is not None
    assert (row.servers[0].host, row.servers[0].port) == ("127.0.0.1", 1025)
    assert row.servers[0].encryption is Encryption.STARTTLS
    assert Hint.SELF_SIGNED_CERTIFICATE in row.hints


def test_the_table_is_read_once() -> None:
    assert load() is load()

"""Which domains are asked about at all."""

import pytest

from custom_components.email_courier.mail.hostname import (
    is_host_name,
    is_special_use,
    is_within,
)


@pytest.mark.parametrize(
    "domain",
    [
        "localhost",
        "nas",
        "test",
        "mail.test",
        "home.invalid",
        "a.b.example",
        "example.com",
        "mail.example.org",
        "example.net",
        "printer.local",
        "my.home.arpa",
        "ha.internal",
        "x.localhost",
        "abc.onion",
        "[192.0.2.1]",
        "[IPv6:2001:db8::1]",
    ],
)
def test_a_special_use_domain_is_known_as_one(domain: str) -> None:
    assert is_special_use(domain)


@pytest.mark.parametrize(
    "domain", ["gmail.com", "myexample.com", "example.com.pl", "latest.net", "local.host", "in.de"]
)
def test_a_domain_that_merely_looks_like_one_is_public(domain: str) -> None:
    assert not is_special_use(domain)


def test_a_host_lies_within_its_domain_at_label_borders_only() -> None:
    assert is_within("smtp.stand-in.email", "stand-in.email")
    assert is_within("stand-in.email", "stand-in.email")
    assert not is_within("evil-stand-in.email", "stand-in.email")
    assert not is_within("stand-in.email.evil.net", "stand-in.email")


@pytest.mark.parametrize("name", ["smtp.mail.me.com", "a-b.xn--p1ai", "mx_1.host.de", "1und1.de"])
def test_a_full_host_name_is_one(name: str) -> None:
    assert is_host_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "localhost",
        "127.0.0.1",
        "::1",
        "a..b",
        ".de",
        "de.",
        "-a.de",
        "a-.de",
        "a b.de",
        "a\r\n.de",
        "a/b.de",
        "user@host.de",
        "host.de:25",
        "\\032x.de",
        "a" * 64 + ".de",
        ("a" * 60 + ".") * 5 + "de",
    ],
)
def test_what_is_no_full_host_name_is_none(name: str) -> None:
    assert not is_host_name(name)

"""Which settings cross a network in clear, and whose certificates they believe."""

import pytest

from custom_components.email_courier.mail.settings import (
    Deadlines,
    Encryption,
    Login,
    ServerSettings,
    TokenLogin,
    Trust,
    is_loopback,
)
from tests.support.tokens import Tokens

LOGIN = Login("anna", "0pen-Sesame")


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost.", "mail.localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"],
)
def test_this_machine_is_known_by_its_names_and_addresses(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["mail.example.test", "localhost.example.test", "notlocalhost", "192.168.1.4", "::2", ""],
)
def test_anything_else_is_another_machine(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("encryption", "host", "login", "in_clear"),
    [
        (Encryption.NONE, "mail.example.test", LOGIN, True),
        (Encryption.NONE, "localhost", LOGIN, False),
        (Encryption.NONE, "mail.example.test", None, False),
        (Encryption.NONE, "mail.example.test", TokenLogin("anna", Tokens("t")), False),
        (Encryption.STARTTLS, "mail.example.test", LOGIN, False),
        (Encryption.TLS, "mail.example.test", LOGIN, False),
    ],
)
def test_a_password_crosses_a_network_in_clear_only_without_encryption(
    encryption: Encryption, host: str, login: Login | TokenLogin | None, in_clear: bool
) -> None:
    settings = ServerSettings(host, 25, encryption, login=login)
    assert settings.sends_password_in_clear is in_clear


@pytest.mark.parametrize(
    ("trust", "checked"),
    [
        (Trust(), True),
        (Trust(ca_file="ca.pem"), True),
        (Trust(verify=False), False),
        (Trust(fingerprint="ab"), False),
        (Trust(verify=False, fingerprint="ab"), False),
    ],
)
def test_authorities_are_asked_unless_one_certificate_or_none_counts(
    trust: Trust, checked: bool
) -> None:
    assert trust.checks_chain is checked


def test_no_secret_is_shown() -> None:
    assert "0pen-Sesame" not in repr(LOGIN)


@pytest.mark.parametrize("limit", [10.0, 30.0, 120.0])
def test_one_time_limit_moves_every_limit_below_it(limit: float) -> None:
    deadlines, usual = Deadlines().within(limit), Deadlines()
    assert deadlines.handshake == limit
    for name in ("connect", "greeting"):
        moved, before = getattr(deadlines, name), getattr(usual, name)
        assert moved == pytest.approx(before * limit / usual.handshake)
    assert deadlines.final_reply == usual.final_reply

"""Which other protocol greets like SMTP."""

import pytest

from custom_components.email_courier.mail.smtp.protocol import name_in_greeting


@pytest.mark.parametrize(
    ("greeting", "name"),
    [
        ("ProFTPD Server (Home) [192.0.2.1]", "FTP"),
        ("(vsFTPd 3.0.3)", "FTP"),
        ("---------- Welcome to Pure-FTPd [privsep] ----------", "FTP"),
        ("mail.example.test FTP server ready.", "FTP"),
        ("news.example.test NNTP ready", "NNTP"),
        ("example.test Usenet: welcome", "NNTP"),
    ],
)
def test_a_whole_word_names_a_protocol(greeting: str, name: str) -> None:
    assert name_in_greeting(greeting) == name


@pytest.mark.parametrize(
    "greeting",
    [
        "mail.swiftpost.example ready",
        "ftp-relay.example.test ready",
        "ftp.example.test ready",
        "loftpilot.example.test service ready",
        "usenetmail.example.test ready",
        "mx.giftpost.example Ready to serve (giftpost)",
        "ftp.example.test ESMTP, no FTP here",
    ],
)
def test_a_part_of_a_hosts_name_says_nothing(greeting: str) -> None:
    assert name_in_greeting(greeting) is None

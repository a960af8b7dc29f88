"""The demo's mail server takes mail from whoever logs in over TLS, and from nobody else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
import smtplib
import ssl

import pytest

from tests.support.certificates import Certificates, ServerTls

from .mail_server import LOOPBACK, Login, MailServer, mail_server

LOGIN = Login("home", "s3cret")
MAIL = b"Subject: Hello\r\n\r\n.\r\nBye\r\n"

CERTIFICATES = Certificates()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[MailServer]:
    """A running server."""
    context = CERTIFICATES.server_context(ServerTls.VALID)
    async with mail_server(LOGIN, context, tmp_path / "inbox") as running:
        yield running


def over_starttls(server: MailServer) -> smtplib.SMTP:
    """Connect to the one port."""
    client = smtplib.SMTP(server.host, server.starttls_port, timeout=10)
    client.starttls(context=CERTIFICATES.client_context())
    return client


def over_tls(server: MailServer) -> smtplib.SMTP:
    """Connect to the other port."""
    context: ssl.SSLContext = CERTIFICATES.client_context()
    return smtplib.SMTP_SSL(server.host, server.tls_port, timeout=10, context=context)


@pytest.mark.parametrize("connect", [over_starttls, over_tls])
async def test_a_mail_is_kept_as_it_was_sent(
    server: MailServer, connect: Callable[[MailServer], smtplib.SMTP]
) -> None:
    def send() -> None:
        with connect(server) as client:
            client.login(LOGIN.username, LOGIN.password)
            client.sendmail("a@courier.test", ["b@courier.test", "c@courier.test"], MAIL)

    await asyncio.to_thread(send)
    (mail,) = await server.inbox.wait_for(1)
    assert mail.content == MAIL
    assert mail.file.read_bytes() == MAIL
    assert mail.sender == "a@courier.test"
    assert mail.recipients == ("b@courier.test", "c@courier.test")
    assert mail.username == LOGIN.username
    assert mail.message["Subject"] == "Hello"


@pytest.mark.parametrize("connect", [over_starttls, over_tls])
async def test_a_wrong_password_is_refused(
    server: MailServer, connect: Callable[[MailServer], smtplib.SMTP]
) -> None:
    def log_in() -> None:
        with connect(server) as client:
            client.login(LOGIN.username, "wrong")

    with pytest.raises(smtplib.SMTPAuthenticationError):
        await asyncio.to_thread(log_in)


@pytest.mark.parametrize("connect", [over_starttls, over_tls])
async def test_no_login_is_refused(
    server: MailServer, connect: Callable[[MailServer], smtplib.SMTP]
) -> None:
    def send() -> None:
        with connect(server) as client:
            client.sendmail("a@courier.test", ["b@courier.test"], MAIL)

    with pytest.raises(smtplib.SMTPSenderRefused):
        await asyncio.to_thread(send)
    assert server.inbox.mails == []


async def test_no_login_is_offered_without_tls(server: MailServer) -> None:
    def log_in() -> None:
        with smtplib.SMTP(LOOPBACK, server.starttls_port, timeout=10) as client:
            client.login(LOGIN.username, LOGIN.password)

    with pytest.raises(smtplib.SMTPNotSupportedError):
        await asyncio.to_thread(log_in)

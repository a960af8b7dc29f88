"""The test bed itself: what these servers take and refuse, seen with the standard library."""

from pathlib import Path
import shutil
import signal
import smtplib
import ssl
import subprocess
import sys
import time

import pytest

from tests.support.certificates import Certificates, ServerTls

from .fleet import ENCRYPTIONS, Fleet
from .people import (
    FULL,
    GREYLISTED,
    RECIPIENT,
    RECIPIENTS,
    REFUSED_SENDER,
    SENDER,
    UNKNOWN_RECIPIENT,
)
from .ports import listens
from .server import RunningServer

ROOT = Path(__file__).resolve().parents[2]

MAIL = "\r\n".join(
    (
        f"From: {SENDER}",
        f"To: {RECIPIENT}",
        "Subject: byte for byte",
        "Message-ID: <byte.for.byte@example.test>",
        "Date: Sat, 21 Nov 2026 12:00:00 +0000",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        ".",
        "..two dots",
        ".one dot",
        "Grüße, 日本語, trailing spaces  ",
        "From here on it is long:",
        "x" * 998,
        "",
        "",
        "the end",
        "",
    )
).encode()


def connect(server: RunningServer, service: str, certificates: Certificates) -> smtplib.SMTP:
    """Connect to a service of a server, up to EHLO, without login."""
    port, name = server.ports[service], "[127.0.0.1]"
    context = certificates.client_context()
    client = (
        smtplib.SMTP_SSL(server.host, port, local_hostname=name, context=context, timeout=10)
        if service == "tls"
        else smtplib.SMTP(server.host, port, local_hostname=name, timeout=10)
    )
    if service == "starttls":
        client.starttls(context=context)
    client.ehlo()
    return client


def log_in(client: smtplib.SMTP, server: RunningServer) -> None:
    """Log in where the server wants it."""
    if client.has_extn("auth"):
        client.login(server.username, server.password)


@pytest.mark.parametrize("service", ENCRYPTIONS)
def test_a_mail_is_delivered_byte_for_byte(
    server: RunningServer, service: str, certificates: Certificates
) -> None:
    with connect(server, service, certificates) as client:
        log_in(client, server)
        client.sendmail(SENDER, [RECIPIENT], MAIL, ["BODY=8BITMIME"])
    (mail,) = server.mails()
    assert mail.mailbox == "anna"
    assert mail.holds(MAIL)
    assert mail.message["Subject"] == "byte for byte"


def test_one_mail_reaches_many_mailboxes(server: RunningServer, certificates: Certificates) -> None:
    with connect(server, "starttls", certificates) as client:
        log_in(client, server)
        client.sendmail(SENDER, RECIPIENTS, MAIL, ["BODY=8BITMIME"])
    mails = server.mails(len(RECIPIENTS))
    assert sorted(mail.mailbox for mail in mails) == sorted(
        address.partition("@")[0] for address in RECIPIENTS
    )


@pytest.mark.parametrize("service", ["starttls", "tls"])
def test_a_wrong_password_is_refused(
    server: RunningServer, service: str, certificates: Certificates
) -> None:
    with (
        connect(server, service, certificates) as client,
        pytest.raises(smtplib.SMTPAuthenticationError) as refusal,
    ):
        client.login(server.username, "wrong")
    assert refusal.value.smtp_code == 535


@pytest.mark.parametrize("service", ["starttls", "tls"])
def test_nobody_sends_without_login(
    server: RunningServer, service: str, certificates: Certificates
) -> None:
    with connect(server, service, certificates) as client:
        assert client.mail(SENDER)[0] in (530, 553)


@pytest.mark.parametrize("service", ENCRYPTIONS)
def test_somebody_elses_address_is_refused_as_sender(
    server: RunningServer, service: str, certificates: Certificates
) -> None:
    with connect(server, service, certificates) as client:
        log_in(client, server)
        assert client.mail(REFUSED_SENDER)[0] in (530, 553)


def test_recipients_are_refused_for_now_and_for_good(
    server: RunningServer, certificates: Certificates
) -> None:
    with connect(server, "tls", certificates) as client:
        log_in(client, server)
        client.mail(SENDER)
        addresses = (GREYLISTED.address, FULL.address, UNKNOWN_RECIPIENT, RECIPIENT)
        codes = [client.rcpt(address)[0] for address in addresses]
    # OpenSMTPD finds no mailbox behind a name with 524, the others with 550.
    assert codes[:2] == [450, 452]
    assert codes[2] in (524, 550)
    assert codes[3] == 250


def test_the_services_without_encryption_offer_none(
    server: RunningServer, certificates: Certificates
) -> None:
    with connect(server, "none", certificates) as client:
        assert not client.has_extn("starttls")


def test_a_server_can_be_stopped_and_started_on_the_same_ports(
    server: RunningServer, certificates: Certificates
) -> None:
    ports = dict(server.ports)
    server.stop()
    try:
        assert not any(map(listens, ports.values()))
    finally:
        server.start()
    assert server.ports == ports
    with connect(server, "starttls", certificates) as client:
        log_in(client, server)
        client.sendmail(SENDER, [RECIPIENT], MAIL, ["BODY=8BITMIME"])
    assert server.mails()[0].holds(MAIL)


def test_a_stopped_server_leaves_no_process_and_no_mount(fleet: Fleet) -> None:
    before = Path("/proc/self/mountinfo").read_text()
    server = fleet.start("postfix")
    assert _processes_that_see(server.folder)
    server.stop()
    assert _processes_that_see(server.folder) == []
    assert Path("/proc/self/mountinfo").read_text() == before


def test_a_server_ends_with_the_tests_even_when_they_are_killed(
    fleet: Fleet, tmp_path: Path
) -> None:
    key, certificate = fleet.certificates.pem(ServerTls.VALID)
    (tmp_path / "key").write_bytes(key)
    (tmp_path / "certificate").write_bytes(certificate)
    folder = tmp_path / "postfix"
    program = (
        "import pathlib, sys, time\n"
        "from tests.servers.postfix import Postfix\n"
        "here = pathlib.Path(sys.argv[1])\n"
        "pem = (here / 'key').read_bytes(), (here / 'certificate').read_bytes()\n"
        "server = Postfix(here / 'postfix', pem)\n"
        "server.start()\n"
        "print(server.ports['open'], flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    ) as tests:
        assert tests.stdout is not None
        port = int(tests.stdout.readline())
        assert listens(port)
        tests.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while _processes_that_see(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _processes_that_see(folder) == []
    assert not listens(port)
    shutil.rmtree(folder)


def test_postfix_advertises_the_size_and_the_mechanisms_it_was_given(
    fleet: Fleet, certificates: Certificates
) -> None:
    server = fleet.start("postfix", size_limit=100_000, mechanisms=("SCRAM-SHA-256", "CRAM-MD5"))
    with connect(server, "tls", certificates) as client:
        assert client.esmtp_features["size"] == "100000"
        assert set(client.esmtp_features["auth"].split()) == {"SCRAM-SHA-256", "CRAM-MD5"}
        client.login(server.username, server.password)
        with pytest.raises(smtplib.SMTPSenderRefused, match=r"5\.3\.4"):
            client.sendmail(SENDER, [RECIPIENT], b"x" * 100_001)
    server.stop()


def test_postfix_can_refuse_a_sender_as_late_as_at_the_recipient(
    fleet: Fleet, certificates: Certificates
) -> None:
    server = fleet.start("postfix", refuses_late=True)
    with connect(server, "tls", certificates) as client:
        log_in(client, server)
        assert client.mail(REFUSED_SENDER)[0] == 250
        code, text = client.rcpt(RECIPIENT)
    assert (code, b"Sender address rejected" in text) == (553, True)
    server.stop()


@pytest.mark.parametrize("kind", [ServerTls.SELF_SIGNED, ServerTls.EXPIRED, ServerTls.OTHER_NAME])
@pytest.mark.parametrize("name", ["postfix", "dovecot", "exim", "opensmtpd"])
def test_a_server_shows_the_certificate_that_it_was_given(
    fleet: Fleet, certificates: Certificates, name: str, kind: ServerTls
) -> None:
    server = fleet.start(name, kind)
    for service in ("starttls", "tls"):
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(server, service, certificates)
    shown = ssl.get_server_certificate((server.host, server.ports["tls"]), timeout=10)
    assert shown.strip() == certificates.pem(kind)[1].decode().strip()
    server.stop()


def _processes_that_see(folder: Path) -> list[int]:
    """Return the processes in whose mount namespace an instance's folder is mounted."""
    seeing = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder.resolve()) in (entry / "mountinfo").read_text():
                seeing.append(int(entry.name))
        except OSError:
            continue
    return seeing

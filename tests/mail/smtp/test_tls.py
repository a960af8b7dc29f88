"""What a certificate says, and which one is the one that was trusted."""

from collections.abc import Callable
from datetime import UTC, datetime
import hashlib
import ipaddress
import os
from pathlib import Path
import ssl
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
import pytest

from custom_components.email_courier.mail.failure import FailureKind, MailError, Permanence, Stage
from custom_components.email_courier.mail.files import FileError, FileFault
from custom_components.email_courier.mail.settings import Trust, format_fingerprint
from custom_components.email_courier.mail.smtp.tls import (
    Certificate,
    build_context,
    check_certificate,
)

COMMON = x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.test")
COMPANY = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example\tLtd")
COUNTRY = x509.NameAttribute(NameOID.COUNTRY_NAME, "DE")


def _certificate(*subject: x509.NameAttribute[str], names: tuple[str, ...] = ()) -> bytes:
    """Return a certificate in DER that has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 2, tzinfo=UTC))
        .not_valid_after(datetime(2027, 3, 4, tzinfo=UTC))
    )
    if names:
        kinds: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        kinds.append(x509.IPAddress(ipaddress.ip_address("192.0.2.1")))
        builder = builder.add_extension(x509.SubjectAlternativeName(kinds), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_a_certificate_shows_what_a_person_recognises_it_by() -> None:
    der = _certificate(COUNTRY, COMMON, names=("mail.example.test", "smtp.example.test"))
    fingerprint = hashlib.sha256(der).hexdigest()
    certificate = Certificate.parse(der)
    assert certificate.fingerprint == fingerprint
    assert certificate.facts() == {
        "fingerprint": format_fingerprint(fingerprint),
        "subject": "mail.example.test",
        "issuer": "mail.example.test",
        "not_before": "2026-01-02",
        "not_after": "2027-03-04",
        "names": "mail.example.test, smtp.example.test, 192.0.2.1",
    }


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ((COMPANY, COMMON), "mail.example.test"),
        ((COUNTRY, COMPANY), "Example Ltd"),
        ((COUNTRY,), "C=DE"),
        ((), ""),
    ],
)
def test_its_owner_is_named_as_well_as_can_be(
    subject: tuple[x509.NameAttribute[str], ...], shown: str
) -> None:
    certificate = Certificate.parse(_certificate(*subject))
    assert (certificate.subject, certificate.issuer) == (shown, shown)


def test_a_certificate_without_names_is_shown_with_its_owners() -> None:
    certificate = Certificate.parse(_certificate(COMMON))
    assert certificate.names == ()
    assert certificate.facts()["names"] == "mail.example.test"


def test_a_fingerprint_is_written_as_other_programs_do() -> None:
    assert format_fingerprint("ab01ff") == "AB:01:FF"


def test_a_connection_that_is_gone_has_shown_no_certificate() -> None:
    with pytest.raises(MailError) as caught:
        check_certificate(None, Trust())
    failure = caught.value.failure
    assert (failure.kind, failure.stage) == (FailureKind.TLS_FAILED, Stage.TLS)
    assert failure.permanence is Permanence.TEMPORARY


def _authority(path: Path) -> str:
    """Write a certificate as people do, with comments."""
    certificate = x509.load_der_x509_certificate(_certificate(COMMON))
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    path.write_text(f"# Behörde Süd\n{pem}\n# 終\n", encoding="utf-8")
    return str(path)


def _count(ca_file: str) -> int:
    before = build_context(Trust()).cert_store_stats()["x509"]
    return build_context(Trust(ca_file=ca_file)).cert_store_stats()["x509"] - before


def test_an_authority_is_believed_beside_the_others_whatever_stands_around_it(
    tmp_path: Path,
) -> None:
    assert _count(_authority(tmp_path / "ca.pem")) == 1


def test_the_file_of_an_authority_may_be_a_link(tmp_path: Path) -> None:
    _authority(tmp_path / "ca-2026.pem")
    (tmp_path / "ca.pem").symlink_to("ca-2026.pem")
    assert _count(str(tmp_path / "ca.pem")) == 1


def _huge(path: Path) -> None:
    _authority(path)
    os.truncate(path, 4_000_001)


def _looping(path: Path) -> None:
    path.symlink_to(path)


def _nothing(_: Path) -> None:
    return


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (os.mkfifo, FileFault.NOT_REGULAR),
        (Path.mkdir, FileFault.NOT_REGULAR),
        (_huge, FileFault.TOO_LARGE),
        (Path.touch, FileFault.EMPTY),
        (lambda path: path.write_bytes(b"\xff\xfe"), FileFault.UNREADABLE),
        (_looping, FileFault.UNREADABLE),
        (_nothing, FileFault.NOT_FOUND),
    ],
)
def test_what_can_be_no_authority_is_refused_without_waiting(
    tmp_path: Path, make: Callable[[Path], object], fault: FileFault
) -> None:
    path = tmp_path / "ca.pem"
    make(path)
    begun = time.monotonic()
    with pytest.raises(FileError) as raised:
        build_context(Trust(ca_file=str(path)))
    assert raised.value.fault is fault
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("content", ["no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_without_a_certificate_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(ssl.SSLError):
        build_context(Trust(ca_file=str(tmp_path / "ca.pem")))


def test_a_path_that_can_be_none_is_refused() -> None:
    with pytest.raises(FileError, match="null"):
        build_context(Trust(ca_file="a\0b"))


@pytest.mark.parametrize("der", [b"", b"\x30\x03\x02\x01\x05", b"no certificate at all"])
def test_what_cannot_be_read_has_a_fingerprint_all_the_same(der: bytes) -> None:
    certificate = Certificate.parse(der)
    assert certificate == Certificate(hashlib.sha256(der).hexdigest())
    facts = certificate.facts()
    assert facts["fingerprint"] == format_fingerprint(certificate.fingerprint)
    assert {facts[name] for name in ("subject", "issuer", "not_before", "not_after")} == {"-"}


def test_each_part_is_read_for_itself() -> None:
    der = _certificate(COMMON, names=("mail.example.test",))
    before, name, after = der.rpartition(b"mail.example.test")
    certificate = Certificate.parse(before + b"\xff" + name[1:] + after)
    assert (certificate.subject, certificate.names) == ("mail.example.test", ())


def test_an_own_authority_need_not_be_strict(tmp_path: Path) -> None:
    context = build_context(Trust(ca_file=_authority(tmp_path / "ca.pem")))
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname

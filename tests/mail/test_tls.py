"""What a certificate says, and which one is the one that was trusted."""

from datetime import UTC, datetime
import hashlib
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
import pytest

from custom_components.email_courier.mail.failure import (
    FailureKind,
    MailError,
    Permanence,
    Stage,
)
from custom_components.email_courier.mail.settings import Trust
from custom_components.email_courier.mail.tls import (
    Certificate,
    check_certificate,
    format_fingerprint,
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

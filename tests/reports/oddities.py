"""Certificates that OpenSSL takes and others stumble over."""

import base64
import datetime as dt
from enum import StrEnum
import hashlib
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = dt.timedelta(days=1)
_CRITICAL_TRUE = bytes.fromhex("0603551d130101ff")
"""The head of basicConstraints (2.5.29.19), marked as critical."""
_CRITICAL_FALSE = bytes.fromhex("0603551d13010100")
_ONE, _OTHER = x509.ObjectIdentifier("1.3.6.1.4.1.1"), x509.ObjectIdentifier("1.3.6.1.4.1.2")
_VERSION_3, _VERSION_2 = bytes.fromhex("a003020102"), bytes.fromhex("a003020101")


class OddCertificate(StrEnum):
    """What is odd about a self-signed certificate."""

    CRITICAL_FALSE = "critical FALSE written out"
    TWICE = "the same extension twice"
    VERSION_2 = "version 2 with extensions"
    NEGATIVE_SERIAL = "a negative serial number"
    EMPTY_SUBJECT = "no subject at all"


def odd_certificate(oddity: OddCertificate) -> tuple[bytes, bytes, str]:
    """Return key and certificate in PEM, and the SHA-256 of its DER in hex."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        []
        if oddity is OddCertificate.EMPTY_SUBJECT
        else [x509.NameAttribute(NameOID.COMMON_NAME, "odd.example.test")]
    )
    builder = _builder(key, name, name).serial_number(0x11223344556677)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    if oddity is OddCertificate.TWICE:
        for oid in (_ONE, _OTHER):
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, b"\x05\x00"), False)
    body = builder.sign(key, hashes.SHA256()).tbs_certificate_bytes
    match oddity:
        case OddCertificate.CRITICAL_FALSE:
            body = _swapped(body, _CRITICAL_TRUE, _CRITICAL_FALSE)
        case OddCertificate.TWICE:
            other, one = "06062b0601040102", "06062b0601040101"
            body = _swapped(body, bytes.fromhex(other), bytes.fromhex(one))
        case OddCertificate.VERSION_2:
            body = _swapped(body, _VERSION_3, _VERSION_2)
        case OddCertificate.NEGATIVE_SERIAL:
            body = _swapped(
                body, bytes.fromhex("020711223344556677"), bytes.fromhex("020791223344556677")
            )
        case OddCertificate.EMPTY_SUBJECT:
            pass
    der = _signed(body, key)
    return _pem_of(key), _armoured(der), hashlib.sha256(der).hexdigest()


def leaf_of_an_own_authority(oddity: str) -> tuple[bytes, bytes, bytes]:
    """Return key and certificate of a server, and its authority's certificate, all in PEM.

    What RFC 5280 asks of a certificate's form is left out, as people's own scripts do.
    """
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Home authority")])
    root = _builder(root_key, name, name).serial_number(x509.random_serial_number())
    is_critical = oddity != "basic_constraints_not_critical"
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), is_critical)
    identifier = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    if oddity != "no_subject_key":
        root = root.add_extension(identifier, False)
    if oddity != "no_key_usage":
        root = root.add_extension(_signs_certificates(), True)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.test")])
    leaf = _builder(key, subject, name).serial_number(x509.random_serial_number())
    leaf = leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    if oddity not in ("no_authority_key", "no_subject_key"):
        authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
        leaf = leaf.add_extension(authority, False)
    return (
        _pem_of(key),
        leaf.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        root.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
    )


def _builder(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, issuer: x509.Name
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 90 * _DAY)
        .add_extension(x509.SubjectAlternativeName(names), False)
    )


def _signs_certificates() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _swapped(body: bytes, old: bytes, new: bytes) -> bytes:
    """Change bytes that occur once, without changing any length."""
    assert body.count(old) == 1
    assert len(old) == len(new)
    return body.replace(old, new)


def _signed(body: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the DER of a certificate: its body, ecdsa-with-SHA256, and a signature."""
    signature = key.sign(body, ec.ECDSA(hashes.SHA256()))
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    return _der(0x30, body + algorithm + _der(0x03, b"\0" + signature))


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        head = bytes([length])
    else:
        size = (length.bit_length() + 7) // 8
        head = bytes([0x80 | size]) + length.to_bytes(size)
    return bytes([tag]) + head + content


def _armoured(der: bytes) -> bytes:
    text = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + text + b"-----END CERTIFICATE-----\n"


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

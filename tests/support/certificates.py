"""Certificates and TLS contexts for servers that are well or badly set up.

Everything is made afresh from keys in memory: no file of this kind is kept in the project.
"""

import datetime as dt
from enum import StrEnum
from functools import cache
import ipaddress
import ssl
import tempfile
import threading
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
import trustme

NAMES = ("localhost", "127.0.0.1", "::1", "mail.example.test", "*.example.test")
"""What the good certificates are valid for: the addresses of the test servers, and their names."""

OTHER_NAME = "shared.hosting.test"
"""What the certificate of `ServerTls.OTHER_NAME` is valid for: never the server that shows it."""

_DAY = dt.timedelta(days=1)


class ServerTls(StrEnum):
    """What a server shows to a client that opens TLS."""

    VALID = "valid"
    """A certificate that is right in every way."""
    EXPIRED = "expired"
    """A renewal that was forgotten yesterday."""
    NOT_YET_VALID = "not_yet_valid"
    """A certificate from the future: a server, or a client, whose clock is wrong."""
    OTHER_NAME = "other_name"
    """A good certificate for another name: shared hosting, or an alias such as `mail.`."""
    SELF_SIGNED = "self_signed"
    """Its own issuer: a server at home, Proton Mail Bridge, a fresh Postfix."""
    UNTRUSTED_AUTHORITY = "untrusted_authority"
    """Issued by a company's own authority, which the client was never told of."""
    INCOMPLETE_CHAIN = "incomplete_chain"
    """The intermediate certificate was left out of the server's file."""
    OLD_PROTOCOL = "old_protocol"
    """TLS 1.1 at most: a printer, a NAS or an Exchange of 2010."""
    WEAK_CIPHERS = "weak_ciphers"
    """TLS 1.2 with no cipher but one that does not encrypt, which every client refuses."""
    WEAK_KEY = "weak_key"
    """An RSA key of 1024 bits."""


class Certificates:
    """One authority that the client trusts, and a TLS context for each kind of server.

    Two objects share no key: a second one stands for a server whose certificate was changed.
    """

    def __init__(self) -> None:
        """Make the authorities; the servers' certificates are made when first asked for."""
        # A test may stop the clock at another day: all certificates are made as of this one.
        self._now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        self.authority = trustme.CA(organization_name="Test authority")
        self._stranger = trustme.CA(organization_name="Authority unknown to the client")
        self._intermediate = self.authority.create_child_ca()
        self._leaf = cache(self._make_leaf)
        self._context = cache(self._make_context)
        # `cache` may make a thing twice where two threads ask for it first at the same time: the
        # context would then show another certificate than the one whose fingerprint is told.
        self._making = threading.RLock()

    @property
    def authority_pem(self) -> str:
        """The certificate of the trusted authority, as a CA file holds it."""
        return self.authority.cert_pem.bytes().decode("ascii")

    def client_context(self) -> ssl.SSLContext:
        """A client's context with all checks on that trusts this object's authority only."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.authority.configure_trust(context)
        return context

    def server_context(self, kind: ServerTls) -> ssl.SSLContext:
        """The context of a server of this kind; the same object each time."""
        with self._making:
            return self._context(kind)

    def certificate(self, kind: ServerTls) -> x509.Certificate:
        """The leaf certificate that a server of this kind shows."""
        return x509.load_pem_x509_certificate(self.pem(kind)[1])

    def fingerprint(self, kind: ServerTls) -> str:
        """The SHA-256 of that certificate in DER, as 64 lowercase hexadecimal digits."""
        return self.certificate(kind).fingerprint(hashes.SHA256()).hex()

    def pem(self, kind: ServerTls) -> tuple[bytes, bytes]:
        """The private key and the certificate of a server of this kind, both in PEM."""
        with self._making:
            return self._leaf(kind)

    def _make_leaf(self, kind: ServerTls) -> tuple[bytes, bytes]:
        """Return the private key and the certificate of a server of this kind, both in PEM."""
        now = self._now
        if kind is ServerTls.SELF_SIGNED:
            return _self_signed(now)
        if kind is ServerTls.WEAK_KEY:
            return self._weak_key(now)
        leaf = self._issue(kind, now)
        # Only the leaf: the chain is what INCOMPLETE_CHAIN leaves out, and no other kind has one.
        return leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes()

    def _issue(self, kind: ServerTls, now: dt.datetime) -> trustme.LeafCert:
        """Return a certificate from one of the authorities."""
        issuer = {
            ServerTls.UNTRUSTED_AUTHORITY: self._stranger,
            ServerTls.INCOMPLETE_CHAIN: self._intermediate,
        }.get(kind, self.authority)
        names = (OTHER_NAME,) if kind is ServerTls.OTHER_NAME else NAMES
        start, end = now - 30 * _DAY, now + 90 * _DAY
        if kind is ServerTls.EXPIRED:
            end = now - _DAY
        elif kind is ServerTls.NOT_YET_VALID:
            start = now + _DAY
        # The cipher of WEAK_CIPHERS needs an RSA key: with another one nothing could be agreed
        # on for a reason that no real server has.
        key = trustme.KeyType.RSA if kind is ServerTls.WEAK_CIPHERS else trustme.KeyType.ECDSA
        return issuer.issue_cert(
            *names,
            common_name=OTHER_NAME if names == (OTHER_NAME,) else NAMES[3],
            not_before=start,
            not_after=end,
            key_type=key,
        )

    def _weak_key(self, now: dt.datetime) -> tuple[bytes, bytes]:
        """Return a key of 1024 bits and a certificate for it from the trusted authority."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
        authority = x509.load_pem_x509_certificate(self.authority.cert_pem.bytes())
        authority_key = serialization.load_pem_private_key(
            self.authority.private_key_pem.bytes(), None
        )
        assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
        authority_public = authority_key.public_key()
        certificate = (
            _builder(now, key.public_key())
            .issuer_name(authority.subject)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_public),
                critical=False,
            )
            .sign(authority_key, hashes.SHA256())
        )
        return _pem(key, certificate)

    def _make_context(self, kind: ServerTls) -> ssl.SSLContext:
        """Return a server's context with that kind's certificate, protocols and ciphers."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if kind is ServerTls.WEAK_KEY:
            context.set_ciphers("DEFAULT@SECLEVEL=0")
        elif kind is ServerTls.WEAK_CIPHERS:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers("NULL-SHA256@SECLEVEL=0")
        elif kind is ServerTls.OLD_PROTOCOL:
            context.set_ciphers("DEFAULT@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = ssl.TLSVersion.TLSv1_1
        key, certificate = self._leaf(kind)
        # `load_cert_chain` reads files only (https://github.com/python/cpython/issues/60691).
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(key + certificate)
            file.flush()
            context.load_cert_chain(file.name)
        return context


def _self_signed(now: dt.datetime) -> tuple[bytes, bytes]:
    """Return a key and a certificate that it signed itself, both in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(now, key.public_key())
    return _pem(key, builder.issuer_name(_subject()).sign(key, hashes.SHA256()))


def _builder(
    now: dt.datetime, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
) -> x509.CertificateBuilder:
    """Return what all certificates made here share; the issuer is still to be named."""
    names: list[x509.GeneralName] = []
    for name in NAMES:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            names.append(x509.DNSName(name))
    return (
        x509.CertificateBuilder()
        .subject_name(_subject())
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 90 * _DAY)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )


def _subject() -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMES[3])])


def _pem(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, certificate: x509.Certificate
) -> tuple[bytes, bytes]:
    return (
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        certificate.public_bytes(serialization.Encoding.PEM),
    )

"""TLS contexts for an account's trust, and what a certificate says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
import hashlib
import ssl
from typing import TYPE_CHECKING, NamedTuple
import warnings

from ..failure import Cause, Failure, FailureKind, MailError, Permanence, Stage
from ..files import FileError, FileFault, open_file
from ..reply import clean_text
from ..settings import Trust, format_fingerprint

if TYPE_CHECKING:
    from cryptography import x509

_MAX_AUTHORITIES = 4_000_000
"""Bytes. Ten times the list of all public authorities."""


def build_context(trust: Trust) -> ssl.SSLContext:
    """Make the context that a trust asks for. Reads files: never call it on an event loop.

    Raises OSError when the CA file cannot be read.
    """
    context = ssl.create_default_context()
    if not trust.checks_chain:
        return without_checks(context)
    if trust.ca_file is not None:
        add_authorities(context, trust.ca_file)
    return context


def add_authorities(context: ssl.SSLContext, ca_file: str) -> None:
    """Trust the authorities of a PEM file, too. Blocks.

    People's own authorities seldom keep to all of RFC 5280, such as its key identifiers, so its
    form is not insisted on; signatures, dates and names are checked as ever.
    Raises OSError, of which ssl.SSLError and FileError are kinds.
    """
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    pem = bytes(open_file(ca_file, limit=_MAX_AUTHORITIES))
    if not pem:
        raise FileError(FileFault.EMPTY)
    try:
        # Between the certificates there may be comments in any language.
        context.load_verify_locations(cadata=pem.decode("ascii", "ignore"))
    except ValueError as error:
        raise FileError(FileFault.UNREADABLE, str(error)) from error


def without_checks(context: ssl.SSLContext) -> ssl.SSLContext:
    """Switch the checks of a context off: for a fingerprint, which is checked afterwards."""
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Certificate(NamedTuple):
    """What a person needs to recognise a server's certificate.

    fingerprint: SHA-256 of the DER form, lower-case hex; what else cannot be read is empty.
    names: DNS names and IP addresses it is valid for.
    """

    fingerprint: str
    subject: str = ""
    issuer: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    names: tuple[str, ...] = ()

    @classmethod
    def parse(cls, der: bytes) -> Certificate:
        """Read a DER certificate. OpenSSL takes some that no other parser does."""
        from cryptography import x509  # noqa: PLC0415 - few connections need it

        fingerprint = hashlib.sha256(der).hexdigest()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            certificate = _read(lambda: x509.load_der_x509_certificate(der), None)
            if certificate is None:
                return cls(fingerprint)
            return cls(
                fingerprint,
                subject=_read(lambda: _name(certificate.subject), ""),
                issuer=_read(lambda: _name(certificate.issuer), ""),
                not_before=_read(lambda: certificate.not_valid_before_utc, None),
                not_after=_read(lambda: certificate.not_valid_after_utc, None),
                names=_read(lambda: _names(certificate), ()),
            )

    def facts(self) -> dict[str, str]:
        """Return all of it as named texts; a dash for what could not be read."""
        names = ", ".join(self.names) or self.subject
        return {
            "fingerprint": format_fingerprint(self.fingerprint),
            "subject": self.subject or "-",
            "issuer": self.issuer or "-",
            "not_before": "-" if self.not_before is None else f"{self.not_before:%Y-%m-%d}",
            "not_after": "-" if self.not_after is None else f"{self.not_after:%Y-%m-%d}",
            "names": names or "-",
        }


def check_certificate(der: bytes | None, trust: Trust) -> None:
    """Hold the server's certificate against the one that is trusted.

    der: None where the connection was lost right after the handshake. Raises MailError.
    """
    if der is None:
        raise MailError(Failure(FailureKind.TLS_FAILED, Stage.TLS, Permanence.TEMPORARY))
    expected = trust.fingerprint
    if expected is None or expected == hashlib.sha256(der).hexdigest():
        return
    raise MailError(
        Failure(
            FailureKind.CERTIFICATE_UNTRUSTED,
            Stage.TLS,
            Permanence.TEMPORARY,
            detail="not the certificate that was trusted",
            facts={
                "cause": Cause.OTHER_CERTIFICATE.value,
                "expected": expected,
                **Certificate.parse(der).facts(),
            },
        )
    )


def _name(name: x509.Name) -> str:
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        if attributes := name.get_attributes_for_oid(oid):
            return clean_text(attributes[0].value)
    return clean_text(name.rfc4514_string())


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509  # noqa: PLC0415

    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    names = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return tuple(clean_text(str(name)) for name in (*names, *addresses))


def _read[Value](part: Callable[[], Value], unreadable: Value) -> Value:
    """Return a part of a certificate; the parser raises errors of many kinds, some its own."""
    try:
        return part()
    except Exception:  # noqa: BLE001
        return unreadable

"""Each kind of server TLS fails, or not, for the reason that it stands for."""

from concurrent.futures import ThreadPoolExecutor
import hashlib
import ssl

from cryptography.hazmat.primitives import serialization
import pytest

from tests.support.certificates import NAMES, Certificates, ServerTls


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> str | None:
    """Shake hands in memory; returns the protocol. Raises ssl.SSLError of either side."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [ours, theirs]
    while waiting:
        for side in [*waiting]:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(side)
    return ours.version()


@pytest.mark.parametrize("name", [name.replace("*", "any") for name in NAMES])
def test_the_good_certificate_is_valid_for_every_address_of_the_servers(
    certificates: Certificates, name: str
) -> None:
    context = certificates.server_context(ServerTls.VALID)
    assert _handshake(certificates.client_context(), context, name) == "TLSv1.3"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (ServerTls.EXPIRED, "certificate has expired"),
        (ServerTls.NOT_YET_VALID, "certificate is not yet valid"),
        (ServerTls.OTHER_NAME, "Hostname mismatch"),
        (ServerTls.SELF_SIGNED, "self-signed certificate"),
        (ServerTls.UNTRUSTED_AUTHORITY, "unable to get local issuer certificate"),
        (ServerTls.INCOMPLETE_CHAIN, "unable to get local issuer certificate"),
        (ServerTls.WEAK_KEY, "EE certificate key too weak"),
    ],
)
def test_a_bad_certificate_is_refused_for_its_own_reason(
    certificates: Certificates, kind: ServerTls, words: str
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=words):
        _handshake(certificates.client_context(), certificates.server_context(kind), "localhost")


@pytest.mark.parametrize("kind", [ServerTls.OLD_PROTOCOL, ServerTls.WEAK_CIPHERS])
def test_outdated_tls_finds_nothing_in_common_with_a_client_of_today(
    certificates: Certificates, kind: ServerTls
) -> None:
    with pytest.raises(ssl.SSLError) as caught:
        _handshake(certificates.client_context(), certificates.server_context(kind), "localhost")
    assert not isinstance(caught.value, ssl.SSLCertVerificationError)


def test_the_fingerprint_is_that_of_the_certificate_on_the_wire(certificates: Certificates) -> None:
    kind = ServerTls.SELF_SIGNED
    der = certificates.certificate(kind).public_bytes(serialization.Encoding.DER)
    assert certificates.fingerprint(kind) == hashlib.sha256(der).hexdigest()


def test_two_sets_of_certificates_share_no_key(certificates: Certificates) -> None:
    other = Certificates().fingerprint(ServerTls.SELF_SIGNED)
    assert certificates.fingerprint(ServerTls.SELF_SIGNED) != other


def test_threads_that_ask_at_once_are_given_one_and_the_same_certificate() -> None:
    fresh = Certificates()
    with ThreadPoolExecutor(8) as pool:
        told = set(pool.map(fresh.fingerprint, [ServerTls.WEAK_CIPHERS] * 8))
    assert len(told) == 1

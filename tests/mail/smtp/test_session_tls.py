"""TLS: which certificate is accepted, and that nothing less than what was chosen ever happens."""

from copy import replace
import ssl

import pytest

from custom_components.email_courier.mail.failure import FailureKind, Permanence, Stage
from custom_components.email_courier.mail.settings import Encryption, Trust
from custom_components.email_courier.mail.smtp.session import Session
from custom_components.email_courier.mail.smtp.tls import build_context, without_checks
from tests.support.certificates import Certificates, ServerTls
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.network import Network
from tests.support.script import HEALTHY, HEALTHY_TLS, PLAIN_LOGIN, Script, Step, Tls, say
from tests.support.scripted_server import ScriptedServer
from tests.support.sessions import (
    LOGIN,
    SENDER,
    broken,
    context_for,
    failure_of,
    session_for,
    settings_for,
)

WITH_TLS = pytest.mark.parametrize("encryption", [Encryption.TLS, Encryption.STARTTLS])
SECRETS = [LOGIN.password, LOGIN.username, SENDER]


def _nothing_was_given_away(server: ScriptedServer) -> bool:
    return server.record.auth_commands == 0 and server.record.secrets_in_clear(SECRETS) == []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ServerTls.EXPIRED, FailureKind.CERTIFICATE_EXPIRED),
        (ServerTls.NOT_YET_VALID, FailureKind.CERTIFICATE_EXPIRED),
        (ServerTls.OTHER_NAME, FailureKind.CERTIFICATE_HOSTNAME_MISMATCH),
        (ServerTls.SELF_SIGNED, FailureKind.CERTIFICATE_UNTRUSTED),
        (ServerTls.UNTRUSTED_AUTHORITY, FailureKind.CERTIFICATE_UNTRUSTED),
        (ServerTls.INCOMPLETE_CHAIN, FailureKind.CERTIFICATE_UNTRUSTED),
        (ServerTls.OLD_PROTOCOL, FailureKind.TLS_FAILED),
        (ServerTls.WEAK_CIPHERS, FailureKind.TLS_FAILED),
    ],
)
@WITH_TLS
async def test_each_kind_of_bad_tls_has_its_name(
    bed: Bed, encryption: Encryption, kind: ServerTls, expected: FailureKind
) -> None:
    server = await bed.serve(broken(encryption, tls_kind=kind))
    async with nothing_left(server):
        failure = await failure_of(bed, server)
    assert (failure.kind, failure.stage) == (expected, Stage.TLS)
    assert failure.permanence is Permanence.TEMPORARY
    assert failure.server_words
    assert _nothing_was_given_away(server)


@WITH_TLS
async def test_a_weak_key_is_refused(bed: Bed, encryption: Encryption) -> None:
    server = await bed.serve(broken(encryption, tls_kind=ServerTls.WEAK_KEY))
    failure = await failure_of(bed, server)
    assert failure.kind in (FailureKind.TLS_FAILED, FailureKind.CERTIFICATE_UNTRUSTED)
    assert "weak" in failure.server_words
    assert _nothing_was_given_away(server)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "mail.example.test"])
@WITH_TLS
async def test_the_name_that_was_typed_is_held_against_the_certificate(
    bed: Bed, network: Network, encryption: Encryption, host: str
) -> None:
    server = await bed.serve(broken(encryption))
    network.add("mail.example.test", {server.port: server})
    session = session_for(bed, server, host=host)
    await session.open(sender=SENDER)
    session.quit()


@WITH_TLS
async def test_a_name_with_letters_outside_ascii_is_held_against_its_ascii_form(
    bed: Bed, network: Network, encryption: Encryption
) -> None:
    server = await bed.serve(broken(encryption))
    network.add("xn--bcher-kva.example.test", {server.port: server})
    session = session_for(bed, server, host="bücher.example.test")
    await session.open(sender=SENDER)
    session.quit()


@pytest.mark.parametrize(
    "kind", [ServerTls.SELF_SIGNED, ServerTls.OTHER_NAME, ServerTls.EXPIRED, ServerTls.VALID]
)
@WITH_TLS
async def test_the_one_certificate_that_was_trusted_is_accepted(
    bed: Bed, encryption: Encryption, kind: ServerTls
) -> None:
    server = await bed.serve(broken(encryption, tls_kind=kind))
    trust = Trust(fingerprint=bed.certificates.fingerprint(kind))
    session = session_for(bed, server, trust=trust)
    await session.open(sender=SENDER)
    assert session.certificate is not None
    assert session.certificate.fingerprint == trust.fingerprint
    session.quit()


@pytest.mark.parametrize("verify", [True, False])
@WITH_TLS
async def test_any_other_certificate_is_refused_then_even_a_good_one(
    bed: Bed, encryption: Encryption, verify: bool
) -> None:
    server = await bed.serve(broken(encryption))
    expected = Certificates().fingerprint(ServerTls.SELF_SIGNED)
    async with nothing_left(server):
        failure = await failure_of(bed, server, trust=Trust(verify=verify, fingerprint=expected))
    assert failure.kind is FailureKind.CERTIFICATE_UNTRUSTED
    assert failure.facts["expected"] == expected
    shown = bed.certificates.fingerprint(ServerTls.VALID)
    assert failure.facts["fingerprint"].replace(":", "").lower() == shown
    assert _nothing_was_given_away(server)


@pytest.mark.parametrize("kind", [ServerTls.SELF_SIGNED, ServerTls.EXPIRED, ServerTls.OTHER_NAME])
@WITH_TLS
async def test_without_verification_any_certificate_will_do(
    bed: Bed, encryption: Encryption, kind: ServerTls
) -> None:
    server = await bed.serve(broken(encryption, tls_kind=kind))
    session = session_for(bed, server, trust=Trust(verify=False))
    await session.open(sender=SENDER)
    assert session.encrypted
    session.quit()
    assert await server.all_closed()
    assert server.record.secrets_in_clear(SECRETS) == []


@WITH_TLS
async def test_an_authority_of_ones_own_is_believed(
    bed: Bed, encryption: Encryption, tmp_path_factory: pytest.TempPathFactory
) -> None:
    authority = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.write_text(bed.certificates.authority_pem)
    server = await bed.serve(broken(encryption))
    settings = settings_for(server, trust=Trust(ca_file=str(authority)))
    session = Session(settings, build_context(settings.trust))
    await session.open(sender=SENDER)
    session.quit()


def test_a_context_checks_unless_told_otherwise() -> None:
    context = build_context(Trust())
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    for trust in (Trust(verify=False), Trust(fingerprint="00")):
        context = build_context(trust)
        assert (context.check_hostname, context.verify_mode) == (False, ssl.CERT_NONE)


async def test_a_starttls_that_was_taken_out_on_the_way_gives_nothing_away(bed: Bed) -> None:
    """EAST's NO STARTTLS cases: the capability is missing, and a login in clear is offered."""
    server = await bed.serve(PLAIN_LOGIN)
    async with nothing_left(server):
        failure = await failure_of(bed, server, encryption=Encryption.STARTTLS)
    assert (failure.kind, failure.stage) == (FailureKind.STARTTLS_NOT_OFFERED, Stage.TLS)
    assert _nothing_was_given_away(server)
    assert server.record.commands("STARTTLS") == []


@pytest.mark.parametrize(
    "masked", ["XXXXXXXA", "STARTTLSX", "XSTARTTLS", "STARTTL", "AUTH STARTTLS"]
)
async def test_a_masked_starttls_is_none(bed: Bed, masked: str) -> None:
    server = await bed.serve(PLAIN_LOGIN.but(capabilities=(masked,)))
    failure = await failure_of(bed, server, encryption=Encryption.STARTTLS)
    assert failure.kind is FailureKind.STARTTLS_NOT_OFFERED
    assert _nothing_was_given_away(server)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("454 4.7.0 TLS not available due to local problem", FailureKind.STARTTLS_NOT_OFFERED),
        ("502 5.5.1 Command not implemented", FailureKind.STARTTLS_NOT_OFFERED),
        ("501 5.5.4 Syntax error", FailureKind.STARTTLS_NOT_OFFERED),
        ("250 2.0.0 Ok", FailureKind.PROTOCOL_ERROR),
        ("421 4.7.0 Too many connections from your host", FailureKind.SERVER_BUSY),
    ],
)
async def test_a_starttls_that_is_refused_is_the_end(
    bed: Bed, reply: str, expected: FailureKind
) -> None:
    script = HEALTHY.but(mechanisms_in_clear=("PLAIN",), answers={Step.STARTTLS: say(reply)})
    server = await bed.serve(script)
    async with nothing_left(server):
        failure = await failure_of(bed, server)
    assert failure.kind is expected
    assert str(failure.reply) == reply
    assert _nothing_was_given_away(server)


@pytest.mark.parametrize(
    "raw", [b"not TLS at all\r\n", b"\x15\x03\x01\x00\x02\x02\x28", b"\0" * 64]
)
@WITH_TLS
async def test_a_handshake_that_is_none_ends_it(
    bed: Bed, encryption: Encryption, raw: bytes
) -> None:
    server = await bed.serve(broken(encryption, answers={Step.TLS: say(raw)}))
    async with nothing_left(server):
        failure = await failure_of(bed, server)
    assert failure.stage is Stage.TLS
    expected = {FailureKind.TLS_FAILED}
    if encryption is Encryption.TLS:
        expected.add(FailureKind.TLS_NOT_EXPECTED)
    assert failure.kind in expected
    assert _nothing_was_given_away(server)


async def test_tls_at_a_port_that_speaks_first_is_not_expected_there(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    failure = await failure_of(bed, server, encryption=Encryption.TLS)
    assert (failure.kind, failure.stage) == (FailureKind.TLS_NOT_EXPECTED, Stage.TLS)
    assert _nothing_was_given_away(server)


@pytest.mark.parametrize("tls", [Tls.OFFERED, Tls.NEVER])
async def test_none_is_none_even_where_starttls_is_offered(bed: Bed, tls: Tls) -> None:
    server = await bed.serve(HEALTHY.but(tls=tls, mechanisms_in_clear=("PLAIN",)))
    session = session_for(bed, server, encryption=Encryption.NONE)
    await session.open(sender=SENDER)
    assert not session.encrypted
    session.quit()
    assert server.record.commands("STARTTLS") == []
    assert server.record.tls_sessions == 0


@pytest.mark.parametrize(
    ("encryption", "script"),
    [
        (Encryption.TLS, HEALTHY),
        (Encryption.TLS, PLAIN_LOGIN),
        (Encryption.STARTTLS, PLAIN_LOGIN),
        (Encryption.STARTTLS, HEALTHY.but(tls_kind=ServerTls.SELF_SIGNED)),
        (Encryption.STARTTLS, HEALTHY.but(tls_kind=ServerTls.OLD_PROTOCOL)),
        (Encryption.TLS, HEALTHY_TLS.but(tls_kind=ServerTls.EXPIRED)),
    ],
)
async def test_no_failure_makes_it_try_something_weaker(
    bed: Bed, encryption: Encryption, script: Script
) -> None:
    server = await bed.serve(script)
    await failure_of(bed, server, encryption=encryption)
    assert server.record.connections == 1
    assert _nothing_was_given_away(server)


async def test_a_context_without_checks_still_encrypts(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(tls_kind=ServerTls.SELF_SIGNED))
    settings = replace(settings_for(server), trust=Trust(verify=False))
    session = Session(settings, without_checks(context_for(bed)))
    await session.open()
    assert session.tls_version == "TLSv1.3"
    session.quit()

"""What the handshake says of right and wrong settings, on real servers."""

from collections.abc import Mapping, Sequence
from copy import replace
import time

import pytest

from custom_components.email_courier.mail.failure import FailureKind as Kind, MailError
from custom_components.email_courier.mail.settings import Encryption, Login, ServerSettings, Trust
from custom_components.email_courier.mail.smtp.session import Proof
from custom_components.email_courier.mail.smtp.tls import build_context
from custom_components.email_courier.mail.verify.handshake import prove, resolve_encryption
from custom_components.email_courier.mail.verify.remedy import diagnose
from tests.support.certificates import OTHER_NAME, ServerTls

from .accounts import settings_for
from .fleet import ENCRYPTIONS, NAMES, Fleet
from .handshake_cases import RIGHT, WRONG, Case
from .people import PASSWORD, SENDER, SERVER_NAME, USERNAME
from .ports import free_ports
from .server import RunningServer

LONGEST_ANSWER = 15.0

LOGINS = {
    "right": Login(USERNAME, PASSWORD),
    "wrong password": Login(USERNAME, "Close sesame"),
    "unknown user": Login("nobody@example.test", PASSWORD),
    "none given": None,
}


def on_each_server(cases: Sequence[Case]) -> pytest.MarkDecorator:
    """Run a test for each case on each of its servers."""
    return pytest.mark.parametrize(
        ("name", "case"), [(name, case) for case in cases for name in case.servers], ids=str
    )


def settings_of(case: Case, server: RunningServer, trust: Trust) -> ServerSettings:
    """Return what a person would have typed."""
    return ServerSettings(
        server.host,
        server.ports[case.service],
        case.encryption,
        trust,
        LOGINS[case.login],
        case.hello_name,
    )


async def try_out(settings: ServerSettings, sender: str = SENDER) -> Proof:
    """Go through the handshake with the context that the settings ask for."""
    return await prove(settings, build_context(settings.trust), sender)


async def kind_of_failure(settings: ServerSettings) -> Kind:
    """Return what stops a handshake."""
    with pytest.raises(MailError) as raised:
        await try_out(settings)
    return raised.value.failure.kind


@on_each_server(RIGHT)
async def test_right_settings_are_proven(
    fleet: Fleet, authority: Trust, name: str, case: Case
) -> None:
    settings = settings_of(case, fleet.standing(name), authority)
    proof = await try_out(settings)
    assert proof.settings == settings
    assert proof.server == SERVER_NAME
    assert proof.mechanism == (None if case.login == "none given" else "PLAIN")
    if case.encryption is Encryption.NONE:
        assert (proof.tls_version, proof.certificate) == (None, None)
    else:
        assert proof.tls_version == "TLSv1.3"
        assert proof.certificate is not None
        assert SERVER_NAME in proof.certificate.names
    # Dovecot asks the server behind it only once somebody is logged in.
    assert proof.size_limit == (None if name == "dovecot" else 30 * 1024 * 1024)


@on_each_server(WRONG)
async def test_wrong_settings_are_named(
    fleet: Fleet, authority: Trust, name: str, case: Case
) -> None:
    settings = settings_of(case, fleet.standing(name), authority)
    began = time.monotonic()
    with pytest.raises(MailError) as raised:
        await try_out(settings, case.sender)
    failure = raised.value.failure
    assert failure.kind is case.kind
    assert PASSWORD not in str(failure.as_dict())
    diagnosis = await diagnose(
        settings,
        failure,
        case.sender,
        checked=build_context(settings.trust),
        unchecked=build_context(Trust(verify=False)),
    )
    assert time.monotonic() - began < LONGEST_ANSWER
    if case.kind is Kind.HELO_REJECTED:
        assert diagnosis.remedy is not None
        await try_out(diagnosis.remedy)
    elif case.remedy is None:
        assert diagnosis.remedy is None
    else:
        assert diagnosis.remedy == replace(settings, encryption=case.remedy)


@pytest.mark.parametrize("service", ["starttls", "tls"])
@pytest.mark.parametrize("name", NAMES)
async def test_a_wrong_pair_is_mended_and_the_remedy_is_proven(
    fleet: Fleet, authority: Trust, name: str, service: str
) -> None:
    wrong = Encryption.TLS if service == "starttls" else Encryption.STARTTLS
    server = fleet.standing(name)
    settings = replace(settings_for(server, service, authority), encryption=wrong)
    context = build_context(authority)
    with pytest.raises(MailError) as raised:
        await try_out(settings)
    diagnosis = await diagnose(
        settings, raised.value.failure, SENDER, checked=context, unchecked=context
    )
    assert diagnosis.remedy is not None
    proof = await try_out(diagnosis.remedy)
    assert proof.settings.encryption == service


@pytest.mark.parametrize(
    ("listening", "chosen", "found"),
    [
        ({"tls": 465, "starttls": 587}, Encryption.STARTTLS, (465, Encryption.TLS)),
        ({"starttls": 587}, Encryption.TLS, (587, Encryption.STARTTLS)),
    ],
)
@pytest.mark.parametrize("name", NAMES)
async def test_a_wrong_port_is_mended_where_the_usual_ports_work(
    fleet: Fleet,
    authority: Trust,
    name: str,
    listening: Mapping[str, int],
    chosen: Encryption,
    found: tuple[int, Encryption],
) -> None:
    server = fleet.start(name, ports=listening)
    (nobody,) = free_ports(1)
    settings = ServerSettings(server.host, nobody, chosen, authority, LOGINS["right"])
    context = build_context(authority)
    with pytest.raises(MailError) as raised:
        await try_out(settings)
    assert raised.value.failure.kind is Kind.CONNECTION_REFUSED
    diagnosis = await diagnose(
        settings, raised.value.failure, SENDER, checked=context, unchecked=context
    )
    assert diagnosis.remedy is not None
    assert (diagnosis.remedy.port, diagnosis.remedy.encryption) == found
    await try_out(diagnosis.remedy)
    server.stop()


@pytest.mark.parametrize("service", ["starttls", "tls"])
@pytest.mark.parametrize("name", NAMES)
class TestCertificates:
    """A certificate that is not right, on each server and both ways to it."""

    async def test_a_self_signed_one_can_be_trusted_and_no_other(
        self, fleet: Fleet, authority: Trust, name: str, service: str
    ) -> None:
        settings = settings_for(fleet.standing(name, ServerTls.SELF_SIGNED), service, authority)
        with pytest.raises(MailError) as raised:
            await try_out(settings)
        failure = raised.value.failure
        assert failure.kind is Kind.CERTIFICATE_UNTRUSTED
        diagnosis = await diagnose(
            settings,
            failure,
            SENDER,
            checked=build_context(authority),
            unchecked=build_context(Trust(verify=False)),
        )
        assert diagnosis.certificate is not None
        fingerprint = diagnosis.certificate.fingerprint
        assert fingerprint == fleet.certificates.fingerprint(ServerTls.SELF_SIGNED)
        proof = await try_out(replace(settings, trust=Trust(fingerprint=fingerprint)))
        assert proof.certificate == diagnosis.certificate
        other = fleet.certificates.fingerprint(ServerTls.VALID)
        kind = await kind_of_failure(replace(settings, trust=Trust(fingerprint=other)))
        assert kind is Kind.CERTIFICATE_UNTRUSTED

    async def test_an_expired_one_is_named(
        self, fleet: Fleet, authority: Trust, name: str, service: str
    ) -> None:
        settings = settings_for(fleet.standing(name, ServerTls.EXPIRED), service, authority)
        assert await kind_of_failure(settings) is Kind.CERTIFICATE_EXPIRED
        await try_out(replace(settings, trust=Trust(verify=False)))

    async def test_one_for_another_name_is_named(
        self, fleet: Fleet, authority: Trust, name: str, service: str
    ) -> None:
        settings = settings_for(fleet.standing(name, ServerTls.OTHER_NAME), service, authority)
        with pytest.raises(MailError) as raised:
            await try_out(settings)
        failure = raised.value.failure
        assert failure.kind is Kind.CERTIFICATE_HOSTNAME_MISMATCH
        diagnosis = await diagnose(
            settings,
            failure,
            SENDER,
            checked=build_context(authority),
            unchecked=build_context(Trust(verify=False)),
        )
        assert diagnosis.failure.facts["names"] == OTHER_NAME


@pytest.mark.parametrize("service", ENCRYPTIONS)
@pytest.mark.parametrize("name", NAMES)
async def test_encryption_is_found_by_listening(
    fleet: Fleet, authority: Trust, name: str, service: str
) -> None:
    server = fleet.standing(name)
    unknown = ServerSettings(server.host, server.ports[service], Encryption.AUTO, authority)
    settings = await resolve_encryption(unknown, build_context(authority))
    assert settings == replace(unknown, encryption=Encryption(service))


@pytest.mark.parametrize("name", NAMES)
async def test_a_stopped_server_refuses_the_connection(
    fleet: Fleet, authority: Trust, name: str
) -> None:
    server = fleet.start(name)
    server.stop()
    settings = settings_for(server, "tls", authority)
    assert await kind_of_failure(settings) is Kind.CONNECTION_REFUSED


@pytest.mark.parametrize(
    ("name", "offered", "used"),
    [
        ("postfix", ("PLAIN", "SCRAM-SHA-256"), "SCRAM-SHA-256"),
        ("postfix", ("LOGIN",), "LOGIN"),
        ("postfix", ("CRAM-MD5",), "CRAM-MD5"),
        ("dovecot", ("plain", "scram-sha-256"), "SCRAM-SHA-256"),
        ("dovecot", ("login",), "LOGIN"),
        ("dovecot", ("cram-md5",), "CRAM-MD5"),
    ],
)
async def test_each_login_mechanism_works(
    fleet: Fleet, authority: Trust, name: str, offered: Sequence[str], used: str
) -> None:
    server = fleet.start(name, mechanisms=offered)
    settings = settings_for(server, "tls", authority)
    assert (await try_out(settings)).mechanism == used
    wrong = replace(settings, login=LOGINS["wrong password"])
    assert await kind_of_failure(wrong) is Kind.INVALID_AUTH
    server.stop()


async def test_mechanisms_that_we_do_not_have_are_named(fleet: Fleet, authority: Trust) -> None:
    server = fleet.start("postfix", mechanisms=("DIGEST-MD5",))
    settings = settings_for(server, "tls", authority)
    with pytest.raises(MailError) as raised:
        await try_out(settings)
    assert raised.value.failure.kind is Kind.AUTH_MECHANISM_UNSUPPORTED
    assert raised.value.failure.facts["offered"] == "DIGEST-MD5"
    server.stop()

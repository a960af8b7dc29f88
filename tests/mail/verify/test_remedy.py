"""Looking for settings that work: only the same server is asked, and nothing is given away."""

import asyncio
from copy import replace
import time

import pytest

from custom_components.email_courier.mail.failure import (
    Failure,
    FailureKind,
    MailError,
    Permanence,
    Stage,
)
from custom_components.email_courier.mail.settings import Encryption, ServerSettings, Trust
from custom_components.email_courier.mail.smtp.tls import without_checks
from custom_components.email_courier.mail.verify.handshake import prove
from custom_components.email_courier.mail.verify.remedy import Diagnosis, diagnose
from tests.support.certificates import OTHER_NAME, ServerTls
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.listener import LOOPBACK6
from tests.support.network import Network
from tests.support.script import HEALTHY, HEALTHY_TLS, PLAIN_LOGIN, Step, say, stall
from tests.support.sessions import LOGIN, SENDER, context_for, settings_for

HOST = "mail.example.test"


async def _diagnosis(bed: Bed, settings: ServerSettings) -> Diagnosis:
    """Return what is made of settings that fail."""
    with pytest.raises(MailError) as caught:
        await prove(settings, context_for(bed, settings.trust), SENDER)
    return await _look(bed, settings, caught.value.failure)


async def _look(bed: Bed, settings: ServerSettings, failure: Failure) -> Diagnosis:
    return await diagnose(
        settings,
        failure,
        SENDER,
        checked=context_for(bed, settings.trust),
        unchecked=without_checks(context_for(bed)),
    )


async def test_what_is_found_keeps_the_login_the_trust_and_the_limits(
    bed: Bed, network: Network
) -> None:
    server = await bed.serve(HEALTHY)
    network.add(HOST, {587: server})
    settings = settings_for(server, host=HOST, port=587, encryption=Encryption.TLS)
    found = (await _diagnosis(bed, settings)).remedy
    assert found is not None
    assert (found.port, found.encryption) == (587, Encryption.STARTTLS)
    assert (found.login, found.trust) == (settings.login, settings.trust)
    assert found.deadlines == settings.deadlines


async def test_looking_sends_no_name_no_address_and_no_secret(bed: Bed, network: Network) -> None:
    wanted, other = await bed.serve(HEALTHY), await bed.serve(HEALTHY_TLS)
    network.add(HOST, {587: wanted, 465: other})
    settings = settings_for(wanted, host=HOST, port=587, encryption=Encryption.TLS)
    await _diagnosis(bed, settings)
    for server in (wanted, other):
        assert await server.all_closed()
        assert server.record.auth_commands == 0
        assert server.record.commands("MAIL") == []
        assert server.record.secrets_in_clear([LOGIN.password, LOGIN.username, SENDER]) == []


@pytest.mark.parametrize("encryption", [Encryption.TLS, Encryption.STARTTLS])
async def test_nothing_weaker_is_ever_offered(
    bed: Bed, network: Network, encryption: Encryption
) -> None:
    server = await bed.serve(PLAIN_LOGIN)
    network.add(HOST, {25: server})
    settings = settings_for(server, host=HOST, port=25, encryption=encryption)
    assert (await _diagnosis(bed, settings)).remedy is None
    assert server.record.auth_commands == 0


@pytest.mark.parametrize("encryption", [Encryption.TLS, Encryption.STARTTLS])
async def test_the_certificate_that_was_shown_comes_along(
    bed: Bed, network: Network, encryption: Encryption
) -> None:
    script = HEALTHY_TLS if encryption is Encryption.TLS else HEALTHY
    server = await bed.serve(script.but(tls_kind=ServerTls.SELF_SIGNED))
    network.add(HOST, {2525: server})
    diagnosis = await _diagnosis(bed, settings_for(server, host=HOST, port=2525))
    assert diagnosis.failure.kind is FailureKind.CERTIFICATE_UNTRUSTED
    assert diagnosis.certificate is not None
    shown = bed.certificates.fingerprint(ServerTls.SELF_SIGNED)
    assert diagnosis.certificate.fingerprint == shown
    assert diagnosis.failure.facts["subject"] == HOST
    assert server.record.auth_commands == 0


async def test_a_certificate_that_has_changed_comes_with_the_one_that_was_expected(
    bed: Bed,
) -> None:
    server = await bed.serve(HEALTHY)
    diagnosis = await _diagnosis(bed, settings_for(server, trust=Trust(fingerprint="ab" * 32)))
    assert diagnosis.failure.facts["expected"] == "ab" * 32
    assert diagnosis.certificate is not None
    assert diagnosis.certificate.fingerprint == bed.certificates.fingerprint(ServerTls.VALID)


async def test_another_machine_is_never_asked(bed: Bed, network: Network) -> None:
    script = HEALTHY.but(tls_kind=ServerTls.OTHER_NAME)
    here, there = await bed.serve(script), await bed.serve(script, hosts=(LOOPBACK6,))
    network.add(HOST, {587: here})
    network.add(OTHER_NAME, {587: there}, address=LOOPBACK6)
    diagnosis = await _diagnosis(bed, settings_for(here, host=HOST, port=587))
    assert diagnosis.failure.kind is FailureKind.CERTIFICATE_HOSTNAME_MISMATCH
    assert diagnosis.remedy is None
    assert there.record.connections == 0


@pytest.mark.parametrize("step", [Step.GREETING, Step.EHLO, Step.STARTTLS, Step.TLS])
async def test_cancelling_leaves_nothing(bed: Bed, network: Network, step: Step) -> None:
    server = await bed.serve(HEALTHY.but(answers={step: stall()}))
    network.add(HOST, {587: server})
    settings = settings_for(server, host=HOST, port=465, encryption=Encryption.TLS)
    with pytest.raises(MailError) as caught:
        await prove(settings, context_for(bed), SENDER)
    async with nothing_left(server):
        looking = asyncio.create_task(_look(bed, settings, caught.value.failure))
        async with asyncio.timeout(5):
            while step not in server.record.steps:
                await asyncio.sleep(0.01)
        started = time.monotonic()
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        assert time.monotonic() - started < 0.2


def _failure(kind: FailureKind, **facts: str) -> Failure:
    return Failure(kind, Stage.TLS, Permanence.TEMPORARY, facts=facts)


async def test_a_server_that_is_gone_shows_no_certificate(bed: Bed, network: Network) -> None:
    network.add(HOST, {})
    settings = settings_for(await bed.serve(HEALTHY), host=HOST, port=587)
    failure = _failure(FailureKind.CERTIFICATE_EXPIRED, host=HOST)
    diagnosis = await _look(bed, settings, failure)
    assert diagnosis == Diagnosis(failure)


async def test_the_names_of_a_certificate_are_tried_but_no_pattern_and_not_the_same_again(
    bed: Bed, network: Network
) -> None:
    server = await bed.serve(HEALTHY.but(tls_kind=ServerTls.OTHER_NAME))
    network.add("wrong.example.test", {587: server})
    network.add(OTHER_NAME, {587: server})
    settings = settings_for(server, host="wrong.example.test", port=587)
    names = f"*.example.test, wrong.example.test, {OTHER_NAME}"
    failure = _failure(FailureKind.CERTIFICATE_HOSTNAME_MISMATCH, names=names)
    found = (await _look(bed, settings, failure)).remedy
    assert found == replace(settings, host=OTHER_NAME)
    assert server.record.connections == 2  # one shows the certificate, one tries the name


async def test_only_names_that_may_be_said_and_were_not_are_said_to_a_server(bed: Bed) -> None:
    answers = dict.fromkeys((Step.EHLO, Step.EHLO_TLS, Step.HELO), say("501 5.5.4 Not that name"))
    server = await bed.serve(PLAIN_LOGIN.but(answers=answers))
    settings = settings_for(server, hello_name="localhost.localdomain")
    diagnosis = await diagnose(
        settings,
        _failure(FailureKind.HELO_REJECTED),
        "anna@exämple.test",
        checked=context_for(bed),
        unchecked=without_checks(context_for(bed)),
    )
    assert diagnosis.remedy is None
    assert set(server.record.commands("EHLO")) == {"EHLO [127.0.0.1]"}

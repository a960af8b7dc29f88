"""Proving settings: what is proven, how long it takes, and that leaving it leaves nothing."""

import asyncio
from copy import replace
import time

import pytest

from custom_components.email_courier.mail.failure import Failure, FailureKind, MailError, Stage
from custom_components.email_courier.mail.settings import Deadlines, Encryption, ServerSettings
from custom_components.email_courier.mail.verify.handshake import prove, resolve_encryption
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.listener import LOOPBACK
from tests.support.other_protocols import HTTP, IMAP, SILENT, OtherProtocol
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PLAIN_RELAY,
    After,
    Script,
    Step,
    Tls,
    drip,
    hang_up,
    late,
    say,
    stall,
)
from tests.support.sessions import (
    ALL_STEPS,
    LOGIN,
    QUICK,
    SCRIPTS,
    SENDER,
    broken,
    context_for,
    settings_for,
)


async def _failure(bed: Bed, settings: ServerSettings) -> Failure:
    """Return what stops a handshake that is bound to fail."""
    with pytest.raises(MailError) as caught:
        await prove(settings, context_for(bed), SENDER)
    return caught.value.failure


@pytest.mark.parametrize("encryption", SCRIPTS)
async def test_the_proof_sums_up_what_was_seen(bed: Bed, encryption: Encryption) -> None:
    server = await bed.serve(broken(encryption, size_limit=50_000_000))
    async with nothing_left(server):
        proof = await prove(settings_for(server), context_for(bed), SENDER)
    tls = encryption is not Encryption.NONE
    assert proof.server == "mail.example.test"
    assert proof.tls_version == ("TLSv1.3" if tls else None)
    assert (proof.certificate is not None) is tls
    assert (proof.mechanism, proof.size_limit) == ("PLAIN", 50_000_000)
    assert server.record.auth_commands == 1
    assert server.record.mails == []


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.NONE])
async def test_a_port_that_wants_tls_is_recognised_while_the_first_connection_waits(
    bed: Bed, encryption: Encryption
) -> None:
    server = await bed.serve(HEALTHY_TLS)
    started = time.monotonic()
    async with nothing_left(server):
        failure = await _failure(bed, settings_for(server, encryption=encryption))
    assert failure.kind is FailureKind.TLS_EXPECTED
    assert time.monotonic() - started < 5
    assert server.record.secrets_in_clear([LOGIN.password, LOGIN.username, SENDER]) == []


@pytest.mark.parametrize(("stranger", "protocol"), [(HTTP, "HTTP"), (IMAP, "IMAP")])
@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
async def test_another_protocol_is_named(
    bed: Bed, encryption: Encryption, stranger: OtherProtocol, protocol: str
) -> None:
    server = await bed.host(stranger)
    settings = replace(
        settings_for(await bed.serve(HEALTHY)), port=server.port, encryption=encryption
    )
    failure = await _failure(bed, settings)
    assert failure.kind is FailureKind.NOT_SMTP
    assert failure.facts["protocol"] == protocol


async def test_a_slow_server_is_not_given_up_because_somebody_asks(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.GREETING: drip(0.08)}))
    async with nothing_left(server):
        await prove(settings_for(server), context_for(bed), SENDER)
    assert server.record.auth_commands == 1


@pytest.mark.parametrize("encryption", SCRIPTS)
async def test_one_byte_a_second_ends_with_the_deadline(bed: Bed, encryption: Encryption) -> None:
    server = await bed.serve(broken(encryption, answers=dict.fromkeys(Step, drip(1.0))))
    settings = settings_for(server, deadlines=Deadlines(handshake=3.0, greeting=3.0))
    started = time.monotonic()
    async with nothing_left(server):
        await _failure(bed, settings)
    assert time.monotonic() - started < 3.5


async def test_silence_ends_with_the_deadline(bed: Bed) -> None:
    server = await bed.host(SILENT)
    settings = replace(
        settings_for(await bed.serve(HEALTHY)),
        port=server.port,
        deadlines=Deadlines(handshake=3.0, greeting=3.0),
    )
    started = time.monotonic()
    async with nothing_left(server):
        failure = await _failure(bed, settings)
    assert time.monotonic() - started < 3.5
    assert failure.kind is FailureKind.NO_GREETING


async def test_a_server_that_begins_tls_and_does_not_end_it_is_too_slow(bed: Bed) -> None:
    begun = say(b"\x16\x03\x03\x00\x7a\x02\x00", After.STALL)
    server = await bed.serve(HEALTHY_TLS.but(answers={Step.TLS: begun}))
    settings = settings_for(server, deadlines=Deadlines(handshake=4.0, greeting=4.0))
    async with nothing_left(server):
        failure = await _failure(bed, settings)
    assert (failure.kind, failure.stage) == (FailureKind.SERVER_TOO_SLOW, Stage.TLS)


async def test_a_server_that_ends_tls_and_greets_nobody_is_silent(bed: Bed) -> None:
    server = await bed.serve(HEALTHY_TLS.but(answers={Step.GREETING: stall()}))
    settings = settings_for(server, deadlines=Deadlines(handshake=4.0, greeting=4.0))
    async with nothing_left(server):
        failure = await _failure(bed, settings)
    assert (failure.kind, failure.stage) == (FailureKind.NO_GREETING, Stage.GREETING)


@pytest.mark.parametrize(("encryption", "step"), ALL_STEPS)
async def test_cancelling_ends_it_within_two_tenths_of_a_second(
    bed: Bed, encryption: Encryption, step: Step
) -> None:
    server = await bed.serve(broken(encryption, answers={step: stall()}))
    async with nothing_left(server):
        proving = asyncio.create_task(prove(settings_for(server), context_for(bed), SENDER))
        async with asyncio.timeout(5):
            while step not in server.record.steps:
                await asyncio.sleep(0.01)
        await _cancel(proving)


@pytest.mark.parametrize("script", [HEALTHY_TLS, HEALTHY.but(answers={Step.GREETING: stall()})])
async def test_cancelling_while_a_second_connection_listens_leaves_nothing(
    bed: Bed, script: Script
) -> None:
    server = await bed.serve(script)
    settings = settings_for(server, encryption=Encryption.STARTTLS)
    async with nothing_left(server):
        proving = asyncio.create_task(prove(settings, context_for(bed), SENDER))
        async with asyncio.timeout(5):
            while server.record.connections < 2:
                await asyncio.sleep(0.01)
        await _cancel(proving)


async def _cancel(proving: asyncio.Task[object]) -> None:
    started = time.monotonic()
    proving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await proving
    assert time.monotonic() - started < 0.2


@pytest.mark.parametrize("greeting", ["220 mail.example.test ESMTP", "* OK IMAP4rev1 ready"])
async def test_where_nobody_can_be_asked_again_the_failure_stays_what_it_was(
    bed: Bed, greeting: str
) -> None:
    async def greet_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listener.close()
        writer.write(greeting.encode() + b"\r\n")
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(greet_once, LOOPBACK, 0)
    port = listener.sockets[0].getsockname()[1]
    settings = replace(settings_for(await bed.serve(HEALTHY_TLS)), port=port)
    failure = await _failure(bed, settings)
    assert failure.kind is FailureKind.TLS_NOT_EXPECTED
    assert failure.detail


@pytest.mark.parametrize("encryption", SCRIPTS)
async def test_a_server_that_leaves_with_its_last_reply_has_proven_enough(
    bed: Bed, encryption: Encryption
) -> None:
    server = await bed.serve(broken(encryption, answers={Step.RSET: hang_up()}))
    proof = await prove(settings_for(server), context_for(bed), SENDER)
    assert (proof.mechanism, proof.settings) == ("PLAIN", settings_for(server))


async def test_the_time_after_a_late_greeting_is_whole(bed: Bed) -> None:
    answers = {Step.GREETING: late(1.0), Step.EHLO: late(0.8)}
    server = await bed.serve(HEALTHY.but(answers=answers))
    deadlines = Deadlines(handshake=1.5, greeting=1.5)
    await prove(settings_for(server, deadlines=deadlines), context_for(bed), SENDER)


async def test_a_port_that_is_known_to_speak_smtp_is_waited_for_alone(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.GREETING: late(2.0)}))
    await prove(settings_for(server), context_for(bed), SENDER, speaks_smtp=True)
    assert server.record.connections == 1


class TestAutomatic:
    @pytest.mark.parametrize(
        ("port", "encryption"), [(465, Encryption.TLS), (587, Encryption.STARTTLS)]
    )
    async def test_the_ports_with_a_meaning_are_not_asked(
        self, bed: Bed, port: int, encryption: Encryption
    ) -> None:
        settings = settings_for(
            await bed.serve(HEALTHY), host="nowhere.invalid", port=port, encryption=Encryption.AUTO
        )
        resolved = await resolve_encryption(settings, context_for(bed))
        assert resolved == replace(settings, encryption=encryption)

    @pytest.mark.parametrize("encryption", SCRIPTS)
    async def test_any_other_port_is_listened_to(self, bed: Bed, encryption: Encryption) -> None:
        server = await bed.serve(SCRIPTS[encryption])
        settings = settings_for(server, encryption=Encryption.AUTO)
        async with nothing_left(server):
            resolved = await resolve_encryption(settings, context_for(bed))
        assert resolved == replace(settings, encryption=encryption)
        assert server.record.auth_commands == 0
        assert server.record.secrets_in_clear([LOGIN.password, LOGIN.username, SENDER]) == []

    async def test_what_was_chosen_is_kept(self, bed: Bed) -> None:
        settings = settings_for(await bed.serve(PLAIN_RELAY))
        assert await resolve_encryption(settings, context_for(bed)) is settings

    @pytest.mark.parametrize("tls", list(Tls))
    async def test_cancelling_leaves_nothing(self, bed: Bed, tls: Tls) -> None:
        server = await bed.serve(HEALTHY.but(tls=tls, answers={Step.GREETING: stall()}))
        settings = settings_for(server, encryption=Encryption.AUTO)
        async with nothing_left(server):
            resolving = asyncio.create_task(resolve_encryption(settings, context_for(bed)))
            await asyncio.sleep(0.1)
            await _cancel(resolving)

    async def test_a_port_that_cannot_tell_is_a_failure(self, bed: Bed) -> None:
        server = await bed.host(IMAP)
        settings = replace(
            settings_for(await bed.serve(HEALTHY)),
            port=server.port,
            encryption=Encryption.AUTO,
            deadlines=QUICK,
        )
        with pytest.raises(MailError) as caught:
            await resolve_encryption(settings, context_for(bed))
        failure = caught.value.failure
        assert (failure.kind, failure.stage) == (FailureKind.NOT_SMTP, Stage.GREETING)

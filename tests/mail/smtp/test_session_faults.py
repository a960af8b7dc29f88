"""A server that drips, stalls, hangs up or resets, at every step of a handshake."""

import asyncio
from copy import replace
import time

import pytest

from custom_components.email_courier.mail.failure import FailureKind, MailError, Permanence, Stage
from custom_components.email_courier.mail.settings import Deadlines, Encryption
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.network import Network
from tests.support.script import (
    HEALTHY,
    PLAIN_LOGIN,
    Script,
    Step,
    drip,
    hang_up,
    late,
    reset,
    say,
    stall,
)
from tests.support.scripted_server import ScriptedServer
from tests.support.sessions import (
    ALL_STEPS,
    PATIENT,
    QUICK,
    SENDER,
    SPOKEN,
    broken,
    failure_of,
    session_for,
)

EVERY_STEP = pytest.mark.parametrize(("encryption", "step"), ALL_STEPS)
EVERY_SPOKEN_STEP = pytest.mark.parametrize(("encryption", "step"), SPOKEN)

STAGES = {
    Step.GREETING: Stage.GREETING,
    Step.EHLO: Stage.HELLO,
    Step.STARTTLS: Stage.TLS,
    Step.TLS: Stage.TLS,
    Step.EHLO_TLS: Stage.HELLO,
    Step.AUTH_CHALLENGE: Stage.LOGIN,
    Step.AUTH_VERDICT: Stage.LOGIN,
    Step.MAIL: Stage.SENDER,
}


@EVERY_STEP
async def test_a_stall_ends_with_the_deadline(bed: Bed, encryption: Encryption, step: Step) -> None:
    server = await bed.serve(broken(encryption, answers={step: stall()}))
    async with nothing_left(server):
        started = time.monotonic()
        failure = await failure_of(bed, server, deadlines=QUICK)
        assert time.monotonic() - started < QUICK.handshake + 0.5
    mute = step is Step.GREETING or (step is Step.TLS and encryption is Encryption.TLS)
    assert failure.kind is (FailureKind.NO_GREETING if mute else FailureKind.SERVER_TOO_SLOW)
    assert failure.stage is STAGES[step]
    assert failure.permanence is Permanence.TEMPORARY


@EVERY_STEP
async def test_a_drip_ends_with_the_deadline(bed: Bed, encryption: Encryption, step: Step) -> None:
    server = await bed.serve(broken(encryption, answers={step: drip(0.1)}))
    async with nothing_left(server):
        started = time.monotonic()
        failure = await failure_of(bed, server, deadlines=QUICK)
        assert time.monotonic() - started < QUICK.handshake + 0.5
    # Inside TLS's own handshake nothing has been heard of the server yet.
    mute = step is Step.TLS and encryption is Encryption.TLS
    assert failure.kind is (FailureKind.NO_GREETING if mute else FailureKind.SERVER_TOO_SLOW)
    assert failure.stage is STAGES[step]


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
async def test_one_byte_a_second_everywhere_ends_with_the_deadline(
    bed: Bed, encryption: Encryption
) -> None:
    answers = dict.fromkeys(Step, drip(1.0))
    server = await bed.serve(broken(encryption, answers=answers))
    deadlines = Deadlines(handshake=2.5, greeting=2.5)
    async with nothing_left(server):
        started = time.monotonic()
        await failure_of(bed, server, deadlines=deadlines)
        assert time.monotonic() - started < 3.0


def _broken_off(encryption: Encryption, step: Step) -> FailureKind:
    """Return the name of a connection that ends at this step."""
    starting_tls = encryption is Encryption.STARTTLS and STAGES[step] is Stage.TLS
    return FailureKind.TLS_FAILED if starting_tls else FailureKind.DISCONNECTED


@EVERY_STEP
async def test_a_hang_up_is_noticed_at_once(bed: Bed, encryption: Encryption, step: Step) -> None:
    server = await bed.serve(broken(encryption, answers={step: hang_up()}))
    async with nothing_left(server):
        started = time.monotonic()
        failure = await failure_of(bed, server)
        assert time.monotonic() - started < 1
    assert failure.kind is _broken_off(encryption, step)
    assert failure.stage is STAGES[step]
    assert failure.permanence is Permanence.TEMPORARY


@EVERY_STEP
async def test_a_reset_is_noticed_at_once(bed: Bed, encryption: Encryption, step: Step) -> None:
    server = await bed.serve(broken(encryption, answers={step: reset()}))
    async with nothing_left(server):
        started = time.monotonic()
        failure = await failure_of(bed, server)
        assert time.monotonic() - started < 1
    assert failure.kind is _broken_off(encryption, step)


@pytest.mark.parametrize("cut", [1, 3, 4, 10])
@EVERY_SPOKEN_STEP
async def test_half_a_reply_is_none(bed: Bed, encryption: Encryption, step: Step, cut: int) -> None:
    server = await bed.serve(broken(encryption, answers={step: hang_up(after=cut)}))
    async with nothing_left(server):
        failure = await failure_of(bed, server)
    assert failure.kind is _broken_off(encryption, step)
    assert failure.stage is STAGES[step]
    assert failure.reply is None


@EVERY_SPOKEN_STEP
async def test_a_server_that_takes_its_time_is_waited_for(
    bed: Bed, encryption: Encryption, step: Step
) -> None:
    server = await bed.serve(broken(encryption, answers={step: late(0.3)}))
    session = session_for(bed, server)
    await session.open(sender=SENDER)
    session.quit()
    assert server.record.violations == []


@EVERY_STEP
async def test_cancelling_ends_it_within_two_tenths_of_a_second(
    bed: Bed, encryption: Encryption, step: Step
) -> None:
    server = await bed.serve(broken(encryption, answers={step: stall()}))
    await _cancel_at(bed, server, step)


@pytest.mark.parametrize("mechanism", ["LOGIN", "CRAM-MD5", "SCRAM-SHA-256"])
async def test_cancelling_a_login_leaves_nothing(bed: Bed, mechanism: str) -> None:
    script = HEALTHY.but(mechanisms=(mechanism,), answers={Step.AUTH_CHALLENGE: stall()})
    await _cancel_at(bed, await bed.serve(script), Step.AUTH_CHALLENGE)


async def _cancel_at(bed: Bed, server: ScriptedServer, step: Step) -> None:
    async with nothing_left(server):
        session = session_for(bed, server)
        handshake = asyncio.create_task(session.open(sender=SENDER))
        async with asyncio.timeout(5):
            while step not in server.record.steps:
                await asyncio.sleep(0.01)
        started = time.monotonic()
        handshake.cancel()
        with pytest.raises(asyncio.CancelledError):
            await handshake
        assert time.monotonic() - started < 0.2
        assert not session.is_open
    assert server.record.connections == 1


async def test_cancelling_while_it_connects_leaves_nothing(bed: Bed, network: Network) -> None:
    server = await bed.serve(HEALTHY)
    network.add("mail.example.test", filtered=frozenset({587}))
    async with nothing_left(server):
        session = session_for(bed, server, host="mail.example.test", port=587)
        handshake = asyncio.create_task(session.open())
        await asyncio.sleep(0.1)
        assert session.stage is Stage.CONNECT
        started = time.monotonic()
        handshake.cancel()
        with pytest.raises(asyncio.CancelledError):
            await handshake
        assert time.monotonic() - started < 0.2


async def test_a_port_where_nobody_answers_has_a_limit_of_its_own(
    bed: Bed, network: Network
) -> None:
    server = await bed.serve(HEALTHY)
    network.add("mail.example.test", filtered=frozenset({587}))
    deadlines = replace(PATIENT, connect=0.2)
    async with asyncio.timeout(PATIENT.handshake / 2):
        failure = await failure_of(
            bed, server, host="mail.example.test", port=587, deadlines=deadlines
        )
    assert (failure.kind, failure.stage) == (FailureKind.CONNECT_TIMEOUT, Stage.CONNECT)


async def test_a_greeting_that_does_not_come_has_a_limit_of_its_own(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.GREETING: stall()}))
    deadlines = replace(PATIENT, greeting=0.2)
    async with asyncio.timeout(PATIENT.handshake / 2):
        failure = await failure_of(bed, server, deadlines=deadlines)
    assert failure.stage is Stage.GREETING


async def test_a_port_that_refuses_is_named(bed: Bed, network: Network) -> None:
    server = await bed.serve(HEALTHY)
    network.add("mail.example.test")
    failure = await failure_of(bed, server, host="mail.example.test", port=587)
    assert (failure.kind, failure.stage) == (FailureKind.CONNECTION_REFUSED, Stage.CONNECT)


async def test_a_dead_address_does_not_hold_up_the_living_one(bed: Bed, network: Network) -> None:
    server = await bed.serve(HEALTHY)
    network.add("mail.example.test", {587: server}, dead_first=True)
    started = time.monotonic()
    session = session_for(bed, server, host="mail.example.test", port=587)
    await session.open(sender=SENDER)
    session.quit()
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize(
    "reply",
    [
        b"Hello\r\n",
        b"\r\n",
        b"2\r\n",
        b"99 bottles\r\n",
        b"250\xa0Ok\r\n",
        b"250Ok\r\n",
        b"250-one\r\nnonsense\r\n",
        b"600 Ok\r\n",
        b"100 Ok\r\n",
        b"-250 Ok\r\n",
        b" 250 Ok\r\n",
        b"\x00\x00\x00\x00\r\n",
        b"250 " + b"x" * 5000 + b"\r\n",
        b"250-x\r\n" * 20_000 + b"250 x\r\n",
        b"x" * 100_000,
    ],
    ids=lambda reply: repr(reply[:20]),
)
@pytest.mark.parametrize("step", [Step.EHLO, Step.AUTH_VERDICT, Step.MAIL])
async def test_what_is_no_reply_ends_the_session(bed: Bed, step: Step, reply: bytes) -> None:
    server = await bed.serve(PLAIN_LOGIN.but(answers={step: say(reply)}))
    async with nothing_left(server):
        failure = await failure_of(bed, server)
    assert (failure.kind, failure.stage) == (FailureKind.PROTOCOL_ERROR, STAGES[step])
    assert server.record.steps[-1] is step


@pytest.mark.parametrize("code", [211, 221, 250, 354])
async def test_a_greeting_with_another_positive_code_is_no_greeting(bed: Bed, code: int) -> None:
    script = HEALTHY.but(answers={Step.GREETING: say(f"{code} Hello")})
    failure = await failure_of(bed, await bed.serve(script))
    assert failure.kind is FailureKind.PROTOCOL_ERROR
    assert failure.stage is Stage.GREETING


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("421 4.7.0 Too many connections from your host", FailureKind.SERVER_BUSY),
        ("451 4.3.2 System not accepting network messages", FailureKind.SERVER_BUSY),
        ("554 5.7.1 Service unavailable; Client host blocked", FailureKind.GREETING_REJECTED),
        ("554-5.7.1 One\n554 5.7.1 Two", FailureKind.GREETING_REJECTED),
    ],
)
@pytest.mark.parametrize("encryption", list(Encryption)[1:])
async def test_a_greeting_that_turns_us_away_is_quoted(
    bed: Bed, encryption: Encryption, reply: str, kind: FailureKind
) -> None:
    server = await bed.serve(broken(encryption, answers={Step.GREETING: say(reply)}))
    failure = await failure_of(bed, server)
    assert (failure.kind, failure.stage) == (kind, Stage.GREETING)
    assert failure.server_words == " ".join([reply[:3], *(w[4:] for w in reply.split("\n"))])


async def test_words_that_no_encoder_takes_are_cleaned(bed: Bed) -> None:
    reply = b"554 5.7.1 B\xe4d \xff\xfe\x1b[31mred\x07 \xed\xa0\x80\r\n"
    script: Script = HEALTHY.but(answers={Step.GREETING: say(reply)})
    failure = await failure_of(bed, await bed.serve(script))
    words = failure.server_words
    assert words.encode("utf-8")
    assert words.isprintable()


async def test_a_session_that_failed_cannot_be_used(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.MAIL: hang_up()}))
    session = session_for(bed, server)
    with pytest.raises(MailError):
        await session.open(sender=SENDER)
    with pytest.raises(MailError) as caught:
        _ = session.connection
    assert caught.value.failure.kind is FailureKind.DISCONNECTED

"""Replies that come in pieces are put together; bytes that nobody asked for end the session.

A reply kept for the next command would make a refusal count as a success.
"""

from typing import Any

import pytest

from custom_components.email_courier.mail.envelope import Envelope
from custom_components.email_courier.mail.failure import FailureKind
from custom_components.email_courier.mail.settings import Encryption
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.record import Direction
from tests.support.script import HEALTHY, PLAIN_RELAY, Answer, Script, Step, glue, split
from tests.support.scripted_server import ScriptedServer
from tests.support.sessions import LOGIN, SENDER, SPOKEN, broken, failure_of, session_for

EVERY_BYTE = pytest.mark.parametrize(
    ("encryption", "step"),
    [
        (Encryption.NONE, Step.GREETING),
        (Encryption.NONE, Step.EHLO),
        (Encryption.TLS, Step.GREETING),
        (Encryption.STARTTLS, Step.STARTTLS),
        (Encryption.STARTTLS, Step.EHLO_TLS),
        (Encryption.STARTTLS, Step.AUTH_VERDICT),
        (Encryption.STARTTLS, Step.MAIL),
    ],
)
"""Each reply once, and the greeting in clear and inside TLS: every byte is a handshake."""
EVERY_SPOKEN_STEP = pytest.mark.parametrize(("encryption", "step"), SPOKEN)
ENVELOPE = Envelope(SENDER, ("a@example.test",))
MESSAGE = b"Subject: x\r\n\r\nx\r\n"


def _terse(encryption: Encryption, **changes: Any) -> Script:
    """Return a healthy server of few words."""
    return broken(encryption, name="m.test", capabilities=(), **changes)


async def _length_of_reply(bed: Bed, encryption: Encryption, step: Step) -> int:
    """Return how many octets the reply of a terse server has at a step."""
    server = await bed.serve(_terse(encryption))
    session = session_for(bed, server)
    await session.open(sender=SENDER)
    session.quit()
    assert await server.all_closed()
    said = [line.text for line in server.record.lines if line.direction is Direction.SERVER]
    spoken: list[Step] = [each for each in server.record.steps if each is not Step.TLS]
    return len(said[spoken.index(step)])


@EVERY_BYTE
async def test_a_reply_may_be_split_at_every_byte(
    bed: Bed, encryption: Encryption, step: Step
) -> None:
    length = await _length_of_reply(bed, encryption, step)
    answers = tuple(split(at, gap=0.001) for at in range(1, length))
    server = await bed.serve(_terse(encryption, answers={step: answers}))
    for at in range(1, length):
        session = session_for(bed, server)
        await session.open(sender=SENDER)
        session.quit()
        assert server.record.connections == at
    assert server.record.violations == []


@EVERY_SPOKEN_STEP
async def test_a_reply_may_come_byte_by_byte(bed: Bed, encryption: Encryption, step: Step) -> None:
    server = await bed.serve(broken(encryption, answers={step: Answer(drip=0.0005)}))
    session = session_for(bed, server)
    await session.open(sender=SENDER)
    session.quit()
    assert server.record.violations == []


@pytest.mark.parametrize(
    "extra",
    [b"2", b"250", b"250 Ok\r\n", b"250-Ok\r\n", b"\r\n", b"\n", b" ", b"\0", b"235 2.7.0 Yes\r\n"],
)
@EVERY_SPOKEN_STEP
async def test_bytes_behind_a_reply_end_the_session(
    bed: Bed, encryption: Encryption, step: Step, extra: bytes
) -> None:
    server = await bed.serve(broken(encryption, answers={step: glue(extra)}))
    async with nothing_left(server):
        failure = await failure_of(bed, server)
    assert failure.kind is FailureKind.PROTOCOL_ERROR
    # Not a word more was said.
    assert server.record.steps[-1] is step
    assert server.record.mails == []


@EVERY_BYTE
async def test_bytes_behind_a_reply_are_found_wherever_the_segment_was_cut(
    bed: Bed, encryption: Encryption, step: Step
) -> None:
    length = await _length_of_reply(bed, encryption, step)
    extra = b"250 2.1.5 Ok\r\n"
    answers = tuple(Answer(split=at, gap=0.001, glued=extra) for at in range(1, length))
    server = await bed.serve(_terse(encryption, answers={step: answers}))
    for _ in answers:
        assert (await failure_of(bed, server)).kind is FailureKind.PROTOCOL_ERROR
    assert set(server.record.steps[-1:]) == {step}


@pytest.mark.parametrize(
    "injected",
    [
        b"250-mail.example.test\r\n250 AUTH PLAIN LOGIN\r\n",
        b"250 mail.example.test\r\n",
        b"235 2.7.0 Authentication successful\r\n",
        b"2",
        b"\r\n",
    ],
)
async def test_what_an_attacker_puts_behind_the_go_ahead_of_starttls_is_refused(
    bed: Bed, injected: bytes
) -> None:
    """The STARTTLS injection of RFC 3207's readers: CVE-2011-0411 and its kin."""
    server = await bed.serve(HEALTHY.but(answers={Step.STARTTLS: glue(injected)}))
    async with nothing_left(server):
        failure = await failure_of(bed, server)
    assert failure.kind is FailureKind.PROTOCOL_ERROR
    assert server.record.auth_commands == 0
    assert server.record.secrets_in_clear([LOGIN.password, SENDER]) == []


async def test_what_a_server_said_before_tls_is_forgotten(bed: Bed) -> None:
    script = HEALTHY.but(mechanisms=(), mechanisms_in_clear=("PLAIN", "LOGIN"))
    server = await bed.serve(script)
    failure = await failure_of(bed, server)
    assert failure.kind is FailureKind.AUTH_NOT_OFFERED
    assert server.record.auth_commands == 0


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA])
async def test_an_extra_reply_never_makes_a_refusal_count_as_a_success(
    bed: Bed, step: Step
) -> None:
    server = await bed.serve(
        PLAIN_RELAY.but(
            answers={step: glue(b"250 2.0.0 Ok\r\n")},
            recipient_replies={"a@example.test": "550 5.1.1 No such user"}
            if step is Step.MAIL
            else {},
        )
    )
    delivery = await _deliver(bed, server)
    assert delivery == []
    assert server.record.mails == []


async def test_an_extra_reply_behind_the_last_one_ends_the_session(bed: Bed) -> None:
    server = await bed.serve(PLAIN_RELAY.but(answers={Step.DOT: glue(b"250 2.0.0 Ok\r\n")}))
    session = session_for(bed, server, login=None)
    await session.open()
    await session.deliver(ENVELOPE, MESSAGE)
    assert not session.is_open
    session.abort()


async def _deliver(bed: Bed, server: ScriptedServer) -> list[str]:
    """Return the addresses that a mail was accepted for."""
    session = session_for(bed, server, login=None)
    await session.open()
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.quit()
    return [outcome.address for outcome in delivery.accepted]

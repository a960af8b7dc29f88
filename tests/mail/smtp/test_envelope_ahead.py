"""The next mail's envelope together with a message: nothing else may come of it (RFC 2920, 3.1)."""

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest

from custom_components.email_courier.mail.envelope import Delivery, Envelope, Upcoming
from custom_components.email_courier.mail.failure import Permanence
from custom_components.email_courier.mail.payload import IN_MEMORY, gather
from custom_components.email_courier.mail.smtp import keepalive, transaction
from custom_components.email_courier.mail.smtp.keepalive import KeepaliveSession
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.script import (
    HEALTHY as ANY,
    HEALTHY_TLS,
    Answer,
    Pipelining,
    Script,
    Step,
    drip,
    glue,
    hang_up,
    reset,
    say,
    split,
    stall,
)
from tests.support.scripted_server import ScriptedServer
from tests.support.sessions import PATIENT, QUICK, SENDER, context_for, settings_for

A, B = "a@example.test", "b@example.test"
HEALTHY = ANY.but(program="Postfix")
ENVELOPE = Envelope(SENDER, (A, B))
MESSAGES = tuple(b"Subject: %d\r\n\r\n.dots\r\n" % number for number in range(4))
FINE = {
    Step.MAIL: "250 2.1.0 Ok",
    Step.RCPT: "250 2.1.5 Ok",
    Step.DATA: "354 Go on",
    Step.DOT: "250 2.0.0 Ok",
}
TIMES = {Step.MAIL: 1, Step.RCPT: 2, Step.DATA: 1, Step.DOT: 1}
"""How often a server speaks at a step for one mail."""


def _script(step: Step, answer: Answer, base: Script = HEALTHY) -> Script:
    """Return a server that is healthy for the first mail."""
    return base.but(answers={step: (say(FINE[step]),) * TIMES[step] + (answer,)})


async def _burst(
    bed: Bed,
    server: ScriptedServer,
    messages: Sequence[bytes] = MESSAGES,
    *,
    ahead: bool = True,
    envelopes: Sequence[Envelope] = (ENVELOPE,) * len(MESSAGES),
    skipped: int | None = None,
) -> list[Delivery]:
    """Deliver one after the other, announced by the one before. skipped: is left out."""
    session = KeepaliveSession(
        settings_for(server, deadlines=QUICK, hello_name="client.example.test"), context_for(bed)
    )
    deliveries: list[Delivery] = []
    for number, message in enumerate(messages):
        following = number + 1
        upcoming = None
        if ahead and following < len(messages):
            upcoming = Upcoming(envelopes[following], len(messages[following]))
        if number != skipped:
            peek = partial(_same, upcoming)
            deliveries.append(await session.deliver(envelopes[number], message, peek=peek))
    session.close()
    return deliveries


def _same(upcoming: Upcoming | None) -> Upcoming | None:
    return upcoming


def _arrived(server: ScriptedServer) -> list[tuple[bytes, tuple[str, ...]]]:
    return [(mail.content, mail.recipients) for mail in server.record.mails]


def _verdicts(deliveries: Sequence[Delivery]) -> list[list[object]]:
    return [
        [
            one.failure and (one.failure.kind, one.failure.permanence, one.failure.stage)
            for one in delivery.outcomes
        ]
        for delivery in deliveries
    ]


@pytest.mark.parametrize(
    "script",
    [HEALTHY, HEALTHY_TLS.but(program="Exim 4.99"), HEALTHY.but(program="Postfix (Debian/GNU)")],
)
async def test_each_message_takes_the_next_envelope_with_it(bed: Bed, script: Script) -> None:
    server = await bed.serve(script)
    async with nothing_left(server):
        deliveries = await _burst(bed, server)
    assert [len(delivery.accepted) for delivery in deliveries] == [2] * 4
    assert _arrived(server) == [(message, (A, B)) for message in MESSAGES]
    assert server.record.connections == 1
    assert server.record.violations == []


@pytest.mark.parametrize("program", ["ready", "Dovecot ready.", "Postfixed", "- gsmtp"])
async def test_it_is_for_servers_alone_that_were_seen_to_take_it(bed: Bed, program: str) -> None:
    """Another one may have taken the message, and say nothing more."""
    script = HEALTHY.but(program=program, pipelining=Pipelining.REFUSED_BEHIND_A_MESSAGE)
    server = await bed.serve(script)
    deliveries = await _burst(bed, server)
    assert [len(delivery.accepted) for delivery in deliveries] == [2] * 4
    assert server.record.connections == 1


@pytest.mark.parametrize("step", FINE)
@pytest.mark.parametrize(
    "answer",
    [
        say("451 4.3.0 Try again later"),
        say("421 4.3.2 Closing"),
        say("550 5.7.1 No"),
        say("452 4.2.2 Mailbox full"),
        say("250 2.0.0 Ok\r\n250 2.0.0 Ok twice"),
        hang_up(),
        hang_up(after=3),
        reset(),
        split(at=2),
        drip(0.001),
    ],
    ids=lambda answer: str(answer.reply or (answer.then, answer.cut, answer.split, answer.glued)),
)
async def test_a_fault_has_the_outcome_that_it_has_without(
    bed: Bed, step: Step, answer: Answer
) -> None:
    with_it, without = [await bed.serve(_script(step, answer)) for _ in range(2)]
    async with nothing_left(with_it), nothing_left(without):
        found = await _burst(bed, with_it)
        expected = await _burst(bed, without, ahead=False)
    assert _verdicts(found) == _verdicts(expected)
    assert _arrived(with_it) == _arrived(without)
    assert with_it.record.connections <= without.record.connections + 1


@pytest.mark.parametrize("step", FINE)
async def test_a_reply_that_nobody_asked_for_is_never_taken_for_another_one(
    bed: Bed, step: Step
) -> None:
    """Before the message is begun, the session is not believed any more, and a fresh one is."""
    server = await bed.serve(_script(step, glue(b"250 2.0.0 Nobody asked\r\n")))
    async with nothing_left(server):
        deliveries = await _burst(bed, server)
    assert [len(delivery.accepted) for delivery in deliveries] == [2] * 4
    assert _arrived(server) == [(message, (A, B)) for message in MESSAGES]


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA])
async def test_an_envelope_that_is_never_answered_goes_over_a_fresh_session(
    bed: Bed, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "FLIGHT_PATIENCE", 0.1)
    server = await bed.serve(_script(step, stall()))
    deliveries = await _burst(bed, server)
    assert [len(delivery.accepted) for delivery in deliveries] == [2] * 4
    assert [content for content, _ in _arrived(server)] == [*MESSAGES]
    assert server.record.connections == 2


async def test_a_final_reply_that_never_comes_is_lost_for_that_mail_alone(bed: Bed) -> None:
    server = await bed.serve(_script(Step.DOT, stall()))
    first, second, third, fourth = await _burst(bed, server)
    assert {one.failure and one.failure.permanence for one in second.outcomes} == {
        Permanence.AMBIGUOUS
    }
    assert [len(delivery.accepted) for delivery in (first, third, fourth)] == [2] * 3
    assert server.record.connections == 2


@pytest.mark.parametrize(
    "pipelining", [Pipelining.BROKEN_BEHIND_A_MESSAGE, Pipelining.REFUSED_BEHIND_A_MESSAGE]
)
async def test_a_server_that_cannot_do_it_is_asked_once_and_loses_no_mail(
    bed: Bed, pipelining: Pipelining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "FLIGHT_PATIENCE", 0.1)
    server = await bed.serve(HEALTHY.but(pipelining=pipelining))
    deliveries = await _burst(bed, server)
    assert [len(delivery.accepted) for delivery in deliveries] == [2] * 4
    assert [content for content, _ in _arrived(server)] == [*MESSAGES]
    assert server.record.connections == 2


@pytest.mark.parametrize(
    "pipelining", [Pipelining.ABSENT, Pipelining.ENFORCED_ABSENT, Pipelining.BROKEN]
)
async def test_nothing_goes_ahead_where_commands_may_not_come_in_groups(
    bed: Bed, pipelining: Pipelining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "FLIGHT_PATIENCE", 0.1)
    server = await bed.serve(HEALTHY.but(pipelining=pipelining))
    deliveries = await _burst(bed, server)
    assert [len(delivery.accepted) for delivery in deliveries] == [2] * 4
    assert server.record.violations == []


async def test_another_mail_than_the_announced_one_goes_over_a_fresh_session(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    async with nothing_left(server):
        others = (ENVELOPE, Envelope(SENDER, (B,)), Envelope(SENDER, (A,)), ENVELOPE)
        deliveries = await _burst(bed, server, envelopes=others, skipped=1)
    assert [len(delivery.accepted) for delivery in deliveries] == [2, 1, 2]
    assert [content for content, _ in _arrived(server)] == [
        message for number, message in enumerate(MESSAGES) if number != 1
    ]
    assert server.record.connections == 2


async def test_another_mail_with_the_same_envelope_takes_its_place(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    deliveries = await _burst(bed, server, skipped=1)
    assert [len(delivery.accepted) for delivery in deliveries] == [2, 2, 2]
    assert server.record.connections == 1


async def test_a_session_that_is_left_with_an_envelope_ahead_is_dropped(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepalive, "IDLE", 0.05)
    server = await bed.serve(HEALTHY)
    session = KeepaliveSession(settings_for(server, deadlines=QUICK), context_for(bed))
    await session.deliver(ENVELOPE, MESSAGES[0], peek=lambda: Upcoming(ENVELOPE, 10))
    while server.record.open_connections:
        await asyncio.sleep(0.01)
    assert server.record.commands("QUIT") == []
    assert len((await session.deliver(ENVELOPE, MESSAGES[1])).accepted) == 2
    session.close()


async def test_an_envelope_ahead_is_taken_up_after_a_pause_without_a_probe(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepalive, "_FRESH", 0.0)
    server = await bed.serve(HEALTHY)
    await _burst(bed, server)
    assert server.record.commands("RSET") == []
    assert server.record.connections == 1


async def test_the_last_mail_of_a_session_takes_no_envelope_with_it(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepalive, "MAILS", 2)
    server = await bed.serve(HEALTHY)
    async with nothing_left(server):
        deliveries = await _burst(bed, server)
    assert [len(delivery.accepted) for delivery in deliveries] == [2] * 4
    assert [mail.connection for mail in server.record.mails] == [1, 1, 2, 2]
    assert server.record.commands("QUIT") == ["QUIT"] * 2


async def test_a_mail_that_the_server_cannot_take_does_not_go_ahead(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(size_limit=1000))
    messages = (MESSAGES[0], b"Subject: large\r\n\r\n" + b"x" * 2000 + b"\r\n", MESSAGES[2])
    envelopes = (ENVELOPE, ENVELOPE, Envelope("ä@example.test", (A,), smtputf8=True))
    first, large, unicode = await _burst(bed, server, messages, envelopes=envelopes)
    assert len(first.accepted) == 2
    assert len(large.refused) == 2
    assert len(unicode.refused) == 1
    assert len(server.record.commands("MAIL")) == 1


async def test_recipients_that_were_too_many_come_before_the_next_mail(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(recipients_per_mail=1))
    deliveries = await _burst(bed, server)
    assert [len(delivery.accepted) for delivery in deliveries] == [2] * 4
    assert _arrived(server) == [(message, (to,)) for message in MESSAGES for to in (A, B)]
    assert server.record.connections == 1
    assert server.record.violations == []


async def test_a_message_in_a_file_takes_the_next_envelope_with_it_too(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    large = b"Subject: large\r\n\r\n" + b"." * 70 + b"x" * IN_MEMORY + b"\r\n"
    session = KeepaliveSession(settings_for(server, deadlines=PATIENT), context_for(bed))
    payload = await asyncio.to_thread(gather, [large])
    upcoming = Upcoming(ENVELOPE, len(payload))
    for _ in range(2):
        assert len((await session.deliver(ENVELOPE, payload, peek=lambda: upcoming)).accepted) == 2
    session.close()
    assert [content for content, _ in _arrived(server)] == [large, large]
    assert server.record.connections == 1

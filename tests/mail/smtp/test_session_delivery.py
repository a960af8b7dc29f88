"""Delivering a mail: one outcome for each recipient, whatever happens on the way."""

import asyncio
from copy import replace
import time

import pytest

from custom_components.email_courier.mail.envelope import Delivery, Envelope
from custom_components.email_courier.mail.failure import Cause, FailureKind, Permanence, Stage
from custom_components.email_courier.mail.payload import IN_MEMORY, FilePayload, gather
from custom_components.email_courier.mail.settings import Deadlines, Encryption
from custom_components.email_courier.mail.smtp.keepalive import deliver_once
from custom_components.email_courier.mail.smtp.session import Session
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PLAIN_RELAY,
    After,
    Answer,
    Pipelining,
    Script,
    Step,
    Upload,
    drip,
    hang_up,
    reset,
    say,
    stall,
)
from tests.support.scripted_server import ScriptedServer
from tests.support.sessions import (
    PATIENT,
    QUICK,
    SCRIPTS,
    SENDER,
    context_for,
    session_for,
    settings_for,
)

A, B, C = "a@example.test", "b@example.test", "c@example.test"
ENVELOPE = Envelope(SENDER, (A, B))
MESSAGE = b"Subject: dots\r\n\r\n.\r\n..\r\n.one\r\nnone\r\n"
STAGES = {
    Step.MAIL: Stage.SENDER,
    Step.RCPT: Stage.RECIPIENT,
    Step.DATA: Stage.DATA,
    Step.DOT: Stage.DATA,
}
EVERY_STEP = pytest.mark.parametrize("step", STAGES)


async def _opened(
    bed: Bed, script: Script, deadlines: Deadlines = PATIENT
) -> tuple[ScriptedServer, Session]:
    """Start a server and open a session with it."""
    server = await bed.serve(script)
    login = {} if script.mechanisms else {"login": None}
    session = session_for(bed, server, deadlines=deadlines, **login)
    await session.open()
    return server, session


def _failures(delivery: Delivery) -> list[tuple[FailureKind, Permanence] | None]:
    failures = [outcome.failure for outcome in delivery.outcomes]
    return [(failure.kind, failure.permanence) if failure else None for failure in failures]


@pytest.mark.parametrize("encryption", SCRIPTS)
async def test_a_mail_arrives_byte_for_byte(bed: Bed, encryption: Encryption) -> None:
    server = await bed.serve(SCRIPTS[encryption])
    async with nothing_left(server):
        delivery = await deliver_once(settings_for(server), context_for(bed), ENVELOPE, MESSAGE)
    assert [outcome.address for outcome in delivery.accepted] == [A, B]
    assert str(delivery.reply) == "250 2.0.0 Ok: queued as 1"
    [mail] = server.record.mails
    assert mail.content == MESSAGE
    assert (mail.sender, mail.recipients) == (SENDER, (A, B))
    assert server.record.violations == []
    assert server.record.auth_commands == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b".",
        b".\r\n",
        b"..\r\n",
        b"no line end",
        b"x\r\n.",
        b"x\r\n.\r\n\r\n.\r\ny\r\n",
        b".\r\n" * 100_000,
        b"x" * 997 + b"\r\n" + b"." * 998 + b"\r\n",
        (b"x" * 65_534 + b"\r\n.\r\n")[-998:],
        (b"line of text\r\n" * 4681) + b".\r\n.\r\n",
    ],
    ids=lambda content: f"{len(content)}",
)
async def test_dots_survive_the_transport(bed: Bed, content: bytes) -> None:
    server, session = await _opened(bed, PLAIN_RELAY)
    delivery = await session.deliver(ENVELOPE, content)
    session.quit()
    assert len(delivery.accepted) == 2
    [mail] = server.record.mails
    ended = content if content.endswith(b"\r\n") else content + b"\r\n"
    assert mail.content == ended
    assert server.record.violations == []


@pytest.mark.parametrize("line", [b".\r\n", b"line of text\r\n", b"." * 998 + b"\r\n"])
async def test_dots_survive_the_transport_from_a_file(bed: Bed, line: bytes) -> None:
    content = line * (IN_MEMORY // len(line) + 1) + b".no line end"
    message = gather([content])
    assert isinstance(message, FilePayload)
    server, session = await _opened(bed, PLAIN_RELAY)
    delivery = await session.deliver(ENVELOPE, message)
    session.quit()
    assert len(delivery.accepted) == 2
    assert server.record.mails[0].content == content + b"\r\n"
    assert server.record.violations == []


async def test_a_session_carries_one_mail_after_another(bed: Bed) -> None:
    server, session = await _opened(bed, HEALTHY)
    for _ in range(3):
        assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
    session.quit()
    assert len(server.record.mails) == 3
    assert (server.record.connections, server.record.auth_commands) == (1, 1)


async def test_some_recipients_refused_are_named_and_the_others_get_the_mail(bed: Bed) -> None:
    replies = {A: "550 5.1.1 No such user", C: "450 4.2.0 Greylisted"}
    server, session = await _opened(bed, HEALTHY.but(recipient_replies=replies))
    delivery = await session.deliver(Envelope(SENDER, (A, B, C)), MESSAGE)
    session.quit()
    assert [outcome.address for outcome in delivery.outcomes] == [A, B, C]
    assert _failures(delivery) == [
        (FailureKind.RECIPIENT_REJECTED, Permanence.PERMANENT),
        None,
        (FailureKind.DEFERRED, Permanence.TEMPORARY),
    ]
    assert [str(outcome.reply) for outcome in delivery.outcomes] == [
        replies[A],
        "250 2.0.0 Ok: queued as 1",
        replies[C],
    ]
    assert server.record.mails[0].recipients == (B,)


async def test_where_all_are_refused_no_mail_is_sent_and_the_session_lives_on(bed: Bed) -> None:
    refusals = (say("550 5.1.1 No"), say("550 5.1.1 No"))
    script = HEALTHY.but(answers={Step.RCPT: refusals}, pipelining=Pipelining.ABSENT)
    server, session = await _opened(bed, script)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    assert len(delivery.refused) == 2
    assert Step.DATA not in server.record.steps
    assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
    session.quit()


@pytest.mark.parametrize(
    ("step", "reply", "kind", "permanence"),
    [
        (Step.MAIL, "553 5.7.1 Not owned by user", "sender_rejected", "permanent"),
        (Step.MAIL, "530 5.7.0 Authentication required", "auth_required", "permanent"),
        (Step.MAIL, "451 4.3.0 Try later", "deferred", "temporary"),
        (Step.MAIL, "552 5.3.4 Too big", "message_too_large", "permanent"),
        (Step.MAIL, "421 4.3.2 Shutting down", "deferred", "temporary"),
        (Step.RCPT, "554 5.7.1 Relay access denied", "recipient_rejected", "permanent"),
        (Step.RCPT, "450 4.2.0 Greylisted", "deferred", "temporary"),
        (Step.RCPT, "421 4.3.2 Shutting down", "deferred", "temporary"),
        (Step.DATA, "451 4.3.0 Try later", "deferred", "temporary"),
        (Step.DATA, "554 5.7.1 No", "message_rejected", "permanent"),
        (Step.DOT, "452 4.3.1 Insufficient system storage", "deferred", "temporary"),
        (Step.DOT, "550 5.7.1 Spam", "message_rejected", "permanent"),
        (Step.DOT, "552 5.3.4 Too big", "message_too_large", "permanent"),
    ],
)
async def test_a_refusal_decides_for_every_recipient(
    bed: Bed, step: Step, reply: str, kind: str, permanence: str
) -> None:
    server, session = await _opened(bed, PLAIN_RELAY.but(answers={step: say(reply)}))
    async with nothing_left(server):
        delivery = await session.deliver(ENVELOPE, MESSAGE)
        session.quit()
    assert _failures(delivery) == [(kind, permanence)] * 2
    assert [str(outcome.reply) for outcome in delivery.outcomes] == [reply] * 2
    assert server.record.mails == []


@pytest.mark.parametrize(
    "answer",
    [hang_up(), reset(), stall(), drip(0.1), say("nonsense")],
    ids=["fin", "rst", "stall", "drip", "nonsense"],
)
@EVERY_STEP
async def test_a_broken_connection_is_temporary_before_the_dot_and_ambiguous_after_it(
    bed: Bed, step: Step, answer: Answer
) -> None:
    server, session = await _opened(bed, PLAIN_RELAY.but(answers={step: answer}), QUICK)
    async with nothing_left(server):
        started = time.monotonic()
        delivery = await session.deliver(ENVELOPE, MESSAGE)
        assert time.monotonic() - started < QUICK.transaction + 0.5
        assert not session.is_open
    lost = step is Step.DOT
    expected = Permanence.AMBIGUOUS if lost else Permanence.TEMPORARY
    assert [o.failure and o.failure.permanence for o in delivery.outcomes] == [expected] * 2
    assert {o.failure and o.failure.stage for o in delivery.outcomes} == {STAGES[step]}
    assert len(delivery.owed) == 2
    if not lost:
        assert server.record.mails == []


async def test_who_was_refused_before_the_connection_broke_stays_refused(bed: Bed) -> None:
    script = PLAIN_RELAY.but(
        recipient_replies={A: "550 5.1.1 No such user"}, answers={Step.DATA: hang_up()}
    )
    _, session = await _opened(bed, script)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    assert _failures(delivery) == [
        (FailureKind.RECIPIENT_REJECTED, Permanence.PERMANENT),
        (FailureKind.DISCONNECTED, Permanence.TEMPORARY),
    ]


@pytest.mark.parametrize("script", [PLAIN_RELAY, HEALTHY_TLS], ids=["plain", "tls"])
async def test_an_upload_that_was_reported_as_failed_never_arrives_later(
    bed: Bed, script: Script
) -> None:
    upload = Upload(stop_after=50_000, stall=1.5)
    server, session = await _opened(bed, script.but(upload=upload), QUICK)
    async with nothing_left(server):
        delivery = await session.deliver(ENVELOPE, b"x" * 70 + b"\r\n" + MESSAGE * 400_000)
        assert _failures(delivery) == [(FailureKind.SERVER_TOO_SLOW, Permanence.TEMPORARY)] * 2
    # The server goes on reading what is left, and finds a connection that was torn down.
    await asyncio.sleep(1.5)
    assert server.record.mails == []


async def test_an_upload_that_stands_still_has_a_limit_of_its_own(bed: Bed) -> None:
    script = PLAIN_RELAY.but(upload=Upload(stop_after=50_000))
    _, session = await _opened(bed, script, replace(PATIENT, stall=0.2))
    async with asyncio.timeout(PATIENT.stall):
        delivery = await session.deliver(ENVELOPE, MESSAGE * 400_000)
    assert _failures(delivery) == [(FailureKind.SERVER_TOO_SLOW, Permanence.TEMPORARY)] * 2


async def test_a_slow_line_is_no_stall(bed: Bed) -> None:
    content = (b"x" * 70 + b"\r\n") * 100_000
    script = PLAIN_RELAY.but(upload=Upload(rate=3_000_000))
    # Linux says that there is room again once a third of its buffer is empty, which takes a good
    # part of a second here; and what it still holds then waits for the final reply.
    deadlines = replace(QUICK, stall=1.2, final_reply=10)
    server, session = await _opened(bed, script, deadlines)
    started = time.monotonic()
    delivery = await session.deliver(ENVELOPE, content)
    session.quit()
    assert len(delivery.accepted) == 2
    assert time.monotonic() - started > max(deadlines.transaction, deadlines.stall)
    assert server.record.mails[0].content == content


@pytest.mark.parametrize("then", [After.HANG_UP, After.RESET])
async def test_a_connection_that_breaks_during_the_upload_is_safe_to_retry(
    bed: Bed, then: After
) -> None:
    script = PLAIN_RELAY.but(upload=Upload(stop_after=50_000, then=then))
    server, session = await _opened(bed, script)
    async with nothing_left(server):
        delivery = await session.deliver(ENVELOPE, MESSAGE * 100_000)
    assert {o.failure and o.failure.permanence for o in delivery.outcomes} == {Permanence.TEMPORARY}
    assert server.record.mails == []


async def test_a_refusal_in_the_middle_of_the_upload_is_heard(bed: Bed) -> None:
    script = PLAIN_RELAY.but(
        upload=Upload(stop_after=50_000, then=After.HANG_UP, words="552 5.3.4 Too big")
    )
    server, session = await _opened(bed, script)
    delivery = await session.deliver(ENVELOPE, MESSAGE * 100_000)
    session.abort()
    assert _failures(delivery) == [(FailureKind.MESSAGE_TOO_LARGE, Permanence.PERMANENT)] * 2
    assert server.record.mails == []


async def test_an_acceptance_in_the_middle_of_the_upload_is_none(bed: Bed) -> None:
    script = PLAIN_RELAY.but(
        upload=Upload(stop_after=50_000, then=After.HANG_UP, words="250 2.0.0 Ok")
    )
    server, session = await _opened(bed, script)
    delivery = await session.deliver(ENVELOPE, MESSAGE * 100_000)
    assert not session.is_open
    assert _failures(delivery) == [(FailureKind.PROTOCOL_ERROR, Permanence.TEMPORARY)] * 2
    failure = delivery.outcomes[0].failure
    assert failure is not None
    assert (failure.stage, str(failure.reply)) == (Stage.DATA, "250 2.0.0 Ok")
    assert server.record.mails == []


async def test_a_mail_over_the_limit_is_refused_before_a_byte_is_sent(bed: Bed) -> None:
    server, session = await _opened(bed, PLAIN_RELAY.but(size_limit=len(MESSAGE) - 1))
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    assert _failures(delivery) == [(FailureKind.MESSAGE_TOO_LARGE, Permanence.PERMANENT)] * 2
    facts = delivery.outcomes[0].failure
    assert facts is not None
    assert facts.facts["limit"] == str(len(MESSAGE) - 1)
    assert Step.MAIL not in server.record.steps


async def test_a_mail_at_the_limit_announces_its_size(bed: Bed) -> None:
    server, session = await _opened(bed, PLAIN_RELAY.but(size_limit=len(MESSAGE)))
    assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
    session.quit()
    assert server.record.mails[0].parameters == (f"SIZE={len(MESSAGE)}",)


@pytest.mark.parametrize("smtputf8", [True, False])
async def test_letters_outside_ascii_need_a_server_that_takes_them(
    bed: Bed, smtputf8: bool
) -> None:
    server, session = await _opened(bed, PLAIN_RELAY.but(smtputf8=smtputf8))
    envelope = Envelope(SENDER, ("jürgen@example.test",), smtputf8=True)
    delivery = await session.deliver(envelope, MESSAGE)
    session.quit()
    if smtputf8:
        assert server.record.mails[0].parameters == ("SMTPUTF8", "BODY=8BITMIME")
    else:
        assert _failures(delivery) == [(FailureKind.INVALID_RECIPIENT, Permanence.PERMANENT)]
    assert server.record.violations == []


@pytest.mark.parametrize("pipelining", [Pipelining.OFFERED, Pipelining.ABSENT])
async def test_one_address_outside_ascii_takes_no_mail_from_the_others(
    bed: Bed, pipelining: Pipelining
) -> None:
    server, session = await _opened(bed, PLAIN_RELAY.but(smtputf8=False, pipelining=pipelining))
    envelope = Envelope(SENDER, ("a@example.test", "pelé@example.test"), smtputf8=True)
    delivery = await session.deliver(envelope, MESSAGE)
    session.quit()
    assert [outcome.address for outcome in delivery.accepted] == ["a@example.test"]
    [refused] = delivery.refused
    assert refused.failure is not None
    assert refused.failure.kind is FailureKind.INVALID_RECIPIENT
    assert refused.failure.facts == {
        "address": "pelé@example.test",
        "cause": Cause.ADDRESS_NOT_ASCII,
    }
    assert server.record.mails[0].recipients == ("a@example.test",)
    assert "SMTPUTF8" not in server.record.mails[0].parameters
    assert server.record.violations == []


@pytest.mark.parametrize("is_large", [True, False])
async def test_a_header_outside_ascii_cannot_be_sent_to_a_server_that_takes_none(
    bed: Bed, is_large: bool
) -> None:
    server, session = await _opened(bed, PLAIN_RELAY.but(smtputf8=False))
    text = b"x" * (IN_MEMORY if is_large else 1)
    message = gather(["To: pelé@example.test\r\n\r\n".encode(), text, b"\r\n"])
    envelope = Envelope(SENDER, ("a@example.test", "pelé@example.test"), smtputf8=True)
    delivery = await session.deliver(envelope, message)
    session.quit()
    kinds = {outcome.failure.kind for outcome in delivery.refused if outcome.failure}
    assert (len(delivery.refused), kinds) == (2, {FailureKind.INVALID_RECIPIENT})
    assert server.record.commands("MAIL") == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@b.test>\r\nRCPT TO:<evil@example.test",
        "a@b.test\r\nDATA",
        "a@b.test\n",
        "a@b.test\0",
        "a@b.test> SIZE=1",
        "a b@example.test",
        "a@b.test,c@d.test",
        "<a@b.test>",
        "@a.test:b@c.test",
    ],
)
async def test_no_address_can_say_more_than_itself(bed: Bed, address: str) -> None:
    server, session = await _opened(bed, PLAIN_RELAY)
    delivery = await session.deliver(Envelope(SENDER, (address, B)), MESSAGE)
    assert _failures(delivery) == [(FailureKind.INVALID_RECIPIENT, Permanence.PERMANENT), None]
    delivery = await session.deliver(Envelope(address, (B,)), MESSAGE)
    assert _failures(delivery) == [(FailureKind.INVALID_SENDER, Permanence.PERMANENT)]
    assert await server.all_closed()
    assert [mail.recipients for mail in server.record.mails] == [(B,)]
    assert server.record.violations == []


class TestBeforeTheDot:
    async def test_it_is_awaited_when_all_but_the_dot_was_sent(self, bed: Bed) -> None:
        server, session = await _opened(bed, PLAIN_RELAY)
        seen: list[int] = []

        async def note() -> None:
            await asyncio.sleep(0.1)
            seen.append(len(server.record.mails))

        await session.deliver(ENVELOPE, MESSAGE, before_dot=note)
        session.quit()
        assert seen == [0]
        assert len(server.record.mails) == 1

    async def test_it_is_not_awaited_where_no_body_is_sent(self, bed: Bed) -> None:
        _, session = await _opened(bed, PLAIN_RELAY.but(answers={Step.DATA: say("554 No")}))
        seen: list[None] = []

        async def note() -> None:
            seen.append(None)

        await session.deliver(ENVELOPE, MESSAGE, before_dot=note)
        assert seen == []

    async def test_what_it_raises_ends_the_session_without_the_dot(self, bed: Bed) -> None:
        server, session = await _opened(bed, PLAIN_RELAY)

        async def fail() -> None:
            raise RuntimeError("the disk is full")

        async with nothing_left(server):
            with pytest.raises(RuntimeError):
                await session.deliver(ENVELOPE, MESSAGE, before_dot=fail)
        assert server.record.mails == []


@EVERY_STEP
async def test_cancelling_ends_it_within_two_tenths_of_a_second(bed: Bed, step: Step) -> None:
    server, session = await _opened(bed, HEALTHY.but(answers={step: stall()}))
    async with nothing_left(server):
        delivery = asyncio.create_task(session.deliver(ENVELOPE, MESSAGE))
        async with asyncio.timeout(5):
            while step not in server.record.steps:
                await asyncio.sleep(0.01)
        started = time.monotonic()
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery
        assert time.monotonic() - started < 0.2


@pytest.mark.parametrize("script", [PLAIN_RELAY, HEALTHY_TLS], ids=["plain", "tls"])
async def test_cancelling_an_upload_leaves_nothing_that_arrives_later(
    bed: Bed, script: Script
) -> None:
    upload = Upload(stop_after=50_000, stall=1.0)
    server, session = await _opened(bed, script.but(upload=upload))
    async with nothing_left(server):
        delivery = asyncio.create_task(session.deliver(ENVELOPE, MESSAGE * 200_000))
        async with asyncio.timeout(5):
            while Step.DATA not in server.record.steps:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        started = time.monotonic()
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery
        assert time.monotonic() - started < 0.2
    await asyncio.sleep(1.0)
    assert server.record.mails == []


async def test_a_server_that_cannot_be_reached_is_an_outcome_too(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    settings = settings_for(server)
    await server.stop()
    delivery = await deliver_once(settings, context_for(bed), ENVELOPE, MESSAGE)
    assert _failures(delivery) == [(FailureKind.CONNECTION_REFUSED, Permanence.TEMPORARY)] * 2


async def test_a_mute_goodbye_holds_nobody_up(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.QUIT: stall()}))
    started = time.monotonic()
    async with nothing_left(server):
        delivery = await deliver_once(settings_for(server), context_for(bed), ENVELOPE, MESSAGE)
    assert len(delivery.accepted) == 2
    assert time.monotonic() - started < 1

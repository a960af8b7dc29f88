"""MAIL, all RCPT and DATA in one flight, each with its own reply (RFC 2920)."""

import asyncio
import ssl

import pytest

from custom_components.email_courier.mail.envelope import Delivery, Envelope
from custom_components.email_courier.mail.failure import FailureKind, Stage
from custom_components.email_courier.mail.settings import Encryption, ServerSettings
from custom_components.email_courier.mail.smtp.keepalive import KeepaliveSession, deliver_once
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY, Answer, Pipelining, Script, Step, glue, say, split
from tests.support.scripted_server import ScriptedServer
from tests.support.sessions import QUICK, SENDER, context_for, settings_for

A, B, C = "a@example.test", "b@example.test", "c@example.test"
ENVELOPE = Envelope(SENDER, (A, B, C))
MESSAGE = b"Subject: flight\r\n\r\nhello\r\n"
REFUSED = "550 5.1.1 <b@example.test>: unknown"


async def _deliver(bed: Bed, script: Script) -> tuple[ScriptedServer, Delivery]:
    server = await bed.serve(script)
    settings = settings_for(server, deadlines=QUICK)
    return server, await deliver_once(settings, context_for(bed), ENVELOPE, MESSAGE)


async def test_a_refused_recipient_is_told_from_the_accepted_ones(bed: Bed) -> None:
    server, delivery = await _deliver(bed, HEALTHY.but(recipient_replies={B: REFUSED}))
    assert [outcome.address for outcome in delivery.accepted] == [A, C]
    [refused] = delivery.refused
    assert refused.failure is not None
    assert (refused.address, refused.failure.kind) == (B, FailureKind.RECIPIENT_REJECTED)
    assert str(refused.reply) == REFUSED
    assert server.record.mails[0].recipients == (A, C)


async def test_when_all_recipients_are_refused_nothing_is_sent(bed: Bed) -> None:
    script = HEALTHY.but(recipient_replies=dict.fromkeys((A, B, C), "550 5.1.1 unknown"))
    server, delivery = await _deliver(bed, script)
    assert len(delivery.refused) == 3
    assert server.record.mails == []


async def test_the_session_lives_on_when_all_recipients_were_refused(bed: Bed) -> None:
    refusals = tuple(say("550 5.1.1 unknown") for _ in ENVELOPE.recipients)
    server = await bed.serve(HEALTHY.but(answers={Step.RCPT: refusals}))
    session = KeepaliveSession(settings_for(server, deadlines=QUICK), context_for(bed))
    assert len((await session.deliver(ENVELOPE, MESSAGE)).refused) == 3
    assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 3
    session.close()
    assert server.record.connections == 1
    assert server.record.violations == []


async def test_data_accepted_although_every_recipient_was_refused_sends_no_message(
    bed: Bed,
) -> None:
    script = HEALTHY.but(
        recipient_replies=dict.fromkeys((A, B, C), "550 5.1.1 unknown"),
        answers={Step.DATA: say("354 Go ahead"), Step.DOT: say("554 5.5.1 No valid recipients")},
    )
    server, delivery = await _deliver(bed, script)
    assert [outcome.failure and outcome.failure.kind for outcome in delivery.outcomes] == [
        FailureKind.RECIPIENT_REJECTED
    ] * 3
    assert server.record.mails == []
    assert server.record.violations == []


async def test_an_empty_message_ends_a_data_that_nobody_gets_and_the_session_lives_on(
    bed: Bed,
) -> None:
    refusals = tuple(say("550 5.1.1 unknown") for _ in ENVELOPE.recipients)
    answers = {Step.RCPT: refusals, Step.DATA: (say("354 Go ahead"),)}
    server = await bed.serve(HEALTHY.but(answers=answers))
    session = KeepaliveSession(settings_for(server, deadlines=QUICK), context_for(bed))
    assert len((await session.deliver(ENVELOPE, MESSAGE)).refused) == 3
    assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 3
    session.close()
    assert server.record.connections == 1
    assert [mail.content for mail in server.record.mails] == [b"", MESSAGE]


async def test_a_refused_sender_is_named_whatever_follows(bed: Bed) -> None:
    reply = "553 5.7.1 Sender address rejected: not owned by user"
    server, delivery = await _deliver(bed, Script(answers={Step.MAIL: say(reply)}))
    failure = delivery.outcomes[0].failure
    assert failure is not None
    assert (failure.kind, failure.stage) == (FailureKind.SENDER_REJECTED, Stage.SENDER)
    assert str(failure.reply) == reply
    assert server.record.mails == []


async def test_refused_data_is_a_failure_of_the_accepted_recipients(bed: Bed) -> None:
    script = HEALTHY.but(
        answers={Step.DATA: say("451 4.3.0 Not now")}, recipient_replies={B: REFUSED}
    )
    _, delivery = await _deliver(bed, script)
    kinds = [outcome.failure and outcome.failure.kind for outcome in delivery.outcomes]
    assert kinds == [
        FailureKind.DEFERRED,
        FailureKind.RECIPIENT_REJECTED,
        FailureKind.DEFERRED,
    ]


@pytest.mark.parametrize("at", range(1, 15))
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA])
async def test_replies_split_anywhere_are_paired_all_the_same(
    bed: Bed, step: Step, at: int
) -> None:
    script = HEALTHY.but(answers={step: split(at, gap=0.001)}, recipient_replies={B: REFUSED})
    server, delivery = await _deliver(bed, script)
    assert [outcome.address for outcome in delivery.accepted] == [A, C]
    assert server.record.mails[0].content == MESSAGE


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA])
async def test_one_reply_too_many_never_counts_for_another_command(bed: Bed, step: Step) -> None:
    script = HEALTHY.but(
        answers={step: glue(b"250 2.1.5 Ok\r\n")},
        recipient_replies={B: REFUSED},
    )
    server, delivery = await _deliver(bed, script)
    assert B not in [outcome.address for outcome in delivery.accepted]
    assert all(B not in mail.recipients for mail in server.record.mails)


async def test_a_mail_is_two_flights() -> None:
    flights: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.test ESMTP\r\n")
        while data := await reader.read(65_536):
            flights.append(data)
            if data.startswith(b"EHLO"):
                writer.write(b"250-mail.example.test\r\n250 PIPELINING\r\n")
            elif data.startswith(b"MAIL"):
                writer.write(b"250 Ok\r\n" * 4 + b"354 Go ahead\r\n")
            elif data.endswith(b"\r\n.\r\n"):
                writer.write(b"250 Ok\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = ServerSettings("127.0.0.1", port, Encryption.NONE, deadlines=QUICK)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        delivery = await deliver_once(settings, context, ENVELOPE, MESSAGE)
    assert len(delivery.accepted) == 3
    hello, commands, *body = flights
    assert hello.startswith(b"EHLO [127.0.0.1]")
    assert [line[:4] for line in commands.splitlines()] == [b"MAIL", *[b"RCPT"] * 3, b"DATA"]
    assert b"".join(body) == MESSAGE + b".\r\nQUIT\r\n"


async def test_pipelining_offered_only_in_clear_is_not_used_inside_tls(bed: Bed) -> None:
    script = HEALTHY.but(
        pipelining=Pipelining.ABSENT,
        capabilities_in_clear=("PIPELINING", "8BITMIME"),
        answers={Step.RCPT: Answer(delay=0.01)},
    )
    server, delivery = await _deliver(bed, script)
    assert len(delivery.accepted) == 3
    assert server.record.violations == []

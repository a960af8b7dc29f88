"""A session that is kept warm: mails share it, and nobody notices when it has gone stale."""

import asyncio
from copy import replace

import pytest

from custom_components.email_courier.mail.envelope import Envelope
from custom_components.email_courier.mail.failure import FailureKind
from custom_components.email_courier.mail.smtp import keepalive, transaction
from custom_components.email_courier.mail.smtp.keepalive import KeepaliveSession
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.script import HEALTHY, Answer, Pipelining, Script, Step, hang_up, say, stall
from tests.support.scripted_server import ScriptedServer
from tests.support.sessions import QUICK, SENDER, context_for, settings_for

ENVELOPE = Envelope(SENDER, ("a@example.test", "b@example.test"))
MESSAGE = b"Subject: warm\r\n\r\nhello\r\n"


def _session_at(bed: Bed, server: ScriptedServer) -> KeepaliveSession:
    return KeepaliveSession(settings_for(server, deadlines=QUICK), context_for(bed))


@pytest.mark.parametrize("pipelining", [Pipelining.OFFERED, Pipelining.ABSENT])
async def test_mails_share_one_connection_and_one_login(bed: Bed, pipelining: Pipelining) -> None:
    server = await bed.serve(HEALTHY.but(pipelining=pipelining))
    async with nothing_left(server):
        session = _session_at(bed, server)
        for _ in range(5):
            assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
        session.close()
    assert len(server.record.mails) == 5
    assert server.record.connections == 1
    assert server.record.auth_commands == 1
    assert server.record.commands("RSET") == []
    assert server.record.violations == []


async def test_parallel_calls_share_it_in_order_and_never_interleave(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    session = _session_at(bed, server)
    messages = [b"Subject: %d\r\n\r\nx\r\n" % number for number in range(20)]
    await asyncio.gather(*(session.deliver(ENVELOPE, message) for message in messages))
    session.close()
    assert [mail.content for mail in server.record.mails] == messages
    assert server.record.connections == 1


async def test_a_server_that_hung_up_meanwhile_is_called_again(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(idle_limit=0.05))
    session = _session_at(bed, server)
    await session.deliver(ENVELOPE, MESSAGE)
    while server.record.open_connections:
        await asyncio.sleep(0.01)
    assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
    session.close()
    assert (server.record.connections, len(server.record.mails)) == (2, 2)


@pytest.mark.parametrize("answer", [hang_up(), say("421 4.4.2 Timeout")], ids=["fin", "421"])
@pytest.mark.parametrize("pipelining", [Pipelining.OFFERED, Pipelining.ABSENT])
async def test_a_session_that_breaks_before_the_message_is_replaced_unnoticed(
    bed: Bed, answer: Answer, pipelining: Pipelining
) -> None:
    script = Script(answers={Step.MAIL: (say("250 2.1.0 Ok"), answer)}, pipelining=pipelining)
    server = await bed.serve(script)
    session = _session_at(bed, server)
    await session.deliver(ENVELOPE, MESSAGE)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert len(delivery.accepted) == 2
    assert (server.record.connections, len(server.record.mails)) == (2, 2)


async def test_a_fresh_session_that_breaks_is_a_failure(bed: Bed) -> None:
    server = await bed.serve(Script(answers={Step.MAIL: hang_up()}, pipelining=Pipelining.ABSENT))
    session = _session_at(bed, server)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert delivery.outcomes[0].failure is not None
    assert delivery.outcomes[0].failure.kind is FailureKind.DISCONNECTED
    assert server.record.connections == 1


async def test_a_login_that_fails_is_the_failure_of_every_recipient(bed: Bed) -> None:
    refusal = "535 5.7.8 Username and Password not accepted"
    server = await bed.serve(Script(answers={Step.AUTH_VERDICT: say(refusal)}))
    delivery = await _session_at(bed, server).deliver(ENVELOPE, MESSAGE)
    assert [outcome.address for outcome in delivery.outcomes] == list(ENVELOPE.recipients)
    for outcome in delivery.outcomes:
        assert outcome.failure is not None
        assert outcome.failure.kind is FailureKind.INVALID_AUTH
        assert str(outcome.reply) == refusal


async def test_a_lost_final_reply_is_never_tried_again_here(bed: Bed) -> None:
    server = await bed.serve(Script(answers={Step.DOT: (say("250 2.0.0 Ok"), hang_up())}))
    session = _session_at(bed, server)
    await session.deliver(ENVELOPE, MESSAGE)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert delivery.accepted == ()
    assert server.record.connections == 1


async def test_an_idle_session_is_probed_with_rset(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepalive, "_FRESH", 0.0)
    server = await bed.serve(HEALTHY)
    session = _session_at(bed, server)
    await session.deliver(ENVELOPE, MESSAGE)
    await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert len(server.record.commands("RSET")) == 1
    assert server.record.connections == 1


async def test_a_session_that_fails_its_probe_is_replaced(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepalive, "_FRESH", 0.0)
    server = await bed.serve(Script(answers={Step.RSET: say("502 5.5.1 What?")}))
    session = _session_at(bed, server)
    await session.deliver(ENVELOPE, MESSAGE)
    assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
    session.close()
    assert server.record.connections == 2


async def test_a_session_takes_as_many_mails_as_it_may(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepalive, "MAILS", 3)
    server = await bed.serve(HEALTHY)
    session = _session_at(bed, server)
    connections: list[int] = []
    for _ in range(7):
        await session.deliver(ENVELOPE, MESSAGE)
        connections.append(server.record.connections)
    session.close()
    assert connections == [1, 1, 1, 2, 2, 2, 3]


async def test_after_it_was_closed_the_next_mail_opens_another(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    session = _session_at(bed, server)
    for _ in range(2):
        assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
        session.close()
    assert server.record.connections == 2


@pytest.mark.parametrize("pipelining", [Pipelining.OFFERED, Pipelining.BROKEN])
async def test_what_has_to_be_done_before_the_dot_is_done_for_every_mail(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, pipelining: Pipelining
) -> None:
    monkeypatch.setattr(transaction, "FLIGHT_PATIENCE", 0.2)
    server = await bed.serve(HEALTHY.but(pipelining=pipelining))
    session = _session_at(bed, server)
    taken: list[int] = []

    async def note() -> None:
        taken.append(len(server.record.mails))

    for _ in range(3):
        await session.deliver(ENVELOPE, MESSAGE, before_dot=note)
    session.close()
    assert taken == [0, 1, 2]


async def test_a_mail_for_which_the_server_is_too_slow_is_not_tried_again_here(bed: Bed) -> None:
    server = await bed.serve(
        Script(answers={Step.MAIL: (say("250 2.1.0 Ok"), stall())}, pipelining=Pipelining.ABSENT)
    )
    session = _session_at(bed, server)
    await session.deliver(ENVELOPE, MESSAGE)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    kinds = {outcome.failure.kind for outcome in delivery.outcomes if outcome.failure}
    assert kinds == {FailureKind.SERVER_TOO_SLOW}
    assert server.record.connections == 1


@pytest.mark.parametrize(("limit", "value"), [("MAILS", 1), ("LIFETIME", 0.0)])
async def test_a_session_ends_with_its_mails_and_its_time(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, limit: str, value: float
) -> None:
    monkeypatch.setattr(keepalive, limit, value)
    server = await bed.serve(HEALTHY)
    session = _session_at(bed, server)
    await session.deliver(ENVELOPE, MESSAGE)
    await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert server.record.connections == 2


async def test_nothing_stays_open_once_it_has_been_idle(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepalive, "IDLE", 0.05)
    server = await bed.serve(HEALTHY)
    async with nothing_left(server):
        session = _session_at(bed, server)
        await session.deliver(ENVELOPE, MESSAGE)
        while server.record.open_connections:
            await asyncio.sleep(0.01)
    assert server.record.commands("QUIT") == ["QUIT"]


async def test_a_cancelled_delivery_leaves_nothing_open(bed: Bed) -> None:
    server = await bed.serve(Script(answers={Step.DOT: stall()}))
    async with nothing_left(server):
        session = _session_at(bed, server)
        delivery = asyncio.create_task(session.deliver(ENVELOPE, MESSAGE))
        while Step.DOT not in server.record.steps:
            await asyncio.sleep(0.01)
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery


async def test_a_server_that_cannot_pipeline_gets_its_mail_one_command_at_a_time(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "FLIGHT_PATIENCE", 0.2)
    server = await bed.serve(HEALTHY.but(pipelining=Pipelining.BROKEN))
    session = _session_at(bed, server)
    for _ in range(3):
        assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
    session.close()
    assert len(server.record.mails) == 3
    assert server.record.connections == 2


async def test_what_the_server_has_shown_is_known_afterwards(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    session = KeepaliveSession(
        settings_for(server, deadlines=replace(QUICK, transaction=5)), context_for(bed)
    )
    await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert session.latest is not None
    assert session.latest.mechanism == "PLAIN"
    assert session.latest.tls_version is not None
    assert session.latest.certificate is not None


@pytest.mark.parametrize("pipelining", [Pipelining.OFFERED, Pipelining.ABSENT])
@pytest.mark.parametrize(
    ("step", "reply"),
    [
        (Step.MAIL, "502 5.7.0 Please authenticate first"),
        (Step.MAIL, "451 4.4.2 Timeout"),
        (Step.RCPT, "554 5.7.1 Relay access denied"),
        (Step.DATA, "503 5.5.1 Bad sequence of commands"),
    ],
)
async def test_what_a_kept_session_refuses_is_asked_once_more(
    bed: Bed, step: Step, reply: str, pipelining: Pipelining
) -> None:
    taken = [Answer()] * (2 if step is Step.RCPT else 1)
    script = Script(answers={step: (*taken, say(reply))}, pipelining=pipelining)
    server = await bed.serve(script)
    session = _session_at(bed, server)
    for _ in range(2):
        assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
    session.close()
    got = sorted(address for mail in server.record.mails for address in mail.recipients)
    assert got == sorted(ENVELOPE.recipients * 2)


async def test_only_who_was_refused_is_asked_for_once_more(bed: Bed) -> None:
    no = "550 5.1.1 No such user"
    server = await bed.serve(HEALTHY.but(recipient_replies={"b@example.test": no}))
    session = _session_at(bed, server)
    await session.deliver(replace(ENVELOPE, recipients=("a@example.test",)), MESSAGE)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert [outcome.accepted for outcome in delivery.outcomes] == [True, False]
    assert str(delivery.outcomes[1].reply) == no
    assert [mail.recipients for mail in server.record.mails] == [("a@example.test",)] * 2
    assert server.record.connections == 2


async def test_what_a_fresh_session_says_again_counts(bed: Bed) -> None:
    no = say("550 5.1.8 Sender blocked")
    server = await bed.serve(HEALTHY.but(answers={Step.MAIL: (Answer(), no, no)}))
    session = _session_at(bed, server)
    await session.deliver(ENVELOPE, MESSAGE)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert len(delivery.refused) == 2
    assert len(server.record.commands("MAIL")) == 3


async def test_what_a_kept_session_says_of_the_message_counts(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.DOT: (Answer(), say("554 5.7.1 Spam"))}))
    session = _session_at(bed, server)
    await session.deliver(ENVELOPE, MESSAGE)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert len(delivery.refused) == 2
    assert server.record.connections == 1

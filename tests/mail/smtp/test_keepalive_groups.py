"""More recipients than a server takes in one transaction (RFC 5321, 4.5.3.1.10)."""

import asyncio

import pytest

from custom_components.email_courier.mail.envelope import Delivery, Envelope
from custom_components.email_courier.mail.failure import FailureKind, Permanence
from custom_components.email_courier.mail.smtp.keepalive import KeepaliveSession
from tests.support.clock import SOON
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.script import HEALTHY, Pipelining, Script, Step, hang_up, say
from tests.support.scripted_server import ScriptedServer
from tests.support.sessions import PATIENT, SENDER, context_for, settings_for

MESSAGE = b"Subject: for all\r\n\r\nhello\r\n"
PEOPLE = tuple(f"guest{number}@example.test" for number in range(250))
ENVELOPE = Envelope(SENDER, PEOPLE)
LIMITED = HEALTHY.but(recipients_per_mail=100)


def _session_at(bed: Bed, server: ScriptedServer) -> KeepaliveSession:
    return KeepaliveSession(settings_for(server, deadlines=PATIENT), context_for(bed))


def _groups(server: ScriptedServer) -> list[tuple[str, ...]]:
    return [mail.recipients for mail in server.record.mails]


def _kinds(delivery: Delivery) -> list[FailureKind | None]:
    return [outcome.failure and outcome.failure.kind for outcome in delivery.outcomes]


@pytest.mark.parametrize("pipelining", [Pipelining.OFFERED, Pipelining.ABSENT])
async def test_the_rest_goes_at_once_over_the_same_connection(
    bed: Bed, pipelining: Pipelining
) -> None:
    server = await bed.serve(LIMITED.but(pipelining=pipelining))
    dots: list[int] = []

    async def note() -> None:
        dots.append(len(server.record.mails))

    async with nothing_left(server):
        session = _session_at(bed, server)
        delivery = await session.deliver(ENVELOPE, MESSAGE, before_dot=note)
        session.close()

    assert [outcome.address for outcome in delivery.outcomes] == list(PEOPLE)
    assert len(delivery.accepted) == len(PEOPLE)
    assert _groups(server) == [PEOPLE[:100], PEOPLE[100:200], PEOPLE[200:]]
    assert {mail.content for mail in server.record.mails} == {MESSAGE}
    assert dots == [0, 1, 2]
    assert server.record.connections == 1
    assert server.record.violations == []


async def test_nobody_is_asked_for_more_often_than_it_takes_to_know_the_limit(bed: Bed) -> None:
    server = await bed.serve(LIMITED)
    session = _session_at(bed, server)
    await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert len(server.record.commands("RCPT")) == 250 + 100 + 50


@pytest.mark.parametrize(
    "words",
    [
        "452 4.5.3 Error: too many recipients",
        "452 too many recipients",
        "452 Requested action not taken",
        "452 #4.5.3 Too many recipients.",
        "552 5.5.3 Maximum limit of 100 recipients reached",
        "552 Too many recipients",
        "450 4.4.5 Too many recipients in this session",
        "451 4.3.0 Multiple destination domains per transaction is unsupported.",
    ],
)
async def test_a_full_transaction_is_known_by_its_code_or_its_words(bed: Bed, words: str) -> None:
    server = await bed.serve(LIMITED.but(too_many=words))
    session = _session_at(bed, server)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert len(delivery.accepted) == len(PEOPLE)
    assert server.record.connections == 1


@pytest.mark.parametrize(
    "words",
    [
        "452 4.2.2 Mailbox is full",
        "452 4.3.1 Insufficient system storage",
        "450 4.2.0 Greylisted, please try again in five minutes",
        "450 4.7.1 Error: too many recipients from 192.0.2.7",
        "452 4.5.3 You have exceeded 100 recipients per hour",
        "550 5.1.1 Too many recipients",
    ],
)
async def test_what_another_transaction_would_not_help_waits(bed: Bed, words: str) -> None:
    server = await bed.serve(LIMITED.but(too_many=words))
    session = _session_at(bed, server)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert delivery.accepted == delivery.outcomes[:100]
    assert len(server.record.commands("MAIL")) == 1
    assert str(delivery.outcomes[-1].reply) == words


async def test_where_nobody_is_accepted_nothing_is_asked_again(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(recipients_per_mail=0))
    session = _session_at(bed, server)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert len(delivery.owed) == len(PEOPLE)
    assert len(server.record.commands("MAIL")) == 1


async def test_who_is_refused_for_good_stays_so_and_holds_nobody_up(bed: Bed) -> None:
    refused = dict.fromkeys(PEOPLE[:20] + PEOPLE[80:200], "550 5.1.1 No such user")
    server = await bed.serve(HEALTHY.but(recipients_per_mail=60, recipient_replies=refused))
    session = _session_at(bed, server)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert {outcome.address for outcome in delivery.refused} == set(refused)
    assert len(delivery.accepted) == len(PEOPLE) - len(refused)
    assert delivery.owed == ()


async def test_a_server_that_leaves_in_between_owes_only_the_rest(bed: Bed) -> None:
    script = LIMITED.but(
        answers={Step.MAIL: (say("250 2.1.0 Ok"), say("421 4.7.0 Enough for now"))},
    )
    server = await bed.serve(script)
    session = _session_at(bed, server)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert [outcome.address for outcome in delivery.accepted] == list(PEOPLE[:100])
    assert [outcome.address for outcome in delivery.owed] == list(PEOPLE[100:])
    assert str(delivery.outcomes[100].reply) == "421 4.7.0 Enough for now"
    assert str(delivery.outcomes[-1].reply).startswith("452 4.5.3")


async def test_a_lost_reply_leaves_open_what_became_of_its_group_alone(bed: Bed) -> None:
    script: Script = LIMITED.but(answers={Step.DOT: (say("250 2.0.0 Ok"), hang_up())})
    server = await bed.serve(script)
    session = _session_at(bed, server)
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    session.close()
    assert len(delivery.accepted) == 100
    permanences = [outcome.failure.permanence for outcome in delivery.owed if outcome.failure]
    assert permanences == [Permanence.AMBIGUOUS] * 100 + [Permanence.TEMPORARY] * 50


async def test_a_kept_session_goes_on_in_groups_too(bed: Bed) -> None:
    server = await bed.serve(LIMITED)
    session = _session_at(bed, server)
    for _ in range(2):
        assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == len(PEOPLE)
    session.close()
    assert [len(group) for group in _groups(server)] == [100, 100, 50] * 2
    assert server.record.connections == 1


async def _stopped_at_the_second_dot(session: KeepaliveSession, envelope: Envelope) -> Delivery:
    """Deliver, and cancel that before the final dot of the second transaction."""
    reached = asyncio.Event()
    dots = 0

    async def wait_in_the_second() -> None:
        nonlocal dots
        dots += 1
        if dots == 2:
            reached.set()
            await asyncio.Event().wait()

    delivering = asyncio.create_task(
        session.deliver(envelope, MESSAGE, before_dot=wait_in_the_second)
    )
    async with asyncio.timeout(SOON):
        await reached.wait()
        delivering.cancel()
        delivery = await delivering
    session.close()
    return delivery


async def test_stopped_in_between_it_tells_who_has_the_mail_already(bed: Bed) -> None:
    server = await bed.serve(LIMITED)
    session = _session_at(bed, server)
    delivery = await _stopped_at_the_second_dot(session, ENVELOPE)
    assert [outcome.address for outcome in delivery.accepted] == list(PEOPLE[:100])
    assert delivery.owed == delivery.outcomes[100:]
    assert _kinds(delivery)[100] is FailureKind.DISCONNECTED
    assert delivery.outcomes[100].failure is not None
    assert delivery.outcomes[100].failure.permanence is Permanence.AMBIGUOUS
    assert _groups(server) == [PEOPLE[:100]]


async def test_stopped_on_a_kept_session_it_does_not_go_on_over_a_fresh_one(bed: Bed) -> None:
    """Neither for those whom the stopped transaction was for, nor for those behind them."""
    server = await bed.serve(LIMITED)
    session = _session_at(bed, server)
    await session.deliver(Envelope(SENDER, PEOPLE[:1]), MESSAGE)
    delivery = await _stopped_at_the_second_dot(session, ENVELOPE)
    assert [outcome.address for outcome in delivery.accepted] == list(PEOPLE[:100])
    assert server.record.connections == 1


async def test_stopped_while_a_fresh_session_asks_for_the_rest_it_forgets_nobody(bed: Bed) -> None:
    """Who has the mail from the kept session must not get it again."""
    refused_once = (say("250 2.1.5 Ok"),) * 2 + (say("550 5.7.1 Session expired"),)
    server = await bed.serve(HEALTHY.but(answers={Step.RCPT: refused_once}))
    session = _session_at(bed, server)
    await session.deliver(Envelope(SENDER, PEOPLE[:1]), MESSAGE)
    delivery = await _stopped_at_the_second_dot(session, Envelope(SENDER, PEOPLE[:2]))
    assert [outcome.address for outcome in delivery.accepted] == list(PEOPLE[:1])
    assert [outcome.address for outcome in delivery.owed] == list(PEOPLE[1:2])


async def test_stopped_before_anybody_has_the_mail_it_is_cancelled(bed: Bed) -> None:
    server = await bed.serve(LIMITED)
    session = _session_at(bed, server)
    reached = asyncio.Event()

    async def wait() -> None:
        reached.set()
        await asyncio.Event().wait()

    delivering = asyncio.create_task(session.deliver(ENVELOPE, MESSAGE, before_dot=wait))
    async with asyncio.timeout(SOON):
        await reached.wait()
        delivering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivering
    session.close()
    assert server.record.mails == []

"""A session that is opened while its mail is still being made."""

import asyncio

import pytest

from custom_components.email_courier.mail.envelope import Delivery, Envelope
from custom_components.email_courier.mail.failure import FailureKind
from custom_components.email_courier.mail.smtp import keepalive
from custom_components.email_courier.mail.smtp.keepalive import KeepaliveSession
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.script import HEALTHY, Pipelining, Script, Step, hang_up, say
from tests.support.scripted_server import ScriptedServer
from tests.support.sessions import QUICK, SENDER, context_for, settings_for

ENVELOPE = Envelope(SENDER, ("a@example.test", "b@example.test"))
MESSAGE = b"Subject: ahead\r\n\r\nhello\r\n"
REFUSED = say("535 5.7.8 Username and Password not accepted")
BUSY = say("421 4.3.2 Try again later")
GREETS = say("220 mail.example.test ESMTP")


def _session_at(bed: Bed, server: ScriptedServer) -> KeepaliveSession:
    return KeepaliveSession(settings_for(server, deadlines=QUICK), context_for(bed))


def _kinds(delivery: Delivery) -> set[FailureKind]:
    return {outcome.failure.kind for outcome in delivery.outcomes if outcome.failure}


async def test_a_mail_goes_over_the_session_that_was_opened_ahead(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    async with nothing_left(server):
        session = _session_at(bed, server)
        await session.warm_up()
        assert server.record.auth_commands == 1
        assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
        session.close()
    assert (server.record.connections, server.record.auth_commands) == (1, 1)
    assert server.record.commands("RSET") == []


async def test_a_mail_waits_for_the_session_that_is_being_opened(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    session = _session_at(bed, server)
    _, delivery = await asyncio.gather(session.warm_up(), session.deliver(ENVELOPE, MESSAGE))
    session.close()
    assert len(delivery.accepted) == 2
    assert (server.record.connections, server.record.auth_commands) == (1, 1)


async def test_nothing_is_opened_beside_a_session_or_a_delivery(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    session = _session_at(bed, server)
    await asyncio.gather(session.deliver(ENVELOPE, MESSAGE), session.warm_up())
    await session.warm_up()
    session.close()
    assert server.record.connections == 1


async def test_a_session_that_no_mail_comes_for_ends_by_itself(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepalive, "IDLE", 0.01)
    server = await bed.serve(HEALTHY)
    session = _session_at(bed, server)
    async with nothing_left(server):
        await session.warm_up()
        while server.record.open_connections:
            await asyncio.sleep(0.01)
    assert server.record.commands("QUIT")


async def test_a_refused_login_is_the_outcome_of_the_mail_and_counts_once(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepalive, "_FRESH", -1.0)  # however long the mail took to be made
    server = await bed.serve(Script(answers={Step.AUTH_VERDICT: REFUSED}))
    session = _session_at(bed, server)
    await session.warm_up()
    await session.warm_up()
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    assert _kinds(delivery) == {FailureKind.INVALID_AUTH}
    assert str(delivery.outcomes[0].reply).startswith("535")
    assert (server.record.connections, server.record.auth_commands) == (1, 1)
    await session.deliver(ENVELOPE, MESSAGE)
    assert server.record.auth_commands == 2


async def test_a_refused_login_of_long_ago_says_nothing_of_a_mail(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepalive, "_NO_SECOND_LOGIN", -1.0)
    server = await bed.serve(
        Script(answers={Step.AUTH_VERDICT: (REFUSED, say("235 2.7.0 Authenticated"))})
    )
    session = _session_at(bed, server)
    await session.warm_up()
    assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
    session.close()
    assert server.record.auth_commands == 2


async def test_a_login_that_failed_for_now_is_tried_again_for_a_slow_mail(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers count refusals, and not that they could not look a password up."""
    monkeypatch.setattr(keepalive, "_FRESH", -1.0)
    passing = (say("454 4.7.0 Temporary authentication failure"), say("235 2.7.0 Authenticated"))
    server = await bed.serve(Script(answers={Step.AUTH_VERDICT: passing}))
    session = _session_at(bed, server)
    await session.warm_up()
    assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
    session.close()
    assert server.record.auth_commands == 2


async def test_a_mail_that_waited_shares_the_failure_instead_of_trying_the_same(bed: Bed) -> None:
    server = await bed.serve(Script(answers={Step.GREETING: BUSY}))
    session = _session_at(bed, server)
    _, delivery = await asyncio.gather(session.warm_up(), session.deliver(ENVELOPE, MESSAGE))
    assert not delivery.accepted
    assert server.record.connections == 1


async def test_a_failure_before_the_login_is_forgotten_by_the_time_a_slow_mail_is_made(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepalive, "_FRESH", -1.0)
    server = await bed.serve(Script(answers={Step.GREETING: (BUSY, GREETS)}))
    session = _session_at(bed, server)
    await session.warm_up()
    assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
    session.close()
    assert (server.record.connections, server.record.auth_commands) == (2, 1)


async def test_a_server_that_hung_up_before_the_mail_was_made_is_called_again(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepalive, "_FRESH", 0.0)
    server = await bed.serve(HEALTHY.but(idle_limit=0.05))
    session = _session_at(bed, server)
    await session.warm_up()
    while server.record.open_connections:
        await asyncio.sleep(0.01)
    assert len((await session.deliver(ENVELOPE, MESSAGE)).accepted) == 2
    session.close()
    assert server.record.connections == 2


async def test_a_recipient_that_is_refused_is_not_asked_for_twice(bed: Bed) -> None:
    server = await bed.serve(
        Script(answers={Step.RCPT: say("550 5.1.1 No such user")}, pipelining=Pipelining.ABSENT)
    )
    session = _session_at(bed, server)
    await session.warm_up()
    assert not (await session.deliver(ENVELOPE, MESSAGE)).accepted
    session.close()
    assert (server.record.connections, server.record.auth_commands) == (1, 1)


async def test_a_session_that_is_opened_ahead_in_vain_leaves_nothing(bed: Bed) -> None:
    server = await bed.serve(Script(answers={Step.EHLO: hang_up()}))
    async with nothing_left(server):
        await _session_at(bed, server).warm_up()
    assert server.record.connections == 1


async def test_it_is_given_up_with_its_task(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    session = _session_at(bed, server)
    async with nothing_left(server):
        opening = asyncio.create_task(session.warm_up())
        while not server.record.connections:
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        session.close()
    assert opening.cancelled()

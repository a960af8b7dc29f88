"""Mails that a session delivers to real servers, read back from the mailboxes."""

import asyncio
from functools import partial

import pytest

from custom_components.email_courier.mail.envelope import Envelope, Upcoming
from custom_components.email_courier.mail.failure import FailureKind as Kind, Permanence, Stage
from custom_components.email_courier.mail.settings import Trust
from custom_components.email_courier.mail.smtp.keepalive import KeepaliveSession
from custom_components.email_courier.mail.smtp.tls import build_context

from .accounts import session_with, settings_for
from .fleet import ENCRYPTIONS, NAMES, Fleet
from .people import (
    FOREIGN_RECIPIENT,
    FULL,
    GREYLISTED,
    RECIPIENT,
    RECIPIENTS,
    REFUSED_SENDER,
    SENDER,
    UNKNOWN_RECIPIENT,
    UTF8_RECIPIENT,
    local_part,
)
from .server import RunningServer

# As long as a chunk of the upload and more, and with a dot wherever one could be mistaken.
_LINES = ("", ".", "..", ". ", ".dot", "x" * 997, "." * 998, "trailing  ", "From somebody", "\tend")
BODY = "\r\n".join(_LINES * 40)


def message(subject: str, body: str = BODY) -> bytes:
    """Return a finished message."""
    return (
        f"From: {SENDER}\r\nTo: {RECIPIENT}\r\nSubject: {subject}\r\n"
        f"Message-ID: <{subject.replace(' ', '.')}@example.test>\r\n"
        f"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\n{body}\r\n"
    ).encode()


@pytest.mark.parametrize("service", ENCRYPTIONS)
async def test_a_mail_arrives_byte_for_byte(
    server: RunningServer, authority: Trust, service: str
) -> None:
    data = message("byte for byte")
    async with session_with(server, authority, service) as session:
        delivery = await session.deliver(Envelope(SENDER, (RECIPIENT,)), data)
    assert [outcome.address for outcome in delivery.accepted] == [RECIPIENT]
    assert delivery.reply is not None
    assert delivery.reply.code == 250
    (mail,) = await asyncio.to_thread(server.mails)
    assert mail.mailbox == local_part(RECIPIENT)
    assert mail.holds(data)


async def test_one_transaction_reaches_many_mailboxes(
    server: RunningServer, authority: Trust
) -> None:
    data = message("for all")
    async with session_with(server, authority) as session:
        delivery = await session.deliver(Envelope(SENDER, RECIPIENTS), data)
    assert len(delivery.accepted) == len(RECIPIENTS)
    mails = await asyncio.to_thread(server.mails, len(RECIPIENTS))
    assert sorted(mail.mailbox for mail in mails) == sorted(map(local_part, RECIPIENTS))
    assert all(mail.holds(data) for mail in mails)
    assert {mail.message["Message-ID"] for mail in mails} == {"<for.all@example.test>"}


async def test_a_session_carries_one_mail_after_another(
    server: RunningServer, authority: Trust
) -> None:
    subjects = [f"number {number}" for number in range(12)]
    async with session_with(server, authority, "starttls") as session:
        for subject in subjects:
            delivery = await session.deliver(Envelope(SENDER, (RECIPIENT,)), message(subject, "."))
            assert delivery.accepted
    mails = await asyncio.to_thread(server.mails, len(subjects))
    assert sorted(mail.message["Subject"] for mail in mails) == sorted(subjects)


async def test_each_message_may_take_the_next_envelope_with_it(
    server: RunningServer, authority: Trust
) -> None:
    """RFC 2920 section 3.1; but Dovecot fails at it, and OpenSMTPD takes no groups."""
    mails = [message(f"ahead {number}") for number in range(12)]
    envelope = Envelope(SENDER, (RECIPIENT,))
    async with session_with(server, authority, "starttls") as session:
        went_ahead = []
        for data, following in zip(mails, [*mails[1:], None], strict=True):
            upcoming = None if following is None else Upcoming(envelope, len(following))
            delivery = await session.deliver(envelope, data, peek=partial(_same, upcoming))
            assert delivery.accepted
            went_ahead.append(session.went_ahead)
        assert went_ahead == [False, *[server.name in ("postfix", "exim")] * 11]
    arrived = await asyncio.to_thread(server.mails, len(mails))
    assert all(any(mail.holds(data) for mail in arrived) for data in mails)


def _same(upcoming: Upcoming | None) -> Upcoming | None:
    return upcoming


async def test_each_recipient_has_an_outcome_of_its_own(
    server: RunningServer, authority: Trust
) -> None:
    recipients = (
        UNKNOWN_RECIPIENT,
        FOREIGN_RECIPIENT,
        RECIPIENT,
        GREYLISTED.address,
        FULL.address,
    )
    data = message("for some")
    async with session_with(server, authority) as session:
        delivery = await session.deliver(Envelope(SENDER, recipients), data)
    assert tuple(outcome.address for outcome in delivery.outcomes) == recipients
    unknown, foreign, accepted, greylisted, full = delivery.outcomes
    assert delivery.accepted == (accepted,)
    assert delivery.owed == (greylisted, full)
    assert delivery.refused == (unknown, foreign)
    for outcome in delivery.refused:
        assert outcome.failure is not None
        assert outcome.failure.kind is Kind.RECIPIENT_REJECTED
    for outcome, expected in ((greylisted, GREYLISTED), (full, FULL)):
        assert outcome.failure is not None
        assert outcome.failure.kind is Kind.DEFERRED
        assert outcome.reply is not None
        assert str(outcome.reply).startswith(expected.reply.split()[0])
    (mail,) = await asyncio.to_thread(server.mails)
    assert mail.holds(data)


async def test_a_session_goes_on_after_a_mail_that_nobody_took(
    server: RunningServer, authority: Trust
) -> None:
    async with session_with(server, authority) as session:
        nobody = await session.deliver(
            Envelope(SENDER, (UNKNOWN_RECIPIENT, GREYLISTED.address)), message("for nobody")
        )
        assert not nobody.accepted
        somebody = await session.deliver(Envelope(SENDER, (RECIPIENT,)), message("for somebody"))
        assert somebody.accepted
    (mail,) = await asyncio.to_thread(server.mails)
    assert mail.message["Subject"] == "for somebody"


@pytest.mark.parametrize("service", ["tls", "none"])
async def test_an_upload_that_is_cancelled_is_never_delivered(
    server: RunningServer, authority: Trust, service: str
) -> None:
    at_the_dot = asyncio.Event()

    async def wait_for_ever() -> None:
        at_the_dot.set()
        await asyncio.Event().wait()

    async with session_with(server, authority, service) as session:
        delivering = asyncio.create_task(
            session.deliver(
                Envelope(SENDER, (RECIPIENT,)), message("taken back"), before_dot=wait_for_ever
            )
        )
        await at_the_dot.wait()
        delivering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivering
        assert not session.is_open
    # What is delivered after it would have come after it.
    async with session_with(server, authority, service) as session:
        await session.deliver(Envelope(SENDER, (RECIPIENT,)), message("the next"))
    (mail,) = await asyncio.to_thread(server.mails)
    assert mail.message["Subject"] == "the next"


async def test_a_server_that_stops_at_the_dot_leaves_the_outcome_open(
    server: RunningServer, authority: Trust
) -> None:
    async def stop() -> None:
        await asyncio.to_thread(server.stop)

    envelope, data = Envelope(SENDER, (RECIPIENT,)), message("sent twice")
    try:
        async with session_with(server, authority) as session:
            delivery = await session.deliver(envelope, data, before_dot=stop)
    finally:
        await asyncio.to_thread(server.start)
    (outcome,) = delivery.outcomes
    assert outcome.is_owed
    assert outcome.failure is not None
    assert outcome.failure.permanence is Permanence.AMBIGUOUS
    async with session_with(server, authority) as session:
        assert (await session.deliver(envelope, data)).accepted
    assert [mail.message["Subject"] for mail in await asyncio.to_thread(server.mails)] == [
        "sent twice"
    ]


async def test_a_mail_over_the_size_limit_is_not_even_begun(fleet: Fleet, authority: Trust) -> None:
    server = fleet.start("postfix", size_limit=50_000)
    data = message("too large", "x" * 50_001)
    async with session_with(server, authority) as session:
        delivery = await session.deliver(Envelope(SENDER, (RECIPIENT,)), data)
    (outcome,) = delivery.refused
    assert outcome.failure is not None
    assert outcome.failure.kind is Kind.MESSAGE_TOO_LARGE
    assert outcome.failure.facts == {"size": str(len(data)), "limit": "50000"}
    # The last line of a session counts the commands of each kind.
    log = await asyncio.to_thread(server.wait_for_log, " auth=1 ")
    assert "ehlo=1 auth=1 quit=1 commands=3" in log
    server.stop()


async def test_a_mail_over_a_limit_that_was_not_told_is_named_all_the_same(
    fleet: Fleet, authority: Trust
) -> None:
    relay = fleet.start("postfix", size_limit=50_000)
    server = fleet.start("dovecot", relay=relay)
    data = message("too large", "x" * 50_001)
    async with session_with(server, authority) as session:
        assert session.capabilities.size_limit is None
        delivery = await session.deliver(Envelope(SENDER, (RECIPIENT,)), data)
    (outcome,) = delivery.refused
    assert outcome.failure is not None
    assert outcome.failure.kind is Kind.MESSAGE_TOO_LARGE
    server.stop()
    relay.stop()


async def test_a_sender_refused_as_late_as_at_the_recipient_is_named(
    fleet: Fleet, authority: Trust
) -> None:
    server = fleet.start("postfix", refuses_late=True)
    async with session_with(server, authority) as session:
        delivery = await session.deliver(
            Envelope(REFUSED_SENDER, (RECIPIENT,)), message("not mine")
        )
    (outcome,) = delivery.refused
    assert outcome.failure is not None
    assert outcome.failure.kind is Kind.SENDER_REJECTED
    assert outcome.failure.stage is Stage.RECIPIENT
    assert "not owned by user" in outcome.failure.server_words
    server.stop()


@pytest.mark.parametrize("name", NAMES)
async def test_an_address_outside_ascii_arrives_or_the_reason_is_named(
    fleet: Fleet, authority: Trust, name: str
) -> None:
    server = fleet.standing(name)
    server.clear()
    data = message("für Jürgen")
    async with session_with(server, authority) as session:
        knows_smtputf8 = "smtputf8" in session.capabilities.extensions
        delivery = await session.deliver(Envelope(SENDER, (UTF8_RECIPIENT,), smtputf8=True), data)
    assert knows_smtputf8 == (name in ("postfix", "exim"))
    if knows_smtputf8:
        assert delivery.accepted
        (mail,) = await asyncio.to_thread(server.mails)
        assert mail.mailbox == local_part(UTF8_RECIPIENT)
        assert mail.holds(data)
    else:
        (outcome,) = delivery.refused
        assert outcome.failure is not None
        assert "outside ASCII" in outcome.failure.server_words


async def test_more_recipients_than_a_mail_may_have_get_it_at_once(
    fleet: Fleet, authority: Trust
) -> None:
    server = fleet.start("postfix", recipient_limit=20)
    data = message("for more than fit")
    session = KeepaliveSession(
        settings_for(server, "starttls", authority), build_context(authority)
    )
    delivery = await session.deliver(Envelope(SENDER, RECIPIENTS), data)
    session.close()
    assert [outcome.address for outcome in delivery.accepted] == list(RECIPIENTS)
    mails = await asyncio.to_thread(server.mails, len(RECIPIENTS))
    assert sorted(mail.mailbox for mail in mails) == sorted(map(local_part, RECIPIENTS))
    assert all(mail.holds(data) for mail in mails)
    # The last line of a session counts the commands: 52 recipients at first, then 20 and 12.
    log = await asyncio.to_thread(server.wait_for_log, " auth=1 ")
    assert " mail=3 rcpt=84 data=3 " in log
    server.stop()

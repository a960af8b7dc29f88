"""A session as its callers see it: before, while and after it is open."""

import asyncio

import pytest

from custom_components.email_courier.mail.envelope import Envelope
from custom_components.email_courier.mail.failure import FailureKind as Kind, MailError, Stage
from custom_components.email_courier.mail.settings import Encryption
from custom_components.email_courier.mail.smtp import session as session_module, transaction
from custom_components.email_courier.mail.smtp.protocol import NOTHING
from custom_components.email_courier.mail.smtp.session import Session
from tests.support.certificates import ServerTls
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY, HEALTHY_TLS, Answer, Pipelining, Step, hang_up, say, stall
from tests.support.sessions import (
    SENDER,
    broken,
    context_for,
    failure_of,
    session_for,
    settings_for,
)

ENVELOPE = Envelope(SENDER, ("a@example.test", "b@example.test"))
MESSAGE = b"Subject: session\r\n\r\nhello\r\n"


async def test_before_it_is_open_nothing_is_known(bed: Bed) -> None:
    session = session_for(bed, await bed.serve(HEALTHY))
    assert (session.greeting, session.mechanism, session.certificate) == (None, None, None)
    assert session.capabilities is NOTHING
    assert (session.is_open, session.has_heard, session.encrypted) == (False, False, False)
    assert session.tls_version is None
    assert session.pipelining_is_broken is False
    with pytest.raises(MailError) as caught:
        _ = session.connection
    assert caught.value.failure.kind is Kind.DISCONNECTED


async def test_while_it_is_open_it_tells_what_the_server_said(bed: Bed) -> None:
    session = session_for(bed, await bed.serve(HEALTHY))
    await session.open()
    assert session.greeting is not None
    assert session.greeting.code == 220
    assert session.certificate is not None
    assert (session.is_open, session.has_heard, session.encrypted) == (True, True, True)
    session.quit()
    assert (session.is_open, session.encrypted) == (False, False)
    session.quit()


async def test_what_encryption_means_is_decided_before(bed: Bed) -> None:
    settings = settings_for(await bed.serve(HEALTHY), encryption=Encryption.AUTO)
    with pytest.raises(ValueError, match=r"^encryption must be resolved before a session$"):
        Session(settings, context_for(bed))


async def test_a_certificate_of_another_name_tells_which_was_asked_for(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(tls_kind=ServerTls.OTHER_NAME))
    failure = await failure_of(bed, server)
    assert failure.kind is Kind.CERTIFICATE_HOSTNAME_MISMATCH
    assert failure.facts["host"] == server.host


@pytest.mark.parametrize("pipelining", [Pipelining.OFFERED, Pipelining.ABSENT])
async def test_each_stage_is_told_as_it_begins(bed: Bed, pipelining: Pipelining) -> None:
    server = await bed.serve(HEALTHY_TLS.but(pipelining=pipelining))
    told: list[Stage] = []
    session = Session(settings_for(server), context_for(bed), observer=told.append)
    await session.open()
    await session.deliver(ENVELOPE, MESSAGE)
    session.quit()
    assert told == [
        Stage.RESOLVE,
        Stage.CONNECT,
        Stage.TLS,
        Stage.GREETING,
        Stage.HELLO,
        Stage.LOGIN,
        Stage.SENDER,
        Stage.RECIPIENT,
        Stage.DATA,
        Stage.ACCEPTED,
    ]


@pytest.mark.parametrize("pipelining", [Pipelining.OFFERED, Pipelining.ABSENT])
async def test_refused_data_is_refused_at_that_stage_for_everybody(
    bed: Bed, pipelining: Pipelining
) -> None:
    reply = "451 4.3.0 Not now"
    answers = {Step.DATA: say(reply)}
    server = await bed.serve(HEALTHY.but(pipelining=pipelining, answers=answers))
    session = session_for(bed, server)
    await session.open()
    delivery = await session.deliver(ENVELOPE, MESSAGE)
    assert str(delivery.reply) == reply
    assert tuple(outcome.address for outcome in delivery.outcomes) == ENVELOPE.recipients
    for outcome in delivery.outcomes:
        assert outcome.failure is not None
        assert (outcome.failure.stage, str(outcome.reply)) == (Stage.DATA, reply)


async def test_who_can_be_no_recipient_is_named_as_such(bed: Bed) -> None:
    session = session_for(bed, await bed.serve(HEALTHY))
    await session.open()
    delivery = await session.deliver(Envelope(SENDER, ("no one", "a@example.test")), MESSAGE)
    session.quit()
    assert [outcome.address for outcome in delivery.outcomes] == ["no one", "a@example.test"]
    assert [outcome.accepted for outcome in delivery.outcomes] == [False, True]


@pytest.mark.parametrize(
    ("encryption", "login", "kind"),
    [
        (Encryption.STARTTLS, True, Kind.SENDER_REJECTED),
        (Encryption.TLS, False, Kind.AUTH_REQUIRED),
        (Encryption.NONE, True, Kind.ENCRYPTION_REQUIRED),
    ],
)
async def test_the_same_refusal_means_what_is_still_missing(
    bed: Bed, encryption: Encryption, login: bool, kind: Kind
) -> None:
    answers = {Step.MAIL: say("530 5.7.0 Must issue a STARTTLS command first")}
    server = await bed.serve(broken(encryption, answers=answers))
    rest = {} if login else {"login": None}
    assert (await failure_of(bed, server, **rest)).kind is kind


async def test_inside_tls_a_refused_login_does_not_ask_for_tls(bed: Bed) -> None:
    answers = {Step.AUTH_VERDICT: say("538 5.7.11 Encryption required")}
    failure = await failure_of(bed, await bed.serve(HEALTHY_TLS.but(answers=answers)))
    assert failure.kind is Kind.INVALID_AUTH


@pytest.mark.parametrize("smtputf8", [True, False])
async def test_a_sender_outside_ascii_is_proven_as_it_would_be_used(
    bed: Bed, smtputf8: bool
) -> None:
    server = await bed.serve(HEALTHY.but(smtputf8=smtputf8))
    session = session_for(bed, server)
    sender = "jürgen@example.test"
    if smtputf8:
        await session.open(sender=sender)
        session.quit()
        [command] = server.record.commands("MAIL")
        assert command.endswith(" SMTPUTF8 BODY=8BITMIME")
        return
    with pytest.raises(MailError) as caught:
        await session.open(sender=sender)
    assert caught.value.failure.kind is Kind.INVALID_SENDER


@pytest.mark.parametrize("step", [Step.RCPT, Step.RSET])
@pytest.mark.parametrize(
    "answer",
    [say("500 5.5.1 What?"), say("421 4.7.0 Go away"), say("550 No relay"), hang_up(), stall()],
    ids=["500", "421", "550", "fin", "silence"],
)
async def test_what_is_said_after_the_sender_decides_nothing(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, step: Step, answer: Answer
) -> None:
    monkeypatch.setattr(transaction, "COURTESY", 0.2)
    server = await bed.serve(HEALTHY.but(answers={step: answer}))
    session = session_for(bed, server)
    await session.open(sender=SENDER)
    session.quit()
    assert await server.all_closed()


async def test_a_name_that_is_refused_with_the_first_recipient_is_found(bed: Bed) -> None:
    refusal = "504 5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname"
    server = await bed.serve(HEALTHY.but(answers={Step.RCPT: say(refusal)}))
    failure = await failure_of(bed, server)
    assert (failure.kind, str(failure.reply)) == (Kind.HELO_REJECTED, refusal)


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        (Step.GREETING, "554 5.7.1 No"),
        (Step.EHLO, "550 5.7.1 No"),
        (Step.STARTTLS, "454 4.7.0 No"),
        (Step.AUTH_VERDICT, "535 5.7.8 No"),
        (Step.MAIL, "550 5.7.1 No"),
    ],
)
async def test_a_refusal_is_answered_with_a_goodbye(bed: Bed, step: Step, reply: str) -> None:
    server = await bed.serve(HEALTHY.but(answers={step: say(reply), Step.HELO: say(reply)}))
    await failure_of(bed, server)
    assert await server.all_closed()
    assert server.record.commands()[-1] == "QUIT"


@pytest.mark.parametrize("pipelining", [Pipelining.OFFERED, Pipelining.ABSENT])
@pytest.mark.parametrize(
    ("step", "reply"),
    [(Step.MAIL, "550 No"), (Step.DATA, "554 No"), (Step.DOT, "554 No"), (Step.DOT, "451 No")],
)
async def test_a_refused_mail_is_followed_by_a_goodbye(
    bed: Bed, step: Step, reply: str, pipelining: Pipelining
) -> None:
    script = HEALTHY.but(answers={step: say(reply)}, pipelining=pipelining)
    server = await bed.serve(script)
    session = session_for(bed, server)
    await session.open()
    assert not (await session.deliver(ENVELOPE, MESSAGE)).accepted
    assert await server.all_closed()
    assert server.record.commands()[-1] == "QUIT"


async def test_a_message_that_is_awaited_after_a_refusal_is_not_sent(bed: Bed) -> None:
    nested = say("503 5.5.1 Nested MAIL")
    answers = {Step.MAIL: nested, Step.RCPT: say("250 Ok"), Step.DATA: say("354 Go")}
    server = await bed.serve(HEALTHY.but(answers=answers))
    session = session_for(bed, server)
    await session.open()
    assert not (await session.deliver(ENVELOPE, MESSAGE)).accepted
    assert await server.all_closed()
    assert server.record.mails == []
    assert server.record.commands()[-1] == "DATA"


@pytest.mark.parametrize("answer", [stall(), hang_up()], ids=["stall", "hang up"])
async def test_a_connection_that_fails_its_probe_is_closed(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    monkeypatch.setattr(session_module, "_PROBE", 0.2)
    server = await bed.serve(HEALTHY.but(answers={Step.RSET: answer}))
    session = session_for(bed, server)
    await session.open()
    async with asyncio.timeout(5):
        assert not await session.probe()
    assert not session.is_open


@pytest.mark.parametrize(
    ("reply", "is_broken"),
    [
        ("500 5.5.1 Bad sequence of commands", True),
        ("503 5.5.1 Out of sequence", True),
        ("554 5.5.0 Synchronization error", True),
        ("550 5.5.1 Bad sequence of commands", False),
        ("503 5.1.1 No such user", False),
    ],
)
async def test_a_server_that_loses_count_of_a_flight_is_not_sent_another(
    bed: Bed, reply: str, is_broken: bool
) -> None:
    session = session_for(bed, await bed.serve(HEALTHY.but(answers={Step.RCPT: say(reply)})))
    await session.open()
    await session.deliver(ENVELOPE, MESSAGE)
    session.abort()
    assert session.pipelining_is_broken is is_broken


async def test_a_server_that_hangs_up_in_the_middle_of_a_flight_may_not_bear_one(
    bed: Bed,
) -> None:
    session = session_for(bed, await bed.serve(HEALTHY.but(answers={Step.RCPT: hang_up()})))
    await session.open()
    await session.deliver(ENVELOPE, MESSAGE)
    assert session.pipelining_is_broken is True

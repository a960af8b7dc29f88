"""The first words: which greeting is one, who answers to EHLO or HELO, and who goes over to TLS."""

import pytest

from custom_components.email_courier.mail.failure import (
    FailureKind as Kind,
    MailError,
    Permanence,
    Stage,
)
from custom_components.email_courier.mail.settings import Encryption
from custom_components.email_courier.mail.smtp.protocol import NOTHING
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY, PLAIN_RELAY, Step, Tls, say
from tests.support.sessions import broken, failure_of, session_for

WANTS_TLS = "554 5.7.10 Not in clear"


@pytest.mark.parametrize(
    ("greeting", "protocol"),
    [("200 news.example.test NNTP ready", "NNTP"), ("230 FTP server ready", "FTP")],
)
async def test_another_protocol_that_greets_with_a_number_is_named(
    bed: Bed, greeting: str, protocol: str
) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.GREETING: say(greeting)}))
    failure = await failure_of(bed, server)
    assert (failure.kind, failure.stage) == (Kind.NOT_SMTP, Stage.GREETING)
    assert failure.permanence is Permanence.TEMPORARY
    assert str(failure.reply) == greeting
    assert failure.facts == {"protocol": protocol}


async def test_a_refusal_is_one_whatever_else_it_says(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.GREETING: say("554 No FTP here")}))
    assert (await failure_of(bed, server)).kind is Kind.GREETING_REJECTED


async def test_a_greeting_of_another_protocol_explains_why_nothing_is_understood(
    bed: Bed,
) -> None:
    greeting = "220 ProFTPD Server"
    unknown = say("500 What?")
    answers = {Step.GREETING: say(greeting), Step.EHLO: unknown, Step.HELO: unknown}
    failure = await failure_of(bed, await bed.serve(HEALTHY.but(answers=answers)))
    assert (failure.kind, failure.facts) == (Kind.NOT_SMTP, {"protocol": "FTP"})
    assert str(failure.reply) == greeting


@pytest.mark.parametrize("step", [Step.GREETING, Step.EHLO])
@pytest.mark.parametrize("encryption", [Encryption.NONE, Encryption.TLS])
async def test_a_server_that_insists_on_encryption_is_named_only_where_there_is_none(
    bed: Bed, encryption: Encryption, step: Step
) -> None:
    answers = {step: say(WANTS_TLS), Step.HELO: say(WANTS_TLS)}
    failure = await failure_of(bed, await bed.serve(broken(encryption, answers=answers)))
    refused = Kind.GREETING_REJECTED if step is Step.GREETING else Kind.HELO_REJECTED
    wanted = Kind.ENCRYPTION_REQUIRED if encryption is Encryption.NONE else refused
    assert (failure.kind, str(failure.reply)) == (wanted, WANTS_TLS)


@pytest.mark.parametrize(
    ("encryption", "kind"),
    [(Encryption.NONE, Kind.ENCRYPTION_REQUIRED), (Encryption.TLS, Kind.HELO_REJECTED)],
)
async def test_helo_too_is_told_to_want_encryption_only_where_there_is_none(
    bed: Bed, encryption: Encryption, kind: Kind
) -> None:
    answers = {Step.EHLO: say("502 5.5.1 Unknown"), Step.HELO: say(WANTS_TLS)}
    failure = await failure_of(bed, await bed.serve(broken(encryption, answers=answers)))
    assert (failure.kind, str(failure.reply)) == (kind, WANTS_TLS)


async def test_a_server_that_is_busy_is_not_asked_twice(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.EHLO: say("421 4.3.2 Later")}))
    assert (await failure_of(bed, server)).kind is Kind.SERVER_BUSY
    assert server.record.commands("HELO") == []


@pytest.mark.parametrize(
    ("to_ehlo", "to_helo", "quoted"),
    [
        ("502 5.5.1 Unknown", "501 5.5.4 Invalid name", "501 5.5.4 Invalid name"),
        ("504 5.5.2 Not that name", "502 5.5.1 Unknown", "504 5.5.2 Not that name"),
    ],
)
@pytest.mark.parametrize("tls", [Tls.NEVER, Tls.AT_ONCE])
async def test_the_refusal_that_is_about_the_name_is_quoted(
    bed: Bed, tls: Tls, to_ehlo: str, to_helo: str, quoted: str
) -> None:
    answers = {Step.EHLO: say(to_ehlo), Step.HELO: say(to_helo)}
    failure = await failure_of(bed, await bed.serve(HEALTHY.but(tls=tls, answers=answers)))
    assert (failure.kind, failure.stage) == (Kind.HELO_REJECTED, Stage.HELLO)
    assert str(failure.reply) == quoted


@pytest.mark.parametrize("reply", ["502 5.5.1 Unknown", "504 5.5.2 Not that name"])
async def test_helo_is_enough_where_nothing_more_is_wanted(bed: Bed, reply: str) -> None:
    server = await bed.serve(PLAIN_RELAY.but(answers={Step.EHLO: say(reply)}))
    session = session_for(bed, server, login=None)
    await session.open()
    assert session.capabilities == NOTHING
    session.quit()


@pytest.mark.parametrize(
    ("encryption", "logs_in", "reply", "kind"),
    [
        (Encryption.NONE, True, "504 5.5.2 Not that name", Kind.HELO_REJECTED),
        (Encryption.NONE, True, "502 5.5.1 Unknown", Kind.AUTH_NOT_OFFERED),
        (Encryption.STARTTLS, True, "504 5.5.2 Not that name", Kind.HELO_REJECTED),
        (Encryption.STARTTLS, False, "504 5.5.2 Not that name", Kind.HELO_REJECTED),
        (Encryption.STARTTLS, False, "502 5.5.1 Unknown", Kind.STARTTLS_NOT_OFFERED),
    ],
)
async def test_helo_is_not_enough_where_more_is_wanted(
    bed: Bed, encryption: Encryption, logs_in: bool, reply: str, kind: Kind
) -> None:
    server = await bed.serve(broken(encryption, answers={Step.EHLO: say(reply)}))
    rest = {} if logs_in else {"login": None}
    assert (await failure_of(bed, server, **rest)).kind is kind


async def test_a_server_without_starttls_may_have_it_another_time(bed: Bed) -> None:
    server = await bed.serve(broken(Encryption.NONE))
    failure = await failure_of(bed, server, encryption=Encryption.STARTTLS)
    assert (failure.kind, failure.stage) == (Kind.STARTTLS_NOT_OFFERED, Stage.TLS)
    assert failure.permanence is Permanence.TEMPORARY


async def test_what_was_said_in_clear_is_forgotten_once_tls_is_up(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.EHLO_TLS: say("421 4.3.2 Later")}))
    session = session_for(bed, server)
    with pytest.raises(MailError):
        await session.open()
    assert session.capabilities == NOTHING

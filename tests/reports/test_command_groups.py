"""Servers that take commands in groups (PIPELINING), or say so, and several mails at once."""

import asyncio
from collections.abc import Sequence
from email import message_from_bytes
from email.policy import default
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.email_courier.mail.smtp import transaction
from tests.reports.driver import account_at, pass_time, send, waiting
from tests.reports.reports import report
from tests.reports.servers import (
    HEALTHY as ANY,
    Answer,
    Bed,
    Pipelining,
    Script,
    ScriptedServer,
    Step,
    say,
)

BEA, CARL = "bea@example.test", "carl@example.test"
TITLES = ("One", "Two", "Three", "Four")
FINE = Answer()
HEALTHY = ANY.but(program="Postfix")
"""The most common server that several envelopes are sent to ahead of their turn."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "FLIGHT_PATIENCE", 0.3)


async def _send_at_once(
    hass: HomeAssistant, bed: Bed, script: Script, to: Sequence[str] = (BEA,)
) -> tuple[ScriptedServer, list[Any]]:
    """Send four mails at the same time; return the server, and what each call said."""
    server = await bed.serve()
    await account_at(hass, server, script)
    said = await asyncio.gather(
        *(send(hass, to=[*to], title=title) for title in TITLES), return_exceptions=True
    )
    return server, said


def _titles(server: ScriptedServer) -> list[str]:
    mails = (message_from_bytes(mail.content, policy=default) for mail in server.record.mails)
    return sorted(str(mail["Subject"]) for mail in mails)


def _once_in_the_second(step: Step, reply: str) -> Script:
    return HEALTHY.but(answers={step: (FINE, say(reply))})


@report(
    source="jstedfast/MailKit#587",
    symptom="The server offers PIPELINING and loses commands: a long wait, and an error.",
    ours="What a server leaves unanswered goes out again over a fresh connection, one by one.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "pipelining",
    [
        Pipelining.BROKEN,
        Pipelining.BROKEN_BEHIND_A_MESSAGE,
        Pipelining.REFUSED_BEHIND_A_MESSAGE,
    ],
)
async def test_a_server_that_loses_commands_of_a_group_loses_no_mail(
    hass: HomeAssistant, bed: Bed, pipelining: Pipelining
) -> None:
    server, said = await _send_at_once(hass, bed, HEALTHY.but(pipelining=pipelining))

    assert [answer["status"] for answer in said] == ["sent"] * 4
    assert _titles(server) == sorted(TITLES)


@report(
    source="postfixadmin/docker#83",
    symptom="Exim: 554 SMTP protocol synchronization error (next input sent too soon).",
    ours="Nothing is said before its time, whether groups are offered or not.",
    held_at_first=True,
)
@pytest.mark.parametrize("pipelining", [Pipelining.OFFERED, Pipelining.ENFORCED_ABSENT])
async def test_nothing_is_said_too_soon(
    hass: HomeAssistant, bed: Bed, pipelining: Pipelining
) -> None:
    server, said = await _send_at_once(hass, bed, HEALTHY.but(pipelining=pipelining))

    assert [answer["status"] for answer in said] == ["sent"] * 4
    assert server.record.violations == []
    assert len({mail.connection for mail in server.record.mails}) == 1


@report(
    source="nymea/nymea-plugins#724",
    symptom="OpenSMTPD: Pipelining not supported, and no mail arrives.",
    ours="Commands go out in groups only where the server offers it.",
    held_at_first=True,
)
async def test_no_groups_where_none_are_offered(hass: HomeAssistant, bed: Bed) -> None:
    server, said = await _send_at_once(hass, bed, HEALTHY.but(pipelining=Pipelining.ABSENT))

    assert [answer["status"] for answer in said] == ["sent"] * 4
    assert server.record.violations == []


@report(
    source="swiftmailer/swiftmailer#1265",
    symptom="After a mail that every recipient is refused for, the next one is a nested MAIL.",
    ours="The mail behind a refused one arrives.",
    held_at_first=True,
)
async def test_the_mail_behind_a_refused_one_arrives(hass: HomeAssistant, bed: Bed) -> None:
    unknown = say("550 5.1.1 <bea@example.test>: Recipient address rejected: User unknown")
    # A kept connection is asked once more on a fresh one.
    script = HEALTHY.but(answers={Step.RCPT: (FINE, unknown, unknown, FINE)})
    server, said = await _send_at_once(hass, bed, script)

    assert sum(isinstance(answer, Exception) for answer in said) == 1
    assert len(_titles(server)) == 3


@report(
    source="swiftmailer/swiftmailer#1107",
    symptom="A refused recipient in a group breaks the mail for the others.",
    ours="Each recipient has an outcome of its own, in each of several mails.",
    held_at_first=True,
)
async def test_a_refused_recipient_in_a_group_harms_no_other(hass: HomeAssistant, bed: Bed) -> None:
    script = HEALTHY.but(recipient_replies={CARL: "550 5.1.1 <carl@example.test>: unknown"})
    server, said = await _send_at_once(hass, bed, script, to=(BEA, CARL))

    assert [answer["accepted"] for answer in said] == [[BEA]] * 4
    assert [answer["refused"][0]["address"] for answer in said] == [CARL] * 4
    assert [mail.recipients for mail in server.record.mails] == [(BEA,)] * 4


@report(
    source="thunderbird/thunderbird-android#2388",
    symptom="One address is wrong, and the group's good reply to DATA is answered with nothing.",
    ours="Those who were accepted get the whole message.",
    held_at_first=True,
)
async def test_an_accepted_group_gets_the_whole_message(hass: HomeAssistant, bed: Bed) -> None:
    script = HEALTHY.but(answers={Step.RCPT: (FINE, say("550 5.1.1 No"), FINE, FINE)})
    server, _ = await _send_at_once(hass, bed, script, to=(BEA, CARL))

    assert _titles(server) == sorted(TITLES)
    assert all(b"Hello" in mail.content for mail in server.record.mails)


@report(
    source="chatmail/filtermail#146",
    symptom="Every recipient is refused and DATA accepted: the session is out of step then.",
    ours="An empty message ends it, and the mails behind it arrive.",
    held_at_first=True,
)
async def test_data_that_nobody_gets_does_not_put_the_session_out_of_step(
    hass: HomeAssistant, bed: Bed
) -> None:
    unknown = say("550 5.1.1 User unknown")
    answers = {
        Step.RCPT: (unknown, FINE),
        Step.DATA: (say("354 Go ahead"), FINE),
        Step.DOT: (say("554 5.5.1 No valid recipients"), FINE),
    }
    server, said = await _send_at_once(hass, bed, HEALTHY.but(answers=answers))

    assert sum(isinstance(answer, Exception) for answer in said) == 1
    assert len(_titles(server)) == 3


@report(
    source="defuse/email-spoofing#3",
    symptom="503 Recipient address rejected: Improper use of SMTP command pipelining.",
    ours="Whoever is told so asks again over a fresh connection, and the mail arrives.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    ("step", "reply"),
    [
        (Step.RCPT, "503 5.5.0 <bea@example.test>: Improper use of SMTP command pipelining"),
        (Step.DATA, "503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipe"),
        (Step.MAIL, "503 5.5.1 Bad sequence of commands"),
        (Step.MAIL, "554 5.5.0 SMTP synchronization error"),
    ],
)
async def test_a_group_that_is_called_improper_goes_out_again(
    hass: HomeAssistant, bed: Bed, step: Step, reply: str
) -> None:
    server, said = await _send_at_once(hass, bed, _once_in_the_second(step, reply))

    assert [answer["status"] for answer in said] == ["sent"] * 4
    assert _titles(server) == sorted(TITLES)


@report(
    source="jstedfast/MailKit#1221",
    symptom="502 5.5.2 command not recognized: lines of a message are read as commands.",
    ours="No line of a message is sent to a server that has not asked for it.",
    held_at_first=True,
)
@pytest.mark.parametrize("reply", ["451 4.3.0 Not now", "552 5.2.2 Full", "421 4.3.2 Closing"])
async def test_no_message_goes_to_a_server_that_has_not_asked_for_it(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    server, _ = await _send_at_once(hass, bed, _once_in_the_second(Step.DATA, reply))
    await pass_time(hass, hours=1)

    assert waiting(hass) == 0
    assert _titles(server) == sorted(TITLES)
    assert not any(b"bad syntax" in line.text for line in server.record.lines)


@report(
    source="RFC 2920 section 3.1",
    symptom="A client must wait for the replies of a group that ends with DATA.",
    ours="The envelope of the next mail is all that goes out together with a message.",
    held_at_first=True,
)
async def test_a_message_takes_no_more_than_the_next_envelope_with_it(
    hass: HomeAssistant, bed: Bed
) -> None:
    server, _ = await _send_at_once(hass, bed, HEALTHY)

    verbs = [line[:4] for line in server.record.commands() if line[:4] in ("MAIL", "DATA")]
    assert verbs[-8:] == ["MAIL", "DATA"] * 4
    assert server.record.violations == []


@report(
    source="Dovecot 2.3, smtp-server-transaction.c: assertion failed (pending_rcpt_cmds == 0)",
    symptom="The server takes a mail, fails at the envelope behind it and hangs up: sent twice.",
    ours="An envelope goes ahead to servers alone that were seen to take it.",
    held_at_first=False,
)
async def test_a_server_that_fails_at_an_envelope_behind_a_message_is_sent_none(
    hass: HomeAssistant, bed: Bed
) -> None:
    script = HEALTHY.but(program="Dovecot ready.", pipelining=Pipelining.REFUSED_BEHIND_A_MESSAGE)
    server, said = await _send_at_once(hass, bed, script)

    assert [answer["status"] for answer in said] == ["sent"] * 4
    assert _titles(server) == sorted(TITLES)
    assert len({mail.connection for mail in server.record.mails}) == 1

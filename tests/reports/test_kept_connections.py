"""Connections that are kept between mails, and have gone stale meanwhile."""

import asyncio

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import account_at, kind_of, only_mail, refused, send, waiting
from tests.reports.reports import report
from tests.reports.servers import (
    HEALTHY,
    Answer,
    Bed,
    Pipelining,
    Script,
    Step,
    hang_up,
    reset,
    say,
)

TO = "bea@example.test"


async def _send_two(hass: HomeAssistant, bed: Bed, script: Script) -> list[bytes]:
    """Send two mails over one connection, as far as it goes; return what arrived."""
    server = await bed.serve()
    await account_at(hass, server, script)
    for title in ("One", "Two"):
        response = await send(hass, to=TO, title=title)
        assert response["status"] == "sent", response
    return [mail.content for mail in server.record.mails]


def _at_the_second(step: Step, answer: Answer, pipelining: Pipelining) -> Script:
    return HEALTHY.but(answers={step: (Answer(), answer)}, pipelining=pipelining)


@report(
    source="haraka/Haraka#304",
    symptom="The first mail of a connection goes, every further one is told to authenticate first.",
    ours="Whatever a kept connection answers to MAIL is asked once more on a fresh one.",
    held_at_first=False,
)
@pytest.mark.parametrize("pipelining", [Pipelining.OFFERED, Pipelining.ABSENT])
@pytest.mark.parametrize(
    "reply",
    [
        "502 5.7.0 Please authenticate first",
        "530 5.7.0 Authentication required",
        "503 5.5.1 Error: send HELO/EHLO first",
        "500 5.5.1 Command unrecognized",
        "550 5.7.1 Client was not authenticated",
        "451 4.4.2 Timeout waiting for client input",
        "421 4.4.2 gmx.net Service closing transmission channel - command timeout",
    ],
)
async def test_a_refusal_of_the_sender_on_a_kept_connection_is_not_believed(
    hass: HomeAssistant, bed: Bed, reply: str, pipelining: Pipelining
) -> None:
    script = _at_the_second(Step.MAIL, say(reply), pipelining)

    assert len(await _send_two(hass, bed, script)) == 2


@report(
    source="nodemailer/nodemailer#261",
    symptom="A reused connection says 503 to RCPT, and the mail is lost.",
    ours="Refusals of recipients and of DATA on a kept connection are asked once more as well.",
    held_at_first=False,
)
@pytest.mark.parametrize("pipelining", [Pipelining.OFFERED, Pipelining.ABSENT])
@pytest.mark.parametrize(
    ("step", "reply"),
    [
        (Step.RCPT, "503 5.5.2 Sender already specified"),
        (Step.RCPT, "550 5.7.1 Relaying denied, session expired"),
        (Step.RCPT, "554 5.7.1 <bea@example.test>: Relay access denied"),
        (Step.DATA, "503 5.5.1 Bad sequence of commands"),
        (Step.DATA, "554 5.5.1 Error: no valid recipients"),
    ],
)
async def test_a_refusal_before_the_message_on_a_kept_connection_is_not_believed(
    hass: HomeAssistant, bed: Bed, step: Step, reply: str, pipelining: Pipelining
) -> None:
    script = _at_the_second(step, say(reply), pipelining)

    assert len(await _send_two(hass, bed, script)) == 2


@report(
    source="lettre/lettre#743",
    symptom="The server has closed the idle connection; the next mail fails with a broken pipe.",
    ours="A kept connection that has ended is replaced, and the mail goes out once.",
    held_at_first=True,
)
@pytest.mark.parametrize("answer", [hang_up(), reset()])
async def test_a_kept_connection_that_breaks_is_replaced(
    hass: HomeAssistant, bed: Bed, answer: Answer
) -> None:
    script = _at_the_second(Step.MAIL, answer, Pipelining.ABSENT)

    assert len(await _send_two(hass, bed, script)) == 2


@report(
    source="nodemailer/nodemailer#1205",
    symptom="The server says 421 while nobody asks it anything; the next mail is refused by it.",
    ours="What a server says unasked before it hangs up refuses no mail.",
    held_at_first=True,
)
async def test_a_goodbye_to_an_idle_connection_refuses_no_mail(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await account_at(hass, server, HEALTHY.but(idle_limit=0.1))
    await send(hass, to=TO)
    await asyncio.sleep(0.3)

    assert (await send(hass, to=TO))["status"] == "sent"
    assert len(server.record.mails) == 2


@report(
    source="chatmail/filtermail#145",
    symptom="A reused connection answers 421 to the next mail, which fails at once.",
    ours="The next mail goes over a new connection.",
    held_at_first=True,
)
async def test_a_limit_of_mails_per_connection_costs_no_mail(hass: HomeAssistant, bed: Bed) -> None:
    assert len(await _send_two(hass, bed, HEALTHY.but(mails_per_connection=1))) == 2


@report(
    source="RFC 5321, section 4.2.1",
    symptom="A refusal that is meant is asked for again and again.",
    ours="What a fresh connection answers counts, and is asked for no third time.",
    held_at_first=False,
)
async def test_what_a_fresh_connection_says_again_counts(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    no = say("550 5.1.8 Sender blocked")
    await account_at(hass, server, HEALTHY.but(answers={Step.MAIL: (Answer(), no, no)}))
    await send(hass, to=TO)
    before = len(server.record.commands("MAIL"))

    error = await refused(hass, to=TO)

    assert kind_of(error) == "sender_rejected"
    assert "550 5.1.8 Sender blocked" in str(error)
    assert len(server.record.commands("MAIL")) == before + 2
    assert len(server.record.mails) == 1
    assert waiting(hass) == 0


@report(
    source="nodemailer/nodemailer#265",
    symptom="Mails sent at the same time over one connection reach each other's recipients.",
    ours="Each mail has its own transaction.",
    held_at_first=True,
)
async def test_mails_at_the_same_time_do_not_mix(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await account_at(hass, server)

    await asyncio.gather(
        *(send(hass, to=f"r{number}@example.test", title=str(number)) for number in range(6))
    )

    assert not server.record.violations
    got = {mail.recipients for mail in server.record.mails}
    assert got == {(f"r{number}@example.test",) for number in range(6)}


@report(
    source="OpenSMTPD/OpenSMTPD#801",
    symptom="The server hangs up at QUIT without the reply, and the mail counts as failed.",
    ours="How a session ends says nothing about its mails.",
    held_at_first=True,
)
@pytest.mark.parametrize("answer", [hang_up(), reset(), say("500 5.5.1 Unknown command")])
async def test_a_rude_goodbye_costs_no_mail(hass: HomeAssistant, bed: Bed, answer: Answer) -> None:
    server = await bed.serve()
    await account_at(hass, server, HEALTHY.but(answers={Step.QUIT: answer}))

    assert (await send(hass, to=TO))["status"] == "sent"
    only_mail(server)

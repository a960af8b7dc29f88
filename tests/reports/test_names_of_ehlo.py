"""The name in EHLO is the trouble, said in many words and at many stages."""

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import (
    Dialog,
    account_at,
    last_failure,
    pass_time,
    refusing,
    send,
    set_up,
    typed_for,
    waiting,
)
from tests.reports.reports import report
from tests.reports.servers import HEALTHY, Bed, NameCheck, Step

GMAIL = "421 4.7.0 Try again later, closing connection. (EHLO) v6-20020a50c406 - gsmtp"


async def _set_up_at(hass: HomeAssistant, server: NameCheck) -> Dialog:
    """Set up an account, which is refused because of the name; then take the remedy."""
    dialog = await set_up(hass, **typed_for(server))
    assert dialog.outcome == "helo_rejected"
    words = server.complaint.rsplit("\n", maxsplit=1)[-1]
    assert words[4:30] in dialog.said
    return await dialog.go_on()


@report(
    source="nextcloud/server#25716",
    symptom="smtp-relay.gmail.com: 421 4.7.0 Try again later, closing connection. (EHLO).",
    ours="helo_rejected in spite of the 421, and a name that the server takes is filled in.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "reply",
    [
        GMAIL,
        "421-4.7.0 Try again later, closing connection. (EHLO)\n421 4.7.0 (EHLO) - gsmtp",
        "421 EHLO MXIN201 Your HELO/EHLO is not matching your DNS configuration",
        "450 4.7.1 <[127.0.0.1]>: Helo command rejected: Host not found",
    ],
)
async def test_a_temporary_code_at_ehlo_hides_no_complaint_about_the_name(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    async with NameCheck(bed, Step.EHLO, reply) as server:
        assert (await _set_up_at(hass, server)).outcome == "ok"


@report(
    source="PHPMailer/PHPMailer#1011",
    symptom='501 5.5.4 HELO/EHLO argument invalid, closing connection; "could not connect".',
    ours="helo_rejected with the server's words, and a name that works.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        (
            '501-5.5.4 HELO/EHLO argument "x" invalid, closing connection.\n'
            "501 5.5.4 https://support.google.com/mail/?p=helo - gsmtp"
        ),
        "501 Syntactically invalid EHLO argument(s)",
        "504 5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname",
        "550 5.7.1 Host names have more than one DNS label",
    ],
)
async def test_a_permanent_code_at_ehlo_is_a_complaint_about_the_name(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    async with NameCheck(bed, Step.EHLO, reply) as server:
        assert (await _set_up_at(hass, server)).outcome == "ok"


@report(
    source="roundcube/roundcubemail#7316",
    symptom="MAIL -> 550 Access denied - Invalid HELO name (See RFC2821 4.1.3).",
    ours="helo_rejected and its remedy, not a refused sender.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "reply",
    [
        "550 Access denied - Invalid HELO name (See RFC2821 4.1.3)",
        "550 5.7.1 Invalid HELO name, see RFC 2821 4.1.1.1",
        "504 5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname",
        "450 4.7.1 <[127.0.0.1]>: Helo command rejected: Host not found",
        "554 5.7.1 EHLO hostname does not resolve, get a proper DNS name",
    ],
)
async def test_the_name_is_refused_at_mail(hass: HomeAssistant, bed: Bed, reply: str) -> None:
    async with NameCheck(bed, Step.MAIL, reply) as server:
        assert (await _set_up_at(hass, server)).outcome == "ok"


@report(
    source="splitbrain/dokuwiki-plugin-smtp#41",
    symptom="RCPT -> 501 5.5.2 <[2001:db8::1]>: Helo command rejected: invalid ip address.",
    ours="The dialog asks for a recipient too, finds it before anything is sent, and mends it.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "reply",
    [
        "501 5.5.2 <[127.0.0.1]>: Helo command rejected: invalid ip address",
        "504 5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname",
        "550 5.7.1 <[127.0.0.1]>: Helo command rejected: ACL restriction",
        "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)",
    ],
)
async def test_the_name_is_refused_at_rcpt_and_found_in_the_dialog(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    async with NameCheck(bed, Step.RCPT, reply) as server:
        assert (await _set_up_at(hass, server)).outcome == "ok"
        assert not server.record.mails
        assert not server.record.violations


@report(
    source="authelia/authelia#1118",
    symptom="A check that asks for a recipient fails where the server does not relay to it.",
    ours="What is refused about the recipient that is asked for decides nothing.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        "550 relay not permitted",
        "550 5.1.1 <anna@example.test>: User unknown in virtual mailbox table",
        "450 4.2.0 <anna@example.test>: Recipient address rejected: Greylisted",
        "452 4.3.1 Insufficient system storage",
    ],
)
async def test_a_refused_recipient_in_the_handshake_decides_nothing(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    server = await bed.serve(refusing(Step.RCPT, reply))

    assert (await set_up(hass, **typed_for(server))).outcome == "ok"


@report(
    source="bitwarden/server#4062",
    symptom="450 4.7.1 Helo command rejected: Host not found, at RCPT; tried again for ever.",
    ours="The mail is kept by its code, and the sensor names the cause: helo_rejected.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    ("step", "reply"),
    [
        (Step.RCPT, "450 4.7.1 <25aea30808b2>: Helo command rejected: Host not found"),
        (Step.MAIL, "450 4.7.1 <25aea30808b2>: Helo command rejected: Host not found"),
        (Step.EHLO, GMAIL),
    ],
)
async def test_a_temporary_complaint_keeps_the_mail_and_names_the_cause(
    hass: HomeAssistant, bed: Bed, step: Step, reply: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server, refusing(step, reply))

    assert (await send(hass, to="bea@example.test"))["status"] == "queued"
    assert last_failure(hass) == "helo_rejected"

    server.script = HEALTHY
    await pass_time(hass, hours=1)
    assert waiting(hass) == 0
    assert len(server.record.mails) == 1

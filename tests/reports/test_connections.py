"""Greetings, EHLO replies and ends of connections as servers really give them."""

import contextlib

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from tests.reports.driver import account_at, dialog_at, only_mail, refusing, send, set_up
from tests.reports.reports import report
from tests.reports.servers import (
    FTP,
    HEALTHY,
    HTTP,
    IMAP,
    PLAIN_RELAY,
    POP3,
    SSH,
    After,
    Answer,
    Bed,
    OtherProtocol,
    Pipelining,
    Step,
    say,
    split,
)

TO = "bea@example.test"


@report(
    source="wneessen/go-mail#551",
    symptom="The server does not know RSET, and the client says that nothing can be sent.",
    ours="The reply to RSET in the handshake decides nothing.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "answer",
    [
        say("500 5.5.1 Command unrecognized"),
        say("502 5.5.1 RSET not implemented"),
        say("503 5.5.1 Invalid command: Command not allowed at this point."),
        say("421 4.7.0 Go away"),
        Answer(cut=0, then=After.HANG_UP),
    ],
)
async def test_a_server_without_rset_is_as_good_as_any(
    hass: HomeAssistant, bed: Bed, answer: Answer
) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.RSET: answer}))
    await account_at(hass, server)

    await send(hass, to=TO)
    await send(hass, to=TO)

    assert len(server.record.mails) == 2


@report(
    source="marlam/msmtp#217",
    symptom="500 to RSET after a refused recipient, and later mail fails as well.",
    ours="The next mail goes.",
    held_at_first=True,
)
async def test_no_rset_after_a_refused_recipient_stops_no_mail(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    script = HEALTHY.but(
        answers={Step.RSET: say("500 Expected MAIL FROM:<addr> or QUIT")},
        recipient_replies={"nobody@example.test": "550 5.1.1 No such user"},
    )
    await account_at(hass, server, script)

    await send(hass, to=[TO])
    await send(hass, to=["nobody@example.test", TO])
    await send(hass, to=[TO])

    assert len(server.record.mails) == 3


@report(
    source="opencart/opencart#4035",
    symptom="A greeting of several lines is taken for the replies to later commands.",
    ours="Greetings of several lines are read to their end.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "greeting",
    [
        (
            "220-coney.example.test ESMTP Exim 4.86_1 #1\n220-We do not authorize the use of this\n"
            "220 and/or bulk e-mail."
        ),
        "220-laposte\n220 lpn-prd-vrin019 ESMTP Postfix (Ubuntu)",
        "220-This server is protected by\n220-the devil himself.\n220",
        "220",
        "220 ",
        b"220\r\n",
    ],
)
async def test_greetings_of_all_shapes_are_read(
    hass: HomeAssistant, bed: Bed, greeting: str | bytes
) -> None:
    assert (await dialog_at(hass, bed, refusing(Step.GREETING, greeting))).outcome == "ok"


@report(
    source="vert-x3/vertx-mail-client#81",
    symptom="220-someserver / 521 5.7.1 blocked: the code changes inside the reply.",
    ours="The last line's code decides, with all the words quoted.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    ("step", "reply", "outcome"),
    [
        (
            Step.GREETING,
            "220-mx.example.test\n521 5.7.1 Client blocked using list.example",
            "greeting_rejected",
        ),
        (Step.GREETING, "220-mx ESMTP\n554 5.7.1 No service for you", "greeting_rejected"),
        (Step.GREETING, "220-mx ESMTP\n421 4.7.0 Too many connections", "server_busy"),
        (Step.MAIL, "250-checking\n553 5.7.1 Sender address rejected", "sender_rejected"),
        (Step.AUTH_VERDICT, "454-hold on\n535 5.7.8 Authentication failed", "invalid_auth"),
    ],
)
async def test_the_last_line_decides_where_codes_differ(
    hass: HomeAssistant, bed: Bed, step: Step, reply: str, outcome: str
) -> None:
    dialog = await dialog_at(hass, bed, refusing(step, reply))

    assert dialog.outcome == outcome
    assert reply.rsplit("\n", maxsplit=1)[-1][4:] in dialog.said


@report(
    source="aio-libs/aiosmtpd#389",
    symptom="The reply to EHLO comes in several packets, and STARTTLS is overlooked.",
    ours="A reply ends with its last line, however many packets it takes.",
    held_at_first=True,
)
@pytest.mark.parametrize("at", [1, 4, 30, 60])
async def test_a_reply_in_packets_is_one_reply(hass: HomeAssistant, bed: Bed, at: int) -> None:
    assert (await dialog_at(hass, bed, HEALTHY.but(answers={Step.EHLO: split(at)}))).outcome == "ok"


@report(
    source="PHPMailer/PHPMailer#2189",
    symptom="EHLO -> 421 with a reason; the client says HELO, and reports a lost connection.",
    ours="The words of the first refusal are what is shown.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply", ["421 4.7.1 SSL certificate error", "421 4.3.2 System is shutting down, come back"]
)
async def test_the_reason_at_ehlo_is_not_lost(hass: HomeAssistant, bed: Bed, reply: str) -> None:
    dialog = await dialog_at(hass, bed, refusing(Step.EHLO, reply))

    assert dialog.outcome == "server_busy"
    assert reply in dialog.said


@report(
    source="kost/smtp2mqtt#1",
    symptom="A small device knows HELO alone and answers 500 or 502 to EHLO.",
    ours="HELO is said then, where neither TLS nor a login is wanted.",
    held_at_first=True,
)
@pytest.mark.parametrize("reply", ["500 Command unrecognized", "502 5.5.1 Not implemented"])
async def test_a_server_of_helo_is_spoken_to(hass: HomeAssistant, bed: Bed, reply: str) -> None:
    server = await bed.serve(PLAIN_RELAY.but(answers={Step.EHLO: say(reply)}))
    await account_at(hass, server)

    await send(hass, to=TO, message="Grüße")

    only_mail(server)


@report(
    source="zone-eu/zone-mta#496",
    symptom="554 at the greeting lies in the queue for days although it is permanent.",
    ours="greeting_rejected with the server's words.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        "554 5.7.1 You are not allowed to connect.",
        "521 5.3.2 mx.example.test does not accept mail",
        "550 5.7.1 Service unavailable; client [127.0.0.1] blocked using zen.example",
    ],
)
async def test_a_permanent_greeting_is_a_rejection(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    dialog = await dialog_at(hass, bed, refusing(Step.GREETING, reply))

    assert dialog.outcome == "greeting_rejected"
    assert reply in dialog.said


@report(
    source="RFC 5321, section 4.3.1",
    symptom='A host named "swiftpost" is said to be an FTP server.',
    ours="Only whole words outside host names name a protocol.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "greeting",
    [
        "220 mail.swiftpost.example ready",
        "220 ftp-relay.example.test ready",
        "220 loftpilot.example.test service ready",
        "220 usenetmail.example.test ready",
        "220 mx.giftpost.example Ready to serve (giftpost)",
    ],
)
@pytest.mark.parametrize("encryption", ["auto", "starttls"])
async def test_a_word_inside_a_host_name_names_no_protocol(
    hass: HomeAssistant, bed: Bed, greeting: str, encryption: str
) -> None:
    script = refusing(Step.GREETING, greeting)

    assert (await dialog_at(hass, bed, script, encryption=encryption)).outcome == "ok"


@report(
    source="jstedfast/MailKit#156",
    symptom="The port of another protocol is typed, and the error speaks of a token or of syntax.",
    ours="not_smtp with the name of what speaks there.",
    held_at_first=True,
)
@pytest.mark.parametrize("stranger", [IMAP, POP3, FTP, SSH, HTTP], ids=lambda s: s.name)
@pytest.mark.parametrize("encryption", ["auto", "starttls"])
async def test_another_protocol_is_called_by_its_name(
    hass: HomeAssistant, bed: Bed, stranger: OtherProtocol, encryption: str
) -> None:
    server = await bed.host(stranger)

    dialog = await set_up(
        hass,
        sender="anna@example.test",
        host=server.host,
        port=server.port,
        encryption=encryption,
    )

    assert dialog.outcome == "not_smtp"
    assert stranger.name in dialog.said


@report(
    source="nymea/nymea-plugins#724",
    symptom="A server drops clients that pipeline without being asked to.",
    ours="Commands go together only where PIPELINING is offered.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "pipelining", [Pipelining.OFFERED, Pipelining.ABSENT, Pipelining.ENFORCED_ABSENT]
)
async def test_commands_go_together_only_where_that_is_offered(
    hass: HomeAssistant, bed: Bed, pipelining: Pipelining
) -> None:
    server = await bed.serve(HEALTHY.but(pipelining=pipelining))
    await account_at(hass, server)

    response = await send(hass, to=[TO, "carl@example.test"])

    assert response["status"] == "sent"
    assert len(server.record.mails) == 1
    assert not server.record.violations


@report(
    source="nodemailer/nodemailer#1716",
    symptom="The client drops the connection after an error, and the server punishes it.",
    ours="QUIT is said whenever the dialogue is in step (RFC 5321, 4.1.1.10).",
    held_at_first=False,
)
@pytest.mark.parametrize(
    ("step", "reply"),
    [
        (Step.AUTH_VERDICT, "535 5.7.8 Error: authentication failed"),
        (Step.AUTH_VERDICT, "554 5.7.0 Too many errors"),
        (Step.MAIL, "554 5.7.1 Sender refused"),
        (Step.RCPT, "550 5.1.1 No such user"),
        (Step.DATA, "554 5.5.1 No valid recipients"),
        (Step.DOT, "554 5.7.1 Message refused"),
        (Step.DOT, "451 4.3.0 Try later"),
        (Step.GREETING, "554 5.7.1 No service"),
        (Step.STARTTLS, "454 4.7.0 TLS not available"),
    ],
)
async def test_a_refused_client_says_goodbye(
    hass: HomeAssistant, bed: Bed, step: Step, reply: str
) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server, refusing(step, reply))
    before = server.record.connections
    server.record.lines.clear()

    with contextlib.suppress(HomeAssistantError):  # a refusal for good is one
        await send(hass, to=TO)
    await hass.config_entries.async_unload(entry.entry_id)
    await server.all_closed()

    for number in range(before + 1, server.record.connections + 1):
        said = [
            line.text.strip().upper()
            for line in server.record.lines
            if line.connection == number and line.direction.value == "C"
        ]
        assert said[-1:] == [b"QUIT"], server.record.transcript()
    assert not server.record.violations

"""What servers say when they refuse, and what it is called and quoted as."""

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import (
    account_at,
    dialog_at,
    kind_of,
    last_failure,
    refused,
    refusing,
    send,
    waiting,
)
from tests.reports.reports import report
from tests.reports.servers import HEALTHY, PASSWORD, Bed, Script, Step, say

TO = "bea@example.test"


async def _kind_when_sending(hass: HomeAssistant, bed: Bed, script: Script) -> str:
    server = await bed.serve()
    await account_at(hass, server, script)
    return kind_of(await refused(hass, to=TO))


@report(
    source="swiftmailer/swiftmailer#1258",
    symptom="Exchange: 550 5.7.60 Client does not have permissions to send as this sender, at "
    "the dot.",
    ours="sender_rejected by its words, whatever the stage.",
    held_at_first=False,
)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
@pytest.mark.parametrize(
    "reply",
    [
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
        "550 5.7.1 Client does not have permissions to send as this sender",
        "554 5.2.252 SendAsDenied; anna@example.test not allowed to send as ha@example.test",
        "553 5.7.1 <ha@example.test>: Sender address rejected: not owned by user anna",
        "554 5.0.0 Error: transaction failed: unknown sender address",
        "550 Sender address is not allowed.",
        "501 mail from address must be same as authorization user",
    ],
)
async def test_a_refused_sender_is_one_at_every_stage(
    hass: HomeAssistant, bed: Bed, step: Step, reply: str
) -> None:
    assert await _kind_when_sending(hass, bed, refusing(step, reply)) == "sender_rejected"


@report(
    source="hassio-addons/app-grafana#342",
    symptom="553 5.7.1 Sender address rejected: not owned by user, once something is sent.",
    ours="Found while the account is made, beside the field of the sender.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        "553 5.7.1 <admin@grafana.localhost>: Sender address rejected: not owned by user x",
        "501 mail from address must be same as authorization user",
        "550 5.7.1 Sender address is not allowed",
        "550-Verification failed for <ha@example.test>\n550 Sender verify failed",
    ],
)
async def test_a_refused_sender_is_found_in_the_dialog(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    dialog = await dialog_at(hass, bed, refusing(Step.MAIL, reply))

    assert dialog.outcome == "sender_rejected"
    assert "sender" in dialog.fields


@report(
    source="reacherhq/check-if-email-exists#5",
    symptom="450 Sender address rejected, at RCPT: taken for a trouble of the recipient.",
    ours="Its words name the cause; its code lets the mail be tried again.",
    held_at_first=False,
)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT])
@pytest.mark.parametrize(
    "reply",
    [
        "450 4.7.1 <ha@example.test>: Sender address rejected: not owned by user anna",
        "451 4.7.60 Client does not have permissions to send as this sender",
    ],
)
async def test_a_temporary_code_hides_no_refused_sender(
    hass: HomeAssistant, bed: Bed, step: Step, reply: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server, refusing(step, reply))

    assert (await send(hass, to=TO))["status"] == "queued"
    assert last_failure(hass) == "sender_rejected"


@report(
    source="muquit/mailsend#57",
    symptom="Of a refusal in five lines only the first is shown.",
    ours="All lines are quoted.",
    held_at_first=True,
)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DOT])
async def test_all_lines_of_a_refusal_are_quoted(hass: HomeAssistant, bed: Bed, step: Step) -> None:
    reply = (
        "550-5.7.1 [203.0.113.9      12] Our system has detected that this\n"
        "550-5.7.1 message is likely unsolicited mail. Please visit\n"
        "550-5.7.1 http://support.google.test/mail/answer=188131 for\n"
        "550 5.7.1 more information. fl9si4995427igb.2 - gsmtp"
    )
    server = await bed.serve()
    await account_at(hass, server, refusing(step, reply))

    error = str(await refused(hass, to=TO))

    assert "Our system has detected" in error
    assert "likely unsolicited mail" in error
    assert "more information. fl9si4995427igb.2" in error


@report(
    source="huangxuan518/HXPackRobot#15",
    symptom="A log that people paste into their report shows the password in base64.",
    ours="A server that repeats the secret in its reply is quoted without it.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        f"535 5.7.8 bad password {PASSWORD}",
        "535 5.7.8 rejected: AGFubmFAZXhhbXBsZS50ZXN0AE9wZW4tU2VzYW1lLTc0MjE=",
        "535 5.7.8 rejected: T3Blbi1TZXNhbWUtNzQyMQ==",
    ],
)
async def test_no_secret_is_quoted(
    hass: HomeAssistant, bed: Bed, caplog: pytest.LogCaptureFixture, reply: str
) -> None:
    dialog = await dialog_at(hass, bed, refusing(Step.AUTH_VERDICT, reply))

    for secret in (PASSWORD, "T3Blbi1TZXNhbWUtNzQyMQ", "AE9wZW4tU2VzYW1lLTc0MjE"):
        assert secret not in dialog.said
        assert secret not in caplog.text


@report(
    source="homematic-community/hm_email#13",
    symptom="554-Transaction failed / Reject due to policy restrictions: taken for a bug.",
    ours="message_rejected at the dot, with the link that explains it.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "reply",
    [
        (
            "554-Transaction failed\n554-Reject due to policy restrictions.\n"
            "554 For explanation visit https://postmaster.1und1.test/de/case?c=hi"
        ),
        "550 5.7.1 Message contains spam or virus content",
        "552 5.7.0 This message was blocked because its content presents a security issue",
        "554 Message rejected: Email address is not verified.",
    ],
)
async def test_a_refused_message_is_told_as_one(hass: HomeAssistant, bed: Bed, reply: str) -> None:
    server = await bed.serve()
    await account_at(hass, server, refusing(Step.DOT, reply))

    error = await refused(hass, to=TO)

    assert kind_of(error) == "message_rejected"
    assert reply.rsplit("\n", maxsplit=1)[-1][4:] in str(error)
    assert waiting(hass) == 0


@report(
    source="nodemailer/nodemailer#400",
    symptom="552-5.2.3 Your message exceeded Google's message size limits, after the upload.",
    ours="message_too_large; over the server's SIZE it is told before a byte is sent.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    ("step", "reply"),
    [
        (Step.DOT, "552-5.2.3 Your message exceeded Google's message size limits.\n552 5.2.3 x"),
        (Step.MAIL, "552 5.3.4 Message size exceeds fixed limit"),
        (Step.DOT, "552 5.3.4 Error: message file too big"),
        (Step.DOT, "550 Error reading data, max message size exceeded"),
        (Step.DOT, "550 Message too big!"),
        (Step.DATA, "554 5.3.4 Message too big for system"),
    ],
)
async def test_a_message_that_is_too_large_is_called_so(
    hass: HomeAssistant, bed: Bed, step: Step, reply: str
) -> None:
    assert await _kind_when_sending(hass, bed, refusing(step, reply)) == "message_too_large"


@report(
    source="frappe/frappe#37304",
    symptom="The whole attachment is uploaded before the server may say that it is too large.",
    ours="What exceeds SIZE is refused before MAIL.",
    held_at_first=True,
)
async def test_size_is_looked_at_before_anything_is_sent(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await account_at(hass, server, HEALTHY.but(size_limit=5000))
    before = len(server.record.commands("MAIL"))

    error = await refused(hass, to=TO, message="x" * 10_000)

    assert kind_of(error) == "message_too_large"
    assert len(server.record.commands("MAIL")) == before


@report(
    source="RFC 5321, section 4.2",
    symptom="A reply without words, or with odd letters, breaks the client.",
    ours="It is read, and the mail is sent or refused as the code says.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [b"250\r\n", b"250 \r\n", b"250 ok \xff\xfe\r\n", b"250-a\r\n250-\r\n250\r\n"],
)
async def test_odd_replies_to_the_dot_are_read(hass: HomeAssistant, bed: Bed, reply: bytes) -> None:
    server = await bed.serve()
    await account_at(hass, server, HEALTHY.but(answers={Step.DOT: say(reply)}))

    assert (await send(hass, to=TO))["status"] == "sent"

"""Limits of what may be sent: they pass by themselves, whatever the code says."""

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import (
    account_at,
    dialog_at,
    kind_of,
    last_failure,
    pass_time,
    refused,
    refusing,
    send,
    waiting,
)
from tests.reports.reports import report
from tests.reports.servers import HEALTHY, Bed, Step, say

TO = "bea@example.test"


async def _kept_and_delivered(hass: HomeAssistant, bed: Bed, step: Step, reply: str) -> None:
    """See a mail through a quota: kept, named, and delivered an hour later."""
    server = await bed.serve()
    await account_at(hass, server, refusing(step, reply))

    response = await send(hass, to=TO)

    assert response["status"] == "queued"
    assert waiting(hass) == 1
    assert last_failure(hass) == "quota_exceeded"
    server.script = HEALTHY
    await pass_time(hass, minutes=61)
    assert waiting(hass) == 0
    assert len(server.record.mails) == 1


@report(
    source="gen-smtp/gen_smtp#140",
    symptom="Gmail: 550 5.4.5 Daily user sending quota exceeded; the mail is dropped as refused.",
    ours="A daily limit is quota_exceeded at whatever stage: kept, tried hourly, delivered.",
    held_at_first=False,
)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
@pytest.mark.parametrize(
    "reply",
    [
        "550 5.4.5 Daily user sending limit exceeded",
        (
            "550-5.4.5 Daily user sending limit exceeded. For more information on Gmail\n"
            "550 5.4.5 sending limits go to https://support.google.com/a/answer/166852 - gsmtp"
        ),
    ],
)
async def test_gmails_daily_limit_keeps_the_mail(
    hass: HomeAssistant, bed: Bed, step: Step, reply: str
) -> None:
    await _kept_and_delivered(hass, bed, step, reply)


@report(
    source="MicrosoftDocs/OfficeDocs-Support#1150",
    symptom="Microsoft 365: 554 5.2.0 SubmissionQuotaExceededException at the dot loses the mail.",
    ours="The name of the exception decides: a quota, kept and tried hourly.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "reply",
    [
        (
            "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to "
            "process message due to a permanent exception"
        ),
        "554 5.2.0 STOREDRV.Deliver.Exception:SubmissionQuotaExceededException.MapiException",
    ],
)
async def test_microsofts_submission_quota_keeps_the_mail(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    await _kept_and_delivered(hass, bed, Step.DOT, reply)


@report(
    source="MicrosoftDocs/OfficeDocs-Exchange#2729",
    symptom="550 5.1.90 You have reached your daily limit for message recipients.",
    ours="A quota, although x.1.x speaks of addresses.",
    held_at_first=False,
)
@pytest.mark.parametrize("step", [Step.RCPT, Step.DOT])
async def test_a_daily_limit_of_recipients_keeps_the_mail(
    hass: HomeAssistant, bed: Bed, step: Step
) -> None:
    words = "550 5.1.90 Your message can't be sent because you've reached your daily limit for "
    await _kept_and_delivered(hass, bed, step, words + "message recipients")


@report(
    source="nodemailer/nodemailer#1137",
    symptom="User has exceeded its 24-hour sending limit. Messages to 25 recipients out of 25.",
    ours="Words about a sending limit name a quota, with no enhanced code at all.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "reply",
    [
        (
            "550 User me@site.test has exceeded its 24-hour sending limit. Messages to 25 "
            "recipients out of 25"
        ),
        "554 5.7.1 Hourly sending limit exceeded for anna@example.test",
        "550 5.7.1 You have exceeded your sending quota, try again tomorrow",
        "552 5.2.2 This account has exceeded the number of messages it may send per day",
        "550 5.7.28 Sending rate limit exceeded for this account",
        "554 Sender rejected: too many mails sent today, message limit reached",
    ],
)
async def test_words_about_a_sending_limit_keep_the_mail(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    await _kept_and_delivered(hass, bed, Step.MAIL, reply)


@report(
    source="root-io/vmail#67",
    symptom="5.7.1 <DATA>: Data command rejected: only 10 messages per day.",
    ours="A quota at DATA.",
    held_at_first=False,
)
@pytest.mark.parametrize("code", ["550 5.7.1", "554 5.7.1"])
async def test_so_many_messages_per_day_keep_the_mail(
    hass: HomeAssistant, bed: Bed, code: str
) -> None:
    reply = f"{code} <DATA>: Data command rejected: only 10 messages per day"
    await _kept_and_delivered(hass, bed, Step.DATA, reply)


@report(
    source="EFForg/action-center-platform#874",
    symptom="Amazon SES: 454 Throttling failure: Daily message quota exceeded; nothing retries.",
    ours="A 4xx with a daily quota is named a quota as well, and kept.",
    held_at_first=False,
)
@pytest.mark.parametrize("step", [Step.MAIL, Step.DATA, Step.DOT])
async def test_sess_daily_quota_is_called_one(hass: HomeAssistant, bed: Bed, step: Step) -> None:
    reply = "454 Throttling failure: Daily message quota exceeded."
    await _kept_and_delivered(hass, bed, step, reply)


@report(
    source="knadh/listmonk#2273",
    symptom="Amazon SES: 454 Maximum sending rate exceeded after DATA; half the mails are lost.",
    ours="Kept and tried again within minutes or an hour.",
    held_at_first=True,
)
async def test_a_sending_rate_loses_nothing(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    reply = "454 Throttling failure: Maximum sending rate exceeded."
    await account_at(hass, server, HEALTHY.but(answers={Step.DATA: (say(reply),)}))

    assert (await send(hass, to=TO))["status"] == "queued"
    await pass_time(hass, minutes=61)

    assert len(server.record.mails) == 1


@report(
    source="mautic/mautic#8721",
    symptom="SendGrid: AUTH -> 451 Authentication failed: Maximum credits exceeded.",
    ours="A quota, neither a wrong password nor a busy server; no reauthentication.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "reply",
    [
        "451 Authentication failed: Maximum credits exceeded",
        "454 4.7.0 You have exceeded your daily sending quota",
    ],
)
async def test_spent_credits_at_the_login_are_a_quota(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    await _kept_and_delivered(hass, bed, Step.AUTH_VERDICT, reply)
    await hass.async_block_till_done()
    assert not [
        flow
        for flow in hass.config_entries.flow.async_progress()
        if flow["context"]["source"] == "reauth"
    ]


@report(
    source="WA-WF-Bot/WA-WF-Bot-Public#282",
    symptom="451 You've exceeded your messaging limits: the mail is gone, and nobody is told.",
    ours="Kept as a quota.",
    held_at_first=False,
)
async def test_messaging_limits_are_a_quota(hass: HomeAssistant, bed: Bed) -> None:
    await _kept_and_delivered(hass, bed, Step.DOT, "451 You've exceeded your messaging limits")


@report(
    source="iiuni/projektzapisy#960",
    symptom="The quota of the account is spent while somebody sets it up or tests it.",
    ours="The dialog says quota_exceeded and quotes the server.",
    held_at_first=False,
)
async def test_a_quota_in_the_dialog_is_called_one(hass: HomeAssistant, bed: Bed) -> None:
    reply = "550 5.4.5 Daily user sending quota exceeded. s124sm6149838wme.29 - gsmtp"

    dialog = await dialog_at(hass, bed, refusing(Step.MAIL, reply))

    assert dialog.outcome == "quota_exceeded"
    assert "Daily user sending quota exceeded" in dialog.said


@report(
    source="gen-smtp/gen_smtp#140",
    symptom="An automation wants to know at once that a mail cannot go today.",
    ours="With queue off, the error is named quota_exceeded and quotes the server.",
    held_at_first=False,
)
async def test_a_quota_is_named_in_the_error(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await account_at(hass, server, refusing(Step.DOT, "550 5.4.5 Daily sending limit exceeded"))

    error = await refused(hass, to=TO, queue=False)

    assert kind_of(error) == "quota_exceeded"
    assert "550 5.4.5 Daily sending limit exceeded" in str(error)


@report(
    source="RFC 3463, section 3.3",
    symptom="552 5.2.2 Mailbox full is about the mailbox of the recipient.",
    ours="A full mailbox is no limit of what may be sent: that recipient is refused.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "reply",
    [
        "552 5.2.2 <bea@example.test>: Recipient address rejected: Mailbox full",
        "550 5.2.2 The email account that you tried to reach is over quota",
    ],
)
async def test_the_full_mailbox_of_a_recipient_is_no_quota_of_ours(
    hass: HomeAssistant, bed: Bed, reply: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server, refusing(Step.RCPT, reply))

    assert kind_of(await refused(hass, to=TO)) == "recipient_rejected"
    assert waiting(hass) == 0

"""What a refusal is called: stage, code and enhanced code first, known texts second."""

import pytest

from custom_components.email_courier.mail.failure import FailureKind as Kind, Permanence, Stage
from custom_components.email_courier.mail.reply import Reply
from custom_components.email_courier.mail.smtp.classify import KNOWN_TEXTS, refusal


def _refusal(
    stage: Stage, words: str, *, encrypted: bool = True, logged_in: bool = False
) -> tuple[Kind, Permanence]:
    reply = Reply(int(words[:3]), tuple(words[4:].split("\n")))
    failure = refusal(stage, reply, encrypted=encrypted, logged_in=logged_in)
    assert (failure.stage, failure.reply) == (stage, reply)
    return failure.kind, failure.permanence


@pytest.mark.parametrize(
    ("stage", "words", "kind"),
    [
        (Stage.GREETING, "421 4.7.0 Too many connections", Kind.SERVER_BUSY),
        (Stage.GREETING, "554 5.7.1 Client host blocked", Kind.GREETING_REJECTED),
        (Stage.TLS, "454 4.7.0 TLS not available", Kind.STARTTLS_NOT_OFFERED),
        (Stage.TLS, "502 5.5.1 Unknown command", Kind.STARTTLS_NOT_OFFERED),
        (Stage.HELLO, "450 4.7.1 Try again later", Kind.SERVER_BUSY),
        (Stage.HELLO, "504 5.5.2 need fully-qualified hostname", Kind.HELO_REJECTED),
        (Stage.LOGIN, "454 4.7.0 Temporary authentication failure", Kind.SERVER_BUSY),
        (Stage.LOGIN, "500 5.5.1 Unrecognized command", Kind.AUTH_NOT_OFFERED),
        (Stage.LOGIN, "502 5.5.1 Command not implemented", Kind.AUTH_NOT_OFFERED),
        (Stage.LOGIN, "504 5.7.4 Unrecognized type", Kind.AUTH_MECHANISM_UNSUPPORTED),
        (Stage.LOGIN, "534 5.7.9 Not with this one", Kind.APP_PASSWORD_REQUIRED),
        (Stage.LOGIN, "535 5.7.8 Error", Kind.INVALID_AUTH),
        (Stage.LOGIN, "535 5.7.8 Use an APP PASSWORD", Kind.APP_PASSWORD_REQUIRED),
        (Stage.SENDER, "451 4.3.0 Try again later", Kind.DEFERRED),
        (Stage.SENDER, "530 5.7.0 Go away", Kind.AUTH_REQUIRED),
        (Stage.SENDER, "550 5.7.1 Please log in first", Kind.AUTH_REQUIRED),
        (Stage.SENDER, "501 5.5.4 Please log in first", Kind.SENDER_REJECTED),
        (Stage.SENDER, "552 5.2.2 Too much", Kind.MESSAGE_TOO_LARGE),
        (Stage.SENDER, "550 5.3.4 Too much", Kind.MESSAGE_TOO_LARGE),
        (Stage.SENDER, "553 5.7.1 Not owned by user", Kind.SENDER_REJECTED),
        (Stage.RECIPIENT, "450 4.2.0 Greylisted", Kind.DEFERRED),
        (Stage.RECIPIENT, "530 5.7.0 Go away", Kind.AUTH_REQUIRED),
        (Stage.RECIPIENT, "552 5.2.3 Over the limit", Kind.MESSAGE_TOO_LARGE),
        (Stage.RECIPIENT, "552 Too many recipients", Kind.DEFERRED),
        (Stage.RECIPIENT, "552 5.5.3 Too many recipients", Kind.DEFERRED),
        (Stage.RECIPIENT, "552 5.2.2 Mailbox full", Kind.RECIPIENT_REJECTED),
        (Stage.RECIPIENT, "550 5.1.1 No such user", Kind.RECIPIENT_REJECTED),
        (Stage.DATA, "452 4.3.1 Disk full", Kind.DEFERRED),
        (Stage.DATA, "530 5.7.0 Go away", Kind.AUTH_REQUIRED),
        (Stage.DATA, "552 Too large", Kind.MESSAGE_TOO_LARGE),
        (Stage.DATA, "554 5.3.4 Too large", Kind.MESSAGE_TOO_LARGE),
        (Stage.DATA, "554 5.7.1 Spam", Kind.MESSAGE_REJECTED),
        (Stage.ACCEPTED, "554 5.7.1 Spam", Kind.MESSAGE_REJECTED),
    ],
)
def test_a_refusal_has_its_name(stage: Stage, words: str, kind: Kind) -> None:
    found, permanence = _refusal(stage, words)
    assert found is kind
    is_final = words.startswith("5") and kind is not Kind.DEFERRED
    assert permanence is (Permanence.PERMANENT if is_final else Permanence.TEMPORARY)


@pytest.mark.parametrize("code", ["250", "354", "199", "600"])
def test_a_reply_that_neither_agrees_nor_refuses_breaks_the_protocol(code: str) -> None:
    assert _refusal(Stage.SENDER, f"{code} Well") == (Kind.PROTOCOL_ERROR, Permanence.TEMPORARY)


@pytest.mark.parametrize("stage", [Stage.SENDER, Stage.RECIPIENT, Stage.DATA])
def test_who_has_logged_in_is_not_told_to_log_in(stage: Stage) -> None:
    kind, _ = _refusal(stage, "530 5.7.1 Rejected", logged_in=True)
    assert kind is not Kind.AUTH_REQUIRED


@pytest.mark.parametrize(
    ("stage", "words", "kind"),
    [
        (Stage.SENDER, "530 5.7.0 Must issue a STARTTLS command first", Kind.ENCRYPTION_REQUIRED),
        (Stage.SENDER, "451 5.7.3 STARTTLS is required to send mail", Kind.ENCRYPTION_REQUIRED),
        (Stage.SENDER, "523 5.7.10 No", Kind.ENCRYPTION_REQUIRED),
        (Stage.SENDER, "554 5.7.11 No", Kind.ENCRYPTION_REQUIRED),
        (Stage.SENDER, "538 No", Kind.ENCRYPTION_REQUIRED),
        (Stage.LOGIN, "538 No", Kind.AUTH_NEEDS_ENCRYPTION),
        (Stage.LOGIN, "535 5.7.1 TLS required", Kind.AUTH_NEEDS_ENCRYPTION),
        (Stage.LOGIN, "530 5.7.0 STARTTLS first", Kind.ENCRYPTION_REQUIRED),
        (Stage.LOGIN, "523 5.7.10 No", Kind.ENCRYPTION_REQUIRED),
        (Stage.LOGIN, "451 5.7.3 TLS is required", Kind.ENCRYPTION_REQUIRED),
    ],
)
def test_a_server_that_insists_on_encryption_is_named_where_there_is_none(
    stage: Stage, words: str, kind: Kind
) -> None:
    assert _refusal(stage, words, encrypted=False)[0] is kind
    assert _refusal(stage, words, encrypted=True)[0] is not kind


@pytest.mark.parametrize(
    "words", ["550 5.7.1 Our TLS report says no", "552 5.7.10 TLS required", "450 TLS required"]
)
def test_words_about_encryption_alone_are_no_demand(words: str) -> None:
    kind, _ = _refusal(Stage.RECIPIENT, words, encrypted=False)
    assert kind is not Kind.ENCRYPTION_REQUIRED


def test_known_words_count_at_their_stage_and_in_a_final_refusal_alone() -> None:
    words = "Envelope sender domain must match header sender domain"
    assert _refusal(Stage.DATA, f"554 {words}")[0] is Kind.SENDER_REJECTED
    assert _refusal(Stage.DATA, f"451 {words}")[0] is Kind.DEFERRED
    assert _refusal(Stage.RECIPIENT, f"554 {words}")[0] is Kind.RECIPIENT_REJECTED


MAIL = (Stage.SENDER, Stage.RECIPIENT, Stage.DATA, Stage.ACCEPTED)


@pytest.mark.parametrize("stage", [Stage.LOGIN, *MAIL])
@pytest.mark.parametrize(
    "words",
    [
        "550 5.4.5 Daily user sending limit exceeded",
        "550-5.4.5 Daily SMTP relay limit exceeded for customer.\n5.4.5 See our pages",
        "452 4.4.5 Daily sending quota exceeded",
        "421 4.7.28 Gmail has detected an unusual rate of email",
        "550 5.7.28 Sending rate limit exceeded for this account",
        "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed",
        "550 5.1.90 Your message can't be sent because you've reached your daily limit",
        "552 5.2.2 This account has exceeded the number of messages it may send per day",
        "454 Throttling failure: Daily message quota exceeded.",
        "451 Authentication failed: Maximum credits exceeded",
        "550 User me has exceeded its 24-hour sending limit. Messages to 25 recipients",
        "550 5.7.1 You have exceeded your sending quota, try again tomorrow",
        "554 Sender rejected: too many mails sent today, message limit reached",
        "550 5.7.1 <DATA>: Data command rejected: only 10 messages per day",
        "451 You've exceeded your messaging limits",
        "550 5.7.0 Requested action not taken: too many emails per second",
        "550 Domain example.test has exceeded the max emails per hour (200/200) allowed.",
        "421 4.7.1 - Sorry, exceeded 50 recipients in 3600 seconds.",
        "550 5.4.6 Unusual sending activity detected. Please try after sometime.",
        "554 Transaktion fehlgeschlagen: Sendelimit erreicht",
        "550 Quota d'envoi atteint",
        "550 今日发送数量已达上限",
    ],
)
def test_a_limit_of_what_may_be_sent_passes_by_itself(stage: Stage, words: str) -> None:
    logged_in = stage is not Stage.LOGIN
    found = _refusal(stage, words, logged_in=logged_in)
    assert found == (Kind.QUOTA_EXCEEDED, Permanence.TEMPORARY)


@pytest.mark.parametrize("stage", MAIL)
@pytest.mark.parametrize(
    "words",
    [
        "552 5.2.2 <bea@example.test>: Recipient address rejected: Mailbox full",
        "550 5.2.2 The email account that you tried to reach is over quota",
        "552-5.2.2 The email account that you tried to reach is over quota. Please direct\nthem",
        "552 5.2.2 Mailbox quota exceeded for this user",
        "452 4.4.5 Insufficient disk space; try again later",
        "421 4.7.0 Too many connections, limit exceeded",
        "552 5.3.4 Message size exceeds fixed limit",
        "452 4.5.3 Too many recipients in this session, message limit reached",
        "450 4.2.1 The user you are trying to contact is receiving mail too quickly",
        "451 4.7.1 Greylisting in action, please come back in 300 seconds",
        "454 Throttling failure: Maximum sending rate exceeded.",
        "554 Message rejected: Email address is not verified.",
    ],
)
def test_other_limits_are_no_quota(stage: Stage, words: str) -> None:
    assert _refusal(stage, words, logged_in=True)[0] is not Kind.QUOTA_EXCEEDED


@pytest.mark.parametrize("stage", [Stage.HELLO, *MAIL])
@pytest.mark.parametrize(
    "words",
    [
        "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname",
        "450 4.7.1 <[127.0.0.1]>: Helo command rejected: Host not found",
        "550 Access denied - Invalid HELO name (See RFC2821 4.1.3)",
        "554 5.7.1 EHLO hostname does not resolve, get a proper DNS name",
        "421 EHLO MXIN201 Your HELO/EHLO is not matching your DNS configuration",
        '501-5.5.4 HELO/EHLO argument "x" invalid, closing connection.\n5.5.4 See',
        "554 Bad HELO - Host impersonating example.test",
    ],
)
def test_a_complaint_about_the_name_is_one_at_every_stage_and_with_every_code(
    stage: Stage, words: str
) -> None:
    kind, permanence = _refusal(stage, words, logged_in=True)
    assert kind is Kind.HELO_REJECTED
    assert permanence is (Permanence.PERMANENT if words[0] == "5" else Permanence.TEMPORARY)


@pytest.mark.parametrize(
    ("stage", "words", "kind"),
    [
        (Stage.HELLO, "421 4.7.0 Try again later, closing connection. (EHLO)", Kind.HELO_REJECTED),
        (Stage.HELLO, "421 4.3.2 System is shutting down", Kind.SERVER_BUSY),
        (Stage.HELLO, "421 4.7.0 EHLO: too many connections", Kind.SERVER_BUSY),
        (Stage.SENDER, "503 5.5.1 Error: send HELO/EHLO first", Kind.SENDER_REJECTED),
        (Stage.SENDER, "503 5.5.1 Bad sequence: EHLO first", Kind.SENDER_REJECTED),
    ],
)
def test_the_word_alone_is_no_complaint_about_the_name(
    stage: Stage, words: str, kind: Kind
) -> None:
    assert _refusal(stage, words)[0] is kind


@pytest.mark.parametrize("stage", MAIL)
@pytest.mark.parametrize(
    "words",
    [
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
        "451 4.7.60 Client does not have permissions to send as this sender",
        "554 5.2.252 SendAsDenied; anna@example.test not allowed to send as b@example.test",
        "553 5.7.1 <b@example.test>: Sender address rejected: not owned by user anna",
        "450 4.7.1 <b@example.test>: Sender address rejected: not owned by user anna",
        "554 5.0.0 Error: transaction failed: unknown sender address",
        "550 Sender address is not allowed.",
        "501 mail from address must be same as authorization user",
        "550 The from address does not match a verified Sender Identity.",
        "550-From header sender domain not verified (example.test)\nPlease verify it.",
    ],
)
def test_a_refused_sender_is_one_at_every_stage_of_a_mail(stage: Stage, words: str) -> None:
    kind, permanence = _refusal(stage, words, logged_in=True)
    assert kind is Kind.SENDER_REJECTED
    assert permanence is (Permanence.PERMANENT if words[0] == "5" else Permanence.TEMPORARY)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("454 4.7.0 incorrect password", Kind.INVALID_AUTH),
        ("421 4.7.0 Username and Password not accepted", Kind.INVALID_AUTH),
        ("450 4.7.1 Invalid login or password", Kind.INVALID_AUTH),
        ("454 4.7.9 Application-specific password required", Kind.APP_PASSWORD_REQUIRED),
        ("454 4.7.0 Temporary authentication failure", Kind.SERVER_BUSY),
        ("435 Unable to authenticate at present", Kind.SERVER_BUSY),
    ],
)
def test_words_that_waiting_cannot_mend_decide_the_kind_and_the_code_what_follows(
    words: str, kind: Kind
) -> None:
    assert _refusal(Stage.LOGIN, words) == (kind, Permanence.TEMPORARY)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("550 Error reading data, max message size exceeded", Kind.MESSAGE_TOO_LARGE),
        ("550 Message too big!", Kind.MESSAGE_TOO_LARGE),
        ("552-5.2.3 Your message exceeded message size limits.\n5.2.3 x", Kind.MESSAGE_TOO_LARGE),
        ("552 5.7.0 This message was blocked because of its content", Kind.MESSAGE_REJECTED),
        ("554 Message rejected: Email address is not verified.", Kind.MESSAGE_REJECTED),
    ],
)
def test_what_is_said_of_a_message_has_its_name(words: str, kind: Kind) -> None:
    assert _refusal(Stage.DATA, words, logged_in=True) == (kind, Permanence.PERMANENT)


@pytest.mark.parametrize("code", [502, 503, 550])
def test_a_login_that_is_asked_for_in_words_is_one(code: int) -> None:
    words = f"{code} 5.7.0 Please authenticate first"
    assert _refusal(Stage.SENDER, words)[0] is Kind.AUTH_REQUIRED


def test_every_known_text_says_where_it_comes_from() -> None:
    for known in KNOWN_TEXTS:
        assert known.source
        assert known.text or known.pattern or known.enhanced
        assert known.text == known.text.lower()

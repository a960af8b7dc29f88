"""What a refusal is called: stage, code and enhanced code first, known texts second."""

import pytest

from custom_components.email_courier.mail.failure import FailureKind as Kind, Permanence, Stage
from custom_components.email_courier.mail.reply import Reply
from custom_components.email_courier.mail.smtp.classify import refusal


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

"""MAIL and RCPT as they are written, and what cannot be written."""

from collections.abc import Callable

import pytest

from custom_components.email_courier.mail.failure import (
    Cause,
    Failure,
    FailureKind,
    MailError,
    Permanence,
    Stage,
)
from custom_components.email_courier.mail.smtp.protocol import (
    NOTHING,
    Capabilities,
    check_size,
    mail_command,
    rcpt_command,
)

ALL = Capabilities({"size": "1000", "smtputf8": "", "8bitmime": ""}, frozenset())
ASCII_ONLY = Capabilities({"size": "1000", "8bitmime": ""}, frozenset())
SEVEN_BIT = Capabilities({"smtputf8": ""}, frozenset())
ANNA, JUERGEN = "anna@example.test", "jürgen@example.test"


def _failure(call: Callable[[], object]) -> Failure:
    with pytest.raises(MailError) as caught:
        call()
    return caught.value.failure


def test_mail_says_as_much_as_the_server_offers() -> None:
    sender = "anna@example.test"
    assert mail_command(sender, NOTHING, size=5) == b"MAIL FROM:<anna@example.test>"
    assert mail_command(sender, ALL) == b"MAIL FROM:<anna@example.test>"
    assert mail_command(sender, ALL, size=5) == b"MAIL FROM:<anna@example.test> SIZE=5"


def test_mail_asks_for_letters_outside_ascii() -> None:
    mail = "MAIL FROM:<jürgen@example.test>".encode()
    sender = "jürgen@example.test"
    both = mail_command(sender, ALL, size=5, smtputf8=True)
    assert both == mail + b" SIZE=5 SMTPUTF8 BODY=8BITMIME"
    assert mail_command(sender, SEVEN_BIT, smtputf8=True) == mail + b" SMTPUTF8"


@pytest.mark.parametrize(
    ("write", "kind", "stage"),
    [
        (
            lambda: mail_command(JUERGEN, ASCII_ONLY, smtputf8=True),
            FailureKind.INVALID_SENDER,
            Stage.SENDER,
        ),
        (
            lambda: rcpt_command(JUERGEN, ASCII_ONLY),
            FailureKind.INVALID_RECIPIENT,
            Stage.RECIPIENT,
        ),
    ],
    ids=["MAIL", "RCPT"],
)
def test_where_these_letters_are_not_taken_whoever_has_them_is_named(
    write: Callable[[], bytes], kind: FailureKind, stage: Stage
) -> None:
    assert _failure(write) == Failure(
        kind,
        stage,
        Permanence.PERMANENT,
        detail=f"{JUERGEN}: the server takes no addresses with letters outside ASCII",
        facts={"address": JUERGEN, "cause": Cause.ADDRESS_NOT_ASCII},
    )
    assert rcpt_command(ANNA, ASCII_ONLY) == f"RCPT TO:<{ANNA}>".encode()


@pytest.mark.parametrize(
    ("write", "kind", "stage"),
    [
        (lambda bad: mail_command(bad, ALL), FailureKind.INVALID_SENDER, Stage.SENDER),
        (lambda bad: rcpt_command(bad, ALL), FailureKind.INVALID_RECIPIENT, Stage.RECIPIENT),
    ],
    ids=["MAIL", "RCPT"],
)
def test_an_address_that_can_be_none_is_shown_clean(
    write: Callable[[str], bytes], kind: FailureKind, stage: Stage
) -> None:
    assert _failure(lambda: write("a@b.test>\r\nDATA")) == Failure(
        kind,
        stage,
        Permanence.PERMANENT,
        detail="not an address",
        facts={"address": "a@b.test>  DATA", "cause": Cause.ADDRESS_LOCAL_PART},
    )


def test_a_recipient_is_named_in_its_path() -> None:
    assert rcpt_command('"a b"@[192.0.2.1]', ALL) == b'RCPT TO:<"a b"@[192.0.2.1]>'


def test_a_message_may_have_as_many_bytes_as_the_server_takes() -> None:
    check_size(1000, ALL)
    check_size(10**9, NOTHING)
    assert _failure(lambda: check_size(1001, ALL)) == Failure(
        FailureKind.MESSAGE_TOO_LARGE,
        Stage.SENDER,
        Permanence.PERMANENT,
        detail="1001 bytes, and the server takes 1000",
        facts={"size": "1001", "limit": "1000"},
    )

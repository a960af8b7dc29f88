"""What the caller is told about a mail that has been taken."""

import pytest

from custom_components.email_courier.mail.envelope import RecipientOutcome
from custom_components.email_courier.mail.outbox.record import MailRecord
from custom_components.email_courier.mail.outbox.submission import (
    Receipt,
    Status,
    refused_receipt,
    with_held,
)
from tests.mail.outbox.house import START, mail
from tests.mail.outbox.servers import GREYLISTED, OK, UNKNOWN_USER

ANNA = RecipientOutcome("anna@example.test", OK)
BEN = RecipientOutcome("ben@example.test", UNKNOWN_USER.reply, UNKNOWN_USER)
CLEO = RecipientOutcome("cleo@example.test", GREYLISTED.reply, GREYLISTED)


@pytest.mark.parametrize(
    ("receipt", "status"),
    [
        (Receipt("<1>", accepted=(ANNA,)), Status.SENT),
        (Receipt("<1>"), Status.SENT),
        (Receipt("<1>", owed=(CLEO,)), Status.QUEUED),
        (Receipt("<1>", accepted=(ANNA,), owed=(CLEO,)), Status.PARTIAL),
        (Receipt("<1>", accepted=(ANNA,), refused=(BEN,)), Status.PARTIAL),
        (Receipt("<1>", refused=(BEN,), owed=(CLEO,)), Status.PARTIAL),
    ],
)
def test_the_status_sums_up_all_recipients(receipt: Receipt, status: Status) -> None:
    assert receipt.status is status


def test_a_mail_that_nobody_gets_names_everybody_with_the_servers_words() -> None:
    sent = mail("anna@example.test", "ben@example.test")
    receipt = refused_receipt(sent, UNKNOWN_USER)
    assert receipt == Receipt(
        sent.message_id,
        refused=(
            RecipientOutcome("anna@example.test", UNKNOWN_USER.reply, UNKNOWN_USER),
            RecipientOutcome("ben@example.test", UNKNOWN_USER.reply, UNKNOWN_USER),
        ),
        server_reply="550 5.1.1 User unknown",
        attempts=1,
    )


def test_whom_the_mail_is_held_for_is_owed_it_besides_the_others() -> None:
    held = [MailRecord.new(mail(to), START) for to in ("dora@example.test", "emil@example.test")]
    receipt = with_held(
        Receipt("<1>", accepted=(ANNA,), owed=(CLEO,), attempts=2),
        [address for record in held for address in record.addresses],
    )
    assert receipt == Receipt(
        "<1>",
        accepted=(ANNA,),
        owed=(
            CLEO,
            RecipientOutcome("dora@example.test"),
            RecipientOutcome("emil@example.test"),
        ),
        attempts=2,
    )

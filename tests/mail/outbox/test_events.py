"""An event of a mail as plain data, and an error of the outbox in words."""

import json
from typing import Any

import pytest

from custom_components.email_courier.mail.outbox.events import (
    Deferred,
    Delivered,
    Failed,
    GivenUp,
    MailEvent,
)
from custom_components.email_courier.mail.outbox.submission import OutboxError, OutboxReason
from tests.mail.outbox.servers import GREYLISTED, OK

MAIL: dict[str, Any] = {"at": 1.5, "message_id": "<1@b>", "subject": "Hi", "attempts": 2}
WHOM = ("a@example.test", "b@example.test")
PLAIN = MAIL | {"recipients": list(WHOM)}


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (
            Delivered(**MAIL, recipients=WHOM, reply=OK),
            {"outcome": "delivered", "reply": "250 2.0.0 queued as 4711"},
        ),
        (Delivered(**MAIL, recipients=WHOM, reply=None), {"outcome": "delivered", "reply": None}),
        (
            Deferred(**MAIL, recipients=WHOM, failure=GREYLISTED, next_attempt=30.0),
            {"outcome": "deferred", "failure": GREYLISTED.as_dict(), "next_attempt": 30.0},
        ),
        (
            Deferred(**MAIL, recipients=WHOM, failure=None, next_attempt=None),
            {"outcome": "deferred", "failure": None, "next_attempt": None},
        ),
        (
            Failed(**MAIL, recipients=WHOM, reason=GivenUp.EXPIRED, failure=GREYLISTED),
            {"outcome": "failed", "reason": "expired", "failure": GREYLISTED.as_dict()},
        ),
        (
            Failed(**MAIL, recipients=WHOM, reason=GivenUp.REFUSED, failure=None),
            {"outcome": "failed", "reason": "refused", "failure": None},
        ),
    ],
)
def test_an_event_as_plain_data_says_all_that_it_knows(
    event: MailEvent, data: dict[str, Any]
) -> None:
    assert event.as_dict() == PLAIN | data
    assert json.dumps(event.as_dict())


def test_an_error_of_the_outbox_says_what_kept_the_mail_from_being_kept_and_delivered() -> None:
    assert str(OutboxError(OutboxReason.FULL, "3 mails are waiting")) == "full: 3 mails are waiting"
    both = OutboxError(OutboxReason.DISK, "Read-only file system", GREYLISTED)
    assert str(both) == f"Read-only file system; {GREYLISTED}"

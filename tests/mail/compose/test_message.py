"""A whole message and its envelope."""

from typing import Any

import pytest

from custom_components.email_courier.mail.address import parse_mailbox, parse_mailboxes
from custom_components.email_courier.mail.compose.content import (
    Attachment,
    Content,
    ContentError,
    ContentFault,
)
from custom_components.email_courier.mail.compose.message import compose, wire_size
from custom_components.email_courier.mail.envelope import Envelope

from .cases import ANNA, BEN, CASES, HOUSE, NOW
from .reading import read


def test_everybody_stands_in_the_envelope_once_in_order() -> None:
    mail = compose(
        Content(
            sender=HOUSE,
            to=parse_mailboxes("ben@example.test, Anna <anna@example.test>, ben@EXAMPLE.test"),
            cc=parse_mailboxes("anna@example.test, cleo@example.test"),
            bcc=parse_mailboxes("cleo@example.test, dora@example.test"),
        ),
        now=NOW,
    )

    assert mail.envelope == Envelope(
        HOUSE.address,
        ("ben@example.test", "anna@example.test", "cleo@example.test", "dora@example.test"),
    )
    assert read(mail).addresses("To") == ["ben@example.test", "anna@example.test"]
    assert read(mail).addresses("Cc") == ["cleo@example.test"]


def test_a_mail_for_nobody_is_refused() -> None:
    with pytest.raises(ContentError) as raised:
        compose(Content(sender=HOUSE), now=NOW)

    assert (raised.value.field, raised.value.reason) == ("to", ContentFault.NO_RECIPIENT)


@pytest.mark.parametrize("field", ["sender", "to", "bcc", "reply_to"])
def test_smtputf8_is_asked_for_by_a_local_part_alone(field: str) -> None:
    utf8 = parse_mailbox("jörg@example.test")
    fields: dict[str, Any] = {"sender": HOUSE, "to": (ANNA,)} | {
        field: utf8 if field == "sender" else (utf8,)
    }

    assert compose(Content(**fields), now=NOW).envelope.smtputf8
    assert not compose(CASES["non_ascii_everything"], now=NOW).envelope.smtputf8


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_one_recipient_who_needs_smtputf8_leaves_the_header_to_the_others(field: str) -> None:
    pele = parse_mailbox("Pelé <pelé@example.test>")
    fields: dict[str, Any] = {"to": (ANNA,)}
    fields[field] = (*fields.get(field, ()), pele)
    mail = compose(Content(sender=HOUSE, **fields), now=NOW)
    header = bytes(mail.data).partition(b"\r\n\r\n")[0]

    assert header.isascii()
    assert mail.envelope.needing_smtputf8 == (pele.address,)
    shown = read(mail)
    assert shown.addresses("To") == [ANNA.address]
    assert ("pelé@example.test" in str(shown.message[field])) == (field != "bcc")


def test_a_header_is_utf8_where_every_recipient_needs_it() -> None:
    mail = compose(CASES["utf8_address"], now=NOW)

    assert mail.envelope.needing_smtputf8 == mail.envelope.recipients
    assert "jörg@example.test".encode() in bytes(mail.data)


@pytest.mark.parametrize("name", CASES)
def test_the_size_is_known_before_anything_is_composed(name: str) -> None:
    assert wire_size(CASES[name], now=NOW) == compose(CASES[name], now=NOW).size


def test_nothing_of_the_content_is_in_a_log_line() -> None:
    mail = compose(CASES["plain"], now=NOW)

    assert "laundry" not in repr(mail)
    assert "secret" not in repr(Attachment("a", b"secret"))


def test_two_mails_share_no_boundary() -> None:
    first, second = (bytes(compose(CASES["html"], now=NOW).data) for _ in range(2))

    assert first.partition(b"boundary=")[2][:30] != second.partition(b"boundary=")[2][:30]


def test_a_composed_mail_says_what_it_is() -> None:
    mail = compose(Content(sender=HOUSE, to=(BEN,), subject="a\nb", text="c"), now=NOW)

    assert mail.subject == "a b"
    assert mail.date == NOW
    assert mail.size == len(mail.data)
    assert f"Message-ID: {mail.message_id}\r\n".encode() in bytes(mail.data)

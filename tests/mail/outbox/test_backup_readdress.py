"""A mail as the backup account sends it."""

from copy import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from custom_components.email_courier.mail.envelope import Envelope
from custom_components.email_courier.mail.outbox.backup import readdress
from custom_components.email_courier.mail.outbox.submission import OutgoingMail
from custom_components.email_courier.mail.payload import FilePayload, gather, pieces_of


def outgoing(head: str, body: str = "Hello\r\n\r\nFrom: nobody\r\n") -> OutgoingMail:
    return OutgoingMail(
        envelope=Envelope("house@one.test", ("anna@example.test",)),
        data=(head.replace("\n", "\r\n") + "\r\n" + body).encode(),
        message_id="<1@one.test>",
    )


def parsed(mail: OutgoingMail) -> EmailMessage:
    message = message_from_bytes(bytes(mail.data), policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("From: house@one.test\n", "spare@two.test"),
        ("from:house@one.test\n", "spare@two.test"),
        ("From: House <house@one.test>\n", "House <spare@two.test>"),
        ('From: "House, left" <house@one.test>\n', '"House, left" <spare@two.test>'),
        ("From: =?utf-8?q?H=C3=A4uschen?= <house@one.test>\n", "Häuschen <spare@two.test>"),
        ("From: =?utf-8?q?H=C3=A4uschen?=\n <house@one.test>\n", "Häuschen <spare@two.test>"),
        ('From: "<odd>" <house@one.test>\n', '"<odd>" <spare@two.test>'),
    ],
)
def test_it_is_from_the_backup_account_and_replies_go_to_the_original_sender(
    written: str, expected: str
) -> None:
    original = outgoing(f"Subject: Hi\n{written}Message-ID: <1@one.test>\n")
    mail = readdress(original, "spare@two.test")
    message = parsed(mail)
    assert str(message["From"]) == expected
    assert message["Reply-To"].addresses[0].addr_spec == "house@one.test"
    assert str(message["Subject"]) == "Hi"
    assert message["Message-ID"] == "<1@one.test>"
    assert message.get_payload() == parsed(original).get_payload()
    assert mail.envelope == Envelope("spare@two.test", ("anna@example.test",))
    assert len(message.keys()) == len(parsed(original).keys()) + 1


def test_where_replies_were_already_directed_elsewhere_they_stay_so() -> None:
    mail = readdress(
        outgoing("From: house@one.test\nReply-To: owner@three.test\n"), "spare@two.test"
    )
    assert parsed(mail).get_all("Reply-To") == ["owner@three.test"]


def test_the_sender_field_of_the_original_account_goes() -> None:
    mail = readdress(outgoing("Sender: house@one.test\nFrom: other@one.test\n"), "spare@two.test")
    assert parsed(mail)["Sender"] is None


def test_a_field_of_the_body_is_left_alone() -> None:
    mail = readdress(outgoing("From: house@one.test\n"), "spare@two.test")
    assert bytes(mail.data).endswith(b"\r\n\r\nHello\r\n\r\nFrom: nobody\r\n")


def test_a_mail_without_a_body_stays_one() -> None:
    mail = readdress(outgoing("From: house@one.test\n", body=""), "spare@two.test")
    assert mail.data == b"From: spare@two.test\r\nReply-To: house@one.test\r\n\r\n"


def test_a_backup_address_outside_ascii_needs_smtputf8() -> None:
    mail = readdress(outgoing("From: house@one.test\n"), "ersatz-ü@two.test")
    assert mail.envelope.smtputf8


def test_fields_after_the_sender_stay() -> None:
    mail = readdress(
        outgoing("Sender: house@one.test\nFrom: house@one.test\nSubject: Hi\n"), "spare@two.test"
    )
    assert bytes(mail.data).startswith(
        b"From: spare@two.test\r\nReply-To: house@one.test\r\nSubject: Hi\r\n\r\n"
    )


def test_a_large_mail_is_whole_afterwards() -> None:
    references = "References: " + "<1@one.test>\n " * 20_000 + "<2@one.test>\n"
    body = "A line of a large attachment.\r\n" * 100_000
    original = outgoing("From: house@one.test\n" + references, body)
    original = replace(original, data=gather(pieces_of(original.data)))
    assert isinstance(original.data, FilePayload)
    mail = readdress(original, "spare@two.test")
    start = b"From: spare@two.test\r\nReply-To: house@one.test\r\n"
    assert bytes(mail.data) == start + bytes(original.data).partition(b"\r\n")[2]


def test_a_head_of_many_recipients_is_read_to_its_end() -> None:
    addresses = ",\n ".join(f"person{number}@three.test" for number in range(4000))
    mail = readdress(outgoing(f"To: {addresses}\nFrom: house@one.test\n"), "spare@two.test")
    assert b"\r\nFrom: spare@two.test\r\nReply-To: house@one.test\r\n\r\n" in bytes(mail.data)

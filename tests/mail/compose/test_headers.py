"""The header of a message."""

from datetime import timedelta, timezone
from typing import Any

import pytest

from custom_components.email_courier.mail.address import parse_mailbox, parse_mailboxes
from custom_components.email_courier.mail.compose.content import (
    Content,
    ContentError,
    ContentFault,
    Priority,
)
from custom_components.email_courier.mail.compose.message import compose

from .cases import ANNA, BEN, HOUSE, NOW
from .reading import ReadMail, read


def _mail(**fields: Any) -> ReadMail:
    return read(compose(Content(sender=HOUSE, to=(ANNA,), **fields), now=NOW))


def test_the_simplest_mail_has_exactly_these_fields() -> None:
    assert _mail(subject="Hi").names == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ]


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("Door\r\nBcc: evil@example.test", "Door Bcc: evil@example.test"),
        ("a\0b\x1bc\x85d\u2028e\tf", "a b c d e f"),
        ("\n\n", None),
        ("  kept  inside  ", "kept  inside"),
        ("=?utf-8?q?not_a_word?=", "=?utf-8?q?not_a_word?="),
        ("x" * 2000, "x" * 899 + "…"),
        ("lone \ud800", "lone \ufffd"),
    ],
)
def test_a_subject_is_one_line_whatever_is_typed(subject: str, shown: str | None) -> None:
    mail = _mail(subject=subject)

    assert mail.message["Subject"] == shown
    assert "Bcc" not in mail.names


def test_the_date_is_in_the_zone_of_the_clock() -> None:
    zone = timezone(timedelta(hours=-3, minutes=-30))
    mail = read(compose(Content(sender=HOUSE, to=(ANNA,)), now=NOW.astimezone(zone)))

    assert mail.message["Date"] == "Sat, 21 Nov 2026 04:00:15 -0330"


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("house@bücher.example", "xn--bcher-kva.example"),
        ("root@localhost", "localhost"),
        ("root@[192.0.2.1]", "[192.0.2.1]"),
    ],
)
def test_a_message_id_is_new_each_time_and_on_the_senders_domain(sender: str, domain: str) -> None:
    content = Content(sender=parse_mailbox(sender), to=(ANNA,))
    ids = {compose(content, now=NOW).message_id for _ in range(20)}

    assert len(ids) == 20
    assert all(message_id.endswith(f"@{domain}>") for message_id in ids)


def test_a_house_says_that_nobody_typed_the_mail() -> None:
    assert _mail().message["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("priority", "written"),
    [
        (Priority.HIGHEST, ("1 (Highest)", "high", "urgent")),
        (Priority.HIGH, ("2 (High)", "high", "urgent")),
        (Priority.NORMAL, ("3 (Normal)", "normal", "normal")),
        (Priority.LOW, ("4 (Low)", "low", "non-urgent")),
        (Priority.LOWEST, ("5 (Lowest)", "low", "non-urgent")),
        (None, (None, None, None)),
    ],
)
def test_a_priority_is_told_in_all_three_ways(
    priority: Priority | None, written: tuple[str | None, ...]
) -> None:
    message = _mail(priority=priority).message

    assert (message["X-Priority"], message["Importance"], message["Priority"]) == written


def test_answers_go_to_reply_to() -> None:
    assert _mail(reply_to=(BEN, ANNA)).addresses("Reply-To") == [BEN.address, ANNA.address]


def test_a_thread_is_the_same_reference_every_time_and_hides_its_key() -> None:
    first, second, other = (_mail(thread=key).message for key in ("leak", "leak", "fire"))

    assert first["References"] == first["In-Reply-To"] == second["References"]
    assert first["References"] != other["References"]
    assert first["References"].endswith("@example.test>")
    assert "leak" not in first["References"]


def test_a_thread_key_may_be_any_text() -> None:
    assert _mail(thread="a\r\nBcc: x\ud800 日本").message["References"]


def test_custom_fields_come_behind_ours() -> None:
    mail = _mail(headers={"X-Room": "Küche", "List-Id": "<alarms.example.test>", "X-Empty": ""})

    assert mail.message["X-Room"] == "Küche"
    assert mail.message["List-Id"] == "<alarms.example.test>"
    assert mail.message["X-Empty"] == ""


@pytest.mark.parametrize(
    "name",
    [
        "From", "To", "Cc", "BCC", "subject", "Date", "Message-ID", "Sender", "Reply-To",
        "Return-Path", "Received", "MIME-Version", "Content-Type", "content-whatever",
        "DKIM-Signature", "ARC-Seal", "Resent-To", "Auto-Submitted", "Delivered-To",
        "Apparently-To", "Authentication-Results",
    ],
)  # fmt: skip
def test_fields_that_make_a_mail_are_reserved(name: str) -> None:
    with pytest.raises(ContentError) as raised:
        _mail(headers={name: "x"})

    assert raised.value.reason is ContentFault.HEADER_RESERVED
    assert raised.value.facts == {"name": name}


@pytest.mark.parametrize(
    ("name", "value", "given"),
    [
        ("References", "<a@b.test> <c@d.test>", {"thread": "leak"}),
        ("In-Reply-To", "<a@b.test>", {"thread": "leak"}),
        ("X-Priority", "1", {"priority": Priority.LOW}),
        ("Importance", "high", {"priority": Priority.LOW}),
        ("Priority", "urgent", {"priority": Priority.LOW}),
    ],
)
def test_what_another_field_writes_is_reserved_only_then(
    name: str, value: str, given: dict[str, Any]
) -> None:
    assert _mail(headers={name: value}).message[name] == value
    with pytest.raises(ContentError) as raised:
        _mail(headers={name: value}, **given)

    assert raised.value.reason is ContentFault.HEADER_RESERVED


@pytest.mark.parametrize("value", ["", "1", "<a>", "a@b.test", "<a@b.test>x", "<é@b.test>"])
def test_a_reference_is_a_message_id(value: str) -> None:
    with pytest.raises(ContentError) as raised:
        _mail(headers={"References": value})

    assert raised.value.reason is ContentFault.HEADER_VALUE_INVALID


@pytest.mark.parametrize(
    "name", ["", " ", "X Room", "X-Room:", "X-Küche", "X\r\nBcc", "Bcc ", "X-" + "a" * 70, "-X"]
)
def test_a_field_name_is_plain_ascii(name: str) -> None:
    with pytest.raises(ContentError) as raised:
        _mail(headers={name: "x"})

    assert raised.value.reason is ContentFault.HEADER_NAME_INVALID


@pytest.mark.parametrize("value", ["a\r\nBcc: x@y", "a\n b", "\0", "a\tb", "\ud800", "x" * 8001])
def test_a_field_value_is_one_line(value: str) -> None:
    with pytest.raises(ContentError) as raised:
        _mail(headers={"X-Room": value})

    assert raised.value.reason is ContentFault.HEADER_VALUE_INVALID


def test_a_custom_field_stands_once() -> None:
    with pytest.raises(ContentError) as raised:
        _mail(headers={"X-Room": "a", "x-room": "b"})

    assert raised.value.reason is ContentFault.HEADER_REPEATED


def test_bcc_is_in_the_envelope_and_in_no_header() -> None:
    mail = compose(
        Content(sender=HOUSE, to=(ANNA,), bcc=parse_mailboxes("secret@example.test")), now=NOW
    )

    assert mail.envelope.recipients == (ANNA.address, "secret@example.test")
    assert b"secret" not in bytes(mail.data)


def test_a_mail_for_bcc_alone_names_nobody() -> None:
    mail = read(compose(Content(sender=HOUSE, bcc=(ANNA,)), now=NOW))

    assert str(mail.message["To"]) == "undisclosed-recipients:;"
    assert mail.addresses("To") == []


def test_a_mail_for_cc_alone_has_no_to() -> None:
    mail = read(compose(Content(sender=HOUSE, cc=(ANNA,)), now=NOW))

    assert "To" not in mail.names
    assert mail.addresses("Cc") == [ANNA.address]

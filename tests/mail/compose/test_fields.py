"""The syntax of header fields, judged by the standard library's parser."""

from email import message_from_string, policy
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.address import parse_mailbox
from custom_components.email_courier.mail.compose.encoding import one_line
from custom_components.email_courier.mail.compose.fields import (
    mailbox_list,
    parameter,
    unstructured,
)


def _parsed(name: str, value: str) -> Any:
    message = message_from_string(f"{name}: {value}\r\n\r\n", policy=policy.default)
    assert message.keys() == [name]
    return message[name]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Washing machine", "Washing machine"),
        ("Küche", "=?utf-8?b?S8O8Y2hl?="),
        ("two  blanks", "two  blanks"),
        ("=?utf-8?q?typed?=", "=?utf-8?b?PT91dGYtOD9xP3R5cGVkPz0=?="),
    ],
)
def test_only_what_needs_it_becomes_an_encoded_word(text: str, written: str) -> None:
    assert unstructured("Subject", text) == written


def test_plain_words_are_folded_between_words() -> None:
    value = unstructured("Subject", "word " * 40)

    assert all(len(line) <= 78 for line in f"Subject: {value}".split("\r\n"))
    assert value.replace("\r\n", "") == ("word " * 40).strip()


@pytest.mark.parametrize("text", ["x" * 2000, "a" + " " * 120 + "b", "日本語" * 300, "  " * 90])
def test_what_cannot_be_folded_becomes_encoded_words(text: str) -> None:
    value = unstructured("Subject", text)

    assert _parsed("Subject", value) == text.strip()
    assert all(len(line) <= 76 for line in f"Subject: {value}".split("\r\n"))


@given(st.text())
def test_any_text_arrives_as_one_line_of_the_same_words(text: str) -> None:
    value = unstructured("X-Any", text)

    assert _parsed("X-Any", value) == one_line(text)
    assert value.isascii()


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("a@b.test", "a@b.test"),
        ("Anna Lang <a@b.test>", "Anna Lang <a@b.test>"),
        ('"Lang, Anna" <a@b.test>', '"Lang, Anna" <a@b.test>'),
        ('"a \\"b\\" \\\\" <a@b.test>', '"a \\"b\\" \\\\" <a@b.test>'),
        ("Dr. No <a@b.test>", '"Dr. No" <a@b.test>'),
        ("Zoë <a@b.test>", "=?utf-8?q?Zo=C3=AB?= <a@b.test>"),
        ("=?utf-8?q?x?= <a@b.test>", "=?utf-8?b?PT91dGYtOD9xP3g/PQ==?= <a@b.test>"),
    ],
)
def test_a_name_is_quoted_or_encoded_as_it_needs(typed: str, written: str) -> None:
    assert mailbox_list("To", [parse_mailbox(typed)]) == written


def test_many_mailboxes_stand_one_on_a_line() -> None:
    value = mailbox_list("To", [parse_mailbox(f"a{i}@b.test") for i in range(3)])

    assert value == "a0@b.test,\r\n a1@b.test,\r\n a2@b.test"


@given(st.lists(st.text(max_size=80), min_size=1, max_size=4))
def test_any_names_are_read_back_with_their_addresses(names: list[str]) -> None:
    mailboxes = [parse_mailbox(f"a{i}@b.test").named(name) for i, name in enumerate(names)]
    value = mailbox_list("To", mailboxes)
    read = _parsed("To", value).addresses

    assert [address.addr_spec for address in read] == [mailbox.address for mailbox in mailboxes]
    assert [" ".join(address.display_name.split()) for address in read] == [
        mailbox.name for mailbox in mailboxes
    ]
    assert all(len(line) <= 78 for line in f"To: {value}".split("\r\n"))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("door.png", ';\r\n filename="door.png"'),
        ("front door.png", ';\r\n filename="front door.png"'),
        ('a"b.png', ";\r\n filename*=utf-8''a%22b.png"),
        ("=?utf-8?q?a?=", ";\r\n filename*=utf-8''%3D%3Futf-8%3Fq%3Fa%3F%3D"),
    ],
)
def test_a_plain_parameter_is_quoted_and_any_other_encoded(name: str, written: str) -> None:
    assert parameter("filename", name) == written


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])).map(str.strip).filter(bool))
def test_any_parameter_is_read_back(name: str) -> None:
    value = "attachment" + parameter("filename", name)
    message = message_from_string(f"Content-Disposition: {value}\r\n\r\n", policy=policy.default)

    assert message["Content-Disposition"].params["filename"] == name
    assert all(len(line) <= 78 for line in f"Content-Disposition: {value}".split("\r\n"))

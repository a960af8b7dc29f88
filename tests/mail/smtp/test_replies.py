"""Replies out of a stream: whole, one at a time, and nothing that is none."""

import pytest

from custom_components.email_courier.mail.smtp.protocol import (
    MAX_LINE,
    MAX_REPLY,
    MalformedReplyError,
    ReplyBuffer,
    split_reply,
)

ONE = b"250 2.1.0 Ok\r\n"
SEVERAL = b"250-mail.example.test\r\n250-SIZE 1000\r\n250 HELP\r\n"


@pytest.mark.parametrize("reply", [ONE, SEVERAL, b"220\r\n", b"354 go\n", b"250-a\r\n250\r\n"])
def test_a_reply_is_known_however_it_is_cut(reply: bytes) -> None:
    for cut in range(len(reply)):
        buffer = ReplyBuffer()
        begun = list(buffer.feed(reply[:cut]))
        assert [*begun, *buffer.feed(reply[cut:])] == [reply]
        assert buffer.pending == b""


def test_replies_in_one_piece_are_told_apart() -> None:
    assert list(ReplyBuffer().feed(ONE + SEVERAL + ONE)) == [ONE, SEVERAL, ONE]


def test_what_has_begun_is_pending() -> None:
    buffer = ReplyBuffer()
    assert list(buffer.feed(b"250-one\r\n250 tw")) == []
    assert buffer.pending == b"250-one\r\n250 tw"


@pytest.mark.parametrize(
    "raw",
    [b"HTTP", b"250x", b"199 Ok\r\n", b"600 Ok\r\n", b"\r\n", b"25\r\n", b"250 a\rb\r\n"],
)
def test_what_is_no_reply_is_told_at_once(raw: bytes) -> None:
    with pytest.raises(MalformedReplyError, match="not an SMTP reply") as caught:
        list(ReplyBuffer().feed(raw))
    assert caught.value.raw == raw


def test_a_line_may_come_letter_by_letter_until_it_can_be_none() -> None:
    buffer = ReplyBuffer()
    for letter in b"HTT":
        assert list(buffer.feed(bytes([letter]))) == []
    with pytest.raises(MalformedReplyError):
        list(buffer.feed(b"P"))


def test_where_codes_differ_the_last_one_counts_and_all_is_quoted() -> None:
    raw = b"220-mx.example.test\r\n521 5.7.1 Client blocked\r\n"
    assert list(ReplyBuffer().feed(raw)) == [raw]
    assert split_reply(raw) == (521, "mx.example.test\n5.7.1 Client blocked")


def test_a_line_has_a_limit() -> None:
    longest = b"250 " + b"x" * (MAX_LINE - 6) + b"\r\n"
    assert list(ReplyBuffer().feed(longest)) == [longest]
    with pytest.raises(MalformedReplyError, match="too long"):
        list(ReplyBuffer().feed(b"250 x" + longest[4:]))


def test_a_reply_has_a_limit() -> None:
    line = b"250-" + b"x" * 1018 + b"\r\n"
    whole = line * (MAX_REPLY // 1024 - 1) + b"250 " + b"x" * 1018 + b"\r\n"
    assert len(whole) == MAX_REPLY
    assert list(ReplyBuffer().feed(whole)) == [whole]
    with pytest.raises(MalformedReplyError, match="too long"):
        list(ReplyBuffer().feed(b"250-\r\n" + whole))


def test_a_reply_is_split_into_its_code_and_its_lines() -> None:
    assert split_reply(SEVERAL) == (250, "mail.example.test\nSIZE 1000\nHELP")
    assert split_reply(b"221\r\n") == (221, "")
    assert split_reply(b"554 caf\xe9\r\n") == (554, "café")

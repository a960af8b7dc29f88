"""A reply as it is kept: parsed, cleaned, and read for its meaning."""

import pytest

from custom_components.email_courier.mail.reply import MAX_TEXT, Reply, clean_text


@pytest.mark.parametrize("text", [b"one\ntwo \xc3\xa9", "one\ntwo é"], ids=["bytes", "text"])
def test_lines_are_told_apart(text: bytes | str) -> None:
    assert Reply.parse(250, text) == Reply(250, ("one", "two é"))


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert Reply.parse(554, b"caf\xff\xfe").lines == ("caf\ufffd\ufffd",)


@pytest.mark.parametrize(
    ("lines", "enhanced"),
    [
        (("2.1.0 checking", "5.7.1 no"), "5.7.1"),
        (("4.2.0 odd",), "4.2.0"),
        (("no", "5.7.8 no", "5.7.9 no"), "5.7.8"),
        (("no",), None),
    ],
)
def test_the_enhanced_code_is_the_one_that_goes_with_the_code(
    lines: tuple[str, ...], enhanced: str | None
) -> None:
    assert Reply(550, lines).enhanced == enhanced


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  padded\t", "padded"),
        ("a\x00b\x1bc\x7fd\x9fe", "a b c d e"),
        ("left\u202eright\u2066", "left right"),
        ("lone \ud800 half", "lone   half"),
        ("x" * (MAX_TEXT + 1), "x" * MAX_TEXT),
    ],
    ids=["padding", "controls", "directions", "surrogate", "length"],
)
def test_what_no_page_can_take_is_cleaned(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@pytest.mark.parametrize(
    ("lines", "enhanced"),
    [
        (("5.7.8 Wrong",), "5.7.8"),
        (("Hello", "4.123.456"), "4.123.456"),
        (("5.7.8-Wrong",), None),
        (("3.7.8 Odd",), None),
        (("Wrong 5.7.8",), None),
        ((), None),
    ],
)
def test_the_enhanced_code_stands_at_the_begin_of_a_line(
    lines: tuple[str, ...], enhanced: str | None
) -> None:
    assert Reply(535, lines).enhanced == enhanced


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (199, (False, False, False)),
        (200, (True, False, False)),
        (299, (True, False, False)),
        (300, (False, False, False)),
        (399, (False, False, False)),
        (400, (False, True, False)),
        (499, (False, True, False)),
        (500, (False, False, True)),
        (599, (False, False, True)),
        (600, (False, False, False)),
    ],
)
def test_the_first_digit_is_the_meaning(code: int, meaning: tuple[bool, bool, bool]) -> None:
    reply = Reply(code)
    assert (reply.is_positive, reply.is_transient, reply.is_permanent) == meaning


def test_as_one_line_it_leaves_out_what_is_empty_and_what_is_too_much() -> None:
    assert Reply(250, ("one", "", "two")).text == "one two"
    assert len(Reply(250, ("x" * MAX_TEXT, "y")).text) == MAX_TEXT
    assert str(Reply(250, ("one", "two"))) == "250 one two"
    assert str(Reply(250)) == "250"


def test_the_joined_text_is_not_cut() -> None:
    assert len(Reply(250, ("x" * MAX_TEXT, "", "y")).joined) == MAX_TEXT + 2

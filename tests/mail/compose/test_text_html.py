"""Plain text as HTML."""

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.compose.text_html import (
    bare_link_at,
    bare_links,
    is_right_to_left,
    text_html,
)


@pytest.mark.parametrize(
    ("text", "shown", "target"),
    [
        ("see https://a.example/b?c=d&e=f.", "https://a.example/b?c=d&e=f", None),
        ("(http://a.example)", "http://a.example", None),
        ("http://a.example/x_(y)", "http://a.example/x_(y)", None),
        ("**https://a.example**", "https://a.example", None),
        ("HTTPS://A.example/X", "HTTPS://A.example/X", "https://A.example/X"),
        ("www.a.example/b, and", "www.a.example/b", "https://www.a.example/b"),
        ("homeassistant://navigate/0", "homeassistant://navigate/0", None),
        ("ask a.b+c@d.example!", "a.b+c@d.example", "mailto:a.b+c@d.example"),
        ("見る https://a.example/b。次", "https://a.example/b", None),
    ],
)
def test_an_address_is_found_without_the_punctuation_around_it(
    text: str, shown: str, target: str | None
) -> None:
    (link,) = bare_links(text)

    assert text[link.start : link.end] == shown
    assert link.target == (target or shown)
    assert bare_link_at(text, link.start) == link


@pytest.mark.parametrize(
    "text",
    [
        "https://",
        "mailto:a@b.example",
        "javascript:alert(1)",
        "sensor.door",
        "a@b",
        "xhttps://a.example",
        "://",
    ],
)
def test_what_is_no_address_is_no_link(text: str) -> None:
    assert list(bare_links(text)) == []


def test_lines_and_blanks_stay() -> None:
    assert text_html("a\n  b\n\n\nc") == (
        '<p dir="auto" style="margin:0 0 16px">a<br>\n\u00a0 b</p>\n'
        '<p dir="auto" style="margin:0 0 16px">c</p>\n'
    )


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Hello", False),
        ("en", "שלום", True),
        ("ar", "21:04 Hello", False),
        ("ar", "21:04", True),
        ("fa-IR", "", True),
        ("en", "", False),
    ],
)
def test_the_direction_is_that_of_the_first_letter_else_of_the_language(
    language: str, text: str, expected: bool
) -> None:
    assert is_right_to_left(language, text) is expected


@given(st.text())
def test_any_text_becomes_harmless_html(text: str) -> None:
    html = text_html(text)

    assert "<script" not in html.lower()
    assert html.count("<") == html.count(">")

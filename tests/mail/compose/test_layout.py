"""The page around markdown."""

from typing import Any

import pytest

from custom_components.email_courier.mail.compose.content import (
    Button,
    Content,
    ContentError,
    ContentFault,
)
from custom_components.email_courier.mail.compose.layout import InlinePicture, markdown_page

from .cases import ANNA, HOUSE

DOOR = InlinePicture("door", "door", "door.png")


def _page(*pictures: InlinePicture, **fields: Any) -> str:
    values = {"markdown": "text", "subject": "Title"} | fields
    return markdown_page(Content(sender=HOUSE, to=(ANNA,), **values), pictures)


def test_a_page_has_title_text_pictures_button_and_footer_in_this_order() -> None:
    page = _page(
        DOOR,
        markdown="The text",
        button=Button("Open", "https://house.example"),
        home_name="My home",
    )
    body = page.partition("<body")[2]
    order = [
        body.index(piece)
        for piece in (">Title</h1>", "The text", 'src="cid:door"', ">Open</a>", ">My home</td>")
    ]

    assert order == sorted(order)


def test_a_picture_in_the_text_is_not_shown_twice() -> None:
    assert _page(DOOR, markdown="![x](cid:door)").count("cid:door") == 1


def test_title_button_and_footer_are_left_out_where_there_is_nothing_to_say() -> None:
    body = _page(subject=" ", home_name="\n").partition("<body")[2]

    assert "<h1" not in body
    assert 'class="button"' not in body
    assert 'class="footer"' not in body


def test_nothing_around_the_text_passes_on_markup() -> None:
    evil = '"><script>alert(1)</script>'
    page = _page(
        InlinePicture("x", "x", evil),
        subject=evil,
        home_name=evil,
        language=evil,
        button=Button(evil, 'https://a.example/"><script>'),
    )

    assert "<script" not in page


def test_a_button_leads_into_the_house() -> None:
    page = _page(button=Button("Open", "/lovelace/cameras"), base_url="https://house.example:8123")

    assert 'href="https://house.example:8123/lovelace/cameras"' in page


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "/lovelace", "data:x", "cid:x"])
def test_a_button_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(ContentError) as raised:
        _page(button=Button("Open", url))

    assert raised.value.field == "button"
    assert raised.value.reason is ContentFault.BUTTON_URL_INVALID


def test_the_page_knows_light_and_dark_and_small_screens() -> None:
    head = _page().partition("<body")[0]

    assert '<meta name="color-scheme" content="light dark">' in head
    assert "prefers-color-scheme: dark" in head
    assert 'name="viewport"' in head


def test_the_page_loads_nothing() -> None:
    page = _page(DOOR)

    assert "http" not in page
    assert "url(" not in page
    assert "@import" not in page
    assert "<link" not in page

"""The page that a text is shown in."""

from copy import replace
from typing import Any

import pytest

from custom_components.email_courier.mail.compose.content import (
    Button,
    Content,
    ContentError,
    ContentFault,
    Fact,
    Gap,
    Layout,
    Priority,
    SentBy,
)
from custom_components.email_courier.mail.compose.figures import InlinePicture
from custom_components.email_courier.mail.compose.layout import page
from custom_components.email_courier.mail.compose.markdown_text import markdown_text
from custom_components.email_courier.mail.compose.theme import readable_on

from .cards import NOW
from .cases import ANNA, HOUSE

DOOR = InlinePicture("door", "door", "door.png", "Front door")
YARD = InlinePicture("yard", "yard", "yard.png")
GATE = Gap(2, "Gate", "The camera is off.", "gate")


def _page(*figures: InlinePicture | Gap, **fields: Any) -> str:
    values = {"markdown": "text", "subject": "Title", "layout": Layout.CARD} | fields
    content = Content(sender=HOUSE, to=(ANNA,), **values)
    preview = content.text or markdown_text(content.markdown or "")
    return page(content, figures, NOW, preview)


def _in_order(html: str, *pieces: str) -> bool:
    order = [html.index(piece) for piece in pieces]
    return order == sorted(order)


def test_a_card_has_its_parts_in_this_order() -> None:
    body = _page(
        DOOR,
        icon="🔔",
        priority=Priority.HIGHEST,
        markdown="The text",
        facts=(Fact("Kitchen", "21 °C"),),
        button=Button("Open", "https://house.example"),
        home_name="My home",
        sent_by=SentBy("Automation: Bell", "https://house.example/a"),
    ).partition("</div>")[2]

    assert _in_order(
        body,
        'class="bar"',
        "🔔",
        ">Urgent</span>",
        ">Title</h1>",
        "The text",
        "21 °C",
        'src="cid:door"',
        ">Front door</p>",
        ">Open</a>",
        "My home",
        "21 Nov 2026, 21:04",
        'href="https://house.example/a"',
        "Automation: Bell",
    )


def test_a_plain_text_keeps_its_lines_and_is_not_read_as_markdown() -> None:
    body = _page(markdown=None, text="**One** <b>\n  two: https://a.example/x_y_z.\n\nthree")

    assert "**One** &lt;b&gt;<br>" in body
    assert (
        '<a href="https://a.example/x_y_z" style="color:#0969da">https://a.example/x_y_z</a>.'
        in body
    )
    assert body.count('<p dir="auto"') == 2


def test_a_picture_in_the_text_is_not_shown_twice() -> None:
    assert _page(DOOR, markdown="![x](cid:door)").count("cid:door") == 1


def test_of_three_pictures_the_first_is_large_and_the_others_stand_side_by_side() -> None:
    body = _page(DOOR, YARD, InlinePicture("a", "a", "a.png"))

    assert body.count('width="536"') == 1
    assert body.count('width="260"') == 2
    assert body.count('class="cell"') == 2


def test_what_cannot_be_had_is_said_in_its_place() -> None:
    assert _in_order(_page(DOOR, GATE, YARD), "cid:door", "The camera is off.", "cid:yard")
    text = _page(GATE, markdown="before ![x](cid:gate) after").partition("</div>")[2]
    assert _in_order(text, "before", "The camera is off.", "after")
    assert text.count("The camera is off.") == 1


def test_parts_are_left_out_where_there_is_nothing_to_say() -> None:
    body = _page(subject=" ", home_name="\n").partition("<body")[2]

    for part in ("<h1", 'class="button"', 'class="bar"', "<img", "href="):
        assert part not in body


def test_a_heading_of_its_own_stands_in_for_the_subject() -> None:
    assert "<h1" not in _page(heading="", subject="Home Assistant")
    assert ">Other</h1>" in _page(heading="Other")


def test_headings_of_the_text_stand_below_the_title() -> None:
    assert ">Part</h2>" in _page(markdown="# Part")
    assert ">Part</h1>" in _page(markdown="# Part", heading="")


@pytest.mark.parametrize(
    ("priority", "word"),
    [(Priority.HIGHEST, "Urgent"), (Priority.HIGH, "Important"), (Priority.NORMAL, None)],
)
def test_a_word_says_how_urgent_it_is(priority: Priority, word: str | None) -> None:
    body = _page(priority=priority)

    assert ('class="bar"' in body) is (word is not None)
    assert word is None or f">{word}</span>" in body


def test_a_color_colors_bar_and_button() -> None:
    body = _page(color="#ffee00", button=Button("Open", "https://house.example"))

    assert body.count('bgcolor="#ffee00"') == 2
    assert "color:#000000;text-decoration:none" in body


@pytest.mark.parametrize(
    ("color", "text"), [("#000000", "#ffffff"), ("#ffffff", "#000000"), ("#d1242f", "#ffffff")]
)
def test_text_can_be_read_on_any_color(color: str, text: str) -> None:
    assert readable_on(color) == text


@pytest.mark.parametrize(
    ("fields", "preview"),
    [
        ({"text": "It rang.\nTwice."}, "It rang. Twice."),
        ({"text": "Title: it rang"}, "it rang"),
        ({"text": "Title", "facts": (Fact("Kitchen", "21 °C"),)}, "Kitchen: 21 °C"),
        ({"text": "Title", "home_name": "My home"}, "My home"),
        ({"text": "word " * 60}, "word " * 21 + "word…"),
    ],
)
def test_the_preview_goes_on_where_the_subject_ends(fields: dict[str, Any], preview: str) -> None:
    body = _page(markdown=None, **fields)

    assert f'mso-hide:all">{preview}&#847;' in body


def test_nothing_around_the_text_passes_on_markup() -> None:
    evil = '"><script>alert(1)</script>'
    html = _page(
        InlinePicture("x", "x", evil, evil),
        Gap(1, evil, evil),
        subject=evil,
        icon=evil,
        home_name=evil,
        language=evil,
        facts=(Fact(evil, evil),),
        button=Button(evil, 'https://a.example/"><script>'),
        sent_by=SentBy(evil, 'https://a.example/"><script>'),
    )

    assert "<script" not in html


def test_a_button_leads_into_the_house() -> None:
    html = _page(button=Button("Open", "/lovelace/cameras"), base_url="https://house.example:8123")

    assert 'href="https://house.example:8123/lovelace/cameras"' in html


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "/lovelace", "data:x", "cid:x"])
def test_a_button_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(ContentError) as raised:
        _page(button=Button("Open", url))

    assert raised.value.field == "button"
    assert raised.value.reason is ContentFault.BUTTON_URL_INVALID


def test_a_page_is_read_in_the_direction_of_its_text() -> None:
    arabic = _page(markdown="تسرب\n\n> [!NOTE]\n> مياه")

    assert 'dir="rtl"' in arabic.partition("<head>")[0]
    assert "border-right:4px" in arabic
    assert 'dir="ltr"' in _page(language="ar").partition("<head>")[0]
    assert 'dir="rtl"' in _page(language="ar", markdown="21:04", heading="").partition("<head>")[0]


def test_markdown_in_the_plain_layout_has_no_card() -> None:
    html = _page(DOOR, layout=Layout.PLAIN, home_name="My home", priority=Priority.HIGH)

    for part in ('class="card"', "<h1", "My home", "Important", "mso-hide"):
        assert part not in html.partition("<body")[2]
    assert "cid:door" in html


def test_the_page_knows_light_and_dark_and_small_screens() -> None:
    head = _page().partition("<body")[0]

    assert '<meta name="color-scheme" content="light dark">' in head
    assert "prefers-color-scheme: dark" in head
    assert 'name="viewport"' in head


def test_the_page_loads_nothing() -> None:
    html = _page(DOOR)

    for part in ("http", "url(", "@import", "<link"):
        assert part not in html


def test_words_are_those_of_the_language() -> None:
    words = replace(Content(sender=HOUSE), priority=Priority.HIGH).words._replace(
        important="Wichtig", date_time="{day}.{month} {year}"
    )
    html = _page(priority=Priority.HIGH, words=words)

    assert ">Wichtig</span>" in html
    assert "21.Nov 2026" in html

"""Charts in a mail: where they stand, what is said of them, and in which order it is read."""

import re
from typing import Any

import pytest

from custom_components.email_courier.mail.address import parse_mailbox
from custom_components.email_courier.mail.compose.content import (
    Attachment,
    Chart,
    Content,
    Layout,
    Panel,
    Reading,
)
from custom_components.email_courier.mail.compose.message import compose, subject_of

from .cards import NOW
from .cases import PNG, counting
from .reading import ReadMail, read

MIN = Reading("lowest", "18.5", "\u00a0°C")


def _chart(number: int = 1, **fields: Any) -> Chart:
    picture = Attachment(f"chart-{number}.png", PNG, "image/png", f"chart:{number}", is_shown=True)
    reading = Reading(f"Room {number}", "21", "\u00a0°C", None, (MIN,))
    return Chart(f"chart:{number}", **{"panels": (Panel((reading,), "Said", picture),)} | fields)


def _content(*charts: Chart, **fields: Any) -> Content:
    values: dict[str, Any] = {
        "sender": parse_mailbox("home@example.test"),
        "to": (parse_mailbox("ada@example.test"),),
        "subject": "Day",
        "layout": Layout.CARD,
        "charts": charts,
    }
    return Content(**values | fields)


def _read(*charts: Chart, **fields: Any) -> ReadMail:
    return read(compose(_content(*charts, **fields), now=NOW, unique=counting()))


def _page(*charts: Chart, **fields: Any) -> str:
    page = _read(*charts, **fields).text("text/html")
    return page.rpartition("</style>")[2].rpartition("&zwnj;&nbsp;")[2]


def _text(*charts: Chart, **fields: Any) -> str:
    return _read(*charts, **fields).text("text/plain")


@pytest.mark.parametrize(
    "markdown",
    [
        "Before\n\n![](chart:1)\n\nAfter",
        "Before ![](chart:1) After",
        "Before\n![words](chart:1)\nAfter",
        "- Before\n- ![](chart:1)\n- After",
        "> Before\n>\n> ![](chart:1)\n>\n> After",
        "Before\n\n[![](chart:1)](https://home.example.test)\n\nAfter",
        "Before\n\n# ![](chart:1)\n\nAfter",
        "Before **and ![](chart:1) bold** After",
        "| Before | Chart | After |\n|--|--|--|\n| a | ![](chart:1) | b |",
    ],
)
def test_a_chart_stands_once_where_markdown_has_it(markdown: str) -> None:
    page = _page(_chart(), markdown=markdown)

    assert page.count("<img") == 1
    assert page.count("Room 1") == 1
    if "|--" not in markdown:
        assert page.index("Before") < page.index("Room 1") < page.index("<img")
        assert page.index("<img") < page.index("After")
    assert "chart:1)" not in page + _text(_chart(), markdown=markdown)


def test_no_paragraph_holds_a_table() -> None:
    page = _page(_chart(), markdown="Before ![](chart:1) between ![](chart:1)\n\n![](chart:1)")

    paragraphs = re.findall(r"<p\b[^>]*>(.*?)</p>", page, re.DOTALL)
    assert not any("<table" in text or "<img" in text for text in paragraphs)
    assert page.count("<p") == page.count("</p>")
    assert page.count("<img") == 3


def test_charts_that_the_text_does_not_show_follow_it() -> None:
    page = _page(_chart(1), _chart(2), markdown="![](chart:2)\n\nThe end")
    text = _text(_chart(1), _chart(2), markdown="![](chart:2)\n\nThe end")

    for shown in (page, text):
        assert shown.index("Room 2") < shown.index("The end") < shown.index("Room 1")


def test_the_text_says_title_period_values_and_what_is_missing() -> None:
    chart = _chart(title="Rooms", period="21 Nov 2026", notes=("There is no entity a.b.",))

    assert _text(chart, text="Look") == (
        "Look\n\nRooms\n21 Nov 2026\nRoom 1: 21\u00a0°C (lowest 18.5\u00a0°C)\n"
        "There is no entity a.b.\n"
    )


def test_one_entity_alone_has_room_for_all_that_is_said_of_it() -> None:
    assert _page(_chart(), text="Look").count("<td width=") == 2


def test_several_entities_have_a_column_each() -> None:
    readings = tuple(Reading(f"Room {n}", "21", "", "#1e88e5", (MIN,)) for n in range(4))
    page = _page(_chart(panels=(Panel(readings, "Said"),)), text="Look")

    assert page.count('<td width="33%"') == 4
    assert page.count('aria-hidden="true"') == 4


def test_what_a_picture_shows_is_said_in_its_place() -> None:
    assert 'alt="Said"' in _page(_chart(), text="Look")


def test_words_of_others_are_no_html() -> None:
    reading = Reading("<b>Room</b>", "<i>", "<u>", None, (Reading("<s>", "1"),))
    page = _page(Chart("chart:1", "<h1>", "<p>", (Panel((reading,)),), ("<hr>",)), text="Look")

    assert not re.search(r"<(b|i|u|s|hr)>", page)
    assert page.count("<h1") == 1


def test_the_page_of_somebody_else_gets_the_chart_where_it_says() -> None:
    html = "<html><body><p>Before</p><p>![](chart:1)</p><p>After</p></body></html>"
    page = _page(_chart(1), _chart(2), html=html)

    places = [page.index(word) for word in ("Before", "Room 1", "After", "Room 2", "</body>")]
    assert places == sorted(places)
    assert "<p><div" not in page


def test_the_page_of_somebody_else_may_show_the_picture_alone() -> None:
    page = _page(_chart(), html='<p><img src="cid:chart:1" alt=""></p>')

    assert page.count("<img") == 1
    assert "Room 1" not in page


def test_a_chart_without_its_picture_says_its_values() -> None:
    reading = Reading("Room", "21")
    mail = _read(Chart("chart:1", panels=(Panel((reading,), "Said"),)), text="![](chart:1)")

    assert "<img" not in mail.text("text/html")
    assert "Room" in mail.text("text/html")


def test_a_plain_mail_without_pictures_stays_text() -> None:
    chart = Chart("chart:1", notes=("There is no entity a.b.",))
    mail = _read(chart, text="Look", layout=Layout.PLAIN)

    assert mail.message.get_content_type() == "text/plain"
    assert mail.text("text/plain") == "Look\n\nThere is no entity a.b.\n"


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "![](chart:1)\nWarm today"},
        {"markdown": "![](chart:1)\n\nWarm today"},
        {"html": "<p>![](chart:1)</p><p>Warm today</p>"},
    ],
)
def test_the_first_line_that_says_something_is_the_subject(fields: dict[str, str]) -> None:
    content = _content(_chart(), **{"subject": "", "default_subject": "Home"} | fields)

    assert subject_of(content) == "Warm today"

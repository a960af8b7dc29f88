"""Buttons that answer a mail, and the places that html and markdown have for them."""

from copy import replace
import re
from typing import Any

import pytest

from custom_components.email_courier.mail.address import parse_mailbox
from custom_components.email_courier.mail.compose.content import (
    ActionLink,
    Content,
    ContentError,
    ContentFault,
    Layout,
)
from custom_components.email_courier.mail.compose.message import compose

from .cards import NOW
from .reading import read

OPEN = ActionLink("OPEN", "Open", "https://home.example/answer?t=abc")
IGNORE = ActionLink("IGNORE", "Ignore & <forget>", "https://home.example/answer?t=def")
ASKING = Content(
    sender=parse_mailbox("home@example.test"),
    to=(parse_mailbox("anna@example.test"),),
    subject="Gate",
    text="Ring",
    layout=Layout.CARD,
    actions=(OPEN, IGNORE),
)


def bodies(content: Content) -> tuple[str, str]:
    """Return the text and the page of a mail."""
    mail = read(compose(content, now=NOW))
    return mail.text("text/plain"), mail.text("text/html")


def test_each_button_is_a_line_of_the_text_in_their_order() -> None:
    text, _ = bodies(ASKING)

    assert text.rstrip() == f"Ring\n\nOpen: {OPEN.url}\nIgnore & <forget>: {IGNORE.url}"


def test_a_plain_mail_has_the_lines_alone() -> None:
    mail = read(compose(replace(ASKING, layout=Layout.PLAIN), now=NOW))

    assert mail.message.get_content_type() == "text/plain"
    assert mail.text("text/plain").count("https://") == 2


def test_outlook_has_a_cell_with_a_background_for_each_button() -> None:
    _, page = bodies(ASKING)

    cells = re.findall(r'<td[^>]*bgcolor="(#\w+)"[^>]*mso-padding-alt:13px 20px">', page)
    assert len(cells) == 2
    assert cells[0] != cells[1]
    assert "Ignore &amp; &lt;forget&gt;" in page


@pytest.mark.parametrize(
    "place",
    [
        "{{ action_url('OPEN') }}",
        '{{action_url("OPEN")}}',
        "[[ action_url('OPEN') ]]",
        "[[action_url(&quot;OPEN&quot;)]]",
        "{{ action_url(&#39;OPEN&#39;) }}",
    ],
)
def test_html_has_a_button_where_it_names_one(place: str) -> None:
    html = f'<p><a href="{place}">Go</a></p>'

    _, page = bodies(replace(ASKING, html=html, actions=(OPEN,)))

    assert page.strip() == f'<p><a href="{OPEN.url}">Go</a></p>'


def test_buttons_that_html_does_not_name_follow_it() -> None:
    html = "<body><a href=\"[[ action_url('IGNORE') ]]\">No</a></body>"

    _, page = bodies(replace(ASKING, html=html))

    assert page.count(OPEN.url) == page.count(IGNORE.url) == 1
    assert page.index("</a>") < page.index(OPEN.url) < page.index("</body>")


def test_markdown_has_a_button_where_it_names_one() -> None:
    _, page = bodies(replace(ASKING, markdown="[Go]([[ action_url('OPEN') ]])"))

    assert page.count(OPEN.url) == page.count(IGNORE.url) == 1


@pytest.mark.parametrize("field", ["html", "markdown"])
def test_a_place_for_a_button_that_is_not_there_is_refused(field: str) -> None:
    fields: dict[str, Any] = {field: "[[ action_url('CLOSE') ]]"}

    with pytest.raises(ContentError) as caught:
        compose(replace(ASKING, **fields), now=NOW)

    assert caught.value.field == field
    assert caught.value.reason is ContentFault.ACTION_NOT_FOUND
    assert caught.value.facts == {"action": "CLOSE"}


def test_without_buttons_such_a_place_is_text_as_any_other() -> None:
    _, page = bodies(replace(ASKING, html="<p>[[ action_url('OPEN') ]]</p>", actions=()))

    assert page.strip() == "<p>[[ action_url('OPEN') ]]</p>"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//", "/map", "file:///etc/passwd"])
def test_a_button_leads_only_where_a_mail_may_lead(url: str) -> None:
    with pytest.raises(ContentError) as caught:
        compose(replace(ASKING, actions=(OPEN._replace(url=url),)), now=NOW)

    assert (caught.value.field, caught.value.reason) == ("actions", ContentFault.BUTTON_URL_INVALID)


def test_a_button_to_a_page_of_the_home_is_absolute() -> None:
    map_ = ActionLink("URI", "Map", "/map")

    text, page = bodies(replace(ASKING, actions=(map_,), base_url="https://home.example"))

    assert "Map: https://home.example/map" in text
    assert 'href="https://home.example/map"' in page

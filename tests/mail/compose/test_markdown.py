"""Markdown that is safe in a mail."""

from html.parser import HTMLParser

from hypothesis import given, strategies as st
import pytest

from custom_components.email_courier.mail.compose.markdown import is_number, render
from custom_components.email_courier.mail.compose.text_html import absolute_link

HOME = "https://house.example:8123"
PICTURES = {"door": "door", "back door.png": "part-1"}
ALLOWED = {"http", "https", "mailto", "tel", "homeassistant"}

MARKS = st.text(alphabet=st.sampled_from("ab<>[]()!\"'`*_~#&;:/\\|- \n=.cidhtp@"), max_size=80)


class _Elements(HTMLParser):
    """Collects what elements a page has, and what they refer to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]
        self.pictures += [value or "" for name, value in attrs if name == "src"]


def _elements(source: str) -> _Elements:
    return _Elements(render(source, PICTURES, HOME).html)


@pytest.mark.parametrize(
    ("source", "tag"),
    [
        ("**a**", "strong"),
        ("*a*", "em"),
        ("~~a~~", "s"),
        ("# a", "h1"),
        ("- a", "ul"),
        ("1. a", "ol"),
        ("> a", "blockquote"),
        ("`a`", "code"),
        ("```\na\n```", "pre"),
        ("|a|\n|-|\n|b|", "table"),
        ("---", "hr"),
        ("<https://a.example>", "a"),
    ],
)
def test_markdown_becomes_html(source: str, tag: str) -> None:
    assert tag in _elements(source).tags


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "a <b onclick=x>b</b>",
        "<img src=x>",
        "<!-- a -->",
        "<style>*{display:none}</style>",
        "```<script>\n<script>\n```",
    ],
)
def test_raw_html_comes_out_as_text(source: str) -> None:
    elements = _elements(source)

    assert set(elements.tags) <= {"p", "pre", "code"}
    assert elements.attributes <= {"style", "class", "dir"}


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.example/b?c=d&e=f", "https://a.example/b?c=d&e=f"),
        ("http://a.example", "http://a.example"),
        ("mailto:a@b.test", "mailto:a@b.test"),
        ("tel:+4930123", "tel:+4930123"),
        ("homeassistant://navigate/lovelace", "homeassistant://navigate/lovelace"),
        ("/lovelace/0", f"{HOME}/lovelace/0"),
        ("history", f"{HOME}/history"),
        ("//b.example/c", "https://b.example/c"),
        ("javascript:alert(1)", None),
        ("JavaScript:alert(1)", None),
        ("vbscript:x", None),
        ("data:text/html,x", None),
        ("data:image/png;base64,x", None),
        ("file:///etc/passwd", None),
        ("cid:door", None),
        ("https://", None),
        ("https:path", None),
    ],
)
def test_a_link_leads_only_where_a_mail_may_lead(url: str, target: str | None) -> None:
    assert absolute_link(url, HOME) == target
    assert _elements(f"[text]({url})").links == ([target] if target else [])


@pytest.mark.parametrize("url", ["http://[::1", "http://:80", "http://[a]", "http://[:]"])
def test_a_link_that_is_no_address_leads_nowhere(url: str) -> None:
    assert absolute_link(url, HOME) is None
    assert f'href="{url}' not in render(f"[text](<{url}>)", {}, HOME).html


def test_a_link_without_a_host_needs_to_know_the_house() -> None:
    page = render("[History](/history)", {}).html

    assert _Elements(page).links == []
    assert "History" in page


@pytest.mark.parametrize("source", ["![The door](cid:door)", "![The door](CID:door)"])
def test_a_picture_of_the_mail_is_shown(source: str) -> None:
    rendered = render(source, PICTURES)

    assert _Elements(rendered.html).pictures == ["cid:door"]
    assert 'alt="The door"' in rendered.html
    assert rendered.shown == {"door"}


@pytest.mark.parametrize("source", ["![b](<cid:back door.png>)", "![b](cid:back%20door.png)"])
def test_a_picture_is_found_by_the_name_it_was_given(source: str) -> None:
    assert _elements(source).pictures == ["cid:part-1"]


@pytest.mark.parametrize(
    ("source", "links", "text"),
    [
        ("![A cat](https://a.example/cat.gif)", ["https://a.example/cat.gif"], "A cat"),
        ("![](https://a.example/c.gif)", ["https://a.example/c.gif"], "https://a.example/c.gif"),
        ("![A cat](/local/cat.png)", [f"{HOME}/local/cat.png"], "A cat"),
        ("![A cat](cid:unknown)", [], "A cat"),
        ("![A cat](data:image/png;base64,xx)", [], "A cat"),
        (
            "[![A cat](https://a.example/cat.gif)](https://b.example)",
            ["https://b.example"],
            "A cat",
        ),
        ("![*A* cat](https://a.example/cat.gif)", ["https://a.example/cat.gif"], "A cat"),
    ],
)
def test_a_picture_from_elsewhere_is_never_loaded(source: str, links: list[str], text: str) -> None:
    page = render(source, PICTURES, HOME).html

    assert _Elements(page).pictures == []
    assert _Elements(page).links == links
    assert text in page


@pytest.mark.parametrize(
    ("source", "boxes", "padding"),
    [
        ("- [x] a\n- [ ] b", ["☑", "☐"], "padding-left:4px"),
        ("- [x] a\n- b", ["☑"], "padding-left:24px"),
        ("- [ ] **a**", ["☐"], "padding-left:4px"),
        ("- [ ] a **b**\n\n  - c", ["☐"], "padding-left:24px"),
        ("- a", [], "padding-left:24px"),
        ("-", [], "padding-left:24px"),
    ],
)
def test_a_task_has_a_box_for_its_mark(source: str, boxes: list[str], padding: str) -> None:
    html = render(source, {}).html

    assert [letter for letter in html if letter in "☑☐"] == boxes
    assert html.count("list-style-type:none") == len(boxes)
    assert padding in html


@pytest.mark.parametrize("kind", ["NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION"])
def test_a_callout_is_a_box_with_its_word(kind: str) -> None:
    html = render(f"> [!{kind}]\n> text\n>\n> more\n\nafter", {}).html

    assert f" {kind.capitalize()}</strong>" in html
    assert "[!" not in html
    assert html.index("more") < html.index("</table>") < html.index("after")
    assert "<blockquote" not in html


@pytest.mark.parametrize("source", ["> [!OTHER]\n> text", "> text [!NOTE]", "> - [!NOTE]", ">"])
def test_other_quotations_stay(source: str) -> None:
    assert "<blockquote" in render(source, {}).html


def test_a_line_ends_where_it_ends_and_bare_addresses_are_links() -> None:
    page = render("see https://a.example/_b_/c_d_e\nor www.b.example, ask c@d.example", {}).html

    assert "<br" in page
    assert _Elements(page).links == [
        "https://a.example/_b_/c_d_e",
        "https://www.b.example",
        "mailto:c@d.example",
    ]


@pytest.mark.parametrize("source", ["`https://a.example`", "ahttps://a.example", "a://b", "://"])
def test_not_everything_is_an_address(source: str) -> None:
    assert _elements(source).links == []


def test_an_address_within_a_link_stays_its_text() -> None:
    assert _elements("[https://a.example](https://b.example)").links == ["https://b.example"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("12", True), ("-12.5 %", True), ("1,284.5 kWh", True), ("21:04", True), ("€ 3", True),
        ("9.1 m³/h", True), ("**12**", True), ("twelve", False), ("", False), ("12 of 20", False),
    ],
)  # fmt: skip
def test_a_number_is_known_with_its_unit(cell: str, expected: bool) -> None:
    assert is_number(cell) is expected


def test_numbers_stand_at_the_end_and_are_never_broken() -> None:
    page = render("|a|b|\n|-|-|\n|x|1 kWh|\n|y|-|", {}).html

    assert page.count("text-align:right") == 3
    assert page.count('nowrap="nowrap"') == 2


def test_a_columns_own_alignment_wins() -> None:
    page = render("|a|\n|-:|\n|1|", {}).html

    assert "text-align:left;text-align:right" in page


@given(MARKS | st.text())
def test_no_text_can_make_a_mail_load_or_run_anything(source: str) -> None:
    elements = _elements(source)

    assert not set(elements.tags) & {"script", "style", "iframe", "object", "link", "form", "svg"}
    assert elements.attributes <= {
        "style", "href", "title", "src", "alt", "width", "class", "start", "dir", "scope", "nowrap",
        "role", "cellpadding", "cellspacing", "border", "aria-hidden"
    }  # fmt: skip
    assert all(link.partition(":")[0].lower() in ALLOWED for link in elements.links)
    assert all(picture.startswith("cid:") for picture in elements.pictures)

"""Each mail asks of its readers only what they are known to support, and people can read it."""

from html.parser import HTMLParser
import json
from pathlib import Path
import re
from typing import Any

import pytest

from .cards import CARDS, composed_card
from .cases import CASES, composed
from .reading import read

TABLE: dict[str, Any] = json.loads(Path(__file__).with_name("clients.json").read_text())
WRITTEN_BY_US = [*CARDS, *(name for name, content in CASES.items() if content.markdown)]


class _Page(HTMLParser):
    """Collects elements with their attributes, and what they stand in."""

    def __init__(self, name: str) -> None:
        super().__init__()
        mail = composed_card(name) if name in CARDS else composed(name)
        self.source = read(mail).text("text/html")
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def of(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def styles(self) -> list[tuple[str, str]]:
        """Properties and values of all inline styles."""
        return [
            (name.strip(), value.strip())
            for _, attributes in self.elements
            for declaration in filter(None, attributes.get("style", "").split(";"))
            for name, _, value in [declaration.partition(":")]
        ]


@pytest.fixture(params=WRITTEN_BY_US)
def page(request: pytest.FixtureRequest) -> _Page:
    return _Page(request.param)


def test_the_table_says_what_is_left_where_a_program_does_not_support_something() -> None:
    for name, entry in TABLE["properties"].items():
        assert len(entry["support"]) == len(TABLE["programs"]), name
        assert set(entry["support"]) <= set("yan"), name
        assert entry["support"] == "yyyyy" or entry["without"], name


def test_only_known_properties_and_values_are_used(page: _Page) -> None:
    known = TABLE["properties"]
    for name, value in page.styles:
        assert name in known, name
        assert value in known[name].get("values", [value]), (name, value)
    assert not any(
        "-" in part for name, value in page.styles if name == "margin" for part in [value]
    )


def test_only_known_elements_are_used(page: _Page) -> None:
    assert {tag for tag, _ in page.elements} <= set(TABLE["elements"])


def test_nothing_is_loaded_and_nothing_runs(page: _Page) -> None:
    assert not re.search(r"data:|url\(|@import|expression\(|javascript:", page.source)
    assert all(image["src"].startswith("cid:") for image in page.of("img"))
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)


def test_style_sheets_change_only_colors_and_what_small_screens_need(page: _Page) -> None:
    sheets = "".join(re.findall(r"<style>(.*?)</style>", page.source, re.DOTALL))
    dark = sheets.partition("prefers-color-scheme: dark")[2]

    assert set(re.findall(r"([a-z-]+):", dark)) <= {"background", "color", "border-color"}
    assert "flex" not in sheets
    assert "grid" not in sheets


def test_gmail_does_not_clip_it(page: _Page) -> None:
    assert len(page.source.encode()) < TABLE["clipped_by_gmail_at"]


def test_word_takes_widths_from_attributes(page: _Page) -> None:
    assert all(image["width"].isdigit() for image in page.of("img"))


def test_a_screen_reader_is_told_the_language_and_the_direction(page: _Page) -> None:
    (root,) = page.of("html")

    assert root["lang"]
    assert root["dir"] in {"ltr", "rtl"}


def test_pictures_are_described(page: _Page) -> None:
    assert all(image["alt"].strip() for image in page.of("img"))


def test_a_table_is_either_layout_or_has_a_heading_for_each_column(page: _Page) -> None:
    tables = page.of("table")
    of_data = [table for table in tables if table.get("role") != "presentation"]

    assert bool(of_data) == bool(page.of("th"))
    assert all(cell["scope"] == "col" for cell in page.of("th"))


def test_headings_begin_at_the_top_and_leave_out_no_level(page: _Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]

    assert levels.count(1) <= 1
    assert all(after <= before + 1 for before, after in zip([0, *levels], levels, strict=False))


def test_emoji_are_not_read_out(page: _Page) -> None:
    for icon in ("🔔", "💧", "⚠️"):
        assert f">{icon}<" not in page.source.replace('aria-hidden="true">', '"')

"""What README and documentation show is there, and is what these tests have seen."""

import re

from .pictures import FOLDER, PROJECT, Picture

_SHOWN = re.compile(r"[\w./-]*images/([\w.-]+\.png)")


def shown() -> set[str]:
    """Return the names of the pictures that a page refers to."""
    pages = [PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md")]
    return {
        name
        for page in pages
        if page.exists()
        for name in _SHOWN.findall(page.read_text(encoding="utf-8"))
    }


def test_every_picture_that_a_page_shows_is_there() -> None:
    assert {name for name in shown() if not (FOLDER / name).exists()} == set()


def test_every_picture_there_is_taken_by_a_test() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == {picture.value for picture in Picture}

"""The project's pages: their YAML, their tables and the links in them."""

from collections.abc import Iterator
from pathlib import Path
import re

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
# With or without indentation, and with either kind of fence (CommonMark 4.5).
_BLOCK = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,}|~{3,}) *ya?ml\b[^\n]*\n(?P<text>.*?)^ *(?P=fence)",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_MARK = re.compile(r"<!-- example: (\w+) -->\n\Z")


def pages() -> list[Path]:
    """Return every Markdown file that a person may read, whatever folder it is in."""
    return [
        path
        for pattern in ("*.md", ".github/**/*.md", "[!.]*/**/*.md")
        for path in sorted(ROOT.glob(pattern))
    ]


def examples(page: str) -> Iterator[tuple[str, str]]:
    """Yield the YAML blocks of a page with the names that stand in front of them, or none."""
    for block in _BLOCK.finditer(page):
        mark = _MARK.search(page, 0, block.start())
        yield mark[1] if mark else "", block["text"]


def row(page: str, name: str) -> list[str]:
    """Return the cells of the one row of a page's tables that begins with a name."""
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.split("|")[2:-1]]

"""Writes docs/reports.md from the reports that tests/reports asks about."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import re
import sys

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests/reports"
PAGE = ROOT / "docs/reports.md"

HEAD = """\
# Field reports

Made by `scripts/docs` from the tests in `tests/reports`, where the small inputs stand. Each row is
a fault that users reported of another mail sender, or that a standard or a provider describes,
reduced to small inputs and asked of Email Courier through its dialog, actions and entities alone.
The last column says whether all inputs of the row passed when they were first tried.

{count} reports, {held} held when first tried.
"""
TABLE = """
| reported | of | here | held at first |
|---|---|---|---|
"""

_ISSUE = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)#(?P<number>\d+)")


@dataclass(frozen=True, slots=True)
class Row:
    """One report: the arguments of its decorator."""

    source: str
    symptom: str
    ours: str
    held_at_first: bool


def sections(folder: Path) -> Iterator[tuple[str, list[Row]]]:
    """Yield what each test module is about, and its reports in their order."""
    for path in sorted(folder.glob("test_*.py")):
        module = ast.parse(path.read_text("utf-8"))
        title = (ast.get_docstring(module) or path.stem).splitlines()[0].rstrip(".")
        yield title, [row for node in module.body for row in _rows(node)]


def page(found: list[tuple[str, list[Row]]]) -> str:
    """Return the whole page."""
    rows = [row for _, section in found for row in section]
    text = HEAD.format(count=len(rows), held=sum(row.held_at_first for row in rows))
    for title, section in found:
        text += f"\n## {title}\n{TABLE}" + "".join(map(_line, section))
    return text


def _rows(node: ast.stmt) -> Iterator[Row]:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "report":
            yield Row(**{k.arg or "": ast.literal_eval(k.value) for k in decorator.keywords})


def _line(row: Row) -> str:
    held = "yes" if row.held_at_first else "no"
    return f"| {_cell(row.symptom)} | {_linked(row.source)} | {_cell(row.ours)} | {held} |\n"


def _cell(text: str) -> str:
    """Return text as Markdown shows it as it is."""
    return re.sub(r"([|<>\\*_\[\]`])", r"\\\1", text)


def _linked(source: str) -> str:
    if (match := _ISSUE.fullmatch(source)) is None:
        return _cell(source)
    return f"[{_cell(source)}](https://github.com/{match['repository']}/issues/{match['number']})"


def main() -> int:
    """Write the page; with --check only tell whether it is up to date."""
    text = page(list(sections(TESTS)))
    if "--check" in sys.argv:
        if PAGE.exists() and PAGE.read_text("utf-8") == text:
            return 0
        print("docs/reports.md is not what the tests say: run scripts/docs", file=sys.stderr)
        return 1
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

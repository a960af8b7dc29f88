"""The page with the results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from .figures import CORE, COURIER, Figures, number, shown
from .targets import TARGETS

_LEGEND = (
    "The median, and in brackets the least and the most. The ratio says how many times better "
    "this integration is than core's `smtp`."
)
_NOTES = Path(__file__).with_name("notes.md")


def page(figures: Figures, machine: Sequence[str], settings: str) -> str:
    """Return the whole page."""
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Written by `scripts/bench`; all figures are of one run, misses included.",
            "",
            *(f"- {line}" for line in machine),
            f"- {settings}",
            "",
            "## What is asked, and what was reached",
            "",
            "| what | asked | measured | |",
            "|---|---|---|---|",
            *(target.line(figures) for target in TARGETS),
            "",
            "## All figures",
            "",
            _LEGEND,
            "",
            *table(figures),
            "",
            _NOTES.read_text(encoding="utf-8"),
        ]
    )


def with_figures(text: str, figures: Figures, settings: str) -> str:
    """Return a page with the figures of some parts in it, measured at another time.

    settings: when that was, and how busy the machine.
    """
    lines = text.splitlines()
    for target in TARGETS:
        line = target.line(figures)
        if "not measured" not in line:
            _put(lines, line, "| logins of dialog")
    for line in list(table(figures))[2:]:
        _put(lines, line + " |" * (lines[_end(lines)].count("|") - line.count("|")), None)
    lines = [line for line in lines if not line.startswith("- charts: ")]
    lines.insert(lines.index("## What is asked, and what was reached") - 1, f"- charts: {settings}")
    return "\n".join(lines) + "\n"


def _put(lines: list[str], line: str, before: str | None) -> None:
    """Put a line of a table in the place of the one with its name, else where it belongs."""
    name = line.split(" | ", maxsplit=1)[0]
    places = [at for at, one in enumerate(lines) if one.split(" | ")[0] == name]
    if places:
        lines[places[0]] = line
    elif before is None:
        lines.insert(_end(lines) + 1, line)
    else:
        at = next(at for at, one in enumerate(lines) if one.startswith(before))
        lines.insert(at, line)


def _end(lines: list[str]) -> int:
    """Return the last line of the table of all figures."""
    return lines.index("## How it was measured") - 2


def table(figures: Figures) -> Iterable[str]:
    """Yield the lines of the table."""
    columns = figures.columns()
    yield f"| {' | '.join(('measurement', 'unit', *columns[:2], 'ratio', *columns[2:]))} |"
    yield "|---" * (len(columns) + 3) + "|"
    for measurement, by_who in figures.samples.items():
        cells = [shown(by_who[who]) if who in by_who else "" for who in columns]
        better = figures.times_better(measurement, COURIER, CORE)
        cells.insert(2, "" if better is None else number(better))
        yield f"| {measurement.name} | {measurement.unit} | {' | '.join(cells)} |"

"""The page with the results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from .charts import DAY, MONTH, YEARS
from .figures import CORE, COURIER, Figures, Scale, Scaled, number, shown
from .targets import TARGETS

_LEGEND = (
    "The median, and in brackets the least and the most. The ratio says how many times better "
    "this integration is than core's `smtp`."
)
_SCALE = "## Scale"
_HOW = "## How it was measured"
_SCALE_LEGEND = (
    "A big case beside a small one, each with how much there is of it. The ratio is that of the "
    "medians; a further one costs what the difference comes to for each. What is flat has a ratio "
    "of about 1, and what is linear costs little for a further one."
)
_NOTES = Path(__file__).with_name("notes.md")


def page(figures: Figures, scale: Scale, machine: Sequence[str], settings: str) -> str:
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
            _SCALE,
            "",
            _SCALE_LEGEND,
            "",
            *scale_table(scale, figures),
            "",
            _NOTES.read_text(encoding="utf-8"),
        ]
    )


def with_figures(text: str, figures: Figures, scale: Scale, part: str, settings: str) -> str:
    """Return a page with the figures of one part in it, measured at another time.

    settings: how that was, and how busy the machine.
    """
    lines = text.splitlines()
    for target in TARGETS:
        line = target.line(figures)
        if "not measured" not in line:
            _put(lines, line, "| logins of dialog")
    for line in list(table(figures))[2:]:
        _put(lines, line + " |" * (lines[_end(lines)].count("|") - line.count("|")), None)
    _put_scale(lines, list(scale_table(scale, figures)))
    lines = [line for line in lines if not line.startswith(f"- {part}: ")]
    lines.insert(lines.index("## What is asked, and what was reached") - 1, f"- {part}: {settings}")
    return "\n".join(lines) + "\n"


def _put_scale(lines: list[str], table: list[str]) -> None:
    """Put lines into the table of scale: in the place of those of the same, else at its end."""
    begin = lines.index(_SCALE) if _SCALE in lines else lines.index(_HOW)
    end = lines.index(_HOW)
    known = [line for line in lines[begin:end] if line.startswith("| ")][1:]
    rows = {_what(line): line for line in (*known, *table[2:])}
    lines[begin:end] = [_SCALE, "", _SCALE_LEGEND, "", *table[:2], *rows.values(), ""]


def _what(line: str) -> tuple[str, ...]:
    return tuple(line.split(" | ", maxsplit=3)[:3])


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
    start = lines.index("## All figures")
    following = next(at for at in range(start + 1, len(lines)) if lines[at].startswith("## "))
    return following - 2


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


def scale_table(scale: Scale, figures: Figures) -> Iterable[str]:
    """Yield the lines of the table of scale; charts are in it where they were measured."""
    yield "| measurement | unit | of | small | big | ratio | a further one |"
    yield "|---" * 7 + "|"
    for scaled, by_size in (*scale.samples.items(), *_charts(figures)):
        yield _scale_line(scaled, by_size)


def _scale_line(scaled: Scaled, by_size: Mapping[int, Sequence[float]]) -> str:
    cells = [f"{size:,}: {shown(by_size[size])}" for size in sorted(by_size)]
    ratio = more = ""
    if len(by_size) == 2:
        (few, small), (many, big) = ((size, median(by_size[size])) for size in sorted(by_size))
        ratio = number(big / small) if small else ""
        more = _small((big - small) / (many - few), scaled.unit)
    cells += [""] * (2 - len(cells)) + [ratio, more]
    return f"| {scaled.name} | {scaled.unit} | {scaled.of} | {' | '.join(cells)} |"


def _small(value: float, unit: str) -> str:
    """Return a figure in a unit of a thousandth where it is less than one of its own.

    What became smaller meanwhile has cost nothing.
    """
    if value <= 0:
        return "nothing"
    smaller = {"ms": "µs", "MB": "kB"}[unit]
    return f"{number(value)} {unit}" if value >= 1 else f"{number(1000 * value)} {smaller}"


def _charts(figures: Figures) -> Iterable[tuple[Scaled, dict[int, list[float]]]]:
    """Yield what the measurements of charts say of a long past beside a day."""
    for what, unit in (("time", "ms"), ("longest stall", "ms"), ("extra memory", "MB")):
        by_days = {
            1: figures.of(f"{DAY}: {what}", COURIER),
            30: figures.of(f"{MONTH}: {what}", COURIER),
            730: figures.of(f"{YEARS}: {what}", COURIER),
        }
        for days, of in ((30, "days, a value a minute"), (730, "days")):
            if by_days[1] and by_days[days]:
                name = f"a mail with a chart: {what}"
                yield Scaled(name, unit, of), {1: by_days[1], days: by_days[days]}

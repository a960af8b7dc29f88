"""Pictures in the page: alone from side to side, several of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import batched
import re
from typing import Final, NamedTuple

from .attachments import visible_name
from .content import Chart, Gap, Panel, Reading
from .encoding import one_line
from .theme import INNER, MUTED, SOFT, TEXT

_HALF: Final = (INNER - 16) // 2
"""Pixels. Outlook takes the width of a picture from its attribute, and shows all of it without."""
_IMAGE: Final = "display:block;width:100%;max-width:100%;height:auto;border:0;border-radius:8px"
_CAPTION: Final = f"margin:6px 0 0;color:{MUTED};font-size:13px;line-height:1.4"
_BOX: Final = (
    f"padding:20px 16px;background:{SOFT};border-radius:8px;color:{TEXT};font-size:14px;"
    "line-height:1.4"
)


class InlinePicture(NamedTuple):
    """A picture in the mail.

    name: its content id as the markdown writes it. content_id: as it is sent.
    """

    name: str
    content_id: str
    filename: str
    caption: str = ""


def figures_html(figures: Sequence[InlinePicture | Gap]) -> str:
    """Return pictures, and the places of those that are not there, in two columns.

    Of an odd number the first has a row to itself, so that none is left over.
    """
    alone = len(figures) % 2
    rows = [
        f'<div style="margin:0 0 16px">{_figure(one, INNER)}</div>\n' for one in figures[:alone]
    ]
    rows += [
        _row(left, right)
        for left, right in zip(figures[alone::2], figures[alone + 1 :: 2], strict=True)
    ]
    return "".join(rows)


def caption_of(figure: InlinePicture | Gap) -> str:
    """Return what a picture is called."""
    if isinstance(figure, Gap):
        return one_line(figure.name)
    return one_line(figure.caption) or visible_name(figure.filename, "")


def _row(left: InlinePicture | Gap, right: InlinePicture | Gap) -> str:
    cells = "".join(
        f'<td class="cell" width="50%" valign="top" style="padding:0 {after}px 16px {before}px">'
        f"{_figure(figure, _HALF)}</td>"
        for figure, before, after in ((left, 0, 8), (right, 8, 0))
    )
    return (
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'
        f' dir="ltr" style="table-layout:fixed"><tr>{cells}</tr></table>\n'
    )


def _figure(figure: InlinePicture | Gap, width: int) -> str:
    if isinstance(figure, Gap):
        name = f"<strong>{escape(caption_of(figure))}</strong><br>" if figure.name else ""
        return (
            f'<div class="soft text" dir="auto" style="{_BOX}">{name}'
            f"{escape(one_line(figure.note))}</div>"
        )
    caption = one_line(figure.caption)
    below = f'<p class="muted" dir="auto" style="{_CAPTION}">{escape(caption)}</p>'
    return (
        f'<img src="cid:{figure.content_id}" alt="{escape(caption_of(figure))}"'
        f' width="{width}" style="{_IMAGE}">{below if caption else ""}'
    )


SCHEME: Final = "chart"
"""Of the address by which a text shows a chart: "![](chart:1)"."""
_MARK: Final = rf"!\[[^\]\n]*\]\(({SCHEME}:\d+)\)"
_IN_PARAGRAPH: Final = rf"(?:<p>\s*)?{_MARK}(?:\s*</p>)?"
_COLUMNS: Final = 3
_TABLE: Final = 'role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'
_PICTURE: Final = "display:block;width:100%;max-width:100%;height:auto;border:0"
_TITLE: Final = f"margin:0;color:{TEXT};font-size:17px;line-height:1.3;font-weight:600"
_SMALL: Final = f"margin:0;color:{MUTED};font-size:13px;line-height:1.4"
_LARGE: Final = "margin:0;font-size:22px;line-height:1.3;font-weight:600"
_UNIT: Final = "font-size:14px;font-weight:400"
_DOT: Final = (
    "display:inline-block;width:10px;height:10px;border-radius:5px;font-size:10px;line-height:10px"
)
_NOTE: Final = (
    f"margin:0 0 12px;padding:16px;background:{SOFT};border-radius:8px;color:{TEXT};"
    "font-size:14px;line-height:1.4"
)


def marks_in(text: str) -> list[str]:
    """Return the marks of charts that a text shows, such as "chart:1"."""
    return re.findall(_MARK, text)


def without_marks(text: str) -> str:
    """Return a text without the places of its charts."""
    return re.sub(_MARK, "", text)


def with_charts(
    text: str, charts: Mapping[str, str], render: Callable[[str], str]
) -> tuple[str, frozenset[str]]:
    """Return rendered text with charts (HTML by mark) in their places, and which those are."""
    pieces: list[str] = []
    shown: set[str] = set()
    at = 0
    for match in re.finditer(_MARK, text):
        if match[1] in charts:
            pieces += [render(text[at : match.start()]), charts[match[1]]]
            shown.add(match[1])
            at = match.end()
    pieces.append(render(text[at:]))
    return "".join(pieces), frozenset(shown)


def with_charts_in_text(text: str, charts: Sequence[Chart]) -> tuple[str, frozenset[str]]:
    """Return plain text with charts as text in their places, and which those are."""
    texts = {chart.mark: chart_text(chart) for chart in charts}
    if not texts:
        return text, frozenset()
    pieces = [piece.strip("\n ") for piece in re.split(_MARK, text)]
    shown = frozenset(pieces[1::2]) & texts.keys()
    if not shown:
        return text, shown
    pieces[1::2] = [texts.get(mark, "") for mark in pieces[1::2]]
    return "\n\n".join(filter(None, pieces)), shown


def with_charts_in_html(
    html: str, charts: Sequence[Chart], names: Mapping[str, str]
) -> tuple[str, frozenset[str]]:
    """Return a page that somebody else has written with charts in their places.

    A chart whose picture the page shows by itself has its place, too.
    """
    blocks = {chart.mark: chart_html(chart, names, is_below_heading=False) for chart in charts}
    shown = {mark for mark in marks_in(html) if mark in blocks}
    shown |= {mark for mark in blocks if mark in names and f"cid:{names[mark]}" in html}
    html = re.sub(_IN_PARAGRAPH, lambda match: blocks.get(match[1], match[0]), html)
    return html, frozenset(shown)


def chart_html(
    chart: Chart, names: Mapping[str, str], side: str = "left", *, is_below_heading: bool = True
) -> str:
    """Return a chart: its title, its time, and of each picture the names and values above it.

    names: content ids as asked for, and as they are sent. side: where a line of text begins.
    """
    level = "h2" if is_below_heading else "p"
    head = ""
    if chart.title:
        head += f'<{level} dir="auto" style="{_TITLE}">{_text(chart.title)}</{level}>\n'
    if chart.period:
        head += f'<p class="muted" dir="auto" style="{_SMALL}">{_text(chart.period)}</p>\n'
    head = f'<div style="margin:0 0 10px">\n{head}</div>\n' if head else ""
    panels = "".join(_panel(panel, names, side) for panel in chart.panels)
    notes = "<br>".join(map(_text, chart.notes))
    note = f'<div class="soft text" dir="auto" style="{_NOTE}">{notes}</div>\n' if notes else ""
    return f'<div style="margin:8px 0 20px">\n{head}{panels}{note}</div>\n'


def chart_text(chart: Chart) -> str:
    """Return the same for those who read text."""
    lines = [one_line(chart.title), one_line(chart.period)]
    lines += [reading_text(reading) for panel in chart.panels for reading in panel.readings]
    lines += [one_line(note) for note in chart.notes]
    return "\n".join(filter(None, lines))


def reading_text(reading: Reading) -> str:
    """Return a name and its value, with what else is said of it in brackets."""
    more = ", ".join(f"{one.name} {one.value}{one.unit}" for one in reading.more)
    text = f"{reading.name}: {reading.value}{reading.unit}"
    return one_line(f"{text} ({more})" if more else text)


def _panel(panel: Panel, names: Mapping[str, str], side: str) -> str:
    readings = panel.readings
    if len(readings) == 1 and not any(one.color for one in readings[0].more):
        # Alone, it has room for all that is said of it.
        first = readings[0]
        readings = (first._replace(more=()), *first.more)
    columns = min(len(readings), _COLUMNS)
    rows = "".join(
        f"<tr>{''.join(_cell(one, side, columns) for one in row)}"
        f"{'<td></td>' * (columns - len(row))}</tr>"
        for row in batched(readings, columns, strict=False)
    )
    table = f'<table {_TABLE} style="margin:0 0 4px;table-layout:fixed">{rows}</table>\n'
    picture = panel.picture
    content_id = names.get(picture.content_id or picture.filename) if picture else None
    if content_id is None:
        return table
    return (
        f'{table}<img src="cid:{content_id}" alt="{_text(panel.alt)}" width="{INNER}"'
        f' style="{_PICTURE};margin:0 0 12px">\n'
    )


def _cell(reading: Reading, side: str, columns: int) -> str:
    other = "right" if side == "left" else "left"
    unit = f'<span style="{_UNIT}">{escape(reading.unit)}</span>' if reading.unit else ""
    value = f"{_text(reading.value)}{unit}"
    large = f'<p class="text" style="{_LARGE}"><span dir="auto">{value}</span></p>' if value else ""
    more = "<br>".join(
        f"{_dot(one.color)}{_text(one.name)} {_text(one.value + one.unit)}" for one in reading.more
    )
    small = f'<p class="muted" dir="auto" style="{_SMALL}">{more}</p>' if more else ""
    return (
        f'<td width="{100 // columns}%" valign="top" align="{side}" style="padding:0 0 8px;'
        f'padding-{other}:12px;text-align:{side}"><p class="muted" style="{_SMALL}">'
        f'{_dot(reading.color)}<span dir="auto">{_text(reading.name)}</span></p>{large}{small}</td>'
    )


def _dot(color: str | None) -> str:
    if color is None:
        return ""
    return f'<span aria-hidden="true" style="{_DOT};background:{color}">&nbsp;</span> '


def _text(text: str) -> str:
    return escape(one_line(text))

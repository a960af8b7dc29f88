"""The page that a text is shown in: one column that reads well on any screen, light or dark.

Tables, attributes and conditional comments are for Outlook, which lays out with Word; the
style sheet is for readers that know dark mode. Nothing on the page is loaded from anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import batched
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from .actions import actions_html, placed
from .content import Button, Chart, Content, ContentError, ContentFault, Fact, Gap, Priority
from .encoding import body_text, one_line
from .figures import InlinePicture, chart_html, figures_html, with_charts
from .text_html import absolute_link, is_right_to_left, text_html
from .theme import (
    CARD,
    FONT,
    HAIRLINE,
    LINK,
    MUTED,
    OUTLOOK_STYLE_SHEET,
    PAGE,
    STYLE_SHEET,
    TEXT,
    WIDTH,
    readable_on,
)

if TYPE_CHECKING:
    from datetime import datetime

type Figure = InlinePicture | Gap

_TABLE: Final = 'role="presentation" cellpadding="0" cellspacing="0" border="0"'
_URGENT: Final = "#d1242f"
_IMPORTANT: Final = "#bc4c00"
_PREVIEW: Final = 110
"""Characters that an inbox shows beside the subject, at most."""
_FILLING: Final = "&#847;&zwnj;&nbsp;" * 40
"""Keeps what follows out of the preview."""
_NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


def page(
    content: Content,
    figures: Sequence[Figure],
    now: datetime,
    preview: str = "",
    names: Mapping[str, str] = _NO_NAMES,
) -> str:
    """Return the page for a text: title, text, facts, charts, pictures, button and footer.

    figures: pictures and gaps in their order; those that the text does not show follow it.
    preview: the text as plain text, for the line beside the subject in an inbox.
    names: content ids of pictures as they are asked for, and as they are sent.
    Raises ContentError for a button that leads nowhere a mail may link to.
    """
    return _Page(content, figures, now, preview, names).html()


def appendix(
    content: Content, figures: Sequence[Figure], charts: Sequence[Chart], names: Mapping[str, str]
) -> str:
    """Return what follows a page that somebody else has written. charts: those it does not show."""
    below = "".join(chart_html(chart, names, is_below_heading=False) for chart in charts)
    return _facts(content.facts) + below + figures_html(figures) + _actions(content)


def button_target(button: Button, base_url: str | None) -> str:
    """Return where a button leads. Raises ContentError where a mail may not link there."""
    target = absolute_link(one_line(button.url), base_url)
    if target is None:
        raise ContentError(
            "button", ContentFault.BUTTON_URL_INVALID, url=one_line(button.url)[:200]
        )
    return target


class _Page:
    """The parts of one page."""

    def __init__(
        self,
        content: Content,
        figures: Sequence[Figure],
        now: datetime,
        preview: str,
        names: Mapping[str, str],
    ) -> None:
        self._content = content
        self._figures = figures
        self._now = now
        self._preview = preview or content.text
        subject = content.subject if content.heading is None else content.heading
        self._heading = one_line(subject) if content.has_card else ""
        is_rtl = is_right_to_left(content.language, self._preview, self._heading)
        self._direction = "rtl" if is_rtl else "ltr"
        self._start, self._end = ("right", "left") if is_rtl else ("left", "right")
        self._charts = {
            chart.mark: chart_html(chart, names, self._start, is_below_heading=bool(self._heading))
            for chart in content.charts
        }

    def html(self) -> str:
        column = self._column()
        body = self._card(column) if self._content.has_card else self._bare(column)
        return f"""\
<!DOCTYPE html>
<html lang="{_text(self._content.language)}" dir="{self._direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{_text(self._content.subject)}</title>
<style>
{STYLE_SHEET}</style>
<style>
{OUTLOOK_STYLE_SHEET}</style>
</head>
{body}</html>
"""

    def _bare(self, column: str) -> str:
        return (
            '<body style="margin:8px;padding:0">\n'
            f'<div class="text" dir="{self._direction}" style="font-family:{FONT};font-size:16px;'
            f'line-height:1.5;word-break:break-word">\n{column}</div>\n</body>\n'
        )

    def _card(self, column: str) -> str:
        return f"""\
<body class="page" style="margin:0;padding:0;background:{PAGE}">
{self._preheader()}<table {_TABLE} class="page" width="100%"
 style="background:{PAGE}"><tr><td class="outer" align="center" style="padding:24px 12px">
<!--[if mso]><table {_TABLE} width="{WIDTH}"><tr><td>
<![endif]-->
<table {_TABLE} class="card" width="100%" dir="{self._direction}"
 style="max-width:{WIDTH}px;background:{CARD};border:1px solid {HAIRLINE};border-radius:12px">\
{self._bar()}<tr>
<td class="text inner" align="{self._start}"
 style="padding:28px 32px 12px;color:{TEXT};font-family:{FONT};font-size:16px;line-height:1.5;\
word-break:break-word">
{self._head()}{column}</td></tr></table>
{self._footer()}<!--[if mso]></td></tr></table><![endif]-->
</td></tr></table>
</body>
"""

    def _column(self) -> str:
        text, shown = self._text()
        entries = "".join(self._entry(number) for number in range(len(self._content.entries)))
        of_entries = {name for one in self._content.entries for name in one.content_ids}
        figures = [one for one in self._figures if _name(one) not in shown | of_entries]
        return "".join(
            [
                text,
                _facts(self._content.facts, self._start),
                *(html for mark, html in self._charts.items() if mark not in shown),
                figures_html(figures),
                self._button(),
                _actions(self._content),
                entries,
            ]
        )

    def _text(self) -> tuple[str, frozenset[str]]:
        """Return the text, and the names of the pictures, gaps and charts that it shows."""
        content = self._content
        if not content.markdown:
            return with_charts(content.text, self._charts, text_html)
        # Its library takes longer to load than all else that a mail needs.
        from .markdown import Style, render  # noqa: PLC0415

        pictures = {
            one.name: one.content_id for one in self._figures if isinstance(one, InlinePicture)
        }
        gaps = {
            one.content_id: one.note
            for one in self._figures
            if isinstance(one, Gap) and one.content_id
        }
        style = Style(
            1 if self._heading else 0, self._direction == "rtl", content.words, self._charts
        )
        return render(body_text(content.markdown), pictures, content.base_url, gaps, style)

    def _accent(self) -> tuple[str | None, str]:
        """Return the colour of a mail, and the word that says how urgent it is."""
        color, words = self._content.color, self._content.words
        match self._content.priority:
            case Priority.HIGHEST:
                return color or _URGENT, words.urgent
            case Priority.HIGH:
                return color or _IMPORTANT, words.important
        return color, ""

    def _bar(self) -> str:
        color, _ = self._accent()
        if color is None:
            return ""
        return (
            f'<tr><td class="bar" bgcolor="{color}" height="6"'
            ' style="height:6px;font-size:0;line-height:6px;'
            f'background:{color};border-radius:11px 11px 0 0">&nbsp;</td></tr>'
        )

    def _head(self) -> str:
        color, word = self._accent()
        pieces: list[str] = []
        if word and color:
            pieces.append(
                f'<p style="margin:0 0 8px"><span style="display:inline-block;padding:1px 10px;'
                f"background:{color};border-radius:11px;color:{readable_on(color)};font-size:13px;"
                f'font-weight:600">{_text(word)}</span></p>\n'
            )
        if self._heading:
            style = f"margin:0 0 16px;font-size:24px;line-height:1.25;font-weight:600;color:{TEXT}"
            pieces.append(f'<h1 dir="auto" style="{style}">{_text(self._heading)}</h1>\n')
        icon = one_line(self._content.icon)
        if not icon:
            return "".join(pieces)
        return (
            f'<table {_TABLE}><tr><td valign="top" style="padding:0 0 16px;padding-{self._end}:'
            '14px;font-size:30px;line-height:1.1">'
            f'<span aria-hidden="true">{escape(icon)}</span></td>'
            f'<td valign="top">{"".join(pieces)}</td></tr></table>\n'
        )

    def _button(self) -> str:
        button = self._content.button
        if button is None:
            return ""
        target = button_target(button, self._content.base_url)
        color = self._content.color or LINK
        link = (
            f'<a class="button" href="{escape(target)}" style="display:inline-block;'
            f'padding:11px 22px;color:{readable_on(color)};text-decoration:none;font-weight:600">'
            f"{_text(button.text or target)}</a>"
        )
        return (
            f'<table {_TABLE} style="margin:8px 0 16px"><tr><td bgcolor="{color}"'
            f' style="background:{color};border-radius:8px;mso-padding-alt:11px 22px;'
            f'color:{readable_on(color)}">'
            f"{link}</td></tr></table>\n"
        )

    def _entry(self, number: int) -> str:
        entry = self._content.entries[number]
        figures = [one for one in self._figures if _name(one) in entry.content_ids]
        time = _text(self._content.words.written_time(entry.time))
        return (
            f'<table {_TABLE} width="100%"><tr><td class="line" style="padding:20px 0 0;'
            f'border-top:1px solid {HAIRLINE}">'
            '<h2 dir="auto" style="margin:0;font-size:17px;line-height:1.3;font-weight:600">'
            f"{_text(entry.heading)}</h2>"
            f'<p class="muted" style="margin:2px 0 10px;color:{MUTED};font-size:13px">{time}</p>\n'
            f"{text_html(entry.text)}{figures_html(figures)}</td></tr></table>\n"
        )

    def _footer(self) -> str:
        content = self._content
        time = _text(content.words.written_time(self._now))
        home = _text(content.home_name)
        lines = [f"{home} &middot; {time}" if home else time]
        if (sent_by := content.sent_by) is not None:
            name = _text(sent_by.name)
            target = sent_by.url and absolute_link(sent_by.url, None)
            lines.append(
                f'<a href="{escape(target)}" style="color:{MUTED}">{name}</a>' if target else name
            )
        style = f"padding:16px 12px;color:{MUTED};font-family:{FONT};font-size:13px;line-height:1.6"
        return (
            f'<table {_TABLE} width="100%" dir="{self._direction}" style="max-width:{WIDTH}px"><tr>'
            f'<td class="muted" align="center" style="{style}">{"<br>".join(lines)}'
            "</td></tr></table>\n"
        )

    def _preheader(self) -> str:
        """Return the line beside the subject in an inbox, which does not say the subject again."""
        preview = " ".join(one_line(self._preview).split())
        for said in (self._content.subject, self._heading):
            if said and preview.startswith(one_line(said)):
                preview = preview[len(one_line(said)) :].lstrip(" .!?:;,\u2026=-")
        if not preview:
            preview = ", ".join(f"{fact.name}: {fact.value}" for fact in self._content.facts)
        preview = preview or self._content.home_name
        if len(preview) > _PREVIEW:
            preview = f"{preview[:_PREVIEW].rpartition(' ')[0] or preview[:_PREVIEW]}\u2026"
        style = "display:none;max-height:0;overflow:hidden;mso-hide:all"
        return f'<div style="{style}">{_text(preview)}{_FILLING}</div>\n' if preview else ""


def _actions(content: Content) -> str:
    """Return the buttons that answer, but for those that the page leads to already."""
    there = placed(content)
    return actions_html([one for one in content.actions if one.url not in there], content.color)


def _facts(facts: Sequence[Fact], side: str = "left") -> str:
    """Return values as large as a dashboard shows them, two in a row."""
    if not facts:
        return ""
    rows = "".join(
        f"<tr>{''.join(_fact(fact, side) for fact in row)}{'<td></td>' * (2 - len(row))}</tr>"
        for row in batched(facts, 2, strict=False)
    )
    return (
        f'<table {_TABLE} width="100%" style="margin:0 0 16px;table-layout:fixed">{rows}</table>\n'
    )


def _fact(fact: Fact, side: str) -> str:
    other = "right" if side == "left" else "left"
    return (
        f'<td width="50%" valign="top" align="{side}" '
        f'style="padding:0 0 12px;padding-{other}:12px;text-align:{side}">'
        f'<p class="muted" style="margin:0;color:{MUTED};font-size:13px;line-height:1.4">'
        f'<span dir="auto">{_text(fact.name)}</span></p>'
        f'<p class="text" style="margin:0;font-size:22px;line-height:1.3;font-weight:600">'
        f'<span dir="auto">{_text(fact.value)}</span></p></td>'
    )


def _name(figure: Figure) -> str:
    return figure.name if isinstance(figure, InlinePicture) else figure.content_id


def _text(text: str) -> str:
    return escape(one_line(text))

"""Pictures in the page: alone from side to side, several of them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

from .attachments import visible_name
from .content import Gap
from .encoding import one_line
from .theme import INNER, MUTED, SOFT, TEXT

_HALF: Final = (INNER - 16) // 2
"""Pixels. Outlook takes the width of a picture from its attribute, and shows all of it without."""
_PICTURE: Final = "display:block;width:100%;max-width:100%;height:auto;border:0;border-radius:8px"
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
        f' width="{width}" style="{_PICTURE}">{below if caption else ""}'
    )

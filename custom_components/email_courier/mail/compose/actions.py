"""Buttons that answer a mail: below the text, or wherever html or markdown has a place for them.

A button is a cell of a table with a background of its own, which Outlook draws as well: it takes
no padding from a link.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from html import escape
import re
from typing import Final

from .content import ActionLink, Content, ContentError, ContentFault
from .encoding import one_line
from .text_html import absolute_link
from .theme import FONT, HAIRLINE, LINK, SOFT, TEXT, readable_on

_PLACE: Final = re.compile(
    r"(?:\{\{|\[\[)\s*action_url\(\s*(?:\"|'|&quot;|&#0?39;|&apos;)(.{1,200}?)"
    r"(?:\"|'|&quot;|&#0?39;|&apos;)\s*\)\s*(?:\}\}|\]\])"
)
"""Where the address of a button goes, also with brackets, which Home Assistant's templates leave
alone."""
_DANGER: Final = "#d1242f"
_WIDTH: Final = 320
"""Pixels. On a narrower screen a button is as wide as the text."""


def with_places_filled(content: Content) -> Content:
    """Return content whose html and markdown lead to its buttons, and whose links are absolute.

    Raises ContentError for the place of a button that is not there, and for one that leads nowhere.
    """
    if not content.actions:
        return content
    actions = tuple(one._replace(url=_target(one, content.base_url)) for one in content.actions)
    return replace(
        content,
        actions=actions,
        html=_filled("html", content.html, actions),
        markdown=_filled("markdown", content.markdown, actions),
    )


def placed(content: Content) -> frozenset[str]:
    """Return the addresses that html or markdown leads to already."""
    page = f"{content.html or ''}{content.markdown or ''}"
    return frozenset(
        one.url for one in content.actions if one.url in page or escape(one.url) in page
    )


def action_lines(content: Content) -> str:
    """Return the text part's lines for the buttons, one for each, in their order."""
    return "\n".join(f"{one_line(one.text)}: {one.url}" for one in content.actions)


def actions_html(actions: Sequence[ActionLink], color: str | None) -> str:
    """Return buttons one below the other, the first of them the most visible."""
    return "".join(_button(one, color, is_first=not at) for at, one in enumerate(actions))


def _button(action: ActionLink, color: str | None, *, is_first: bool) -> str:
    icon = f'<span aria-hidden="true">{escape(action.icon)}</span>&nbsp; ' if action.icon else ""
    text = f"{icon}{escape(one_line(action.text))}"
    fill = _DANGER if action.is_destructive else (color or LINK) if is_first else SOFT
    is_soft = fill == SOFT
    ink = TEXT if is_soft else readable_on(fill)
    edge = f"border:1px solid {HAIRLINE if is_soft else fill}"
    kinds = ' class="soft text line"' if is_soft else ""
    return (
        f'<table role="presentation" cellpadding="0" cellspacing="0" border="0" width="{_WIDTH}"'
        f' style="width:100%;max-width:{_WIDTH}px;margin:0 0 12px;border-collapse:separate"><tr>'
        f'<td{kinds} align="center" bgcolor="{fill}" style="background:{fill};{edge};'
        f'border-radius:8px;color:{ink};mso-padding-alt:13px 20px">'
        f'<a class="button" href="{escape(action.url)}" style="display:block;padding:13px 20px;'
        f"color:{ink};font-family:{FONT};font-size:16px;line-height:1.3;font-weight:600;"
        f'text-decoration:none">{text}</a></td></tr></table>\n'
    )


def _target(action: ActionLink, base_url: str | None) -> str:
    target = absolute_link(one_line(action.url), base_url)
    if target is None:
        raise ContentError(
            "actions", ContentFault.BUTTON_URL_INVALID, url=one_line(action.url)[:200]
        )
    return target


def _filled(field: str, page: str | None, actions: Sequence[ActionLink]) -> str | None:
    if not page:
        return page
    addresses = {one.name: one.url for one in reversed(actions)}

    def address(match: re.Match[str]) -> str:
        name = match[1]
        if name not in addresses:
            raise ContentError(field, ContentFault.ACTION_NOT_FOUND, action=one_line(name)[:100])
        return escape(addresses[name]) if field == "html" else addresses[name]

    return _PLACE.sub(address, page)

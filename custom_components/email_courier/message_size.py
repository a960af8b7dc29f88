"""Leaving out attachments that a server would not take, and saying so in the text."""

from __future__ import annotations

from collections.abc import Callable
from copy import replace
from functools import partial
from html import escape
import re
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .const import LOGGER
from .errors import error_for_content
from .mail.compose.content import Attachment, Chart, Content, ContentError
from .phrases import Phrases

NOTHING_FITS: Final = 0
"""The limit of a server that does not say it: only a mail without attachments is sure to pass."""


async def async_lighten(hass: HomeAssistant, content: Content, limit: int) -> Content:
    """Return content that fits: without its largest attachments, as few of them as will do.

    limit: bytes of the whole mail. Content that fits, or has no attachments, comes back as it is.
    Raises ServiceValidationError for attachments that cannot be read.
    """
    phrases = await Phrases.async_load(hass)

    def note(names: str) -> str:
        if limit == NOTHING_FITS:
            return phrases.say("attachments_dropped_no_limit", names=names)
        return phrases.say("attachments_dropped", names=names, limit=phrases.megabytes(limit))

    try:
        lighter = await hass.async_add_executor_job(partial(_lighten, content, limit, note))
    except ContentError as error:
        raise error_for_content(error) from error
    if lighter is not content:
        LOGGER.warning("Attachments were left out of a mail, or it would have been too large")
    return lighter


def dropped_attachments(before: Content, after: Content) -> list[Attachment]:
    """Return the attachments of content that its lighter form is without."""
    kept = {id(one) for one in _files(after)}
    return [one for one in _files(before) if id(one) not in kept]


def _files(content: Content) -> tuple[Attachment, ...]:
    return (*content.attachments, *content.images, *content.drawn)


def _lighten(content: Content, limit: int, note: Callable[[str], str]) -> Content:
    """Blocks. What composes is imported here, so that a start of Home Assistant need not."""
    from .mail.compose.attachments import attachment_part, visible_name  # noqa: PLC0415
    from .mail.compose.message import wire_size  # noqa: PLC0415

    largest_first = sorted(
        _files(content),
        key=lambda attachment: attachment_part(attachment).size,
        reverse=True,
    )
    lighter = content
    dropped: list[Attachment] = []
    for attachment in largest_first:
        if wire_size(lighter, now=dt_util.now()) <= limit:
            break
        dropped.append(attachment)
        names = ", ".join(visible_name(one.filename, "") for one in dropped)
        lighter = with_note(without(content, dropped), note(names))
    return lighter


def without(content: Content, dropped: list[Attachment]) -> Content:
    """Return content without these attachments; two others may well be equal to them."""
    gone = {id(attachment) for attachment in dropped}
    return replace(
        content,
        attachments=tuple(one for one in content.attachments if id(one) not in gone),
        images=tuple(one for one in content.images if id(one) not in gone),
        charts=tuple(_without_pictures(chart, gone) for chart in content.charts),
    )


def _without_pictures(chart: Chart, gone: set[int]) -> Chart:
    """Return a chart that says its values, but does not draw them."""
    panels = (
        panel._replace(picture=None) if id(panel.picture) in gone else panel
        for panel in chart.panels
    )
    return chart._replace(panels=tuple(panels))


def with_note(content: Content, note: str) -> Content:
    """Add a note to every form of the text; markdown may stand in for an empty plain one."""
    text, markdown, html = content.text, content.markdown, content.html
    if text or not markdown:
        text = f"{text}\n\n{note}".lstrip()
    if markdown:
        markdown = f"{markdown}\n\n{_as_markdown(note)}"
    if html:
        paragraph = f"<p>{escape(note)}</p>"
        ends = [*re.finditer(r"</body\s*>", html, re.IGNORECASE)]
        at = ends[-1].start() if ends else len(html)
        html = html[:at] + paragraph + html[at:]
    return replace(content, text=text, markdown=markdown, html=html)


def _as_markdown(text: str) -> str:
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)

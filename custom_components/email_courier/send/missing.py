"""What was asked for and is not in the mail: how the mail and the response say so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import replace
from html import escape, unescape
from pathlib import PurePath
import re
from urllib.parse import quote

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.importlib import async_import_module

from ..const import LOGGER
from ..errors import async_error_text
from ..mail.compose.content import AttachmentError, Content, Gap
from ..message_size import with_note
from ..phrases import Phrases
from .fields import AttachmentRequest, Missing

TOO_LARGE = "attachments_too_large"
_NAMING = f"{__package__.rpartition('.')[0]}.mail.compose.attachments"

# The only attributes whose values matter end before an angle bracket does.
_IMAGE = r"<img\b[^<>]*>"
_ALT = r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')"""


async def async_missing(
    hass: HomeAssistant, wanted: AttachmentRequest, error: HomeAssistantError | None
) -> Missing:
    """Describe what cannot be had, and why. error: None for what is too large to be sent."""
    await async_import_module(hass, _NAMING)
    from ..mail.compose.attachments import visible_name  # noqa: PLC0415 - a start goes without

    phrases = await Phrases.async_load(hass)
    filename = wanted.filename or PurePath(wanted.name).name
    if error is None or error.translation_key == TOO_LARGE:
        reason = phrases.say("attachments_dropped_no_limit", names=visible_name(filename, ""))
        note = reason
    else:
        reason = await async_error_text(hass, error)
        note = phrases.say("attachment_missing", reason=reason)
    LOGGER.warning("A mail goes without %s: %s", wanted.name, reason)
    state = wanted.pictured and hass.states.get(wanted.pictured)
    caption = state.name if state else visible_name(filename, "")
    content_id = wanted.content_id or filename
    return Missing(wanted.name, reason, note, content_id, wanted, caption)


def without_missing(
    content: Content, missing: Iterable[Missing], wanted: Sequence[AttachmentRequest]
) -> Content:
    """Return content whose every form of text says what is missing, and shows no broken picture.

    A card says it in the place of each; wanted: all that was asked for, in order.
    """
    missing = [one for one in missing if one.wanted is not None]
    if content.has_card:
        gaps = [
            Gap(number, one.caption, one.reason, one.content_id)
            for one in missing
            for number, request in enumerate(wanted)
            if request is one.wanted
        ]
        return replace(content, gaps=(*content.gaps, *gaps))
    there = {one.content_id or one.filename for one in (*content.attachments, *content.images)}
    for one in missing:
        if content.html and one.content_id not in there:
            content = replace(content, html=_described(content.html, one.content_id))
        content = with_note(content, one.note)
    return content


def broken_attachment(error: HomeAssistantError) -> AttachmentError | None:
    """Return what is wrong with an attachment where that is why a mail cannot be composed."""
    cause = error.__cause__
    return cause if isinstance(cause, AttachmentError) else None


def _described(page: str, content_id: str) -> str:
    """Put a description, else the name, in place of each picture that is not there."""
    names = {content_id, quote(content_id), escape(content_id)}
    addresses = "|".join(re.escape(name) for name in names)
    shown = re.compile(rf"""\bsrc\s*=\s*["']?cid:(?:{addresses})(?=["'\s/>])""", re.IGNORECASE)

    def describe(match: re.Match[str]) -> str:
        if not shown.search(match[0]):
            return match[0]
        alt = re.search(_ALT, match[0], re.IGNORECASE)
        words = unescape(alt[1] or alt[2] or "") if alt else ""
        return escape(words.strip() or content_id)

    return re.sub(_IMAGE, describe, page, flags=re.IGNORECASE)

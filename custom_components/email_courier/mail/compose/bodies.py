"""The body of a message: which parts there are and how they are nested (RFC 2046 section 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from html import unescape
import re
from urllib.parse import unquote

from .actions import action_lines
from .attachments import attachment_part, is_picture, is_shown_by_readers
from .content import Attachment, Content, ContentError, ContentFault, Entry, Gap, Layout
from .encoding import body_text, encode_text, one_line
from .figures import InlinePicture, chart_text, with_charts_in_html, with_charts_in_text
from .layout import Figure, appendix, button_target, page
from .part import Bytes, Part, multipart

_PLAIN_CONTENT_ID = "[A-Za-z0-9.@_+~-]{1,120}"
_REFERENCE = r"""\bcid:(?:(?<="cid:)[^"]*|(?<='cid:)[^']*|[^\s"'<>()]*)"""
"""A content id in HTML, up to the end of the quotation, or else of the word, that it stands in."""


def body_part(content: Content, unique: Callable[[], str], now: datetime) -> Part:
    """Return everything below the header of the message.

    now: when the mail is dated.
    Raises ContentError for what does not go together and for attachments that cannot be read.
    """
    _check(content)
    files = _sort(content)
    text, charted = with_charts_in_text(_plain_text(content), content.charts)
    plain = text_part("plain", _with_rest(text, content, charted))
    html = _page(content, files, text, now)
    if html is None:
        readable = plain
    else:
        inline = (
            attachment_part(attachment, content_id) for content_id, attachment in files.inline
        )
        shown = multipart("related", [text_part("html", html), *inline], unique)
        readable = multipart("alternative", [plain, shown], unique)
    attached = (attachment_part(attachment) for attachment in files.attached)
    return multipart("mixed", [readable, *attached], unique)


def text_part(subtype: str, text: str) -> Part:
    """Return text as a part of its own."""
    encoding, data = encode_text(body_text(text))
    return Part(
        (
            ("Content-Type", f"text/{subtype}; charset=utf-8"),
            ("Content-Transfer-Encoding", encoding),
        ),
        Bytes(data),
    )


class _Files:
    """Attachments by what becomes of them; names maps a content id as asked to the one sent."""

    def __init__(self) -> None:
        self.inline: list[tuple[str, Attachment]] = []
        self.attached: list[Attachment] = []
        self.names: dict[str, str] = {}
        self._figures: list[InlinePicture | None] = []

    def attach(self, attachment: Attachment) -> None:
        """Send a file along."""
        self.attached.append(attachment)
        self._figures.append(None)

    def show(self, name: str, attachment: Attachment) -> None:
        """Show a picture in the page, under a name that no other has."""
        self.names[name] = _content_id(name)
        self.inline.append((self.names[name], attachment))
        self._figures.append(
            InlinePicture(name, self.names[name], attachment.filename, attachment.caption)
        )

    def embed(self, picture: Attachment) -> None:
        """Send a picture that has its place in the page already."""
        name = picture.content_id or picture.filename
        self.names[name] = _content_id(name)
        self.inline.append((self.names[name], picture))

    def figures(self, gaps: Sequence[Gap]) -> list[Figure]:
        """Return pictures, and gaps in their places, in the order asked for."""
        places: list[Figure | None] = [*self._figures]
        for gap in sorted(gaps):
            places.insert(gap.place, gap)
        return [one for one in places if one is not None]


def _check(content: Content) -> None:
    if content.html and content.markdown:
        raise ContentError("markdown", ContentFault.HTML_AND_MARKDOWN)
    if content.button is not None:
        if not content.markdown and not content.has_card:
            raise ContentError("button", ContentFault.BUTTON_NEEDS_MARKDOWN)
        button_target(content.button, content.base_url)


def _sort(content: Content) -> _Files:
    files = _Files()
    for attachment in content.attachments:
        name = _bare_content_id(attachment.content_id or "")
        if name and name in files.names and _may_be_shown(content, attachment):
            raise ContentError("attachments", ContentFault.CONTENT_ID_REPEATED, content_id=name)
        if name and _may_be_shown(content, attachment):
            files.show(name, attachment)
        elif not name and _is_shown_unnamed(content, attachment):
            files.show(_free_name(attachment.filename, files.names), attachment)
        else:
            files.attach(attachment)
    for image in content.images:
        name = one_line(re.split(r"[/\\]", image.filename)[-1])
        has_page = bool(content.html or content.markdown) or content.has_card
        if has_page and name and name not in files.names and is_picture(image):
            files.show(name, image)
        else:
            files.attach(image)
    for picture in content.drawn:
        files.embed(picture)
    return files


def _may_be_shown(content: Content, attachment: Attachment) -> bool:
    """Tell whether an attachment with a content id is part of the page."""
    if content.html:
        return True
    has_page = bool(content.markdown) or content.has_card or attachment.is_shown
    return has_page and is_picture(attachment)


def _is_shown_unnamed(content: Content, attachment: Attachment) -> bool:
    """Tell whether an attachment that nothing names is shown: a picture, unless all is plain."""
    if attachment.is_shown:
        return is_picture(attachment)
    return content.layout is Layout.CARD and is_shown_by_readers(attachment)


def _free_name(filename: str, taken: dict[str, str]) -> str:
    name = wanted = one_line(re.split(r"[/\\]", filename)[-1]) or "picture"
    number = 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _bare_content_id(text: str) -> str:
    """Return a content id without what it carries in a header or in HTML."""
    name = one_line(text)
    while name.startswith("<") and name.endswith(">"):
        name = name[1:-1].strip()
    return name[4:].strip() if name[:4].lower() == "cid:" else name


def _plain_text(content: Content) -> str:
    """Return the text for readers that show no HTML."""
    if content.text.strip():
        return content.text
    # Few mails need what comes now.
    if content.markdown:
        from .markdown_text import markdown_text  # noqa: PLC0415

        captions = {
            f"cid:{one.content_id}": caption
            for one in content.attachments
            if one.content_id and (caption := one.caption or one.filename)
        }
        marks = [chart.mark for chart in content.charts]
        return markdown_text(content.markdown, content.base_url, captions, content.words, marks)
    if content.html:
        from .html_text import html_text  # noqa: PLC0415

        return html_text(content.html) or content.subject or content.text
    return content.text


def _with_rest(text: str, content: Content, charted: frozenset[str]) -> str:
    """Return the text with everything that a page shows beside it.

    charted: the marks of the charts that it shows already.
    """
    words = content.words
    blocks: list[str] = []
    if content.facts:
        blocks.append("\n".join(f"{fact.name}: {fact.value}" for fact in content.facts))
    blocks += [chart_text(chart) for chart in content.charts if chart.mark not in charted]
    blocks += [gap.note for gap in sorted(content.gaps) if gap.note not in text]
    if content.button is not None and (content.has_card or not content.text.strip()):
        target = button_target(content.button, content.base_url)
        if target not in text:
            blocks.append(f"{one_line(content.button.text) or words.open}: {target}")
    if content.actions:
        blocks.append(action_lines(content))
    if not blocks and not text.strip():
        shown = [one for one in content.attachments if content.has_card or one.is_shown]
        blocks += [f"[{one.caption}]" for one in shown if one.caption]
    blocks += [_entry_text(entry, content) for entry in content.entries]
    if not blocks:
        return text
    return "\n\n".join([text.rstrip("\n"), *blocks] if text.strip() else blocks)


def _entry_text(entry: Entry, content: Content) -> str:
    time = content.words.written_time(entry.time)
    head = f"{'-' * 30}\n{one_line(entry.heading)}\n{time}"
    pictures = [
        f"[{one.caption or one.filename}]"
        for one in content.attachments
        if one.content_id and one.content_id in entry.content_ids
    ]
    return "\n\n".join(filter(None, [head, entry.text.strip("\n"), "\n".join(pictures)]))


def _content_id(name: str) -> str:
    """Return a name that a Content-ID can be; file names with blanks or accents cannot."""
    if re.fullmatch(_PLAIN_CONTENT_ID, name):
        return name
    return f"part-{sha256(name.encode('utf-8', 'replace')).hexdigest()[:24]}"


def _page(content: Content, files: _Files, text: str, now: datetime) -> str | None:
    figures = files.figures(content.gaps)
    if content.html:
        html = content.html
        if files.names:
            html = _with_sent_content_ids(html, files.names)
        html, shown = with_charts_in_html(html, content.charts, files.names)
        return _with_appendix(html, content, files, figures, shown)
    if content.layout is Layout.PLAIN and not content.markdown and not files.inline:
        return None
    return page(content, figures, now, text, files.names)


def _with_appendix(
    html: str, content: Content, files: _Files, figures: list[Figure], shown: frozenset[str]
) -> str:
    """Put below a page of somebody else what is to be shown and is not named there."""
    always = {content_id for content_id, attachment in files.inline if attachment.is_shown}
    unnamed = [
        one
        for one in figures
        if isinstance(one, InlinePicture)
        and (content.layout is Layout.CARD or one.content_id in always)
        and not re.search(rf"cid:{re.escape(one.content_id)}(?![\w.@+~-])", html)
    ]
    charts = [chart for chart in content.charts if chart.mark not in shown]
    if not (added := appendix(content, unnamed, charts, files.names)):
        return html
    ends = [*re.finditer(r"</body\s*>", html, re.IGNORECASE)]
    at = ends[-1].start() if ends else len(html)
    return f"{html[:at]}{added}{html[at:]}"


def _with_sent_content_ids(page: str, names: dict[str, str]) -> str:
    """Let HTML name pictures as they are sent, however it writes their content ids."""

    def reference(match: re.Match[str]) -> str:
        written = unescape(match[0])
        name = next(
            (
                name
                for form in (written, unquote(written))
                if (name := _bare_content_id(form)) in names
            ),
            None,
        )
        return match[0] if name is None else f"cid:{names[name]}"

    return re.sub(_REFERENCE, reference, page, flags=re.IGNORECASE)

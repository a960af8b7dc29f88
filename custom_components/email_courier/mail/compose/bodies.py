"""The body of a message: which parts there are and how they are nested (RFC 2046 section 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from html import escape, unescape
import re
from urllib.parse import unquote

from .attachments import attachment_part, is_picture
from .content import Attachment, Content, ContentError, ContentFault
from .encoding import body_text, encode_text, one_line
from .part import Bytes, Part, multipart

_PLAIN_CONTENT_ID = "[A-Za-z0-9.@_+~-]{1,120}"
_REFERENCE = r"""\bcid:(?:(?<="cid:)[^"]*|(?<='cid:)[^']*|[^\s"'<>()]*)"""
"""A content id in HTML, up to the end of the quotation, or else of the word, that it stands in."""


def body_part(content: Content, unique: Callable[[], str]) -> Part:
    """Return everything below the header of the message.

    Raises ContentError for what does not go together and for attachments that cannot be read.
    """
    _check(content)
    files = _sort(content)
    plain = text_part("plain", _plain_text(content))
    page = _page(content, files)
    if page is None:
        readable = plain
    else:
        inline = (
            attachment_part(attachment, content_id) for content_id, attachment in files.inline
        )
        shown = multipart("related", [text_part("html", page), *inline], unique)
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

    @property
    def captioned(self) -> dict[str, str]:
        """The captions of pictures that show themselves, by the content id sent."""
        return {
            content_id: attachment.caption
            for content_id, attachment in self.inline
            if attachment.caption is not None
        }


def _check(content: Content) -> None:
    if content.html and content.markdown:
        raise ContentError("markdown", ContentFault.HTML_AND_MARKDOWN)
    if content.button is not None and not content.markdown:
        raise ContentError("button", ContentFault.BUTTON_NEEDS_MARKDOWN)


def _sort(content: Content) -> _Files:
    files = _Files()
    has_page = bool(content.html or content.markdown)
    for attachment in content.attachments:
        name = _bare_content_id(attachment.content_id or "")
        if attachment.caption is not None and is_picture(attachment):
            _show_once(files, name or one_line(attachment.filename), attachment)
        elif not (has_page and name) or (content.markdown and not is_picture(attachment)):
            files.attached.append(attachment)
        else:
            _show_once(files, name, attachment)
    for image in content.images:
        name = one_line(re.split(r"[/\\]", image.filename)[-1])
        if has_page and name and name not in files.names and is_picture(image):
            _show(files, name, image)
        else:
            files.attached.append(image)
    return files


def _show_once(files: _Files, name: str, attachment: Attachment) -> None:
    if name in files.names:
        raise ContentError("attachments", ContentFault.CONTENT_ID_REPEATED, content_id=name)
    _show(files, name, attachment)


def _show(files: _Files, name: str, attachment: Attachment) -> None:
    files.names[name] = _content_id(name)
    files.inline.append((files.names[name], attachment))


def _bare_content_id(text: str) -> str:
    """Return a content id without what it carries in a header or in HTML."""
    name = one_line(text)
    while name.startswith("<") and name.endswith(">"):
        name = name[1:-1].strip()
    return name[4:].strip() if name[:4].lower() == "cid:" else name


def _plain_text(content: Content) -> str:
    """Return the text for readers that show no HTML."""
    if content.text.strip() or not content.html:
        captions = (one.caption for one in content.attachments if one.caption)
        return content.text or content.markdown or "\n".join(captions)
    from .html_text import html_text  # noqa: PLC0415 - few mails need it

    return html_text(content.html) or content.subject or content.text


def _content_id(name: str) -> str:
    """Return a name that a Content-ID can be; file names with blanks or accents cannot."""
    if re.fullmatch(_PLAIN_CONTENT_ID, name):
        return name
    return f"part-{sha256(name.encode('utf-8', 'replace')).hexdigest()[:24]}"


def _page(content: Content, files: _Files) -> str | None:
    if content.markdown:
        # Its library takes longer to load than all else that a mail needs.
        from .layout import InlinePicture, markdown_page  # noqa: PLC0415

        pictures = tuple(
            InlinePicture(name, files.names[name], attachment.filename, attachment.caption or "")
            for name, (_, attachment) in zip(files.names, files.inline, strict=True)
        )
        return markdown_page(content, pictures)
    page = content.html
    if not page:
        if not files.captioned:
            return None
        page = text_as_page(content)
    if files.names:
        page = _with_sent_content_ids(page, files.names)
    return with_captioned(page, files.captioned)


def text_as_page(content: Content) -> str:
    """Return plain text as HTML, for pictures to stand below it."""
    text = escape(body_text(content.text).strip("\n")).replace("\n", "<br>\n")
    paragraph = f"<p>{text}</p>\n" if text else ""
    head = '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head>'
    return f"{head}<body>\n{paragraph}</body></html>\n"


def with_captioned(page: str, captions: Mapping[str, str]) -> str:
    """Add those pictures to HTML that it does not show. captions: by the content id sent."""
    pictures = "".join(
        f'<p><img src="cid:{content_id}" alt="{escape(caption)}"'
        f' style="max-width:100%;height:auto"><br>{escape(caption)}</p>\n'
        for content_id, caption in captions.items()
        if f"cid:{content_id}" not in page
    )
    ends = [*re.finditer(r"</body\s*>", page, re.IGNORECASE)]
    at = ends[-1].start() if ends else len(page)
    return page[:at] + pictures + page[at:]


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

"""Attachments as parts."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
import re
from typing import NamedTuple

from ..files import FileError, FileFault
from .content import Attachment, AttachmentError, ContentFault
from .content_type import HEAD_SIZE, content_type, is_content_type, usual_suffix
from .encoding import BASE64_BLOCK, base64_lines, base64_size, one_line
from .fields import name_parameter, parameter
from .part import Part

_MAX_NAME = 150
_MAX_SUFFIX = 16
_FOLDERS = r"(?s).*[/\\]"
_DIRECTION = "[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
_SHOWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp"})
_DEVICE = r"(?i)(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\..*)?"
"""Names that Windows keeps for devices: a file of this name cannot be saved there."""
_METHOD = rb"(?im)^METHOD:([A-Z-]{1,40})\r?$"
_DECLARED_CHARSET = r"""(?i);\s*charset\s*=\s*"?([A-Za-z0-9._:-]{1,40})"""


def attachment_part(attachment: Attachment, content_id: str | None = None) -> Part:
    """Return an attachment as a part: inline where a content id is given.

    Looks at the first bytes of a file; the rest is read when the part is written.
    Raises ContentError for a file that cannot be read and a type that is none.
    """
    head = _head(attachment)
    kind = _type_of(attachment, head)
    name = visible_name(attachment.filename, kind)
    fields = [
        ("Content-Type", kind + _details(kind, head, attachment) + name_parameter(name)),
        ("Content-Transfer-Encoding", "base64"),
    ]
    if content_id is None:
        fields.append(("Content-Disposition", "attachment" + parameter("filename", name)))
    else:
        fields.append(("Content-Disposition", "inline" + parameter("filename", name)))
        fields.append(("Content-ID", f"<{content_id}>"))
    return Part(tuple(fields), _Encoded(attachment))


def is_picture(attachment: Attachment) -> bool:
    """Tell whether an attachment can be shown inline. Raises ContentError as above."""
    return _type_of(attachment, _head(attachment)).startswith("image/")


def is_shown_by_readers(attachment: Attachment) -> bool:
    """Tell whether every reader can show an attachment inline. Raises ContentError as above."""
    return _type_of(attachment, _head(attachment)) in _SHOWN


def visible_name(filename: str, kind: str) -> str:
    """Return the file name that a reader sees: no folders, no line breaks, never empty.

    Direction characters go too: they can make a program look like a picture. So do other
    invisible ones. A name that Windows keeps for a device gets an underscore in front.
    """
    name = one_line(re.sub(_DIRECTION, "", re.sub(_FOLDERS, "", filename))).rstrip(" .")
    if not name:
        return f"attachment{usual_suffix(kind)}"
    if re.fullmatch(_DEVICE, name):
        name = f"_{name}"
    stem, dot, suffix = name.rpartition(".")
    if len(name) > _MAX_NAME and dot and len(suffix) < _MAX_SUFFIX:
        return f"{stem[: _MAX_NAME - 1 - len(suffix)]}.{suffix}"
    return name[:_MAX_NAME]


class _Encoded(NamedTuple):
    """The body of an attachment, in base64."""

    attachment: Attachment

    @property
    def size(self) -> int:
        return base64_size(len(self.attachment.source))

    def pieces(self) -> Iterator[bytes]:
        source = self.attachment.source
        if isinstance(source, bytes):
            yield from base64_lines([source])
            return
        try:
            yield from base64_lines(source.pieces(BASE64_BLOCK))
        except FileError as error:
            raise _unreadable(self.attachment, error) from error


def _head(attachment: Attachment) -> bytes:
    """Return the first bytes of an attachment."""
    source = attachment.source
    if isinstance(source, bytes):
        return source[:HEAD_SIZE]
    try:
        return source.head(HEAD_SIZE)
    except FileError as error:
        raise _unreadable(attachment, error) from error


def _unreadable(attachment: Attachment, error: FileError) -> AttachmentError:
    changed = error.fault is FileFault.CHANGED
    return AttachmentError(
        attachment,
        ContentFault.ATTACHMENT_CHANGED if changed else ContentFault.ATTACHMENT_UNREADABLE,
        filename=one_line(attachment.filename)[:200],
    )


def _type_of(attachment: Attachment, head: bytes) -> str:
    declared = attachment.content_type
    if declared and not is_content_type(declared):
        raise AttachmentError(
            attachment,
            ContentFault.CONTENT_TYPE_INVALID,
            content_type=one_line(declared)[:100],
        )
    return content_type(head, attachment.filename, declared)


def _details(kind: str, head: bytes, attachment: Attachment) -> str:
    """Return the parameters that a reader needs in order to understand the content."""
    if not kind.startswith("text/"):
        return ""
    charset = _charset(head, attachment.content_type or "")
    details = f"; charset={charset}" if charset else ""
    if kind == "text/calendar" and (method := re.search(_METHOD, head)):
        # RFC 6047 section 2.4: without it, or with another than inside, it is no invitation.
        details += f"; method={method[1].decode().upper()}"
    return details


def _charset(head: bytes, declared: str) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    claimed = re.search(_DECLARED_CHARSET, declared)
    if not (claimed and head.isascii()):
        try:
            # The head may end within a character, so it is decoded as a beginning.
            codecs.getincrementaldecoder("utf-8")().decode(head)
        except UnicodeDecodeError:
            pass
        else:
            return "utf-8"
    return claimed[1].lower() if claimed else ""

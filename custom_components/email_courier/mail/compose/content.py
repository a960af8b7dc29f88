"""What a mail is made of, before it is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from ..address import Mailbox
from ..files import OpenedFile


class Priority(StrEnum):
    """How urgent a mail is."""

    HIGHEST = "highest"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"
    LOWEST = "lowest"


class ContentFault(StrEnum):
    """Why content cannot become a mail. The value is the translation key."""

    NO_RECIPIENT = "no_recipient"
    HEADER_NAME_INVALID = "header_name_invalid"
    HEADER_VALUE_INVALID = "header_value_invalid"
    HEADER_RESERVED = "header_reserved"
    HEADER_REPEATED = "header_repeated"
    ATTACHMENT_CHANGED = "attachment_changed"
    ATTACHMENT_UNREADABLE = "attachment_unreadable"
    CONTENT_TYPE_INVALID = "content_type_invalid"
    CONTENT_ID_REPEATED = "content_id_repeated"
    HTML_AND_MARKDOWN = "html_and_markdown"
    BUTTON_NEEDS_MARKDOWN = "button_needs_markdown"
    BUTTON_URL_INVALID = "button_url_invalid"


class ContentError(Exception):
    """The one exception of composing: something that was asked for cannot be sent.

    field: the field of the action that is at fault, such as "headers".
    reason: what is wrong with it.
    facts: named values for the text, such as the header's name.
    """

    def __init__(self, field: str, reason: ContentFault, **facts: str) -> None:
        """Name the field and the reason."""
        super().__init__(f"{field}: {reason}" + "".join(f", {k} {v!r}" for k, v in facts.items()))
        self.field = field
        self.reason = reason
        self.facts: Mapping[str, str] = facts


@dataclass(frozen=True)
class Attachment:
    """A file to send along.

    filename: as the reader shall see it; folders in front of it are cut off.
    source: the bytes themselves, or an open file that is read while composing.
    content_type: what it is believed to be; its content and its name can know better.
    content_id: the name by which html or markdown shows it inline (RFC 2392 without "cid:").
    caption: shows a picture inline with these words below it, in whatever body the mail has; where
    html or markdown names its content id, there and without them.
    """

    filename: str
    source: bytes | OpenedFile = field(repr=False)
    content_type: str | None = None
    content_id: str | None = None
    caption: str | None = None

    def close(self) -> None:
        """Close the file; whoever composes it from now on finds it unreadable."""
        if not isinstance(self.source, bytes):
            self.source.close()


class AttachmentError(ContentError):
    """An attachment that cannot be sent, while the mail without it could.

    attachment: the one that is at fault.
    """

    def __init__(self, attachment: Attachment, reason: ContentFault, **facts: str) -> None:
        """Name the attachment and the reason."""
        super().__init__("attachments", reason, **facts)
        self.attachment = attachment


class Button(NamedTuple):
    """A link that looks like a button below markdown."""

    text: str
    url: str


_LIGHT = 2048
"""Characters of text."""
_FEW = 20
"""Recipients and header fields."""
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Content:
    """Everything that is asked of one mail.

    text: the plain part; the markdown stands in for an empty one.
    html: shown instead of the plain part where the reader can; passed on as it is. An empty
    plain part is made from it.
    markdown: the same, as CommonMark, rendered into the layout; not together with html.
    images: the classic pictures: inline under their file names where there is html, else attached.
    headers: further header fields by name.
    default_subject: without a subject, the first line of the text is taken, and this where there
    is no text; None leaves such a mail without one.
    thread: mails with the same key are one conversation in the inbox.
    base_url: where relative links in markdown and the button lead to.
    home_name, language: for the layout; the language is a BCP 47 tag.
    """

    sender: Mailbox
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    reply_to: tuple[Mailbox, ...] = ()
    subject: str = ""
    default_subject: str | None = None
    text: str = ""
    html: str | None = None
    markdown: str | None = None
    attachments: tuple[Attachment, ...] = ()
    images: tuple[Attachment, ...] = ()
    priority: Priority | None = None
    headers: Mapping[str, str] = _NO_HEADERS
    thread: str | None = None
    button: Button | None = None
    base_url: str | None = None
    home_name: str = ""
    language: str = "en"

    @property
    def is_cheap_to_compose(self) -> bool:
        """Whether composing it takes no longer than handing it to a worker thread.

        So it is with short text alone: no file is read, nothing is rendered or encoded at length.
        """
        return (
            not (self.attachments or self.images or self.html or self.markdown)
            and len(self.text) + len(self.subject) <= _LIGHT
            and len(self.to) + len(self.cc) + len(self.bcc) + len(self.headers) <= _FEW
        )

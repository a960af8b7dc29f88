"""What a mail is made of, before it is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import datetime as dt
from datetime import datetime
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


class Layout(StrEnum):
    """What the text of a mail is shown in."""

    CARD = "card"
    PLAIN = "plain"


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
    ACTION_NOT_FOUND = "action_not_found"


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
    caption: what is said below it where it is shown, such as the name of a camera.
    is_shown: a picture is part of the page whatever body the mail has; where html or markdown
    names its content id, there and without the caption.
    """

    filename: str
    source: bytes | OpenedFile = field(repr=False)
    content_type: str | None = None
    content_id: str | None = None
    caption: str = ""
    is_shown: bool = False

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
    """A link that looks like a button below the text."""

    text: str
    url: str


class ActionLink(NamedTuple):
    """A button that answers the mail. name: what html and markdown call it by."""

    name: str
    text: str
    url: str
    is_destructive: bool = False
    icon: str = ""


class Fact(NamedTuple):
    """A value that is shown large under its name, both as a person reads them."""

    name: str
    value: str


class Reading(NamedTuple):
    """A number or a state with its name, both as a person reads them.

    unit: as it follows the number, with a blank where it has one. color: that it is drawn in.
    more: such as the lowest and the highest.
    """

    name: str
    value: str
    unit: str = ""
    color: str | None = None
    more: tuple[Reading, ...] = ()


class Panel(NamedTuple):
    """What one picture of a chart shows, and the picture. alt: the same in words."""

    readings: tuple[Reading, ...]
    alt: str = ""
    picture: Attachment | None = None


class Chart(NamedTuple):
    """Values over a time: as text, and drawn.

    mark: the address by which the text shows it, such as "chart:1". notes: what is not there, why.
    """

    mark: str
    title: str = ""
    period: str = ""
    panels: tuple[Panel, ...] = ()
    notes: tuple[str, ...] = ()


class Gap(NamedTuple):
    """The place of an attachment that cannot be had.

    place: its number among all that were asked for, from 0. name: what it would show.
    note: the sentence that says why it is not there. content_id: by which the text would show it.
    """

    place: int
    name: str
    note: str
    content_id: str = ""


class Entry(NamedTuple):
    """One of several mails that this one stands for.

    content_ids: of the pictures that belong to it.
    """

    heading: str
    time: datetime
    text: str
    content_ids: tuple[str, ...] = ()


class SentBy(NamedTuple):
    """What has sent a mail, such as "Automation: Doorbell", and where that is found."""

    name: str
    url: str | None = None


class Words(NamedTuple):
    """The words that a layout adds, in the language of the home.

    date, date_time: patterns with {day}, {month}, {year} and {time}.
    months: twelve of them, with blanks between. automation, script: what has sent a mail.
    """

    urgent: str = "Urgent"
    important: str = "Important"
    note: str = "Note"
    tip: str = "Tip"
    warning: str = "Warning"
    caution: str = "Caution"
    open: str = "Open"
    date: str = "{day} {month} {year}"
    date_time: str = "{day} {month} {year}, {time}"
    automation: str = "Automation: {name}"
    script: str = "Script: {name}"
    months: str = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"

    def written_date(self, day: dt.date) -> str:
        """Return a day as a person writes it."""
        return self._filled(self.date, day)

    def written_time(self, moment: datetime) -> str:
        """Return a moment as a person writes it, in the zone that it is in."""
        return self._filled(self.date_time, moment, time=f"{moment:%H:%M}")

    def _filled(self, pattern: str, day: dt.date, **more: str) -> str:
        months = self.months.split()
        return pattern.format(day=day.day, month=months[day.month - 1], year=day.year, **more)


_LIGHT = 2048
"""Characters of text and of header fields."""
_FEW = 20
"""Recipients and header fields; values of entities."""
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_ENGLISH = Words()


class Content(NamedTuple):
    """Everything that is asked of one mail.

    text: the plain part; one made of the markdown or html stands in for an empty one.
    html: shown instead of the plain part where the reader can; passed on as it is.
    markdown: the same, as CommonMark, rendered into the layout; not together with html.
    images: the classic pictures: inline under their file names where there is html, else attached.
    headers: further header fields by name.
    default_subject: without a subject, the first line of the text is taken, and this where there
    is no text; None leaves such a mail without one.
    thread: mails with the same key are one conversation in the inbox.
    base_url: where relative links in markdown and the button lead to.
    home_name, language: for the layout; the language is a BCP 47 tag.
    layout: the card shows text, too; without it, text goes without HTML, and markdown alone.
    heading: what the card says above the text; None for the subject.
    icon: an emoji. color: such as "#d1242f".
    facts, charts, button, actions: below the text; charts where it shows them, as
    "![](chart:1)" does. gaps: in the place of what cannot be had.
    entries: below the text, each with a heading of its own.
    sent_by: what has sent it, for the card.
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
    actions: tuple[ActionLink, ...] = ()
    base_url: str | None = None
    home_name: str = ""
    language: str = "en"
    layout: Layout = Layout.PLAIN
    heading: str | None = None
    icon: str = ""
    color: str | None = None
    facts: tuple[Fact, ...] = ()
    charts: tuple[Chart, ...] = ()
    gaps: tuple[Gap, ...] = ()
    entries: tuple[Entry, ...] = ()
    sent_by: SentBy | None = None
    words: Words = _ENGLISH

    @property
    def has_card(self) -> bool:
        """Whether the text is shown in a card."""
        return self.layout is Layout.CARD and not self.html

    @property
    def drawn(self) -> tuple[Attachment, ...]:
        """The pictures of charts."""
        panels = (panel for chart in self.charts for panel in chart.panels)
        return tuple(panel.picture for panel in panels if panel.picture is not None)

    @property
    def is_cheap_to_compose(self) -> bool:
        """Whether composing it takes no longer than handing it to a worker thread.

        So it is with short text alone: no file is read, nothing is rendered or encoded at length.
        """
        return (
            not (self.attachments or self.images or self.charts or self.entries)
            and not (self.html or self.markdown)
            and len(self.text) + len(self.subject) + sum(map(len, self.headers.values())) <= _LIGHT
            and len(self.to) + len(self.cc) + len(self.bcc) + len(self.headers) <= _FEW
            and len(self.facts) <= _FEW
        )

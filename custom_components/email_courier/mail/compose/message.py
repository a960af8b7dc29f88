"""Composing a message: content in, finished bytes and their envelope out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import replace
from datetime import datetime
import re
from secrets import token_hex

from ..address import Mailbox
from ..envelope import Envelope
from ..payload import Payload, gather
from .actions import with_places_filled
from .bodies import body_part
from .content import Content, ContentError, ContentFault
from .encoding import body_text, one_line
from .figures import without_marks
from .headers import message_header, shown_subject
from .part import Part


class ComposedMail:
    """A finished mail.

    data: the message as it goes over the wire, lines ending in CRLF, not dot-stuffed.
    message_id: with its angle brackets. size: the length of data in bytes.
    """

    __slots__ = ("data", "date", "envelope", "message_id", "size", "subject")

    def __init__(
        self, envelope: Envelope, data: Payload, message_id: str, subject: str, date: datetime
    ) -> None:
        """Put the parts together."""
        self.envelope = envelope
        self.data = data
        self.message_id = message_id
        self.subject = subject
        self.size = len(data)
        self.date = date

    def __repr__(self) -> str:
        return f"ComposedMail({self.message_id}, {self.envelope}, {self.size} bytes)"


def compose(
    content: Content, *, now: datetime, unique: Callable[[], str] | None = None
) -> ComposedMail:
    """Compose a mail. Reads files and takes its time: meant for a worker thread.

    now: aware; the mail is dated in its zone.
    unique: returns a new token of letters and digits each time, for the Message-ID and for
    boundaries; chance where it is not given.
    Raises ContentError, and nothing else.
    """
    unique = unique or _chance
    message_id = f"<{unique()}@{content.sender.domain}>"
    destinations = _once([content.to, content.cc, content.bcc])
    recipients = tuple(mailbox for mailboxes in destinations for mailbox in mailboxes)
    if not recipients:
        raise ContentError("to", ContentFault.NO_RECIPIENT)
    subject = subject_of(content)
    message = _message(content, subject, destinations, message_id, now, unique)
    data = gather(message.pieces())
    return ComposedMail(
        envelope=_envelope(content, recipients),
        data=data,
        message_id=message_id,
        subject=subject,
        date=now,
    )


def wire_size(content: Content, *, now: datetime) -> int:
    """Return how many bytes compose would make of the same content, without making them.

    Of files only the first bytes are read. Raises ContentError.
    """
    destinations = _once([content.to, content.cc, content.bcc])
    message_id = f"<{_chance()}@{content.sender.domain}>"
    return _message(content, subject_of(content), destinations, message_id, now, _chance).size


def _message(
    content: Content,
    subject: str,
    destinations: list[tuple[Mailbox, ...]],
    message_id: str,
    now: datetime,
    unique: Callable[[], str],
) -> Part:
    to, cc, bcc = destinations
    # A server without SMTPUTF8 can still take the mail for those whose address does not need it.
    in_ascii = any(mailbox.address.isascii() for mailbox in (*to, *cc, *bcc))
    header = message_header(content, subject, to, cc, message_id, now, in_ascii=in_ascii)
    filled = with_places_filled(_with_subject(content, subject))
    return body_part(filled, unique, now).with_fields((*header, ("MIME-Version", "1.0")))


def _with_subject(content: Content, subject: str) -> Content:
    """Return content with the subject as sent, which no heading says where it was not given."""
    if subject == content.subject:
        return content
    heading = content.subject if content.heading is None else content.heading
    return replace(content, subject=subject, heading=heading)


def _once(fields: Iterable[Iterable[Mailbox]]) -> list[tuple[Mailbox, ...]]:
    """Keep each address where it stands first."""
    seen: set[Mailbox] = set()
    kept: list[tuple[Mailbox, ...]] = []
    for mailboxes in fields:
        first = dict.fromkeys(mailbox for mailbox in mailboxes if mailbox not in seen)
        seen.update(first)
        kept.append(tuple(first))
    return kept


def _envelope(content: Content, recipients: tuple[Mailbox, ...]) -> Envelope:
    named = (content.sender, *content.reply_to, *recipients)
    return Envelope(
        sender=content.sender.address,
        recipients=tuple(mailbox.address for mailbox in recipients),
        smtputf8=not all(mailbox.address.isascii() for mailbox in named),
    )


def _chance() -> str:
    return token_hex(16)


MAX_DEFAULT = 78
"""Characters; RFC 5322 section 2.1.1 asks for lines that are no longer."""


def subject_of(content: Content) -> str:
    """Return the subject as it is sent: the given one, else what content says instead."""
    if one_line(content.subject) or content.default_subject is None:
        return shown_subject(content.subject)
    return cut_at_word(_first_line(content)) or shown_subject(content.default_subject)


def cut_at_word(line: str, most: int = MAX_DEFAULT) -> str:
    """Return the words of a line that fit; of a single word that does not, its beginning."""
    line = one_line(line)
    if len(line) <= most:
        return line
    words = re.match(rf".{{1,{most}}}(?=\s)", line)
    return (words[0] if words else line[:most]).rstrip()


def _first_line(content: Content) -> str:
    """Return the first line that says something, of the text, the Markdown or the HTML."""
    if content.text.strip():
        text = without_marks(body_text(content.text))
    elif content.markdown:
        from .markdown import plain_lines  # noqa: PLC0415 - few mails need it

        text = "\n".join(plain_lines(body_text(content.markdown)))
    elif content.html:
        from .html_text import html_text  # noqa: PLC0415 - few mails need it

        text = without_marks(html_text(content.html))
    else:
        return ""
    return next((line for line in map(one_line, text.splitlines()) if line), "")

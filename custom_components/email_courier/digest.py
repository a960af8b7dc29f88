"""One mail that stands for several which came faster than their recipient wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import replace
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default
import os
from pathlib import PurePath
from tempfile import TemporaryFile
from typing import Final, NamedTuple, cast

from homeassistant.util import dt as dt_util

from .mail.address import Mailbox, parse_mailbox, parse_mailboxes
from .mail.compose.content import Attachment, Content, Entry, Layout
from .mail.failure import FailureKind
from .mail.files import OpenedFile
from .mail.outbox.digests import Pictures
from .mail.outbox.submission import OutgoingMail
from .phrases import Phrases, words_of

UNKNOWN_LIMIT: Final = 10_000_000
"""Bytes that a server is taken to accept which has not said how many."""
LARGEST: Final = 25_000_000
"""Bytes of the largest digest; mailboxes take no more, whatever the first server says."""

_SEPARATOR = "\n\n* * *\n\n"
_FRAME = 4_096
"""Bytes of header, boundaries and introduction, at most."""
_AROUND_PART = 100
"""Bytes of a boundary, at most."""
_IN_MEMORY = 262_144
"""Bytes up to which an attachment stays in memory until the digest is written."""


class DigestWriter(NamedTuple):
    """Writes digests in the language of the home. Calls block and belong into an executor.

    What composes is imported by the first of them, so that a start of Home Assistant need not.

    size_limit: returns how many bytes the account's server takes, None or 0 while not known.
    layout: of the account.
    """

    phrases: Phrases
    home_name: str
    language: str
    size_limit: Callable[[], int | None]
    layout: Layout = Layout.PLAIN

    def limit(self) -> int:
        """Return how many bytes a digest may have on the wire."""
        return min(self.size_limit() or UNKNOWN_LIMIT, LARGEST)

    def begin(self, pictures: Pictures) -> Draft:
        """Begin a digest."""
        return Draft(self, pictures)

    def left_out(self, names: str) -> str:
        """Return the sentence that says which pictures are left out, and why."""
        if limit := self.size_limit():
            return self.phrases.say(
                "attachments_dropped", names=names, limit=self.phrases.megabytes(limit)
            )
        return self.phrases.say("attachments_dropped_no_limit", names=names)


class Draft:
    """A digest with the texts and attachments of several mails to one recipient.

    It lasts as long as the one of them that lasts longest. The attachments lie in files of their
    own until it is closed.
    """

    def __init__(self, writer: DigestWriter, pictures: Pictures) -> None:
        self._writer = writer
        self._pictures = pictures
        self._limit = writer.limit()
        self._size = _FRAME
        self._texts: list[str] = []
        self._entries: list[Entry] = []
        self._files: list[Attachment] = []
        self._reply_tos: set[str] = set()
        self._content: Content | None = None
        self._expires_after = 0.0
        self._is_scaled = False

    def add(self, mail: OutgoingMail) -> bool:
        """Take in a mail; False, and nothing has changed, if the digest grew too large with it."""
        from .mail.compose.attachments import attachment_part, visible_name  # noqa: PLC0415

        message = message_from_bytes(bytes(mail.data), policy=default)
        files: list[Attachment] = []
        left_out: list[str] = []
        is_scaled = False
        size = self._size
        for name, part in _parts(message):
            if self._pictures is Pictures.LEFT_OUT and _is_picture(part):
                left_out.append(visible_name(name, ""))
                continue
            file, is_smaller = self._attachment(name, part)
            is_scaled |= is_smaller
            size += attachment_part(file).size + _AROUND_PART
            if size > self._limit:
                break
            files.append(_kept(self._named(file, len(self._files) + len(files))))
        entry = _entry(message)
        if left_out:
            note = self._writer.left_out(", ".join(left_out))
            entry = entry._replace(text=f"{entry.text}\n\n{note}".lstrip())
        text = _text(entry)
        size += self._size_of(text)
        if size > self._limit:
            return False
        if self._content is None:
            self._content = self._begin(mail, message)
        self._size = size
        self._texts.append(text)
        content_ids = tuple(file.content_id for file in files if file.content_id)
        self._entries.append(entry._replace(content_ids=content_ids))
        self._files += files
        self._reply_tos.add(str(message["Reply-To"] or ""))
        self._expires_after = max(self._expires_after, mail.expires_after)
        self._is_scaled |= is_scaled
        return True

    def finish(self) -> OutgoingMail:
        """Return the digest. Raises ValueError where no mail is in it."""
        from .mail.compose.message import compose  # noqa: PLC0415

        if self._content is None:
            raise ValueError("there is no mail in this digest")
        phrases = self._writer.phrases
        count = str(len(self._texts))
        intro = phrases.say("digest_intro", count=count)
        if self._is_scaled:
            intro += "\n\n" + phrases.say("digest_pictures_smaller")
        is_card = self._writer.layout is Layout.CARD
        content = replace(
            self._content,
            reply_to=_reply_to(self._reply_tos),
            subject=phrases.say("digest_subject", count=count, home=self._writer.home_name),
            text=intro if is_card else _SEPARATOR.join([intro, *self._texts]),
            entries=tuple(self._entries) if is_card else (),
            attachments=tuple(self._files),
            layout=self._writer.layout,
            words=words_of(phrases),
        )
        mail = compose(content, now=dt_util.now())
        return OutgoingMail(
            envelope=mail.envelope,
            data=mail.data,
            message_id=mail.message_id,
            subject=mail.subject,
            expires_after=self._expires_after,
        )

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()

    def _begin(self, mail: OutgoingMail, message: EmailMessage) -> Content:
        sender = parse_mailbox(mail.envelope.sender, FailureKind.INVALID_SENDER)
        return Content(
            sender=sender.named(message["From"].addresses[0].display_name),
            to=tuple(parse_mailbox(address) for address in mail.envelope.recipients),
            home_name=self._writer.home_name,
            language=self._writer.language,
        )

    def _named(self, file: Attachment, number: int) -> Attachment:
        """Let a picture be shown with the mail that it belongs to."""
        is_shown = self._writer.layout is Layout.CARD and _is_shown(file)
        return replace(file, content_id=f"picture-{number}") if is_shown else file

    def _size_of(self, text: str) -> int:
        """Return how many bytes the text of one mail has on the wire at most."""
        size = _largest_size(_SEPARATOR + text)
        # The page has each letter once more, perhaps as "&quot;", with its lines and links marked.
        return 8 * size + _FRAME if self._writer.layout is Layout.CARD else size

    def _attachment(self, name: str, part: MIMEPart) -> tuple[Attachment, bool]:
        """Return a part as an attachment, and whether it is a picture that was made smaller."""
        from .mail.compose.attachments import visible_name  # noqa: PLC0415

        data = cast(bytes, part.get_payload(decode=True))
        if self._pictures is Pictures.SMALLER and _is_picture(part):
            from .pictures import smaller_picture  # noqa: PLC0415 - few digests need it

            smaller = smaller_picture(data)
            if smaller is not None:
                name = str(PurePath(visible_name(name, "")).with_suffix(".jpg"))
                return Attachment(name, smaller, "image/jpeg"), True
        return Attachment(name, data, part.get_content_type()), False


def _kept(file: Attachment) -> Attachment:
    """Put what is large into a file without a name, where there is room for one."""
    data = cast(bytes, file.source)
    if len(data) <= _IN_MEMORY:
        return file
    try:
        with TemporaryFile(buffering=0) as spool:
            view = memoryview(data)
            while view:
                view = view[spool.write(view) :]
            opened = OpenedFile(os.dup(spool.fileno()), len(data))
    except OSError:
        return file
    return replace(file, source=opened)


def _reply_to(wanted: set[str]) -> tuple[Mailbox, ...]:
    """Keep where replies go to as long as all mails agree on it."""
    return tuple(parse_mailboxes(wanted)) if len(wanted) == 1 and "" not in wanted else ()


def _entry(message: EmailMessage) -> Entry:
    body = message.get_body(("plain",))
    text = "" if body is None else body.get_content().replace("\r\n", "\n").strip()
    return Entry(str(message["Subject"]), message["Date"].datetime, text)


def _text(entry: Entry) -> str:
    return f"{entry.time:%Y-%m-%d %H:%M}  {entry.heading}\n\n{entry.text}".rstrip()


def _largest_size(text: str) -> int:
    """Return how many bytes text has on the wire at most, whichever encoding it gets."""
    return 2 * len(text.replace("\n", "\r\n").encode())


def _parts(message: EmailMessage) -> Iterator[tuple[str, MIMEPart]]:
    """Return every file of a mail, and its page where there is no text that says the same."""
    for part in message.walk():
        if part.get_filename() is not None:
            yield part.get_filename() or "", part
    plain = message.get_body(("plain",))
    page = message.get_body(("html",))
    if page is not None and (plain is None or not plain.get_content().strip()):
        yield f"{message['Subject']}.html", page


def _is_shown(file: Attachment) -> bool:
    from .mail.compose.attachments import is_shown_by_readers  # noqa: PLC0415

    return is_shown_by_readers(file)


def _is_picture(part: MIMEPart) -> bool:
    return part.get_content_maintype() == "image"

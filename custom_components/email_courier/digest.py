"""One mail that stands for several which came faster than their recipient wants them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default
from typing import cast

from homeassistant.util import dt as dt_util

from .mail.address import Mailbox, parse_mailbox, parse_mailboxes
from .mail.compose.content import Attachment, Content
from .mail.compose.message import compose
from .mail.failure import FailureKind
from .mail.outbox.outgoing import OutgoingMail
from .phrases import Phrases

_SEPARATOR = "\n\n* * *\n\n"


@dataclass(frozen=True, slots=True)
class DigestWriter:
    """Writes digests in the language of the home. Calls block and belong into an executor."""

    phrases: Phrases
    home_name: str
    language: str

    def __call__(self, mails: Sequence[OutgoingMail]) -> OutgoingMail:
        """Return one mail with the texts and all attachments of several to one recipient.

        It lasts as long as the one of them that lasts longest.
        """
        messages = [_read(mail) for mail in mails]
        first = mails[0]
        count = str(len(mails))
        content = Content(
            sender=_sender(first, messages[0]),
            to=tuple(parse_mailbox(address) for address in first.envelope.recipients),
            reply_to=_reply_to(messages),
            subject=self.phrases.say("digest_subject", count=count, home=self.home_name),
            text=_SEPARATOR.join(
                [self.phrases.say("digest_intro", count=count), *map(_text, messages)]
            ),
            attachments=tuple(file for message in messages for file in _attachments(message)),
            home_name=self.home_name,
            language=self.language,
        )
        mail = compose(content, now=dt_util.now())
        return OutgoingMail(
            envelope=mail.envelope,
            data=mail.data,
            message_id=mail.message_id,
            subject=mail.subject,
            expires_after=max(mail.expires_after for mail in mails),
        )


def _read(mail: OutgoingMail) -> EmailMessage:
    return message_from_bytes(bytes(mail.data), policy=default)


def _sender(mail: OutgoingMail, message: EmailMessage) -> Mailbox:
    sender = parse_mailbox(mail.envelope.sender, FailureKind.INVALID_SENDER)
    return sender.named(message["From"].addresses[0].display_name)


def _reply_to(messages: Sequence[EmailMessage]) -> tuple[Mailbox, ...]:
    """Keep where replies go to as long as all mails agree on it."""
    wanted = {str(message["Reply-To"] or "") for message in messages}
    return tuple(parse_mailboxes([wanted.pop()])) if len(wanted) == 1 else ()


def _text(message: EmailMessage) -> str:
    date = message["Date"].datetime
    body = message.get_body(("plain",))
    text = "" if body is None else body.get_content().strip()
    return f"{date:%Y-%m-%d %H:%M}  {message['Subject']}\n\n{text}".rstrip()


def _attachments(message: EmailMessage) -> Iterator[Attachment]:
    """Return every file of a mail, and its page where there is no text that says the same."""
    for part in message.walk():
        if part.get_filename() is not None:
            yield _file(part, part.get_filename() or "")
    plain = message.get_body(("plain",))
    page = message.get_body(("html",))
    if page is not None and (plain is None or not plain.get_content().strip()):
        yield _file(page, f"{message['Subject']}.html")


def _file(part: MIMEPart, name: str) -> Attachment:
    data = part.get_payload(decode=True)
    return Attachment(name, cast(bytes, data), part.get_content_type())

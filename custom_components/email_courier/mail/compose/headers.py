"""The header fields of a message (RFC 5322 section 3.6)."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
import re

from ..address import Mailbox
from .content import Content, ContentError, ContentFault, Priority
from .encoding import is_line, one_line
from .fields import mailbox_list, unstructured
from .part import Fields

_MAX_SUBJECT = 900
_MAX_VALUE = 8000
_FIELD_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$%&'*+.^_`|~-]{0,69}"

_RESERVED = frozenset({
    "apparently-to",
    "auto-submitted",
    "bcc",
    "cc",
    "date",
    "delivered-to",
    "from",
    "message-id",
    "mime-version",
    "received",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
})  # fmt: skip
_RESERVED_BEGINNINGS = ("arc-", "authentication-results", "content-", "dkim-", "resent-")
_OF_THREAD = frozenset({"in-reply-to", "references"})
_MESSAGE_IDS = r"(?:<[!-;=?A-~]+@[!-;=?A-~]+>(?: |$))+"
_OF_PRIORITY = frozenset({"importance", "priority", "x-priority"})

# X-Priority is what most readers know; Importance and Priority are RFC 2156's words.
_PRIORITIES: dict[Priority, tuple[str, str, str]] = {
    Priority.HIGHEST: ("1 (Highest)", "high", "urgent"),
    Priority.HIGH: ("2 (High)", "high", "urgent"),
    Priority.NORMAL: ("3 (Normal)", "normal", "normal"),
    Priority.LOW: ("4 (Low)", "low", "non-urgent"),
    Priority.LOWEST: ("5 (Lowest)", "low", "non-urgent"),
}


def message_header(
    content: Content,
    subject: str,
    to: tuple[Mailbox, ...],
    cc: tuple[Mailbox, ...],
    message_id: str,
    now: datetime,
    *,
    in_ascii: bool = False,
) -> Fields:
    """Return the fields of the message as a whole, those of its body left out.

    subject: as it is sent.
    to, cc: who is shown there; Bcc is never written. message_id: with its angle brackets.
    in_ascii: writes to and cc without addresses that only RFC 6531 can carry.
    Raises ContentError for a custom field that is reserved, malformed or repeated.
    """
    return (
        ("From", mailbox_list("From", [content.sender])),
        *_destinations(to, cc, in_ascii=in_ascii),
        *_mailboxes("Reply-To", content.reply_to),
        *_subject(subject),
        ("Date", format_datetime(now)),
        ("Message-ID", message_id),
        *_thread(content),
        # RFC 3834: keeps holiday replies and mailing lists from answering a house.
        ("Auto-Submitted", "auto-generated"),
        *_priority(content.priority),
        *_custom(content),
    )


def shown_subject(subject: str) -> str:
    """Return a subject as it is sent: one line, and no longer than servers take."""
    line = one_line(subject)
    return line if len(line) <= _MAX_SUBJECT else f"{line[: _MAX_SUBJECT - 1]}\u2026"


def thread_id(key: str, domain: str) -> str:
    """Return the id that all mails of a thread refer to; the key cannot be read from it."""
    return f"<thread-{sha256(key.encode('utf-8', 'replace')).hexdigest()[:32]}@{domain}>"


def _destinations(to: tuple[Mailbox, ...], cc: tuple[Mailbox, ...], *, in_ascii: bool) -> Fields:
    if not to and not cc:
        return (("To", "undisclosed-recipients:;"),)
    return (
        *_mailboxes("To", to, in_ascii=in_ascii),
        *_mailboxes("Cc", cc, in_ascii=in_ascii),
    )


def _mailboxes(name: str, mailboxes: tuple[Mailbox, ...], *, in_ascii: bool = False) -> Fields:
    return ((name, mailbox_list(name, mailboxes, in_ascii=in_ascii)),) if mailboxes else ()


def _subject(subject: str) -> Fields:
    return (("Subject", unstructured("Subject", subject)),) if subject else ()


def _thread(content: Content) -> Fields:
    if not content.thread:
        return ()
    identifier = thread_id(content.thread, content.sender.domain)
    return (("In-Reply-To", identifier), ("References", identifier))


def _priority(priority: Priority | None) -> Fields:
    if priority is None:
        return ()
    number, importance, urgency = _PRIORITIES[priority]
    return (("X-Priority", number), ("Importance", importance), ("Priority", urgency))


def _custom(content: Content) -> Fields:
    taken = set(_RESERVED)
    if content.thread:
        taken |= _OF_THREAD
    if content.priority is not None:
        taken |= _OF_PRIORITY
    fields: dict[str, tuple[str, str]] = {}
    for name, value in content.headers.items():
        key = name.lower()
        if not re.fullmatch(_FIELD_NAME, name):
            raise _refused(ContentFault.HEADER_NAME_INVALID, name)
        if key in taken or key.startswith(_RESERVED_BEGINNINGS):
            raise _refused(ContentFault.HEADER_RESERVED, name)
        if key in fields:
            raise _refused(ContentFault.HEADER_REPEATED, name)
        if not is_line(value) or len(value) > _MAX_VALUE:
            raise _refused(ContentFault.HEADER_VALUE_INVALID, name)
        if key in _OF_THREAD and not re.fullmatch(_MESSAGE_IDS, value):
            raise _refused(ContentFault.HEADER_VALUE_INVALID, name)
        fields[key] = (name, unstructured(name, value))
    return tuple(fields.values())


def _refused(reason: ContentFault, name: str) -> ContentError:
    return ContentError("headers", reason, name=one_line(name)[:100])

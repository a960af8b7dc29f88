"""A mail of one account as the backup account sends it."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
import re

from ..envelope import Envelope
from ..payload import IN_MEMORY, gather, pieces_of
from .outgoing import OutgoingMail

_FIELD = re.compile(rb"(?P<name>[^\s:]+)[ \t]*:(?P<value>.*?\r\n(?:[ \t].*?\r\n)*)", re.DOTALL)
_BRACKETED = re.compile(rb"<[^<>]*>(?=\s*$)")


def readdress(mail: OutgoingMail, sender: str) -> OutgoingMail:
    """Return a mail as from another sender, with the original one to reply to. Blocks.

    sender: the bare address of the backup account. The name before the address stays, and so do
    the Message-ID and an address that replies were already directed to.
    """
    pieces = pieces_of(mail.data, IN_MEMORY)
    head, gap, body = next(pieces).partition(b"\r\n\r\n")
    fields = [(m["name"], m["value"]) for m in _FIELD.finditer(head + b"\r\n")]
    has_reply_to = any(name.lower() == b"reply-to" for name, _ in fields)
    written: list[bytes] = []
    for name, value in fields:
        if name.lower() == b"sender":
            continue
        if name.lower() != b"from":
            written.append(name + b":" + value)
            continue
        written.append(name + b":" + _from(value, sender.encode()))
        if not has_reply_to:
            written.append(b"Reply-To:" + value)
    envelope = Envelope(
        sender,
        mail.envelope.recipients,
        smtputf8=mail.envelope.smtputf8 or not sender.isascii(),
    )
    start = b"".join(written).removesuffix(b"\r\n") + gap + body
    return replace(mail, envelope=envelope, data=gather(chain([start], pieces)))


def _from(original: bytes, sender: bytes) -> bytes:
    """Put another address into the value of a From field; its name may be encoded or folded."""
    if _BRACKETED.search(original):
        return _BRACKETED.sub(lambda _: b"<" + sender + b">", original)
    return b" " + sender + b"\r\n"

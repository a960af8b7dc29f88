"""A finished mail on its way to the courier."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from ..envelope import Envelope
from ..payload import Payload

DAY = 86_400.0


class Rank(IntEnum):
    """Which mail goes first; the lower rank does."""

    HIGH = 0
    NORMAL = 1


@dataclass(frozen=True, slots=True)
class DigestPart:
    """A mail that a digest stands for."""

    message_id: str
    subject: str


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A finished message with its envelope.

    data: the message as it goes over the wire (CRLF line ends, not dot-stuffed); every attempt
    sends exactly these bytes.
    expires_after: seconds after which it is given up and reported.
    queue: False fails now instead of waiting.
    passed: the accounts that have already given it to their backup account.
    stands_for: the mails that are in it where it is a digest; what becomes of it becomes of them.
    """

    envelope: Envelope
    data: Payload = field(repr=False)
    message_id: str
    subject: str = ""
    rank: Rank = Rank.NORMAL
    expires_after: float = DAY
    queue: bool = True
    passed: tuple[str, ...] = ()
    stands_for: tuple[DigestPart, ...] = ()

"""The name of a waiting mail, which holds all that its turn depends on.

A start reads the folder's names and no file, however much is waiting.
"""

from __future__ import annotations

import itertools
import re
import secrets
from typing import NamedTuple, Self

from .outgoing import OutgoingMail, Rank

_TOKENS = itertools.count(secrets.randbelow(2**31))
"""Rising, so that mails of the same millisecond keep their order."""

_PATTERN = re.compile(r"([01])-(\d{13})-(\d{13,14})-(\d{1,12})-([0-9a-f]{8})", re.ASCII)


class MailId(NamedTuple):
    """A mail's place in the line: rank first, then age.

    created_ms, expires_ms: UTC timestamps in milliseconds.
    size: of the message, in bytes.
    token: keeps apart what is alike in all else.
    """

    rank: Rank
    created_ms: int
    expires_ms: int
    size: int
    token: str

    @classmethod
    def new(cls, mail: OutgoingMail, now: float) -> Self:
        """Name a mail that was handed in now (UTC timestamp in seconds)."""
        return cls(
            rank=mail.rank,
            created_ms=int(now * 1000),
            expires_ms=int((now + mail.expires_after) * 1000),
            size=len(mail.data),
            token=f"{next(_TOKENS):08x}",
        )

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """Read a name, or return None when it is no mail's."""
        match = _PATTERN.fullmatch(name)
        if match is None:
            return None
        rank, created, expires, size, token = match.groups()
        return cls(Rank(int(rank)), int(created), int(expires), int(size), token)

    @property
    def created(self) -> float:
        """When the mail was handed in, as a UTC timestamp in seconds."""
        return self.created_ms / 1000

    @property
    def expires(self) -> float:
        """When the mail is given up, as a UTC timestamp in seconds."""
        return self.expires_ms / 1000

    def __str__(self) -> str:
        """As the files are named."""
        return (
            f"{self.rank:d}-{self.created_ms:013d}-{self.expires_ms:013d}-{self.size}-{self.token}"
        )

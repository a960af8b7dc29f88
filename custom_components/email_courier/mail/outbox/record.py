"""The queue record beside a deferred message: who is still owed it, and what has happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
import itertools
import math
import re
import secrets
from typing import Any, NamedTuple, Self

from ..envelope import Envelope, RecipientOutcome
from ..failure import Failure, FailureKind, Permanence, Stage
from ..payload import Payload, checksum_of
from .submission import DigestPart, OutgoingMail, Rank

_TOKENS = itertools.count(secrets.randbelow(2**31))
"""Rising, so that mails of the same millisecond keep their order."""

_PATTERN = r"([01])-(\d{13})-(\d{13,14})-(\d{1,12})-([0-9a-f]{8})"


class MailId(NamedTuple):
    """The queue id of a mail; they sort in the order of delivery: by rank, then by age.

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
        match = re.fullmatch(_PATTERN, name, re.ASCII)
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


VERSION = 1

REPLY_LOST = Failure(
    FailureKind.DISCONNECTED,
    Stage.ACCEPTED,
    Permanence.AMBIGUOUS,
    detail="interrupted before the final reply",
)
"""What is known of an attempt that was ended from this side after its final dot."""


class OwedRecipient(NamedTuple):
    """A recipient who has not got the mail yet.

    lost_replies: how often the reply to the final dot was lost, so that the mail may have
    arrived all the same.
    """

    address: str
    lost_replies: int = 0
    failure: Failure | None = None

    @property
    def outcome(self) -> RecipientOutcome:
        """How it stands with this recipient."""
        reply = None if self.failure is None else self.failure.reply
        return RecipientOutcome(self.address, reply, self.failure)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        return {
            "address": self.address,
            "lost_replies": self.lost_replies,
            "failure": None if self.failure is None else self.failure.as_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Restore what as_dict returned. Raises KeyError, TypeError or ValueError."""
        failure = data["failure"]
        return cls(
            address=str(data["address"]),
            lost_replies=int(data["lost_replies"]),
            failure=None if failure is None else Failure.from_dict(failure),
        )


@dataclass(frozen=True, slots=True)
class MailRecord:
    """A mail without its message.

    checksum: SHA-256 of the message, in lower-case hex.
    attempts: how often it has been tried.
    deferrals: how often it has been put off for a reason of its own.
    next_attempt: UTC timestamp in seconds; 0 when it waits for the account alone.
    visited_accounts: the accounts that have already given it to their backup account.
    stands_for: the mails that are in it where it is a digest.
    """

    id: MailId
    message_id: str
    subject: str
    sender: str
    smtputf8: bool
    owed: tuple[OwedRecipient, ...]
    checksum: str
    attempts: int = 0
    deferrals: int = 0
    next_attempt: float = 0.0
    visited_accounts: tuple[str, ...] = ()
    stands_for: tuple[DigestPart, ...] = ()

    @classmethod
    def new(cls, mail: OutgoingMail, now: float) -> Self:
        """Make the record of a mail that was handed in now (UTC timestamp in seconds)."""
        return cls(
            id=MailId.new(mail, now),
            message_id=mail.message_id,
            subject=mail.subject,
            sender=mail.envelope.sender,
            smtputf8=mail.envelope.smtputf8,
            owed=tuple(OwedRecipient(address) for address in mail.envelope.recipients),
            checksum=checksum_of(mail.data),
            visited_accounts=mail.visited_accounts,
            stands_for=mail.stands_for,
        )

    @property
    def envelope(self) -> Envelope:
        """The envelope of the next attempt: only who is still owed."""
        return Envelope(self.sender, self.addresses, self.smtputf8)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Who is still owed the mail."""
        return tuple(owed.address for owed in self.owed)

    @property
    def outcomes(self) -> tuple[RecipientOutcome, ...]:
        """How it stands with everybody who is still owed the mail."""
        return tuple(owed.outcome for owed in self.owed)

    @property
    def failure(self) -> Failure | None:
        """What kept it the last time."""
        return next((owed.failure for owed in self.owed if owed.failure is not None), None)

    def outgoing(self, data: Payload, now: float) -> OutgoingMail:
        """Return the mail again, for those who are still owed it.

        now: UTC timestamp in seconds; the mail expires when it would have done.
        """
        return OutgoingMail(
            envelope=self.envelope,
            data=data,
            message_id=self.message_id,
            subject=self.subject,
            rank=self.id.rank,
            expires_after=max(self.id.expires - now, 0.0),
            visited_accounts=self.visited_accounts,
            stands_for=self.stands_for,
        )

    def with_lost_reply(self) -> Self:
        """Count an attempt that ended after the final dot without anyone knowing how."""
        owed = tuple(
            each._replace(lost_replies=each.lost_replies + 1, failure=REPLY_LOST)
            for each in self.owed
        )
        return replace(self, owed=owed, attempts=self.attempts + 1)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold. The id is not in it: it names the file.

        A key that not every record has is one that an older program does without.
        """
        parts = [{"message_id": p.message_id, "subject": p.subject} for p in self.stands_for]
        return {
            "version": VERSION,
            "message_id": self.message_id,
            "subject": self.subject,
            "sender": self.sender,
            "smtputf8": self.smtputf8,
            "owed": [owed.as_dict() for owed in self.owed],
            "checksum": self.checksum,
            "attempts": self.attempts,
            "deferrals": self.deferrals,
            "next_attempt": self.next_attempt,
            "passed": list(self.visited_accounts),
            **({"stands_for": parts} if parts else {}),
        }

    @classmethod
    def from_dict(cls, mail_id: MailId, data: Mapping[str, Any]) -> Self:
        """Restore what as_dict returned. Raises KeyError, TypeError or ValueError."""
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']}")
        if not data["owed"]:
            raise ValueError("no recipient is owed this mail")
        next_attempt = float(data["next_attempt"])
        if not math.isfinite(next_attempt):
            raise ValueError(f"next_attempt {next_attempt}")
        return cls(
            id=mail_id,
            message_id=str(data["message_id"]),
            subject=str(data["subject"]),
            sender=str(data["sender"]),
            smtputf8=bool(data["smtputf8"]),
            owed=tuple(OwedRecipient.from_dict(owed) for owed in data["owed"]),
            checksum=str(data["checksum"]),
            attempts=int(data["attempts"]),
            deferrals=int(data["deferrals"]),
            next_attempt=next_attempt,
            visited_accounts=tuple(str(account) for account in data["passed"]),
            stands_for=tuple(
                DigestPart(str(part["message_id"]), str(part["subject"]))
                for part in data.get("stands_for", ())
            ),
        )

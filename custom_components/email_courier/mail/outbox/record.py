"""The queue record beside a deferred message: who is still owed it, and what has happened."""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass, field
import itertools
import math
import re
import secrets
from typing import Any, NamedTuple, Self

from ..envelope import Envelope, RecipientOutcome
from ..failure import Cause, Failure, FailureKind, Permanence, Stage
from ..payload import Payload, checksum_of
from .backoff import JITTER, LAST_DELAY
from .submission import DigestPart, Origin, OutgoingMail, Rank

_TOKENS = itertools.count(secrets.randbelow(2**31))
"""Rising, so that mails of the same millisecond keep their order."""

_PATTERN = r"([01])-(\d{13})-(\d{13,14})-(\d{1,12})-([0-9a-f]{8})"


class MailId(NamedTuple):
    """The queue id of a mail; they sort in the order of delivery: by rank, then by age.

    created_ms, expires_ms: UTC timestamps in milliseconds, by the time of the run in which the
    mail was handed in; what is between them is its life.
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
        """Name a mail that was handed in now (time of the run in seconds)."""
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
        """When the mail was handed in, as the time of that run in seconds."""
        return self.created_ms / 1000

    @property
    def expires(self) -> float:
        """When the mail is given up that has waited in one run, as the time of that run."""
        return self.expires_ms / 1000

    @property
    def life(self) -> float:
        """For how many seconds the mail is kept."""
        return (self.expires_ms - self.created_ms) / 1000

    def __str__(self) -> str:
        """As the files are named."""
        return (
            f"{self.rank:d}-{self.created_ms:013d}-{self.expires_ms:013d}-{self.size}-{self.token}"
        )


VERSION = 1

PLAUSIBLE = 1_767_225_600.0
"""2026-01-01 as a UTC timestamp in seconds: a clock that says less has not been set."""
LAST_CHANCE = 300.0
"""Seconds that a mail is left at a start where nobody knows how long it has waited."""

REPLY_LOST = Failure(
    FailureKind.DISCONNECTED,
    Stage.ACCEPTED,
    Permanence.AMBIGUOUS,
    detail="interrupted before the final reply",
    facts={"cause": Cause.MAY_HAVE_ARRIVED.value},
)
"""What is known of an attempt that was ended from this side after its final dot."""


_MOST = 2**31
"""More often than this nothing happens to a mail."""

_KINDS_SINCE = {FailureKind.QUOTA_EXCEEDED: FailureKind.DEFERRED}
"""Kinds that came after version 1.0.0, and what a record calls them beside their name."""


def _count(written: str | float) -> int:
    """Return how often something has happened. Raises TypeError, ValueError or OverflowError."""
    number = int(written)
    if not 0 <= number < _MOST:
        raise ValueError(f"{number} times")
    return number


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
            "failure": None if self.failure is None else _failure_as_dict(self.failure),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Restore what as_dict returned. Raises KeyError, TypeError or ValueError."""
        failure = data["failure"]
        return cls(
            address=str(data["address"]),
            lost_replies=_count(data["lost_replies"]),
            failure=None if failure is None else _failure_from_dict(failure),
        )


def _failure_as_dict(failure: Failure) -> dict[str, Any]:
    """Return plain data that version 1.0.0 can read, too, which takes no kind it does not know."""
    data = failure.as_dict()
    if older := _KINDS_SINCE.get(failure.kind):
        data |= {"kind": older.value, "newer_kind": failure.kind.value}
    return data


def _failure_from_dict(data: Mapping[str, Any]) -> Failure:
    return Failure.from_dict({**data, "kind": data.get("newer_kind", data["kind"])})


def _part_as_dict(part: DigestPart) -> dict[str, Any]:
    origin = {"origin": part.origin.as_dict()} if part.origin else {}
    return {"message_id": part.message_id, "subject": part.subject, **origin}


@dataclass(frozen=True)
class MailRecord:
    """A mail without its message.

    checksum: SHA-256 of the message, in lower-case hex.
    attempts: how often it has been tried.
    deferrals: how often it has been put off for a reason of its own.
    next_attempt: time of the run in seconds, on disk a UTC timestamp; 0 when it waits for the
    account alone.
    visited_accounts: the accounts that have already given it to their backup account.
    stands_for: the mails that are in it where it is a digest.
    born: the time of the run in seconds at which it would have been handed in, had it waited in
    this run alone; not on disk.
    waited: the seconds that it had waited at a UTC timestamp, noted; 0 where nothing was noted.
    stood_still: for how many seconds its life stood still meanwhile.
    is_offered: the backup account may have it already.
    origin: who had it sent, where that is known.
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
    born: float = field(default=0.0, compare=False)
    waited: float = 0.0
    noted: float = 0.0
    stood_still: float = 0.0
    is_offered: bool = False
    origin: Origin | None = None

    @classmethod
    def new(cls, mail: OutgoingMail, now: float) -> Self:
        """Make the record of a mail that was handed in now (time of the run in seconds)."""
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
            born=now,
            origin=mail.origin,
        )

    @property
    def expires(self) -> float:
        """When the mail is given up, as the time of the run in seconds."""
        return self.born + self.id.life + self.stood_still

    def noted_at(self, now: float, clock: float) -> MailRecord:
        """Return the record as it goes to disk, with what the mail has waited by now.

        now: time of the run in seconds. clock: UTC timestamp in seconds.
        """
        next_attempt = self.next_attempt and self.next_attempt - now + clock
        waited = max(now - self.born, 0.0)
        return replace(self, waited=waited, noted=clock, next_attempt=next_attempt)

    def taken_up(self, now: float, clock: float) -> MailRecord:
        """Return the record of an earlier run in the time of this one.

        It has waited what was noted, and since then, as far as the clock can be trusted. One whose
        clock cannot be is left some time to be tried.
        now: time of the run in seconds. clock: UTC timestamp in seconds.
        """
        noted = self.noted or self.id.created
        downtime = clock - noted if PLAUSIBLE <= noted <= clock else None
        waited = self.waited + (downtime or 0.0)
        if downtime is None:
            waited = min(waited, max(self.id.life + self.stood_still - LAST_CHANCE, 0.0))
        remaining = max(self.next_attempt - noted - (downtime or 0.0), 0.0)
        return replace(
            self,
            born=now - waited,
            next_attempt=self.next_attempt and now + min(remaining, LAST_DELAY * (1 + JITTER)),
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

        now: time of the run in seconds; the mail expires when it would have done.
        """
        return OutgoingMail(
            envelope=self.envelope,
            data=data,
            message_id=self.message_id,
            subject=self.subject,
            rank=self.id.rank,
            expires_after=max(self.expires - now, 0.0),
            visited_accounts=self.visited_accounts,
            stands_for=self.stands_for,
            origin=self.origin,
        )

    def with_lost_reply(self) -> MailRecord:
        """Count an attempt that ended after the final dot without anyone knowing how.

        Or a hand-over, of which the same is to be said.
        """
        owed = tuple(
            each._replace(lost_replies=each.lost_replies + 1, failure=REPLY_LOST)
            for each in self.owed
        )
        return replace(self, owed=owed, attempts=self.attempts + 1, is_offered=False)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold. The id is not in it: it names the file.

        A key that not every record has is one that an older program does without.
        """
        parts = [_part_as_dict(part) for part in self.stands_for]
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
            **({"waited": self.waited, "noted": self.noted} if self.noted else {}),
            **({"stood_still": self.stood_still} if self.stood_still else {}),
            **({"is_offered": True} if self.is_offered else {}),
            **({"origin": self.origin.as_dict()} if self.origin else {}),
        }

    @classmethod
    def from_dict(cls, mail_id: MailId, data: Mapping[str, Any]) -> Self:
        """Restore what as_dict returned. Raises KeyError, TypeError or ValueError."""
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']}")
        if not data["owed"]:
            raise ValueError("no recipient is owed this mail")
        times = {"next_attempt": float(data["next_attempt"])}
        times |= {key: float(data.get(key, 0.0)) for key in ("waited", "noted", "stood_still")}
        for key, value in times.items():
            if not math.isfinite(value) or (value < 0 and key != "next_attempt"):
                raise ValueError(f"{key} {value}")
        return cls(
            id=mail_id,
            message_id=str(data["message_id"]),
            subject=str(data["subject"]),
            sender=str(data["sender"]),
            smtputf8=bool(data["smtputf8"]),
            owed=tuple(OwedRecipient.from_dict(owed) for owed in data["owed"]),
            checksum=str(data["checksum"]),
            attempts=_count(data["attempts"]),
            deferrals=_count(data["deferrals"]),
            next_attempt=times["next_attempt"],
            waited=times["waited"],
            noted=times["noted"],
            stood_still=times["stood_still"],
            is_offered=data.get("is_offered") is True,
            visited_accounts=tuple(str(account) for account in data["passed"]),
            stands_for=tuple(
                DigestPart(
                    str(part["message_id"]),
                    str(part["subject"]),
                    Origin.from_dict(part.get("origin")),
                )
                for part in data.get("stands_for", ())
            ),
            origin=Origin.from_dict(data.get("origin")),
        )

"""An envelope, and what became of each of its recipients (RFC 5321 section 2.3.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .failure import Failure, Permanence
from .reply import Reply


class Envelope(NamedTuple):
    """Who a mail is from and for, as MAIL FROM and RCPT TO name them.

    Addresses are bare (no display name), with the domain as A-labels.
    smtputf8: a local part or a header holds non-ASCII characters that only
    RFC 6531 can carry. Where that is true of some recipients alone, the header of a composed
    mail is ASCII, so that a server without SMTPUTF8 can take it for the others.
    """

    sender: str
    recipients: tuple[str, ...]
    smtputf8: bool = False

    @property
    def needing_smtputf8(self) -> tuple[str, ...]:
        """The recipients whose own address only a server with SMTPUTF8 can take."""
        return tuple(address for address in self.recipients if not address.isascii())


class Upcoming(NamedTuple):
    """A mail that is to follow another one.

    size: bytes of its message.
    """

    envelope: Envelope
    size: int


type Peek = Callable[[], Upcoming | None]
"""Returns the mail that is to follow, if there is one already."""


class RecipientOutcome(NamedTuple):
    """What became of one recipient; no failure means the server accepted the mail for it."""

    address: str
    reply: Reply | None = None
    failure: Failure | None = None

    @property
    def accepted(self) -> bool:
        """Whether the server has taken responsibility (RFC 5321 section 4.2.5)."""
        return self.failure is None

    @property
    def is_owed(self) -> bool:
        """Whether another attempt is due: neither accepted nor refused for good."""
        return self.failure is not None and self.failure.permanence is not Permanence.PERMANENT


class Delivery(NamedTuple):
    """The outcome of one attempt, one entry per recipient of the envelope, in its order.

    reply: the last reply that decided the mail as a whole.
    """

    outcomes: tuple[RecipientOutcome, ...]
    reply: Reply | None = None

    @property
    def accepted(self) -> tuple[RecipientOutcome, ...]:
        """Recipients that the server accepted the mail for."""
        return tuple(outcome for outcome in self.outcomes if outcome.accepted)

    @property
    def owed(self) -> tuple[RecipientOutcome, ...]:
        """Recipients to try again."""
        return tuple(outcome for outcome in self.outcomes if outcome.is_owed)

    @property
    def refused(self) -> tuple[RecipientOutcome, ...]:
        """Recipients refused for good."""
        return tuple(o for o in self.outcomes if not o.accepted and not o.is_owed)

    @classmethod
    def failed(cls, envelope: Envelope, failure: Failure) -> Delivery:
        """Return the outcome of an attempt that failed for every recipient alike."""
        return cls(
            tuple(
                RecipientOutcome(address, failure.reply, failure) for address in envelope.recipients
            ),
            failure.reply,
        )

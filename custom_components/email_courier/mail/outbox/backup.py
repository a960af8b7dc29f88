"""The account that takes over what another one does not bring away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..failure import ACCOUNT_REFUSED, Failure, Permanence
from .outgoing import OutgoingMail

type HandOver = Callable[[OutgoingMail], Awaitable[None]]
"""Returns when the backup account has the mail on disk. Raises MailError or OutboxError when it
does not take it, and the mail stays where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """The account that takes over.

    own: the id of the account that gives. account: the id of the one that takes.
    after: seconds after which a mail that could not be delivered is given away.
    """

    own: str
    account: str
    hand_over: HandOver
    after: float = 300.0

    def may_have(self, passed: tuple[str, ...]) -> bool:
        """Whether a mail that has passed through these accounts has not been there yet."""
        return self.account != self.own and self.account not in passed


def blames_account(failure: Failure | None) -> bool:
    """Whether another account may succeed where this one is refused for good."""
    return (
        failure is not None
        and failure.kind in ACCOUNT_REFUSED
        and failure.permanence is Permanence.PERMANENT
    )

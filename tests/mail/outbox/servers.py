"""A server for the courier that needs no socket: it answers as it is told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from custom_components.email_courier.mail.envelope import (
    Delivery,
    Envelope,
    Peek,
    RecipientOutcome,
    Upcoming,
)
from custom_components.email_courier.mail.failure import Failure, FailureKind, Permanence, Stage
from custom_components.email_courier.mail.payload import Payload
from custom_components.email_courier.mail.reply import Reply

OK = Reply(250, ("2.0.0 queued as 4711",))

DOWN = Failure(
    FailureKind.CONNECTION_REFUSED, Stage.CONNECT, Permanence.TEMPORARY, detail="nobody listens"
)
BUSY = Failure(
    FailureKind.SERVER_BUSY,
    Stage.LOGIN,
    Permanence.TEMPORARY,
    Reply(454, ("4.7.0 Temporary authentication failure",)),
)
BLOCKED = Failure(
    FailureKind.GREETING_REJECTED,
    Stage.GREETING,
    Permanence.PERMANENT,
    Reply(554, ("5.7.1 Client host blocked",)),
)
WRONG_PASSWORD = Failure(
    FailureKind.INVALID_AUTH,
    Stage.LOGIN,
    Permanence.PERMANENT,
    Reply(535, ("5.7.8 Username and Password not accepted",)),
)
NOT_OWNED = Failure(
    FailureKind.SENDER_REJECTED,
    Stage.SENDER,
    Permanence.PERMANENT,
    Reply(553, ("5.7.1 Sender address rejected: not owned by user",)),
)
GREYLISTED = Failure(
    FailureKind.DEFERRED, Stage.RECIPIENT, Permanence.TEMPORARY, Reply(450, ("4.2.0 Greylisted",))
)
UNKNOWN_USER = Failure(
    FailureKind.RECIPIENT_REJECTED,
    Stage.RECIPIENT,
    Permanence.PERMANENT,
    Reply(550, ("5.1.1 User unknown",)),
)
HUNG_UP = Failure(FailureKind.DISCONNECTED, Stage.DATA, Permanence.TEMPORARY)
REPLY_LOST = Failure(FailureKind.DISCONNECTED, Stage.ACCEPTED, Permanence.AMBIGUOUS)


@dataclass
class FakeServer:
    """Accepts everything, except what it has been told.

    failure: what every attempt meets, until it is None again.
    next_failures: what the next attempts meet, one each; None in it is success.
    refusals: failures by recipient.
    upload, verdict: closed events hold an attempt up before and after its final dot.
    takes_lost: whether a mail whose reply is lost has arrived all the same.
    upcoming: the mail that was announced with each final dot.
    """

    failure: Failure | None = None
    next_failures: list[Failure | None] = field(default_factory=list)
    refusals: dict[str, Failure] = field(default_factory=dict)
    takes_lost: bool = True
    attempts: list[tuple[str, ...]] = field(default_factory=list)
    mails: list[tuple[str, bytes]] = field(default_factory=list)
    upload: asyncio.Event = field(default_factory=asyncio.Event)
    verdict: asyncio.Event = field(default_factory=asyncio.Event)
    upcoming: list[Upcoming | None] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    def __post_init__(self) -> None:
        """Hold nothing up."""
        self.hold_nothing()

    def hold_nothing(self) -> None:
        """Let new attempts pass; those that are held stay so."""
        self.upload, self.verdict = asyncio.Event(), asyncio.Event()
        self.upload.set()
        self.verdict.set()

    @property
    def inboxes(self) -> dict[str, list[bytes]]:
        """What arrived, by recipient."""
        found: dict[str, list[bytes]] = {}
        for address, data in self.mails:
            found.setdefault(address, []).append(data)
        return found

    async def deliver(
        self,
        envelope: Envelope,
        data: Payload,
        *,
        before_dot: Callable[[], Awaitable[None]] | None,
        peek: Peek | None,
    ) -> Delivery:
        """Make one attempt."""
        self.attempts.append(envelope.recipients)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._deliver(envelope, data, before_dot, peek)
        finally:
            self.at_once -= 1

    async def _deliver(
        self,
        envelope: Envelope,
        data: Payload,
        before_dot: Callable[[], Awaitable[None]] | None,
        peek: Peek | None,
    ) -> Delivery:
        failure = self.next_failures.pop(0) if self.next_failures else self.failure
        await asyncio.sleep(0)
        if failure is not None and failure.permanence is not Permanence.AMBIGUOUS:
            return Delivery.failed(envelope, failure)
        refused = {a: f for a, f in self.refusals.items() if a in envelope.recipients}
        accepted = [a for a in envelope.recipients if a not in refused]
        if accepted:
            await self.upload.wait()
            if before_dot is not None:
                await before_dot()
            if peek is not None:
                self.upcoming.append(peek())
            if failure is None or self.takes_lost:
                self.mails += [(address, bytes(data)) for address in accepted]
            await self.verdict.wait()
        return Delivery(
            tuple(
                RecipientOutcome(address, refused[address].reply, refused[address])
                if address in refused
                else RecipientOutcome(address, OK if failure is None else None, failure)
                for address in envelope.recipients
            ),
            OK if accepted and failure is None else None,
        )

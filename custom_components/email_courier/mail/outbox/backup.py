"""The account that takes over what another one does not bring away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import chain
import logging
import math
import re

from ..envelope import Envelope
from ..failure import ACCOUNT_REFUSED, Failure, MailError, Permanence
from ..payload import IN_MEMORY, gather, pieces_of
from .desk import Desk
from .scheduler import Entry, Job
from .submission import OutboxError, OutgoingMail

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


_LOGGER = logging.getLogger(__name__)


class TakeOver:
    """Offers mails to the backup account, one after the other, once each has waited long enough."""

    def __init__(self, desk: Desk, backup: Backup, returned: Callable[[], None]) -> None:
        """Work at a desk.

        returned: called when a mail was not taken and waits in the line again.
        """
        self._desk = desk
        self._backup = backup
        self._returned = returned
        desk.alarm.serve(desk.backlog.next_offer, self.run)

    def run(self) -> None:
        """Offer what is to be offered by now."""
        offered = self._desk.backlog.take_offered(self._desk.alarm.now())
        if offered:
            self._desk.chores.do(self._offer_all(offered))

    async def _offer_all(self, entries: list[Entry]) -> None:
        for entry in entries:
            await self._offer(entry)
        self._returned()

    async def _offer(self, entry: Entry) -> None:
        desk = self._desk
        backup = self._backup
        entry.offer_at = math.inf
        try:
            job = await desk.keeper.load(entry)
        except OSError as error:
            _LOGGER.warning("A mail cannot be read for the backup account yet: %s", error)
            entry.offer_at = desk.alarm.now() + backup.after
            desk.backlog.put_back(entry, entry.next_attempt)
            desk.reporter.trouble(error)
            return
        if job is None:
            return
        passed = job.record.passed
        if not backup.may_have(passed):
            desk.backlog.put_back(entry, entry.next_attempt)
            return
        now = desk.alarm.now()
        await desk.keeper.mark_dot(job)  # a crash now leaves as much in doubt as one at a dot
        try:
            await backup.hand_over(
                replace(job.record.outgoing(job.data, now), passed=(*passed, backup.own))
            )
        except (MailError, OutboxError) as error:
            _LOGGER.debug("The backup account did not take a mail: %s", error)
            entry.offer_at = now + backup.after
            desk.reporter.trouble(await desk.keeper.lay_down(job, entry.next_attempt))
        else:
            await self._let_go(job)

    async def _let_go(self, job: Job) -> None:
        desk = self._desk
        trouble = await desk.keeper.discard(job)
        desk.reporter.handed_over(job.record, self._backup.account)
        desk.reporter.trouble(trouble)

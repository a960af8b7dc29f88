"""The account that takes over what another one does not bring away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import replace
from itertools import chain
import logging
import math
import re
from typing import NamedTuple

from ..envelope import Envelope
from ..failure import MailError
from ..payload import IN_MEMORY, gather, pieces_of
from .backoff import Backoff
from .events import Notifier
from .runtime import TaskGroup, Timers
from .scheduler import ActiveMail, QueueEntry
from .spool import Spool
from .submission import OutboxError, OutboxReason, OutgoingMail

_LOGGER = logging.getLogger(__name__)

ASK_AGAIN = 5.0
"""Seconds until a backup account is asked again that could not be asked."""
ASKED_FOR = 60.0
"""Seconds from the start for which it is asked whether it has what was offered before a crash."""

type Accept = Callable[[OutgoingMail], Awaitable[None]]
"""Returns when the backup account has the mail on disk. Raises MailError or OutboxError when it
does not take it, and the mail stays where it is; AbsentError when it cannot be asked."""


class AbsentError(MailError):
    """The backup account cannot be asked: it may have taken the mail before a crash, or not."""


class Backup(NamedTuple):
    """The account that takes over.

    own: the id of the account that gives. account: the id of the one that takes.
    after: seconds after which a mail that could not be delivered is given away.
    """

    own: str
    account: str
    hand_over: Accept
    after: float = 300.0

    def accepts(self, visited_accounts: tuple[str, ...]) -> bool:
        """Whether a mail that has visited these accounts has not been there yet."""
        return self.account != self.own and self.account not in visited_accounts


_FIELD = rb"(?P<name>[^\s:]+)[ \t]*:(?P<value>.*?\r\n(?:[ \t].*?\r\n)*)"
_BRACKETED = rb"<[^<>]*>(?=\s*$)"


def readdress(mail: OutgoingMail, sender: str) -> OutgoingMail:
    """Return a mail as from another sender, with the original one to reply to. Blocks.

    sender: the bare address of the backup account. The name before the address stays, and so do
    the Message-ID and an address that replies were already directed to.
    """
    pieces = pieces_of(mail.data, IN_MEMORY)
    head, gap, body = next(pieces).partition(b"\r\n\r\n")
    fields = [(m["name"], m["value"]) for m in re.finditer(_FIELD, head + b"\r\n", re.DOTALL)]
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


def renamed(mail: OutgoingMail, message_id: str) -> OutgoingMail:
    """Return the same mail with another Message-ID. Blocks.

    message_id: with its angle brackets. Its date stays: it says when the mail was written.
    """
    pieces = pieces_of(mail.data, IN_MEMORY)
    head, gap, body = next(pieces).partition(b"\r\n\r\n")
    written = [
        m["name"] + b": " + message_id.encode() + b"\r\n"
        if m["name"].lower() == b"message-id"
        else m.group()
        for m in re.finditer(_FIELD, head + b"\r\n", re.DOTALL)
    ]
    start = b"".join(written).removesuffix(b"\r\n") + gap + body
    return replace(mail, message_id=message_id, data=gather(chain([start], pieces)))


def _from(original: bytes, sender: bytes) -> bytes:
    """Put another address into the value of a From field; its name may be encoded or folded."""
    if re.search(_BRACKETED, original):
        return re.sub(_BRACKETED, lambda _: b"<" + sender + b">", original)
    return b" " + sender + b"\r\n"


class HandOver:
    """Offers mails to the backup account, one after the other, once each has waited long enough."""

    def __init__(
        self,
        backup: Backup | None,
        spool: Spool,
        backoff: Backoff,
        notifier: Notifier,
        timers: Timers,
        tasks: TaskGroup,
    ) -> None:
        self.backup = backup
        self._backoff = backoff
        self._spool = spool
        self._queue = spool.queue
        self._notifier = notifier
        self._timers = timers
        self._tasks = tasks
        self._timer = timers.register(self.run)
        self._asks_until = timers.now() + ASKED_FOR

    def run(self) -> None:
        """Offer what is to be offered by now, and set the timer to the next mail."""
        backup = self.backup
        if backup is None or self._backoff.is_suspended:
            self._timer.set(None)
            return
        offered = self._queue.take_offered(self._timers.now())
        if offered:
            self._tasks.start(self._offer_all(backup, offered))
        self._timer.set(self._queue.next_offer())

    async def _offer_all(self, backup: Backup, entries: list[QueueEntry]) -> None:
        for entry in entries:
            if self._backoff.is_suspended:
                self._queue.put_back(entry, entry.next_attempt)
            else:
                await self._offer(backup, entry)

    async def _offer(self, backup: Backup, entry: QueueEntry) -> None:
        entry.offer_at = math.inf
        try:
            mail = await self._spool.load(entry)
        except OSError as error:
            _LOGGER.warning("A mail cannot be read for the backup account yet: %s", error)
            entry.offer_at = self._timers.now() + backup.after
            self._queue.put_back(entry, entry.next_attempt)
            self._notifier.trouble(error)
            return
        if mail is None:
            return
        if not backup.accepts(mail.record.visited_accounts):
            self._queue.put_back(entry, entry.next_attempt)
            return
        await self._hand_over(backup, mail, entry)

    async def _hand_over(self, backup: Backup, mail: ActiveMail, entry: QueueEntry) -> None:
        now = self._timers.now()
        was_offered = mail.record.is_offered
        next_attempt = 0.0 if was_offered else entry.next_attempt
        outgoing = mail.record.outgoing(mail.data, now)
        visited = (*outgoing.visited_accounts, backup.own)
        if not mail.record.is_offered:
            # Offered there again after a crash, which makes no copy, before it is tried here.
            await self._spool.note(mail, replace(mail.record, is_offered=True))
        try:
            await backup.hand_over(replace(outgoing, visited_accounts=visited))
        except (MailError, OutboxError) as error:
            _LOGGER.debug("The backup account did not take a mail: %s", error)
            if was_offered and not _is_answer(error) and now < self._asks_until:
                # Accounts begin side by side: the other one may not be there yet.
                self._queue.ask_backup(entry, now + ASK_AGAIN)
                return
            entry.offer_at = now + backup.after
            if was_offered:
                mail.record = mail.record.with_lost_reply()
            mail.record = replace(mail.record, is_offered=False)
            await self._spool.defer(mail, next_attempt)
        else:
            trouble = await self._spool.remove(mail)
            self._notifier.handed_over(mail.record, backup.account)
            self._notifier.trouble(trouble)


def _is_answer(error: MailError | OutboxError) -> bool:
    """Whether a refusal says that the backup account has never taken the mail."""
    if isinstance(error, OutboxError):
        return error.reason is not OutboxReason.DISK
    return not isinstance(error, AbsentError)

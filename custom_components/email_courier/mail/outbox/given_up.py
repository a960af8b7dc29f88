"""Mail that was given up, kept for some days so that a person may have it sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from copy import replace
import logging
from pathlib import Path
from typing import NamedTuple

from ..envelope import RecipientOutcome
from ..failure import FailureKind
from ..payload import Payload
from .disk import Disk
from .events import Notifier
from .record import PLAUSIBLE, MailId, MailRecord, OwedRecipient
from .runtime import Host, TaskGroup, Timers
from .spool import Loader, Quota, Recovered
from .store import GIVEN_UP, Store
from .submission import DAY, OutboxError

_LOGGER = logging.getLogger(__name__)

KEPT_FOR = 7 * DAY
"""Seconds."""


class KeptMail(NamedTuple):
    """A mail that was given up, and all that is kept of it.

    ids: one for each time that it was given up for some of its recipients.
    record: owed are all who did not get it.
    """

    ids: tuple[MailId, ...]
    record: MailRecord
    data: Payload


class GivenUpMail:
    """The given-up mails of one account, in a folder within that of the deferred ones.

    They count as waiting nowhere, and make room for mail that waits: the oldest goes first.
    An id here says when a mail was given up, and until when it is kept.
    """

    def __init__(
        self,
        folder: Path,
        host: Host,
        quota: Quota,
        notifier: Notifier,
        timers: Timers,
        tasks: TaskGroup,
    ) -> None:
        self._store = Store(folder / GIVEN_UP)
        self._disk = Disk(self._store, host, notifier.trouble, timers, tasks)
        self._loader = Loader(self._disk, notifier, self._forget)
        self._quota = quota
        self._timers = timers
        self._tasks = tasks
        self._timer = timers.register(self._expire, is_believed=False)
        self._ends: dict[MailId, float] = {}
        self._message_ids: dict[MailId, str] = {}
        self._taken: set[MailId] = set()
        self._size = 0
        self._turn = asyncio.Lock()
        self.idle = self._disk.idle

    def __len__(self) -> int:
        """Count what is kept."""
        return len(self._ends)

    async def open(self) -> Recovered:
        """Take up what an earlier run has kept. Raises OSError."""
        found = await self._disk.run(self._store.open)
        now, clock = self._timers.measured(), self._timers.clock()
        for mail_id in found.mails:
            if mail_id not in self._ends and mail_id not in self._disk.unremoved:
                is_plausible = PLAUSIBLE <= mail_id.created <= clock
                self._add(mail_id, now + (mail_id.expires - clock if is_plausible else KEPT_FOR))
        self._set_timer()
        return Recovered(found.damaged)

    async def keep(
        self, record: MailRecord, outcomes: Sequence[RecipientOutcome], data: Payload | None
    ) -> None:
        """Keep a mail for those who do not get it, where there is room; never raises.

        One that is too large for the server is not: it would be so again.
        """
        owed = tuple(
            OwedRecipient(outcome.address, failure=outcome.failure)
            for outcome in outcomes
            if outcome.failure is None or outcome.failure.kind is not FailureKind.MESSAGE_TOO_LARGE
        )
        if not owed or data is None:
            return
        clock = self._timers.clock()
        mail_id = replace_times(record.id, clock, clock + KEPT_FOR)
        kept = replace(
            record, id=mail_id, owed=owed, next_attempt=0.0, is_offered=False, noted=clock
        )
        async with self._turn:
            if not await self._has_room_after_leaving(mail_id.size):
                return
            try:
                await self._disk.write(kept, data)
            except OutboxError as error:
                _LOGGER.debug("A mail that was given up cannot be kept: %s", error)
                return
            self._add(mail_id, self._timers.measured() + KEPT_FOR)
            self._message_ids[mail_id] = record.message_id
        self._set_timer()

    def make_room(self) -> None:
        """Let the oldest go where waiting mail needs the room."""
        if self._ends and not self._has_room(0, 0):
            self._tasks.start(self._leave_room())

    async def records(self) -> Sequence[MailRecord]:
        """Return the records of all that is kept, the latest first."""
        ids = sorted(self._ends, key=lambda mail_id: mail_id.created_ms, reverse=True)
        records, _ = await self._loader.read_records(ids, self._ends.__contains__)
        return records

    def holds(self, message_id: str) -> bool:
        """Whether a mail was given up in this run and is kept."""
        return message_id in self._message_ids.values()

    async def take(self, message_id: str) -> KeptMail | None:
        """Take a mail to send it again, for all who did not get it; None where none is kept.

        message_id: with or without its brackets; that of a mail in a digest means the digest.
        Nobody else can take it until it is put back or removed. Raises OSError.
        """
        wanted = bare(message_id)
        found = [
            record
            for record in await self.records()
            if wanted in {bare(record.message_id), *(bare(p.message_id) for p in record.stands_for)}
            and record.id not in self._taken
        ]
        found = [record for record in found if record.checksum == found[0].checksum]
        ids = tuple(record.id for record in found)
        self._taken.update(ids)
        try:
            data = None
            if found:
                data = await self._loader.read(ids[0], self._store.read_message, found[0])
        except BaseException:
            self._taken.difference_update(ids)
            raise
        if data is None:
            self._taken.difference_update(ids)
            return None
        owed = {each.address: each for record in found for each in record.owed}
        return KeptMail(ids, replace(found[0], owed=tuple(owed.values())), data)

    def put_back(self, kept: KeptMail) -> None:
        """Go on keeping a mail."""
        self._taken.difference_update(kept.ids)

    async def remove(self, kept: KeptMail) -> None:
        """Keep a mail no more."""
        for mail_id in kept.ids:
            await self._remove(mail_id)
        self._taken.difference_update(kept.ids)

    def _has_room(self, mails: int, size: int) -> bool:
        limits = self._quota.limits
        return (
            self._quota.mails + len(self._ends) + mails <= limits.mails
            and self._quota.size + self._size + size <= limits.size
        )

    async def _has_room_after_leaving(self, size: int) -> bool:
        """Tell whether there is room for one more, once older ones have gone if need be."""
        limits = self._quota.limits
        if self._quota.mails >= limits.mails or self._quota.size + size > limits.size:
            return False
        await self._leave(1, size)
        return self._has_room(1, size)

    async def _leave_room(self) -> None:
        async with self._turn:
            await self._leave(0, 0)

    async def _leave(self, mails: int, size: int) -> None:
        for mail_id in sorted(self._ends, key=lambda mail_id: mail_id.created_ms):
            if self._has_room(mails, size):
                return
            if mail_id not in self._taken:
                await self._remove(mail_id)

    def _expire(self) -> None:
        now = self._timers.measured()
        over = [mail_id for mail_id, ends in self._ends.items() if ends <= now]
        self._tasks.start(self._remove_all(over))

    async def _remove_all(self, mail_ids: Iterable[MailId]) -> None:
        for mail_id in mail_ids:
            await self._remove(mail_id)
        self._set_timer()

    async def _remove(self, mail_id: MailId) -> None:
        if mail_id not in self._ends:
            return
        self._forget(mail_id)
        try:
            await self._disk.remove(mail_id)
        except OSError as error:
            _LOGGER.debug("A mail that was given up cannot be removed yet: %s", error)

    def _add(self, mail_id: MailId, ends: float) -> None:
        self._ends[mail_id] = ends
        self._size += mail_id.size

    def _forget(self, mail_id: MailId) -> None:
        if self._ends.pop(mail_id, None) is not None:
            self._size -= mail_id.size
            self._message_ids.pop(mail_id, None)

    def _set_timer(self) -> None:
        self._timer.set(min(self._ends.values(), default=None))


def replace_times(mail_id: MailId, created: float, expires: float) -> MailId:
    """Return an id of its own for the same message with other times (UTC timestamps)."""
    return mail_id._replace(created_ms=int(created * 1000), expires_ms=int(expires * 1000))


def bare(message_id: str) -> str:
    """Return a Message-ID without its brackets, with and without which it is the same."""
    return message_id.strip().removeprefix("<").removesuffix(">")

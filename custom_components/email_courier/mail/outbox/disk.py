"""The store as the event loop uses it: one call after the other, each removal made good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import logging

from ..payload import Payload
from .record import MailId, MailRecord
from .runtime import Host, TaskGroup, Timers
from .store import Store
from .submission import OutboxError, OutboxReason

_LOGGER = logging.getLogger(__name__)

REMOVE_AFTER = 60.0
"""Seconds until files are removed again that could not be removed."""


class Disk:
    """Runs the store's calls in the order they were asked for.

    A call that has begun runs to its end whatever becomes of the one who waits for it.

    unremoved: mails nobody is owed any more, of which the disk has not let go.
    """

    def __init__(
        self,
        store: Store,
        host: Host,
        trouble: Callable[[OSError], None],
        timers: Timers,
        tasks: TaskGroup,
    ) -> None:
        """Use a store, whose calls run through the host's executor.

        trouble: told why a mail could not be written.
        """
        self.store = store
        self.unremoved: set[MailId] = set()
        self._timers = timers
        self._tasks = tasks
        self._timer = timers.register(lambda: tasks.start(self.remove_left()))
        self._trouble = trouble
        self._host = host
        self._turn = asyncio.Lock()
        self._unwritten: list[tuple[MailRecord, Payload]] = []
        self._batch: asyncio.Task[list[OSError | None]] | None = None

    async def run[*Ts, T](self, call: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run one call of the store. Raises what the call raises."""
        return await asyncio.shield(self._host.spawn(self._run(call, *args), "outbox file"))

    async def write(self, record: MailRecord, data: Payload) -> None:
        """Put one mail on disk, together with all others that ask for it in the meantime.

        Raises OutboxError.
        """
        place = len(self._unwritten)
        self._unwritten.append((record, data))
        if self._batch is None:
            self._batch = self._host.spawn(self._write_batch(), "outbox write")
        try:
            error = (await asyncio.shield(self._batch))[place]
        except OSError as raised:
            error = raised
        if error is not None:
            self._trouble(error)
            raise OutboxError(OutboxReason.DISK, str(error), system=error.errno) from error

    async def remove(self, mail_id: MailId) -> None:
        """Remove the files of a mail.

        Raises OSError; what could not be removed is removed as soon as the disk lets it.
        """
        self.unremoved.add(mail_id)
        try:
            await self.run(self.store.remove, mail_id)
        except OSError:
            self._timer.set_earlier(self._timers.now() + REMOVE_AFTER)
            raise
        self.unremoved.discard(mail_id)

    async def remove_left(self) -> None:
        """Remove what could not be removed before."""
        for mail_id in tuple(self.unremoved):
            try:
                await self.remove(mail_id)
            except OSError as error:
                _LOGGER.debug("The files of a mail can still not be removed: %s", error)
                return

    async def idle(self) -> None:
        """Wait until nothing is being written any more, and nothing is left to be removed."""
        await self.remove_left()
        async with self._turn:
            pass

    async def _run[*Ts, T](self, call: Callable[[*Ts], T], *args: *Ts) -> T:
        async with self._turn:
            return await self._host.run_blocking(call, *args)

    async def _write_batch(self) -> list[OSError | None]:
        # A host may run a task at once: this one must be known before it takes its batch.
        await asyncio.sleep(0)
        async with self._turn:
            batch, self._unwritten, self._batch = self._unwritten, [], None
            results = await self._host.run_blocking(self.store.write, batch)
        if self.unremoved and None in results:
            self._tasks.start(self.remove_left())
        return results

"""The store as the event loop uses it: one job after another, writes that share a sync."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..payload import Payload
from .errors import OutboxError, OutboxReason
from .host import Host
from .record import MailRecord
from .store import Store


class Disk:
    """Runs the store's calls in the order they were asked for.

    A job that has begun runs to its end whatever becomes of the one who waits for it.
    """

    def __init__(self, store: Store, host: Host, trouble: Callable[[OSError], None]) -> None:
        """Use a store, whose calls run through the host's executor.

        trouble: told why a mail could not be written.
        """
        self.store = store
        self._trouble = trouble
        self._host = host
        self._turn = asyncio.Lock()
        self._unwritten: list[tuple[MailRecord, Payload]] = []
        self._batch: asyncio.Task[list[OSError | None]] | None = None

    async def run[*Ts, T](self, call: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run one call of the store. Raises what the call raises."""
        return await asyncio.shield(self._host.finish(self._run(call, *args), "outbox file"))

    async def write(self, record: MailRecord, data: Payload) -> None:
        """Put one mail on disk, together with all others that ask for it in the meantime.

        Raises OutboxError.
        """
        place = len(self._unwritten)
        self._unwritten.append((record, data))
        if self._batch is None:
            self._batch = self._host.finish(self._write_batch(), "outbox write")
        try:
            error = (await asyncio.shield(self._batch))[place]
        except OSError as raised:
            error = raised
        if error is not None:
            self._trouble(error)
            raise OutboxError(OutboxReason.DISK, str(error)) from error

    async def idle(self) -> None:
        """Wait until nothing is being written any more."""
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
            return await self._host.run_blocking(self.store.write, batch)

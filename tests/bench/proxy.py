"""A line with a delay, which counts the round trips that are made over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self

_CHUNK = 65_536


class SlowLine:
    """Leads from a port of its own to another one of loopback.

    round_trips: how often a client has waited for the server. A connection counts as two (TCP's
    own, and the wait for the greeting); after that each answer to what the server has said is one.
    """

    def __init__(self, port: int, delay: float = 0.020) -> None:
        """Lead to a port; delay: seconds for there and back."""
        self._target = port
        self._delay = delay
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.round_trips = 0

    @property
    def port(self) -> int:
        """Where to connect to."""
        assert self._server
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._lead, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Drop all connections."""
        assert self._server
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            await self._lead_on(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _lead_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.round_trips += 2
        # SYN, SYN-ACK and ACK: the server knows of a connection after one way and a half.
        await asyncio.sleep(1.5 * self._delay)
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        has_heard = False

        def to_server() -> None:
            nonlocal has_heard
            if has_heard:
                self.round_trips += 1
                has_heard = False

        def to_client() -> None:
            nonlocal has_heard
            has_heard = True

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, server_writer, came=to_server))
                group.create_task(self._pump(server_reader, writer, goes=to_client))
        except* OSError:  # whichever end is gone, the other goes too
            pass
        finally:
            server_writer.transport.abort()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        came: Callable[[], None] = lambda: None,
        goes: Callable[[], None] = lambda: None,
    ) -> None:
        """Pass everything on after half the delay; came, goes: called before and after that."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(max(due - loop.time(), 0))
                if not data:
                    writer.write_eof()
                    return
                goes()
                writer.write(data)
                await writer.drain()

        async with asyncio.TaskGroup() as group:
            group.create_task(arrive())
            while data := await reader.read(_CHUNK):
                came()
                under_way.put_nowait((loop.time() + self._delay / 2, data))
            under_way.put_nowait((loop.time() + self._delay / 2, b""))

"""What all test servers have in common: they listen, keep a record and leave nothing behind."""

from abc import ABC, abstractmethod
import asyncio
import contextlib
import errno
import socket
import ssl
from types import TracebackType
from typing import Self

from tests.support.record import Record
from tests.support.stream import PeerGoneError, Stream

LOOPBACK = "127.0.0.1"
LOOPBACK6 = "::1"


class Listener(ABC):
    """A server on loopback, on the same free port of each of its addresses.

    Use it as an asynchronous context manager, or call `start` and `stop`; a server that is
    started again listens where it did before and keeps its record.
    """

    def __init__(
        self, *, hosts: tuple[str, ...] = (LOOPBACK,), receive_buffer: int | None = None
    ) -> None:
        """Prepare a server; `receive_buffer` bytes (None: the system's own) is TCP's window."""
        self.record = Record()
        self.hosts = hosts
        self.port = 0
        self._receive_buffer = receive_buffer
        self._servers: list[asyncio.Server] = []
        self._streams: dict[asyncio.Task[None], Stream] = {}
        self._faults: list[Exception] = []
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def host(self) -> str:
        """The first of its addresses."""
        return self.hosts[0]

    @abstractmethod
    async def converse(self, stream: Stream, number: int) -> None:
        """Serve one connection; what it raises besides the client's leaving is a bug of ours."""

    async def start(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        for listening in self._bind():
            self._servers.append(await loop.create_server(self._accept, sock=listening))

    def _bind(self) -> list[socket.socket]:
        """Return a listening socket for each address, all on one port."""
        while True:
            bound: list[socket.socket] = []
            port = self.port
            try:
                for host in self.hosts:
                    bound.append(_bind(host, port, self._receive_buffer))
                    port = bound[0].getsockname()[1]
            except OSError as err:
                for listening in bound:
                    listening.close()
                # A free port of the first address may be taken on the second.
                if self.port or err.errno != errno.EADDRINUSE:
                    raise
            else:
                self.port = port
                return bound

    def _accept(self) -> Stream:
        self.record.connections += 1
        number = self.record.connections
        clear = self.record.clear.setdefault(number, bytearray())

        def opened(stream: Stream) -> None:
            self.record.open_connections += 1
            self._idle.clear()
            task = asyncio.get_running_loop().create_task(self._serve(stream, number))
            self._streams[task] = stream
            task.add_done_callback(self._finished)

        return Stream(opened, clear.extend)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._streams.pop(task).close()
        self.record.open_connections -= 1
        if not self.record.open_connections:
            self._idle.set()
        if not task.cancelled() and isinstance(fault := task.exception(), Exception):
            self._faults.append(fault)

    async def _serve(self, stream: Stream, number: int) -> None:
        try:
            await self.converse(stream, number)
        except PeerGoneError:
            pass
        except ssl.SSLError as err:
            self.record.tls_failures.append(str(err))

    async def stop(self) -> None:
        """Stop listening and tear down all connections. Raises what went wrong in the bed."""
        for server in self._servers:
            server.close()
        tasks = [*self._streams]
        for task in tasks:
            self._streams[task].reset()
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for server in self._servers:
            server.abort_clients()
            await server.wait_closed()
        self._servers.clear()
        if self._faults:
            raise ExceptionGroup("the test server itself failed", self._faults)

    async def all_closed(self, within: float = 1.0) -> bool:
        """Return whether no connection is open, waiting up to `within` seconds for it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._idle.wait()
        return not self.record.open_connections

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()


def _bind(host: str, port: int, receive_buffer: int | None) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio only switches Nagle's algorithm off, which costs 40 ms here and there, where it sees
    # that the protocol is TCP.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listening.family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if receive_buffer is not None:
            # Before listening: the window's scale is agreed on as the connection is made.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening

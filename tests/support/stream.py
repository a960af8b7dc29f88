"""One accepted TCP connection, with TLS that can start at any byte, or never.

asyncio's own streams hide what a fault server has to decide: which bytes came in clear, what
share of a reply goes into one segment, and whether a connection ends by FIN or by RST. TLS is
done here on memory buffers, so that all of it stays in hand.
"""

import asyncio
from collections.abc import Callable
import contextlib
import math
import socket
import ssl
import struct

_TCP_CLOSED = frozenset({7, 8})  # CLOSE and CLOSE_WAIT of Linux's enum in net/tcp_states.h
_POLL = 0.02


class PeerGoneError(Exception):
    """The client has closed or reset the connection, or has closed TLS."""


class Stream(asyncio.Protocol):
    """The server's end of a connection."""

    def __init__(
        self, opened: Callable[[Stream], None], clear_bytes: Callable[[bytes], None]
    ) -> None:
        """Call `opened` once connected, and `clear_bytes` with all that comes in outside TLS."""
        self._opened = opened
        self._clear_bytes = clear_bytes
        self._received = bytearray()
        self._arrived = asyncio.Event()
        self._gone = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._tls: ssl.SSLObject | None = None
        self._handshaking = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport and hand the connection over."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._opened(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the network."""
        if self._tls is None or self._handshaking:
            self._clear_bytes(data)
        if self._tls is None:
            self._received += data
        else:
            self._incoming.write(data)
            if not self._handshaking:
                self._decrypt()
        self._arrived.set()

    def eof_received(self) -> bool:
        """Notice the client's FIN; the transport stays open for what is still to be sent."""
        self._leave()
        return True

    def connection_lost(self, _exc: Exception | None) -> None:
        """Notice a reset, or that this end has closed."""
        self._leave()

    def _leave(self) -> None:
        self._gone.set()
        self._arrived.set()

    # What the server asks.

    @property
    def encrypted(self) -> bool:
        """Whether a TLS handshake has been completed."""
        return self._tls is not None and not self._handshaking

    @property
    def tls_version(self) -> str | None:
        """The protocol agreed on, such as `TLSv1.3`."""
        return self._tls.version() if self._tls is not None else None

    @property
    def waiting(self) -> int:
        """How many received bytes nobody has read yet."""
        return len(self._received)

    def discard(self) -> None:
        """Throw away what was received and not read yet."""
        self._received.clear()

    async def read_line(self) -> bytes:
        """Return the next line with its line feed. Raises PeerGoneError when none can come."""
        while (end := self._received.find(b"\n")) < 0:
            await self._more()
        line = bytes(self._received[: end + 1])
        del self._received[: end + 1]
        return line

    async def peek(self, length: int) -> bytes:
        """Return the next bytes and leave them to be read. Raises PeerGoneError like the others."""
        while len(self._received) < length:
            await self._more()
        return bytes(self._received[:length])

    async def read_some(self) -> bytes:
        """Return what has come in, at least one byte. Raises PeerGoneError when none can come."""
        while not self._received:
            await self._more()
        data = bytes(self._received)
        self._received.clear()
        return data

    async def _more(self) -> None:
        if self._gone.is_set():
            raise PeerGoneError
        self._arrived.clear()
        await self._arrived.wait()

    def push_back(self, data: bytes) -> None:
        """Make these bytes the next ones to be read."""
        self._received[:0] = data

    async def start_tls(self, context: ssl.SSLContext, drip: float = 0) -> None:
        """Be the server of a TLS handshake; bytes not read yet are its first ones.

        With `drip` each byte of the server's waits that many seconds.

        Raises ssl.SSLError where it fails (the client has been sent the alert), PeerGoneError
        where the client leaves.
        """
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._tls = tls
        self._handshaking = True
        self._incoming.write(bytes(self._received))
        self._received.clear()
        while True:
            self._arrived.clear()
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush_slowly(drip)
                if self._gone.is_set():
                    raise PeerGoneError from None
                await self._arrived.wait()
            except ssl.SSLError:
                self._flush()
                raise
            else:
                break
        await self._flush_slowly(drip)
        self._handshaking = False
        self._decrypt()

    def _decrypt(self) -> None:
        assert self._tls is not None
        try:
            while data := self._tls.read(65536):
                self._received += data
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError:
            # A damaged record: no server reads on after that.
            pass
        self._leave()

    async def _flush_slowly(self, drip: float) -> None:
        if not drip:
            self._flush()
            return
        assert self._transport is not None
        for byte in self._outgoing.read():
            await self.pause(drip)
            self._transport.write(bytes([byte]))

    def _flush(self) -> None:
        if (data := self._outgoing.read()) and self._transport is not None:
            self._transport.write(data)

    def send(self, data: bytes) -> None:
        """Send bytes at once, as one segment or TLS record where they fit into one."""
        if self._transport is None or self._transport.is_closing():
            raise PeerGoneError
        if self._tls is not None and not self._handshaking:
            self._tls.write(data)
            self._flush()
        else:
            self._transport.write(data)

    async def pause(self, seconds: float) -> None:
        """Do nothing for a time, `math.inf` allowed. Raises PeerGoneError as the client leaves."""
        try:
            async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                await self._gone.wait()
        except TimeoutError:
            return
        raise PeerGoneError

    async def stop_reading(self, seconds: float) -> None:
        """Let the client's bytes pile up for a time, `math.inf` allowed, then read on.

        Nothing that is not read can tell that the client has left, so the kernel is asked
        instead (Linux only). Raises PeerGoneError when it has.
        """
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        connection: socket.socket = self._transport.get_extra_info("socket")
        self._transport.pause_reading()
        try:
            while loop.time() < until:
                await asyncio.sleep(min(_POLL, until - loop.time()))
                if _closed_by_peer(connection):
                    raise PeerGoneError
        finally:
            self._transport.resume_reading()

    # How it ends.

    def close(self) -> None:
        """End in an orderly way: TLS is closed first."""
        if self.encrypted and not self._gone.is_set():
            assert self._tls is not None
            # It raises always, as the client's own close is never waited for.
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            self._flush()
        self.hang_up()

    def hang_up(self) -> None:
        """End by FIN alone, as a server that crashed or lost its patience."""
        self._leave()
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """End by RST, as a firewall or a process that was killed."""
        self._leave()
        if self._transport is not None and not self._transport.is_closing():
            connection: socket.socket = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()


def _closed_by_peer(connection: socket.socket) -> bool:
    if not hasattr(socket, "TCP_INFO"):
        return False
    state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state in _TCP_CLOSED

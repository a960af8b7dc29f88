"""The message of a mail: in memory while it is small, in a file when it is large.

So a mail with a video takes no more memory than one with a picture, whichever way it goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
import hashlib
import os
from pathlib import Path
import tempfile
import time
import weakref

from .files import PIECE, OpenedFile

IN_MEMORY = 1_048_576
"""Bytes up to which a message is kept in memory."""

_TURN = 65_536
"""Bytes that are put together between two pauses."""
_PAUSE = 0.000_05
"""Seconds. Python's lock is let go again and again, but never for as long as another thread takes
to wake up: without pauses the event loop would wait until it is taken away, for 5 ms and more."""


class FilePayload:
    """A large message in an open file, which is closed when nobody holds this any more.

    The file may lose its name meanwhile. Several threads may read at the same time.
    """

    def __init__(self, descriptor: int, size: int, checksum: str) -> None:
        """Own a descriptor. size: bytes; checksum: SHA-256 in lower-case hex."""
        self.checksum = checksum
        self._file = OpenedFile(descriptor, size, _close_apart)

    def __len__(self) -> int:
        """Return its length in bytes."""
        return len(self._file)

    def __bytes__(self) -> bytes:
        """Return all of it; takes as much memory."""
        return bytes(self._file)

    def pieces(self, size: int = PIECE) -> Iterator[bytes]:
        """Yield it in pieces of so many bytes. Blocks. Raises OSError."""
        return self._file.pieces(size)


def _close_apart(descriptor: int) -> None:
    """Close a file, on the event loop in a worker thread.

    A file without a name goes with its last descriptor, and so large a one takes some milliseconds.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        os.close(descriptor)
    else:  # not from here, which is wherever memory is collected, maybe within the executor itself
        loop.call_soon(_close_in_worker, loop, descriptor)


def _close_in_worker(loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
    try:
        loop.run_in_executor(None, os.close, descriptor)
    except RuntimeError:  # the loop is about to end
        os.close(descriptor)


type Payload = bytes | FilePayload
"""len() is the length in bytes, bytes() the whole message."""


def pieces_of(payload: Payload, size: int = PIECE) -> Iterator[bytes]:
    """Yield a message in pieces of so many bytes. Blocks where it is in a file. Raises OSError."""
    if isinstance(payload, FilePayload):
        return payload.pieces(size)
    return (payload[start : start + size] for start in range(0, len(payload), size))


def checksum_of(payload: Payload) -> str:
    """Return the SHA-256 of a message, in lower-case hex."""
    if isinstance(payload, FilePayload):
        return payload.checksum
    return hashlib.sha256(payload).hexdigest()


def gather(pieces: Iterable[bytes]) -> Payload:
    """Put a message together. Blocks; raises what the pieces raise.

    A large one goes into a temporary file without a name. Where there is no room for that, it
    stays in memory: a full disk is a reason to send a mail, not to lose it.
    """
    rest = _with_pauses(pieces)
    start: list[bytes] = []
    size = 0
    for piece in rest:
        start.append(piece)
        size += len(piece)
        if size > IN_MEMORY:
            spool = _Spool(b"".join(start))
            start.clear()
            for further in rest:
                spool.add(further)
            return spool.payload()
    return b"".join(start)


def _with_pauses(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces, and in a worker thread let other threads have their turn now and then."""
    is_on_loop = _has_loop()
    size = 0
    for piece in pieces:
        yield piece
        size += len(piece)
        if size >= _TURN and not is_on_loop:
            time.sleep(_PAUSE)
            size = 0


def _has_loop() -> bool:
    """Tell whether this thread is that of an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def read(path: Path) -> Payload:
    """Read a message from a file, or open a large one. Blocks. Raises OSError."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= IN_MEMORY:
            return file.readall()
        digest = hashlib.file_digest(file, "sha256")
        return FilePayload(os.dup(file.fileno()), size, digest.hexdigest())


class _Spool:
    """A temporary file that grows, or as much memory where it cannot."""

    def __init__(self, data: bytes) -> None:
        self._digest = hashlib.sha256()
        self._size = 0
        self._memory: list[bytes] | None = None
        self._descriptor = -1
        try:
            with tempfile.TemporaryFile(buffering=0) as file:
                self._descriptor = os.dup(file.fileno())
        except OSError:
            self._memory = []
        else:
            self._closing = weakref.finalize(self, os.close, self._descriptor)
        self.add(data)

    def add(self, data: bytes) -> None:
        if self._memory is None:
            try:
                self._write(data)
            except OSError:
                self._memory = [os.pread(self._descriptor, self._size, 0)]
        if self._memory is not None:
            self._memory.append(data)
            return
        self._digest.update(data)
        self._size += len(data)

    def payload(self) -> Payload:
        if self._memory is not None:
            return b"".join(self._memory)
        self._closing.detach()
        return FilePayload(self._descriptor, self._size, self._digest.hexdigest())

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        at = self._size
        while view:
            written = os.pwrite(self._descriptor, view, at)
            view = view[written:]
            at += written

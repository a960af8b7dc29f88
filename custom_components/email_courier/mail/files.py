"""Files that are read on someone's word: opened once, checked by what was opened, read no further.

Whoever may write to a folder can exchange a name in it at any time. So nothing that was found out
about a name counts for what is read later; everything is asked of the open file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
import io
import os
from pathlib import Path
import stat
import threading
from typing import BinaryIO, cast
import weakref

PIECE = 65_536
"""Bytes that are read at a time."""

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
# Where there is O_PATH, a folder need not be readable to be passed through.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | _NO_LINK
# Opening a pipe would wait for its other end, and a terminal would become ours.
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | _NO_LINK


class FileFault(StrEnum):
    """Why a file is not read. The value is what a log says."""

    NOT_ALLOWED = "the folder is not allowed"
    NOT_FOUND = "there is no such file"
    NOT_REGULAR = "not a regular file"
    TOO_LARGE = "the file is too large"
    EMPTY = "the file is empty"
    CHANGED = "the file became shorter while it was read"
    UNREADABLE = "the file cannot be read"


class FileError(OSError):
    """A file that is not read, and why."""

    def __init__(self, fault: FileFault, detail: str = "") -> None:
        """Name the fault. detail: what the system says."""
        super().__init__(f"{fault}: {detail}" if detail else str(fault))
        self.fault = fault


class OpenedFile:
    """An open file as long as it was when it was opened.

    It may lose its name meanwhile. Several threads may read at the same time. It is closed when
    that is said, at the latest when nobody holds this any more: an error that is kept somewhere
    keeps all that was at hand where it was raised.
    """

    def __init__(self, descriptor: int, size: int, close: Callable[[int], None] = os.close) -> None:
        """Own a descriptor. size: bytes that are read; the file may be longer.

        close: closes the descriptor, on whichever thread lets go of it.
        """
        self._descriptor = descriptor
        self._size = size
        self._closing = weakref.finalize(self, close, descriptor)
        self._lock = threading.Lock()
        self._reads = 0
        self._is_closed = False

    def __len__(self) -> int:
        """Return its length in bytes."""
        return self._size

    def __bool__(self) -> bool:
        """Be there, even when it is empty."""
        return True

    def __bytes__(self) -> bytes:
        """Return all of it; takes as much memory. Blocks. Raises FileError."""
        return b"".join(self.pieces())

    def close(self) -> None:
        """Close it; reads that are under way come to their end first. Never waits for them."""
        with self._lock:
            self._is_closed = True
            self._close_when_idle()

    def head(self, size: int) -> bytes:
        """Return the first bytes, fewer only where there are fewer. Blocks. Raises FileError."""
        return self.read(0, size)

    def stream(self) -> BinaryIO:
        """Return it as a file object, which reads no more than it is asked. Raises FileError."""
        return cast("BinaryIO", io.BufferedReader(_Stream(self)))

    def read(self, start: int, size: int) -> bytes:
        """Return so many bytes from there on, fewer only at the end. Blocks. Raises FileError."""
        return self._read(start, max(min(size, self._size - start), 0))

    def pieces(self, size: int = PIECE) -> Iterator[bytes]:
        """Yield it in pieces of exactly so many bytes, the last one shorter.

        Blocks. Raises FileError: CHANGED for a file that has become shorter.
        """
        for start in range(0, self._size, size):
            yield self._read(start, min(size, self._size - start))

    def _read(self, start: int, size: int) -> bytes:
        parts: list[bytes] = []
        missing = size
        while missing:
            part = self._read_some(start + size - missing, missing)
            if not part:
                raise FileError(FileFault.CHANGED)
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _read_some(self, start: int, size: int) -> bytes:
        # The number of a closed descriptor soon is another file's.
        with self._lock:
            if self._is_closed:
                raise FileError(FileFault.UNREADABLE, "it was closed")
            self._reads += 1
        try:
            return os.pread(self._descriptor, size, start)
        except OSError as error:
            raise FileError(FileFault.UNREADABLE, str(error)) from error
        finally:
            with self._lock:
                self._reads -= 1
                self._close_when_idle()

    def _close_when_idle(self) -> None:
        if self._is_closed and not self._reads:
            self._closing()


class _Stream(io.RawIOBase):
    """An open file as Python's own file objects want one; leaves it open."""

    def __init__(self, file: OpenedFile) -> None:
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._file)}[whence]
        self._at = begin + offset
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override] # any buffer
        data = self._file.read(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def open_file(
    path: str | os.PathLike[str],
    is_allowed: Callable[[Path], bool] | None = None,
    *,
    limit: int | None = None,
) -> OpenedFile:
    """Open a regular file. Blocks, but waits for nobody.

    Links are followed once, to the real path, which is_allowed is asked about; from there each step
    is taken without links, so that what is opened lies where that path says, whatever was
    exchanged in between. limit: most bytes. Raises FileError, and nothing else.
    """
    try:
        real = Path(path).resolve()
        if is_allowed is None or is_allowed(real):
            return _opened(real, limit)
    except FileError:
        raise
    except FileNotFoundError as error:
        raise FileError(FileFault.NOT_FOUND) from error
    except (OSError, ValueError) as error:
        raise FileError(FileFault.UNREADABLE, str(error)) from error
    raise FileError(FileFault.NOT_ALLOWED)


def _opened(real: Path, limit: int | None) -> OpenedFile:
    """Open a file step by step from the root, following no link. Raises OSError."""
    name = real.name or "."
    folder = os.open(real.anchor, _FOLDER)
    try:
        for step in real.parts[1:-1]:
            inner = os.open(step, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        # Some devices do something when they are merely opened.
        _check_regular(os.stat(name, dir_fd=folder, follow_symlinks=False))
        descriptor = os.open(name, _FILE, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        status = os.fstat(descriptor)
        _check_regular(status)
        _check_size(status.st_size, limit)
    except OSError:
        os.close(descriptor)
        raise
    return OpenedFile(descriptor, status.st_size)


def _check_regular(status: os.stat_result) -> None:
    # A link has a name of its own for what is wrong: opening it says that.
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
        raise FileError(FileFault.NOT_REGULAR)


def _check_size(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise FileError(FileFault.TOO_LARGE, f"{size} bytes, at most {limit}")

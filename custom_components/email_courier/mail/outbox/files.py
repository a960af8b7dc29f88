"""Files that are whole or not there, whenever the power fails."""

from __future__ import annotations

from collections.abc import Iterable
import contextlib
import os
from pathlib import Path

from ..payload import Payload, pieces_of

TEMPORARY = ".tmp"
"""The end of a file's name while it is being written."""
DAMAGED = "damaged"
"""The subfolder of files that are not what was written."""


def write_file(path: Path, data: Payload) -> None:
    """Write a file that is either whole or not there; its name is synced by the caller.

    Blocks. Raises OSError.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            for piece in pieces_of(data):
                view = memoryview(piece)
                while view:
                    view = view[file.write(view) :]
            os.fsync(descriptor)
        temporary.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder safe against a power cut. Blocks. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def set_aside(paths: Iterable[Path]) -> None:
    """Move damaged files into a subfolder, for a person to look at. Blocks. Raises OSError."""
    for path in paths:
        aside = path.parent / DAMAGED
        aside.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            path.rename(aside / path.name)

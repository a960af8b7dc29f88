"""A message as it goes over the wire: in pieces, with every leading dot doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Self

from .payload import FilePayload, Payload, pieces_of


class Upload:
    """The pieces of a message; those of a file are read and stuffed off the loop."""

    def __init__(self, data: Payload) -> None:
        """Begin at its beginning."""
        self._pieces = _stuffed(pieces_of(data))
        self._blocks = isinstance(data, FilePayload)

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece, which is never empty. Raises OSError."""
        if self._blocks:
            loop = asyncio.get_running_loop()
            piece = await loop.run_in_executor(None, next, self._pieces, None)
        else:
            piece = next(self._pieces, None)
        if piece is None:
            raise StopAsyncIteration
        return piece


def _stuffed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Double every leading dot (RFC 5321 section 4.5.2).

    The message ends with a line end in any case; the final dot is not part of it.
    """
    end = b"\n"
    for piece in pieces:
        doubled = piece.replace(b"\n.", b"\n..")
        yield b"." + doubled if end.endswith(b"\n") and piece.startswith(b".") else doubled
        end = (end + piece)[-2:]
    if end != b"\r\n":
        yield b"\r\n"

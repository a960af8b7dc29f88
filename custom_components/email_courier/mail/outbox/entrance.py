"""Who is inside, so that nobody locks up while somebody is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
import contextlib


class Entrance:
    """Counts the callers who have come in and not left."""

    def __init__(self) -> None:
        """Begin with nobody inside."""
        self._inside = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @contextlib.contextmanager
    def visit(self) -> Iterator[None]:
        """Be inside."""
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    async def empty(self) -> None:
        """Wait until everybody has left."""
        await self._empty.wait()

"""Which held mails a digest stands for, so that a crash between the two loses and doubles none."""

from __future__ import annotations

from collections.abc import Sequence
import json
from pathlib import Path

from .files import write_file
from .mail_id import MailId
from .store import Store

MERGE = ".merge"


class Merges:
    """Notes in the folder of held mail; every method blocks and raises OSError.

    A digest is put on disk between begin() and end(), and not attempted before end().
    """

    def __init__(self, held: Store, waiting: Store) -> None:
        """Note what moves from the one store to the other."""
        self._held = held
        self._waiting = waiting

    def begin(self, digest: MailId, parts: Sequence[MailId]) -> None:
        """Note that these mails are about to become that one."""
        data = json.dumps([str(part) for part in parts]).encode()
        write_file(self._path(str(digest)), data)
        self._held.sync()

    def end(self, digest: MailId, parts: Sequence[MailId]) -> None:
        """Forget the mails that have become another one."""
        for part in parts:
            self._held.remove(part)
        self._path(str(digest)).unlink(missing_ok=True)

    def mend(self) -> None:
        """End what a crash has interrupted, if it had come so far, or forget about it."""
        for path in self._held.folder.glob(f"*{MERGE}"):
            digest = MailId.parse(path.name.removesuffix(MERGE))
            parts = _read(path)
            if digest is not None and self._waiting.holds(digest):
                for part in parts:
                    self._held.remove(part)
            path.unlink()

    def _path(self, digest: str) -> Path:
        return self._held.folder / f"{digest}{MERGE}"


def _read(path: Path) -> list[MailId]:
    """Return the parts; a note that was not written to its end is one of a digest that is not."""
    try:
        names = json.loads(path.read_bytes())
    except ValueError:
        return []
    return [part for name in names if (part := MailId.parse(str(name))) is not None]

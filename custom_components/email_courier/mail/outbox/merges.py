"""Which held mails a digest stands for, so that a crash between the two loses and doubles none."""

from __future__ import annotations

from collections.abc import Sequence
import contextlib
import json
from pathlib import Path

from .errors import DamagedMailError
from .files import set_aside, write_file
from .loader import TakenUp
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
        self._begun: set[Path] = set()
        self._unread: set[Path] = set()

    def begin(self, digest: MailId, parts: Sequence[MailId]) -> None:
        """Note that these mails are about to become that one."""
        data = json.dumps([str(part) for part in parts]).encode()
        path = self._path(str(digest))
        self._begun.add(path)
        write_file(path, data)
        self._held.sync()

    def end(self, digest: MailId, parts: Sequence[MailId]) -> None:
        """Forget the mails that have become another one."""
        for part in parts:
            self._held.remove(part)
        self._path(str(digest)).unlink(missing_ok=True)

    def mend(self) -> TakenUp:
        """End what a crash has interrupted, if it had come so far, or forget about it.

        May be done again: each note is looked at until that has succeeded once. A damaged one is
        set aside, and its mails may come both by themselves and in the digest.
        """
        damaged: list[str] = []
        trouble: OSError | None = None
        for path in sorted(self._held.folder.glob(f"*{MERGE}")):
            if path in self._begun:
                continue
            try:
                self._mend(path)
            except DamagedMailError:
                damaged.append(path.name)
                with contextlib.suppress(OSError):  # the next start finds it again
                    set_aside([path])
            except OSError as error:
                trouble = error
        return TakenUp(tuple(damaged), trouble)

    def _mend(self, path: Path) -> None:
        digest = MailId.parse(path.name.removesuffix(MERGE))
        # A digest that waited when its note could not be read may have gone since.
        if digest is not None and (path in self._unread or self._waiting.holds(digest)):
            self._unread.add(path)
            for part in _read(path):
                self._held.remove(part)
        path.unlink()

    def _path(self, digest: str) -> Path:
        return self._held.folder / f"{digest}{MERGE}"


def _read(path: Path) -> list[MailId]:
    """Return the parts. Raises DamagedMailError, and OSError that may pass."""
    try:
        names = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DamagedMailError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(names, list):
        raise DamagedMailError(f"{path.name} holds no list")
    return [part for name in names if (part := MailId.parse(str(name))) is not None]

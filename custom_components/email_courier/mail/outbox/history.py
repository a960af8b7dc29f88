"""What became of the last mails, for a person who looks for the reason why one did not arrive."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
import json
from pathlib import Path
from typing import Any

from .errors import DamagedMailError
from .events import CourierEvent, MailEvent
from .files import set_aside, write_file

LENGTH = 50


class History:
    """The last outcomes as plain data, oldest first. Holds addresses and subjects."""

    def __init__(self, file: Path) -> None:
        """Begin empty; load() and save() use a file and block."""
        self._file = file
        self._outcomes: deque[Mapping[str, Any]] = deque(maxlen=LENGTH)

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._file.name

    @property
    def outcomes(self) -> tuple[Mapping[str, Any], ...]:
        """The last outcomes."""
        return tuple(self._outcomes)

    def add(self, event: CourierEvent) -> bool:
        """Remember an event if it is an outcome; tell whether it is.

        That of a digest stands for those of the mails in it: they could be more than are kept.
        """
        if not isinstance(event, MailEvent) or event.digest is not None:
            return False
        self._outcomes.append(event.as_dict())
        return True

    def put_before(self, earlier: Iterable[Mapping[str, Any]]) -> None:
        """Put what an earlier run has saved in front of what is remembered."""
        self._outcomes = deque((*earlier, *self._outcomes), maxlen=LENGTH)

    def load(self) -> list[Mapping[str, Any]]:
        """Read what an earlier run has saved; a file that is missing holds nothing.

        A damaged one is moved into the subfolder of damaged files. Raises DamagedMailError for it,
        and OSError for one that may be readable later.
        """
        try:
            data = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return []
        except (ValueError, RecursionError) as error:
            set_aside([self._file])
            raise DamagedMailError(f"{self._file.name} cannot be read: {error}") from error
        if not isinstance(data, list):
            set_aside([self._file])
            raise DamagedMailError(f"{self._file.name} holds no list")
        return [outcome for outcome in data if isinstance(outcome, dict)]

    def save(self, outcomes: Iterable[Mapping[str, Any]]) -> None:
        """Write outcomes in place of what was saved. Raises OSError."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(self._file, json.dumps(list(outcomes)).encode("ascii"))

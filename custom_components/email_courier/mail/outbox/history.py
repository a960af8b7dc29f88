"""What became of the last mails, for a person who looks for the reason why one did not arrive."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
import json
from pathlib import Path
from typing import Any

from .events import CourierEvent, MailEvent
from .files import write_file

LENGTH = 50


class History:
    """The last outcomes as plain data, oldest first. Holds addresses and subjects."""

    def __init__(self, file: Path) -> None:
        """Begin empty; load() and save() use a file and block."""
        self._file = file
        self._outcomes: deque[Mapping[str, Any]] = deque(maxlen=LENGTH)

    @property
    def outcomes(self) -> tuple[Mapping[str, Any], ...]:
        """The last outcomes."""
        return tuple(self._outcomes)

    def add(self, event: CourierEvent) -> bool:
        """Remember an event if it is an outcome; tell whether it is."""
        if not isinstance(event, MailEvent):
            return False
        self._outcomes.append(event.as_dict())
        return True

    def put_before(self, earlier: Iterable[Mapping[str, Any]]) -> None:
        """Put what an earlier run has saved in front of what is remembered."""
        self._outcomes = deque((*earlier, *self._outcomes), maxlen=LENGTH)

    def load(self) -> list[Mapping[str, Any]]:
        """Read what an earlier run has saved; a file that is missing or damaged holds nothing."""
        try:
            data = json.loads(self._file.read_bytes())
        except OSError, ValueError:
            return []
        outcomes = data if isinstance(data, list) else []
        return [outcome for outcome in outcomes if isinstance(outcome, dict)]

    def save(self, outcomes: Iterable[Mapping[str, Any]]) -> None:
        """Write outcomes in place of what was saved. Raises OSError."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(self._file, json.dumps(list(outcomes)).encode("ascii"))

"""What became of the last mails, for a person who looks for the reason why one did not arrive."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
import json
import logging
from pathlib import Path
from typing import Any

from .events import CourierEvent, Damaged, Deferred, MailEvent, Notifier
from .runtime import Host, TaskGroup, Timers
from .store import make_folder, set_aside, write_file
from .submission import DamagedMailError

_LOGGER = logging.getLogger(__name__)

LENGTH = 200
SAVE_AFTER = 900.0
"""Seconds after an outcome by which it is on disk; stopping writes it at once."""


class History:
    """The last outcomes as plain data, oldest first. Holds addresses and subjects."""

    def __init__(self, file: Path) -> None:
        """Remember nothing yet; load() and save() use a file and block."""
        self._file = file
        self._outcomes: deque[MailEvent | Mapping[str, Any]] = deque(maxlen=LENGTH)

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._file.name

    @property
    def outcomes(self) -> tuple[Mapping[str, Any], ...]:
        """The last outcomes."""
        return tuple(
            outcome.as_dict() if isinstance(outcome, MailEvent) else outcome
            for outcome in self._outcomes
        )

    def add(self, event: CourierEvent) -> bool:
        """Remember an event if it is an outcome; tell whether it is.

        A mail that goes on waiting takes the place of itself. The outcome of a digest stands for
        those of the mails in it, which could be more than are kept, but for those of which it is
        remembered that they wait.
        """
        if not isinstance(event, MailEvent):
            return False
        is_of_digest = event.digest is not None
        if is_of_digest or isinstance(event, Deferred):
            waiting = self._find_waiting(event)
            if waiting is not None:
                del self._outcomes[waiting]
            elif is_of_digest:
                return False
        self._outcomes.append(event)
        return True

    def _find_waiting(self, event: MailEvent) -> int | None:
        """Return where it stands that a mail waits for these recipients."""
        for place, outcome in enumerate(self._outcomes):
            if isinstance(outcome, MailEvent):
                known: tuple[object, ...] = (
                    outcome.outcome,
                    outcome.message_id,
                    outcome.recipients,
                )
            else:
                recipients = outcome.get("recipients")
                known = (
                    outcome.get("outcome"),
                    outcome.get("message_id"),
                    tuple(recipients) if isinstance(recipients, list) else None,
                )
            if known == (Deferred.outcome, event.message_id, event.recipients):
                return place
        return None

    def hide_subjects(self) -> bool:
        """Forget the subjects; tell whether any was known."""
        outcomes = self.outcomes
        if not any(outcome.get("subject") for outcome in outcomes):
            return False
        hidden = ({**outcome, "subject": ""} for outcome in outcomes)
        self._outcomes = deque(hidden, maxlen=LENGTH)
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
        make_folder(self._file.parent)
        write_file(self._file, json.dumps(list(outcomes)).encode("ascii"))


class HistorySaver:
    """Remembers what is told, and saves it from time to time."""

    def __init__(
        self, history: History, host: Host, notifier: Notifier, timers: Timers, tasks: TaskGroup
    ) -> None:
        self._history = history
        self._host = host
        self._notifier = notifier
        self._timers = timers
        self._timer = timers.register(lambda: tasks.start(self.save()))
        self._is_saved = True
        self._is_loaded = False
        notifier.listen(self._hear)

    async def load(self) -> None:
        """Read what an earlier run has saved, once."""
        if self._is_loaded:
            return
        try:
            earlier = await self._host.run_blocking(self._history.load)
        except OSError as error:
            self._notifier.trouble(error)
            return
        except DamagedMailError as error:
            _LOGGER.warning("The history was damaged and is set aside: %s", error)
            self._notifier.tell(Damaged((self._history.name,)))
        else:
            self._history.put_before(earlier)
        self._is_loaded = True
        if self._notifier.hides_subjects:
            self.hide_subjects()

    def hide_subjects(self) -> None:
        """Forget the subjects, here and soon on disk."""
        if self._history.hide_subjects() and self._is_saved:
            self._save_later()

    async def save(self) -> None:
        """Write down what is not written yet, but never over what could not be read yet."""
        if self._is_saved:
            return
        self._is_saved = True
        await self.load()
        if not self._is_loaded:
            self._save_later()
            return
        try:
            await self._host.run_blocking(self._history.save, self._history.outcomes)
        except OSError as error:
            self._notifier.trouble(error)

    def _hear(self, event: CourierEvent) -> None:
        if self._history.add(event) and self._is_saved:
            self._save_later()

    def _save_later(self) -> None:
        self._is_saved = False
        self._timer.set(self._timers.now() + SAVE_AFTER)

"""One timer, and the time it makes it."""

from __future__ import annotations

from collections.abc import Callable

from .host import Host


class Alarm:
    """Rings at the earliest time that matters to any of those it asks.

    A timer that has fired says that its time has come, whatever the clock says; so that the two
    cannot disagree, time never stands before the last one that fired.
    """

    def __init__(self, host: Host) -> None:
        """Ring for nobody yet."""
        self._host = host
        self._times: list[Callable[[], float | None]] = []
        self._actions: list[Callable[[], None]] = []
        self._when: float | None = None
        self._passed = 0.0
        self._cancel: Callable[[], None] | None = None

    def now(self) -> float:
        """Return the UTC timestamp in seconds."""
        return max(self._host.clock(), self._passed)

    def serve(self, time: Callable[[], float | None], action: Callable[[], None]) -> None:
        """Ring for one more.

        time: returns the UTC timestamp in seconds at which to ring, or None.
        action: called whenever it rings, whoever it was for.
        """
        self._times.append(time)
        self._actions.append(action)

    def changed(self) -> None:
        """Ask everybody anew."""
        self._set(min((when for time in self._times if (when := time()) is not None), default=None))

    def stop(self) -> None:
        """Ring no more."""
        self._times.clear()
        self._set(None)

    def _set(self, when: float | None) -> None:
        if when == self._when:
            return
        if self._cancel is not None:
            self._cancel()
        self._when = when
        self._cancel = None if when is None else self._host.call_at(when, self._fired)

    def ring(self) -> None:
        """Ring now."""
        for action in tuple(self._actions):
            action()
        self.changed()

    def _fired(self) -> None:
        self._passed = max(self._passed, self._when or 0.0)
        self._when = None
        self._cancel = None
        self.ring()

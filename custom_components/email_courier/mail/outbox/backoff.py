"""Whether the account's server may be approached at all."""

from __future__ import annotations

from collections.abc import Callable

from ..failure import LOGIN_REFUSED, Failure, Permanence

DELAYS = (30.0, 120.0, 300.0, 900.0, 1800.0)
"""Seconds before the second, third, ... attempt."""

LAST_DELAY = 3600.0
"""Seconds before every attempt after those."""

JITTER = 0.1
"""By what part of itself a delay varies, so that accounts do not knock in step."""


def retry_delay(attempts: int, chance: Callable[[], float]) -> float:
    """Return the seconds to wait after so many failed attempts (one or more).

    chance: returns a number in [0, 1).
    """
    delay = DELAYS[attempts - 1] if attempts <= len(DELAYS) else LAST_DELAY
    return delay * (1 - JITTER + 2 * JITTER * chance())


MAX_BREAKS = 3
"""So many attempts in a row that break off without a word after the login, and the server is taken
to be down: each may have been the fault of one mail, all of them hardly."""


class Gate:
    """One account's connection: open, shut until the next scheduled attempt, or paused.

    failure: why it is not open.
    opens_at: UTC timestamp in seconds of the next scheduled attempt.
    """

    def __init__(self, chance: Callable[[], float]) -> None:
        """Begin open."""
        self.failure: Failure | None = None
        self.opens_at = 0.0
        self._chance = chance
        self._failures = 0
        self._breaks = 0

    @property
    def paused(self) -> Failure | None:
        """The refused login that only other credentials can mend."""
        failure = self.failure
        return failure if failure is not None and failure.kind in LOGIN_REFUSED else None

    def is_open(self, now: float) -> bool:
        """Whether a waiting mail may be attempted."""
        return self.paused is None and now >= self.opens_at

    def is_known_down(self, now: float) -> bool:
        """Whether a new attempt would only repeat a failure that passes by itself."""
        failure = self.failure
        return (
            failure is not None
            and now < self.opens_at
            and failure.permanence is not Permanence.PERMANENT
        )

    def shut(self, failure: Failure, now: float) -> None:
        """No connection came about. A scheduled time that has not come yet stays."""
        self.failure = failure
        if now >= self.opens_at:
            self._failures += 1
            self.opens_at = now + retry_delay(self._failures, self._chance)

    def broke(self, failure: Failure, now: float) -> None:
        """The server fell silent or hung up in the middle of a mail."""
        self._breaks += 1
        if self._breaks >= MAX_BREAKS:
            self.shut(failure, now)

    def try_now(self) -> None:
        """Let the next attempt be made now; what it finds is as open as it was."""
        self.opens_at = 0.0
        self._failures = 0

    def open(self) -> None:
        """The server is there and speaks, or is to be taken for one that does."""
        self.failure = None
        self.opens_at = 0.0
        self._failures = 0
        self._breaks = 0

"""The retry schedule, and whether the account's server may be approached at all."""

from __future__ import annotations

from collections.abc import Callable

from ..failure import Failure, FailureKind, Permanence, Stage


def is_quota(failure: Failure | None) -> bool:
    """Whether the provider takes no more for now."""
    return failure is not None and failure.kind is FailureKind.QUOTA_EXCEEDED


SUSPENDED = Failure(
    FailureKind.DEFERRED,
    Stage.RESOLVE,
    Permanence.TEMPORARY,
    detail="the account is paused",
)
"""What keeps mail while nobody wants any to be sent."""

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


MAX_INTERRUPTIONS = 3
"""So many attempts in a row that break off without a word after the login, and the server is taken
to be down: each may have been the fault of one mail, all of them hardly."""


class Backoff:
    """Whether the account's server is up, throttled until the next scheduled attempt, or paused.

    failure: why it is not up.
    opens_at: time of the run in seconds of the next scheduled attempt.
    is_suspended: somebody wants nothing to be sent for now, whatever the server does.
    """

    def __init__(self, chance: Callable[[], float], changed: Callable[[], None]) -> None:
        """Take the server to be up.

        chance: returns a number in [0, 1). changed: called whenever any of this has changed.
        """
        self.failure: Failure | None = None
        self.opens_at = 0.0
        self.is_suspended = False
        self._chance = chance
        self._changed = changed
        self._failures = 0
        self._interruptions = 0

    @property
    def paused(self) -> Failure | None:
        """The refused login that only other credentials can mend."""
        failure = self.failure
        return failure if failure is not None and failure.wants_other_login else None

    @property
    def is_known_cause(self) -> bool:
        """Whether mail waits for what somebody knows of, or for what passes by itself."""
        return self.is_suspended or self.paused is not None or is_quota(self.failure)

    def suspend(self, *, is_suspended: bool) -> None:
        """Begin or end a time in which nothing is sent."""
        self.is_suspended = is_suspended
        self._changed()

    def is_open(self, now: float) -> bool:
        """Whether a deferred mail may be attempted."""
        return not self.is_suspended and self.paused is None and now >= self.opens_at

    def is_known_down(self, now: float) -> bool:
        """Whether a new attempt would only repeat a failure that passes by itself."""
        failure = self.failure
        return (
            failure is not None
            and now < self.opens_at
            and (failure.permanence is not Permanence.PERMANENT or is_quota(failure))
        )

    def delay(self, attempts: int) -> float:
        """Return the seconds that one mail waits after so many failed attempts (one or more)."""
        return retry_delay(attempts, self._chance)

    def quota_delay(self) -> float:
        """Return the seconds that one mail waits for which the provider's quota was used up.

        An hour at most, as providers count by the hour.
        """
        return LAST_DELAY * (1 - JITTER * self._chance())

    def throttle(self, failure: Failure, now: float) -> None:
        """No connection came about. A scheduled time that has not come yet stays.

        A used-up quota is asked about every hour.
        """
        is_new = not is_quota(self.failure)
        self.failure = failure
        if is_quota(failure):
            if is_new or now >= self.opens_at:
                self.opens_at = now + self.quota_delay()
        elif now >= self.opens_at:
            self._failures += 1
            self.opens_at = now + self.delay(self._failures)
        self._changed()

    def interrupted(self, failure: Failure, now: float) -> None:
        """The server fell silent or hung up in the middle of a mail."""
        self._interruptions += 1
        if self._interruptions >= MAX_INTERRUPTIONS:
            self.throttle(failure, now)

    def reset(self) -> None:
        """Let the next attempt be made now, without taking the server to be up."""
        self.opens_at = 0.0
        self._failures = 0
        self._changed()

    def clear(self) -> None:
        """The server is up, or is to be taken for one that is."""
        self._interruptions = 0
        self._failures = 0
        self.opens_at = 0.0
        if self.failure is not None:
            self.failure = None
            self._changed()

"""When a mail is tried again."""

from __future__ import annotations

from collections.abc import Callable

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

"""What this integration asks of itself, held against what was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .attachments import SNAPSHOTS
from .charts import CARD, DAY, FOUR
from .costs import AT_START, AT_START_LATE, FAR, IMPORT, IMPORT_LATE, SET_UP, START
from .figures import CORE, COURIER, Figures, number
from .slow_line import AT_ONCE, COLD, COLD_TLS

_STARTTLS = "Postfix, STARTTLS and login"
_SINK = "smtp-sink"
_MIB = 1.048576
"""In megabytes."""


@dataclass(frozen=True)
class Target:
    """A limit for one figure."""

    text: str
    figure: Callable[[Figures], float | None]
    limit: float
    at_least: bool = True

    def line(self, figures: Figures) -> str:
        """Return the line of the table: what is asked, what was reached."""
        value = self.figure(figures)
        if value is None:
            return f"| {self.text} | not measured | |"
        met = value >= self.limit if self.at_least else value <= self.limit
        bound = f"{'at least' if self.at_least else 'at most'} {number(self.limit)}"
        return f"| {self.text} | {bound} | {number(value)} | {'met' if met else '**missed**'} |"


def _times(name: str, other: str) -> Callable[[Figures], float | None]:
    """Return a ratio of rates: ours to another one's."""

    def ratio(figures: Figures) -> float | None:
        ours, theirs = figures.median(name, COURIER), figures.median(name, other)
        return None if ours is None or theirs is None else ours / theirs

    return ratio


def _ours(name: str, unit: float = 1.0) -> Callable[[Figures], float | None]:
    def figure(figures: Figures) -> float | None:
        value = figures.median(name, COURIER)
        return None if value is None else value / unit

    return figure


TARGETS = (
    Target("burst, times prepared bytes", _times(_STARTTLS, "prepared bytes"), 0.9),
    Target("burst, times core's", _times(_STARTTLS, CORE), 9),
    Target("burst with quickack, times core's", _times(f"{_STARTTLS}, quickack", CORE), 3),
    Target("burst, times nodemailer's pool of 1", _times(_STARTTLS, "nodemailer, pool of 1"), 1),
    Target(
        "burst with quickack, times nodemailer's pool of 1",
        _times(f"{_STARTTLS}, quickack", "nodemailer, pool of 1"),
        1,
    ),
    Target("burst, times the bare library", _times(_STARTTLS, "aiosmtplib, kept"), 0.9),
    Target(
        "burst with quickack, times the bare library",
        _times(f"{_STARTTLS}, quickack", "aiosmtplib, kept"),
        1,
    ),
    Target(
        "round trips a mail at once",
        _ours(f"20 ms line, {_STARTTLS}{AT_ONCE}: round trips"),
        1.1,
        at_least=False,
    ),
    Target(
        "20 ms line, ms a mail at once",
        _ours(f"20 ms line, {_STARTTLS}{AT_ONCE}"),
        25,
        at_least=False,
    ),
    Target(
        "round trips a mail with PIPELINING",
        _ours(f"20 ms line, {_SINK}: round trips"),
        2,
        at_least=False,
    ),
    Target(
        "round trips a mail with PIPELINING, TLS",
        _ours(f"20 ms line, {_STARTTLS}: round trips"),
        2,
        at_least=False,
    ),
    Target(
        "round trips a mail without PIPELINING",
        _ours(f"20 ms line, {_SINK} without PIPELINING: round trips"),
        4,
        at_least=False,
    ),
    Target(
        "round trips of a cold mail, STARTTLS", _ours(f"{COLD}: round trips"), 9, at_least=False
    ),
    Target("round trips of a cold mail, TLS", _ours(f"{COLD_TLS}: round trips"), 7, at_least=False),
    Target("a single cold mail, of core's time", _times(COLD, CORE), 1, at_least=False),
    Target("20 MB file: longest stall, ms", _ours("20 MB, file: longest stall"), 5, at_least=False),
    Target(
        "20 MB of bytes: longest stall, ms",
        _ours("20 MB, bytes of a camera: longest stall"),
        15,
        at_least=False,
    ),
    Target(
        "20 MB file: extra memory, MiB",
        _ours("20 MB, file: extra memory", _MIB),
        4,
        at_least=False,
    ),
    Target(
        "20 MB of bytes: extra memory, times its size",
        _ours("20 MB, bytes of a camera: extra memory", 20),
        2,
        at_least=False,
    ),
    Target("chart of a day, ms", _ours(f"{DAY}: time"), 100, at_least=False),
    Target("chart of a day: picture, kB", _ours(f"{DAY}: picture"), 45, at_least=False),
    Target(
        "four charts: extra memory, MiB", _ours(f"{FOUR}: extra memory", _MIB), 48, at_least=False
    ),
    Target("four charts: longest stall, ms", _ours(f"{FOUR}: longest stall"), 15, at_least=False),
    Target(
        f"{SNAPSHOTS}: longest stall, ms", _ours(f"{SNAPSHOTS}: longest stall"), 15, at_least=False
    ),
    Target(f"{CARD}: time, ms", _ours(f"{CARD}: time"), 1000, at_least=False),
    Target(f"{CARD}: longest stall, ms", _ours(f"{CARD}: longest stall"), 15, at_least=False),
    Target(f"{CARD}: extra memory, MiB", _ours(f"{CARD}: extra memory", _MIB), 48, at_least=False),
    Target(f"{IMPORT}, ms", _ours(IMPORT), 40, at_least=False),
    Target(f"{IMPORT_LATE}, ms", _ours(IMPORT_LATE), 30, at_least=False),
    Target(f"{AT_START}, ms", _ours(AT_START), 40, at_least=False),
    Target(f"{AT_START_LATE}, ms", _ours(AT_START_LATE), 30, at_least=False),
    Target("set-up, of core's time", _times(SET_UP, CORE), 1, at_least=False),
    Target(f"{START}, of core's time", _times(START, CORE), 1, at_least=False),
    Target(f"{START}{FAR}, of core's time", _times(START + FAR, CORE), 1, at_least=False),
    Target("logins of dialog and set-up", _ours("dialog and set-up: logins"), 1, at_least=False),
)

"""What was measured: samples by measurement and by who was measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

COURIER = "Email Courier"
CORE = "core smtp"


@dataclass(frozen=True)
class Measurement:
    """One line of the table. more_is_better: what a ratio above 1 stands for."""

    name: str
    unit: str
    more_is_better: bool = False


@dataclass
class Figures:
    """All samples of one run, in the order in which they were first asked for."""

    samples: dict[Measurement, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, measurement: Measurement, who: str, value: float) -> None:
        """Note one sample."""
        self.samples.setdefault(measurement, {}).setdefault(who, []).append(value)

    def of(self, name: str, who: str) -> list[float]:
        """Return the samples of a measurement, none where it was not taken."""
        for measurement, by_who in self.samples.items():
            if measurement.name == name and who in by_who:
                return by_who[who]
        return []

    def median(self, name: str, who: str) -> float | None:
        """Return the median of a measurement, or None where it was not taken."""
        samples = self.of(name, who)
        return median(samples) if samples else None

    def times_better(self, measurement: Measurement, who: str, than: str) -> float | None:
        """Return how many times better the one is; None where one is missing, or is nothing."""
        ours, theirs = self.median(measurement.name, who), self.median(measurement.name, than)
        if not ours or not theirs:
            return None
        return ours / theirs if measurement.more_is_better else theirs / ours

    def columns(self) -> list[str]:
        """Everybody who was measured, the two integrations first."""
        seen = dict.fromkeys((COURIER, CORE))
        for by_who in self.samples.values():
            seen |= dict.fromkeys(by_who)
        return list(seen)


@dataclass(frozen=True)
class Scaled:
    """One line of the table of scale. of: what there is few or many of."""

    name: str
    unit: str
    of: str


@dataclass
class Scale:
    """Samples of a small and a big case, by how much there was of it."""

    samples: dict[Scaled, dict[int, list[float]]] = field(default_factory=dict)

    def add(self, scaled: Scaled, size: int, value: float) -> None:
        """Note one sample."""
        self.samples.setdefault(scaled, {}).setdefault(size, []).append(value)


def shown(values: Iterable[float]) -> str:
    """Return the median and the spread as a cell of the table."""
    ordered = sorted(values)
    middle, least, most = median(ordered), ordered[0], ordered[-1]
    if least == most:
        return number(middle)
    return f"{number(middle)} ({number(least)}–{number(most)})"


def number(value: float) -> str:
    """Return a figure with three digits that count."""
    if value >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"

"""What sections of a report are made of: Markdown and charts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from homeassistant.const import ATTR_DEVICE_CLASS, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er

from ..mail.compose.content import Words
from ..phrases import Phrases
from ..send.facts import unit_after, written_number
from .plan import Period, Span

if TYPE_CHECKING:
    from ..account import Account

type Chart = dict[str, Any]
"""A chart as the action `send_message` takes it."""
type Part = str | Chart
"""Markdown, or a chart that stands below what comes before it."""

MOST_CURVES: Final = 6
"""Entities of one chart; there are no more colours that can be told apart."""
NOTHING: Final = (STATE_UNAVAILABLE, STATE_UNKNOWN)

_MARKS: Final = re.compile(r"([\\`*_\[\]<>|~#&!])")
_FEW: Final = 100
"""Amounts below this have a fraction."""


class Subject(NamedTuple):
    """What a report is about.

    names: of sections and kinds of entities, in the language of the home.
    period: the time that is looked back on, as charts take it. span: the same in UTC.
    """

    hass: HomeAssistant
    account: Account
    phrases: Phrases
    words: Words
    period: Period
    span: Span

    @property
    def has_history(self) -> bool:
        """Whether anything is known of what was."""
        return "recorder" in self.hass.config.components

    def say(self, name: str, /, **values: str) -> str:
        """Return a sentence in the language of the home."""
        return self.phrases.say(name, **values)

    def amount(self, value: float, unit: str, digits: int | None = None) -> str:
        """Write an amount, with a fraction where it is small."""
        if digits is None:
            digits = 1 if abs(value) < _FEW else 0
        language = self.hass.config.language
        number = Decimal(f"{value:.{digits}f}")
        return written_number(number, language) + unit_after(unit, language)

    def hours(self, seconds: float) -> str:
        """Write a duration as hours and minutes."""
        hours, minutes = divmod(round(seconds / 60), 60)
        if not hours:
            return self.say("chart_minutes", minutes=str(minutes))
        return self.say("chart_hours", hours=str(hours), minutes=str(minutes))

    def chart(self, entities: Iterable[str | Chart], **more: Any) -> Chart:
        """Return a chart of the time that the report looks back on."""
        return {"entities": [*entities], "period": self.period, **more}


def plain(text: str) -> str:
    """Keep a name from being read as Markdown."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def listed(lines: Iterable[str]) -> str:
    """Return a list; its lines are Markdown."""
    return "\n".join(f"- {line}" for line in lines)


@callback
def states_of(hass: HomeAssistant, domain: str, *device_classes: str) -> Iterator[State]:
    """Yield the states of a domain that a person sees, in the order of their names.

    device_classes: only of these; without any, of all.
    """
    registry = er.async_get(hass)
    for state in sorted(hass.states.async_all(domain), key=lambda one: one.name.casefold()):
        entity = registry.async_get(state.entity_id)
        if entity is not None and entity.hidden_by is not None:
            continue
        if not device_classes or state.attributes.get(ATTR_DEVICE_CLASS) in device_classes:
            yield state

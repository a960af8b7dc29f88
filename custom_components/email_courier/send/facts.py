"""States of entities as a dashboard shows them: in the language and precision of the home."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from math import floor, log10
from typing import Final

from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_translate_state
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..mail.compose.content import Fact, Words
from ..phrases import Phrases, words_of
from .fields import FactRequest, Missing

_POINT_AND_COMMA: Final = str.maketrans(",.", ".,")
_BLANK_AND_COMMA: Final = str.maketrans(",.", "\u00a0,")
_MARKS: Final = {
    **dict.fromkeys(("de", "es", "it", "nl", "pt-BR", "tr"), _POINT_AND_COMMA),
    **dict.fromkeys(("fr", "pl", "ru", "sv", "uk"), _BLANK_AND_COMMA),
}
"""What parts digits and what comes before a fraction, where it is not as in English."""
_NO_GROUPS_BELOW: Final = {"es": 10_000, "pl": 10_000}
"""Languages that do not part four digits."""
_BLANK_BEFORE_PERCENT: Final = frozenset({"de", "fr", "ru", "sv", "uk"})
_NO_BREAK: Final = "\u00a0"
_DECIMALS: Final = 2
_SMALL: Final = 1e-6
_LARGE: Final = 1e15
"""Numbers beyond are written with an exponent."""


async def async_facts(
    hass: HomeAssistant, wanted: Iterable[FactRequest], missing: list[Missing]
) -> tuple[Fact, ...]:
    """Return what entities say just now. missing: takes those that are not there."""
    phrases = await Phrases.async_load(hass)
    words = words_of(phrases)
    facts: list[Fact] = []
    for one in wanted:
        if (state := hass.states.get(one.entity_id)) is None:
            reason = phrases.say("fact_missing", entity_id=one.entity_id)
            LOGGER.warning("A mail goes without %s: %s", one.entity_id, reason)
            missing.append(Missing(one.entity_id, reason))
        value = "\u2013" if state is None else "".join(reading(hass, state, words, phrases))
        name = one.entity_id if state is None else state.name
        facts.append(Fact(one.name or name, value))
    return tuple(facts)


def reading(hass: HomeAssistant, state: State, words: Words, phrases: Phrases) -> tuple[str, str]:
    """Return what a state says, and the unit behind it, with the blank that it stands after."""
    if state.state == STATE_UNAVAILABLE:
        return phrases.say("state_unavailable"), ""
    if state.state in (STATE_UNKNOWN, ""):
        return phrases.say("state_unknown"), ""
    device_class = state.attributes.get(ATTR_DEVICE_CLASS)
    if (moment := _moment(state, device_class, words)) is not None:
        return moment, ""
    if is_measured(state):
        unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
        return _number(hass, state), unit_after(unit, hass.config.language)
    entry = er.async_get(hass).async_get(state.entity_id)
    text = async_translate_state(
        hass,
        state.state,
        state.domain,
        None if entry is None else entry.platform,
        None if entry is None else entry.translation_key,
        device_class,
    )
    return text, ""


def is_measured(state: State) -> bool:
    """Tell whether a state is a number, also while it cannot be had."""
    has_unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT) is not None
    is_number = state.domain in {"number", "input_number", "counter"}
    return has_unit or is_number or "state_class" in state.attributes


def _moment(state: State, device_class: object, words: Words) -> str | None:
    """Return a time or a day as a person writes it, None for what is neither."""
    if device_class == "timestamp" or state.domain in {"event", "button", "input_button", "scene"}:
        moment = dt_util.parse_datetime(state.state)
        return None if moment is None else words.written_time(dt_util.as_local(moment))
    if device_class == "date" or state.domain in {"date", "datetime", "input_datetime"}:
        with suppress(ValueError):
            return words.written_date(date.fromisoformat(state.state))
        with suppress(ValueError):
            moment = datetime.fromisoformat(state.state)
            return words.written_time(dt_util.as_local(moment) if moment.tzinfo else moment)
    return None


def _number(hass: HomeAssistant, state: State) -> str:
    text = state.state
    if state.domain == "sensor":
        # It is loaded, or there would be no such state.
        from homeassistant.components.sensor import async_rounded_state  # noqa: PLC0415

        text = async_rounded_state(hass, state.entity_id, state)
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return written_number(number, hass.config.language) if number.is_finite() else text


def written_number(number: Decimal, language: str) -> str:
    """Return a number with the digits that it has, and the marks of a language."""
    written = f"{number:,f}"
    if abs(number) < _NO_GROUPS_BELOW.get(language, 0):
        written = written.replace(",", "")
    return written.translate(_MARKS.get(language, {}))


def value_of(hass: HomeAssistant, state: State, number: float, *, is_state: bool = True) -> str:
    """Return a number that an entity has had, as its state is written.

    Without a precision of its own, it gets two decimals where it has them, and at least as many as
    the state has.
    is_state: whether the number was its state, and not one of its attributes.
    """
    language = hass.config.language
    if not number:
        number = 0.0  # there is a negative one
    elif not _SMALL <= abs(number) < _LARGE:
        mantissa, _, power = f"{number:.3e}".partition("e")
        return f"{written_number(Decimal(mantissa).normalize(), language)}e{int(power)}"
    if is_state and state.domain == "sensor":
        from homeassistant.components.sensor import async_rounded_state  # noqa: PLC0415

        exact = f"{number:.17f}"
        text = async_rounded_state(hass, state.entity_id, State(state.entity_id, exact))
        if text != exact:
            return written_number(Decimal(text), language)
    least = min(len(state.state.partition(".")[2]), _DECIMALS) if is_state else 1
    most = _DECIMALS
    if 0 < abs(number) < 0.1:
        most = 1 - floor(log10(abs(number)))
    whole, _, digits = f"{number:z.{most}f}".partition(".")
    digits = digits.rstrip("0").ljust(least, "0")
    return written_number(Decimal(f"{whole}.{digits}"), language)


def axis_number(language: str, number: float, decimals: int) -> str:
    """Return a number for the axis of a chart, whose font has no other blank than the usual one."""
    return written_number(Decimal(f"{number:z.{decimals}f}"), language).replace(_NO_BREAK, " ")


def unit_after(unit: str | None, language: str) -> str:
    """Return a unit as it follows a number."""
    if not unit:
        return ""
    if unit == "%":
        is_apart = language.partition("-")[0] in _BLANK_BEFORE_PERCENT
        return f"{_NO_BREAK}%" if is_apart else "%"
    return unit if unit == "\u00b0" else f"{_NO_BREAK}{unit}"

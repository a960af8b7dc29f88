"""Sections of a report that say how things stand: batteries, updates, repairs, backups, mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    PERCENTAGE,
    STATE_ON,
    Platform,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.translation import async_get_translations, async_translate_state
from homeassistant.util import dt as dt_util

from .parts import MOST_CURVES, Part, Subject, listed, plain, states_of, table

_LOW: Final = 20
"""Percent below which a battery is low."""
_LONG: Final = {"days": 30}
"""The time in which a battery visibly runs down."""
_MOST: Final = 20
"""Lines of a list."""


async def async_batteries(subject: Subject) -> list[Part]:
    """Name the batteries that are low, the emptiest first."""
    hass = subject.hass
    charges: list[tuple[float, str, str]] = []
    for state in states_of(hass, Platform.SENSOR, "battery"):
        if state.attributes.get(ATTR_UNIT_OF_MEASUREMENT) == PERCENTAGE:
            try:
                charges.append((float(state.state), state.name, state.entity_id))
            except ValueError:
                continue
    warnings = [*states_of(hass, Platform.BINARY_SENSOR, "battery")]
    if not (charges or warnings):
        return [subject.say("report_no_batteries")]
    charges.sort()
    low = [one for one in charges if one[0] < _LOW]
    rows = [[plain(name), subject.amount(charge, "%", 0)] for charge, name, _ in low]
    rows += [
        [plain(one.name), async_translate_state(hass, STATE_ON, one.domain, None, None, "battery")]
        for one in warnings
        if one.state == STATE_ON
    ]
    if rows:
        parts: list[Part] = [table(["", subject.say("report_charge")], rows[:_MOST])]
        if low and subject.has_history:
            ids = [entity_id for *_, entity_id in low[:MOST_CURVES]]
            parts.append({"entities": ids, "period": _LONG, "type": "line"})
        return parts
    fine = subject.say("report_batteries_fine", count=str(len(charges) + len(warnings)))
    if not charges:
        return [fine]
    charge, name, _ = charges[0]
    lowest = subject.say(
        "report_battery_lowest", name=plain(name), charge=subject.amount(charge, "%", 0)
    )
    return [f"{fine} {lowest}"]


async def async_updates(subject: Subject) -> list[Part]:
    """Name what there is a newer version of."""
    lines = []
    for state in states_of(subject.hass, Platform.UPDATE):
        if state.state == STATE_ON:
            have, new = (state.attributes.get(f"{one}_version") for one in ("installed", "latest"))
            title = state.attributes.get("title") or state.name
            versions = f": {plain(str(have))} \u2192 {plain(str(new))}" if have and new else ""
            lines.append(f"**{plain(str(title))}**{versions}")
    return [_limited(subject, lines) if lines else subject.say("report_no_updates")]


async def async_repairs(subject: Subject) -> list[Part]:
    """Name what Home Assistant wants to have repaired."""
    hass = subject.hass
    issues = [
        issue
        for issue in ir.async_get(hass).issues.values()
        if issue.active and issue.dismissed_version is None
    ]
    if not issues:
        return [subject.say("report_no_repairs")]
    domains = {issue.issue_domain or issue.domain for issue in issues}
    domains |= {issue.domain for issue in issues}
    texts = await async_get_translations(hass, hass.config.language, "issues", domains)
    order = list(ir.IssueSeverity)
    issues.sort(key=lambda one: order.index(one.severity or ir.IssueSeverity.WARNING))
    return [_limited(subject, (plain(_title(texts, issue)) for issue in issues))]


def _title(texts: dict[str, str], issue: ir.IssueEntry) -> str:
    key = issue.translation_key or issue.issue_id
    text = texts.get(f"component.{issue.domain}.issues.{key}.title", f"{issue.domain}: {key}")
    for name, value in (issue.translation_placeholders or {}).items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


async def async_backups(subject: Subject) -> list[Part]:
    """Say when the last automatic backup was made, and when the next one is."""
    times = _backup_times(subject.hass)
    done, tried, coming = (
        times.get(f"{name}_automatic_backup")
        for name in ("last_successful", "last_attempted", "next_scheduled")
    )
    if not (done or tried or coming):
        return [subject.say("report_no_backups")]
    written = subject.words.written_time
    lines = []
    if tried and (done is None or tried > done):
        lines.append(f"**{subject.say('report_backup_failed', time=written(tried))}**")
    if done is None:
        lines.append(subject.say("report_backup_never"))
    else:
        lines.append(subject.say("report_backup_last", time=written(done)))
    if coming:
        lines.append(subject.say("report_backup_next", time=written(coming)))
    return ["\n".join(lines)]


def _backup_times(hass: HomeAssistant) -> dict[str, datetime]:
    """Return what the sensors of Home Assistant's backups show, in local time."""
    times: dict[str, datetime] = {}
    for entity in er.async_get(hass).entities.values():
        state = hass.states.get(entity.entity_id) if entity.platform == "backup" else None
        time = None if state is None else dt_util.parse_datetime(state.state)
        if time is not None:
            times[entity.unique_id] = dt_util.as_local(time)
    return times


async def async_mail(subject: Subject) -> list[Part]:
    """Say what became of the account's mail."""
    courier = subject.account.courier
    start, end = (moment.timestamp() for moment in subject.span)
    recent = [one for one in courier.history if start <= _at(one) < end]
    delivered, failed = (
        {str(one.get("message_id")): one for one in recent if one.get("outcome") == outcome}
        for outcome in ("delivered", "failed")
    )
    waiting = courier.state.waiting
    if not (delivered or failed or waiting):
        return [subject.say("report_no_mail")]
    head = [
        subject.say("report_mail_delivered"),
        subject.say("report_mail_failed"),
        subject.say("report_mail_waiting"),
    ]
    counts = [str(count) for count in (len(delivered), len(failed), waiting)]
    parts: list[Part] = [table(head, [counts])]
    if failed:
        lines = (_failed(subject, one) for one in failed.values())
        parts.append(_limited(subject, lines))
    return parts


def _at(outcome: Mapping[str, Any]) -> float:
    at = outcome.get("at")
    return float(at) if isinstance(at, int | float) else 0.0


def _failed(subject: Subject, outcome: Mapping[str, Any]) -> str:
    time = dt_util.as_local(dt_util.utc_from_timestamp(_at(outcome)))
    failure = outcome.get("failure")
    kind = failure.get("kind") if isinstance(failure, dict) else None
    title = plain(str(outcome.get("subject") or "\u2013"))
    cause = subject.phrases.kind(kind) if isinstance(kind, str) else "\u2013"
    return f"{subject.words.written_time(time)}: **{title}**, {plain(cause)}"


def _limited(subject: Subject, lines: Iterable[str]) -> str:
    """Return a list, and below a long one how much more there is."""
    everything = [*lines]
    more = len(everything) - _MOST
    text = listed(everything[:_MOST])
    return f"{text}\n\n{subject.say('report_more', count=str(more))}" if more > 0 else text

"""A report as a mail: its sections and charts one below the other, sent as an action sends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, Platform
from homeassistant.core import Context, HomeAssistant, ServiceCall, State
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from ..account import Account
from ..const import DOMAIN, LOGGER, SUBENTRY_RECIPIENT
from ..errors import request_error
from ..mail.address import parse_mailboxes
from ..mail.failure import MailError
from ..phrases import Phrases, words_of
from ..recipients import Recipients
from ..send.fields import SEND_MESSAGE, Field
from ..send.message import async_send
from ..send.targets import Destination
from .measured import async_climate, async_energy, async_openings, async_presence
from .parts import MOST_CURVES, Chart, Part, Subject, plain
from .plan import (
    CONF_CHARTS,
    CONF_FACTS,
    CONF_RECIPIENTS,
    CONF_SECTIONS,
    Plan,
    ReportSection,
    Span,
)
from .sections import (
    async_backups,
    async_batteries,
    async_mail,
    async_repairs,
    async_updates,
)

_ICON: Final = "\N{BAR CHART}"
_MOST_CHARTS: Final = 20
_LARGEST: Final = 195
"""Thousands of bytes of all pictures together, so that the mail stays below 300."""
_SIZES: Final = {"bar": 12, "timeline": 8}
"""Thousands of bytes that a picture of a kind has at most."""
_NAMES: Final = f"component.{DOMAIN}.selector.report_section.options."

SECTIONS: Final[dict[ReportSection, Callable[[Subject], Awaitable[list[Part]]]]] = {
    ReportSection.ENERGY: async_energy,
    ReportSection.CLIMATE: async_climate,
    ReportSection.OPENINGS: async_openings,
    ReportSection.PRESENCE: async_presence,
    ReportSection.BATTERIES: async_batteries,
    ReportSection.UPDATES: async_updates,
    ReportSection.REPAIRS: async_repairs,
    ReportSection.BACKUPS: async_backups,
    ReportSection.MAIL: async_mail,
}


async def async_send_report(account: Account, subentry: ConfigSubentry, context: Context) -> None:
    """Send a report as it is just now.

    Raises HomeAssistantError when it neither went out nor was kept, and where nobody is left whom
    it could go to.
    """
    destination = _destination(account, subentry)
    fields = SEND_MESSAGE(await async_fields(account, subentry))
    call = ServiceCall(account.hass, DOMAIN, "send_message", fields, context)
    await async_send(call, fields, destination)


async def async_fields(account: Account, subentry: ConfigSubentry) -> dict[str, Any]:
    """Return a report as fields of the action `send_message`, but for whom it goes to."""
    hass, data = account.hass, subentry.data
    phrases = await Phrases.async_load(hass)
    period = Plan.of(data).period
    subject = Subject(
        hass, account, phrases, words_of(phrases), period, Span.of(period, dt_util.utcnow())
    )
    parts: list[Part] = [*_chosen_charts(subject, data.get(CONF_CHARTS, ()))]
    names = await async_get_translations(hass, hass.config.language, "selector", [DOMAIN])
    for section in ReportSection:
        if section in data.get(CONF_SECTIONS, ()):
            parts.append(f"## {plain(names.get(f'{_NAMES}{section}', section))}")
            parts += await _async_section(subject, section)
    markdown, charts = _numbered(parts, phrases.say("report_too_large"))
    fields: dict[str, Any] = {
        Field.TITLE: _title(subject, subentry.title),
        Field.MARKDOWN: markdown,
        Field.ICON: _ICON,
    }
    if charts:
        fields[Field.CHARTS] = charts
    if facts := data.get(CONF_FACTS):
        fields[Field.FACTS] = [*facts]
    return fields


async def _async_section(subject: Subject, section: ReportSection) -> list[Part]:
    """Return what a section shows; one that cannot be made does not keep the others back."""
    try:
        return await SECTIONS[section](subject)
    except Exception:  # noqa: BLE001 - of whatever it asks, any part of Home Assistant may raise
        LOGGER.exception("The section %s of a report could not be made", section)
        return [subject.say("report_section_failed")]


def _title(subject: Subject, name: str) -> str:
    """Return the subject: what it is, and of which days."""
    first, last = subject.span.days
    written = subject.words.written_date
    days = written(last) if first == last else f"{written(first)} \u2013 {written(last)}"
    return f"{name}: {days}"


def _numbered(parts: Iterable[Part], too_large: str) -> tuple[str, list[Chart]]:
    """Return Markdown with a mark where each chart stands, and the charts.

    too_large: said once in the place of the charts that there is no more room for.
    """
    texts: list[str] = []
    charts: list[Chart] = []
    room = _LARGEST
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif (size := _size(part)) <= room and len(charts) < _MOST_CHARTS:
            room -= size
            charts.append(part)
            texts.append(f"![](chart:{len(charts)})")
        elif too_large not in texts:
            texts.append(too_large)
    return "\n\n".join(texts), charts


def _size(chart: Chart) -> int:
    """Return how many thousands of bytes a picture has at most, the more the more curves."""
    size = _SIZES.get(chart.get("type", ""))
    return min(45, 24 + 6 * len(chart["entities"])) if size is None else size


def _chosen_charts(subject: Subject, entity_ids: Iterable[str]) -> Iterable[Chart]:
    """Yield charts of single entities, those together that have the same unit."""
    groups: dict[str, list[str]] = {}
    for entity_id in entity_ids:
        groups.setdefault(_kind(subject.hass, entity_id), []).append(entity_id)
    for together in groups.values():
        for start in range(0, len(together), MOST_CURVES):
            yield subject.chart(together[start : start + MOST_CURVES])


def _kind(hass: HomeAssistant, entity_id: str) -> str:
    """Return what entities of one chart have in common."""
    state: State | None = hass.states.get(entity_id)
    if state is None:
        return entity_id  # alone: its chart says that it is not there
    attributes: Mapping[str, Any] = state.attributes
    if state.domain in (Platform.CLIMATE, Platform.WATER_HEATER, Platform.WEATHER):
        return str(hass.config.units.temperature_unit)
    unit = attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    if unit is not None:
        is_meter = str(attributes.get("state_class", "")).startswith("total")
        return f"{unit} {is_meter}" if is_meter else str(unit)
    return "number" if "state_class" in attributes else "state"


def _destination(account: Account, subentry: ConfigSubentry) -> Destination:
    """Return whom a report goes to: recipients that are still there, and typed addresses."""
    everyone = Destination(account)
    for one in subentry.data.get(CONF_RECIPIENTS, ()):
        if "@" in one:
            try:
                everyone = everyone.also_to(Recipients(to=parse_mailboxes([one])))
            except MailError:
                LOGGER.warning("The report %s cannot go to %s", subentry.title, one)
            continue
        known = account.entry.subentries.get(one)
        if known is not None and known.subentry_type == SUBENTRY_RECIPIENT:
            everyone = everyone.also_to(account.recipients(one), one)
    if not everyone.addresses:
        raise request_error("report_without_recipients", report=subentry.title)
    return everyone

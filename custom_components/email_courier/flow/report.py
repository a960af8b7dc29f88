"""The dialog for a report: who gets it, what it shows, and when it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_NAME, WEEKDAYS
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TimeSelector,
)
import voluptuous as vol

from ..const import DOMAIN, SUBENTRY_RECIPIENT
from ..errors import placeholders
from ..mail.address import parse_mailbox, parse_mailboxes
from ..mail.failure import MailError
from ..phrases import Phrases
from ..recipients import format_mailbox
from ..report.plan import (
    CONF_CHARTS,
    CONF_DAY,
    CONF_FACTS,
    CONF_FREQUENCY,
    CONF_RECIPIENTS,
    CONF_SECTIONS,
    CONF_TIME,
    CONF_WEEKDAY,
    DEFAULT_TIME,
    Frequency,
    ReportSection,
)

_CHARTABLE: Final = (
    "binary_sensor",
    "climate",
    "counter",
    "cover",
    "device_tracker",
    "fan",
    "humidifier",
    "input_boolean",
    "input_number",
    "light",
    "lock",
    "media_player",
    "number",
    "person",
    "sensor",
    "sun",
    "switch",
    "vacuum",
    "water_heater",
    "weather",
)
"""Domains of which a chart makes sense."""
_SHOWN: Final = (CONF_SECTIONS, CONF_CHARTS, CONF_FACTS)
_STORED: Final = (CONF_RECIPIENTS, CONF_FREQUENCY, *_SHOWN)


class ReportFlow(ConfigSubentryFlow):
    """Add and change a report."""

    def __init__(self) -> None:
        """Begin with nothing typed."""
        self._name = ""
        self._data: dict[str, Any] = {}
        self._stored: Mapping[str, Any] = {}

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what a new report shows, and to whom."""
        phrases = await Phrases.async_for_reader(self.hass)
        recipients = self._recipients()
        self._stored = {
            CONF_NAME: phrases.say("report_name"),
            CONF_RECIPIENTS: [*recipients] if len(recipients) == 1 else [],
            CONF_FREQUENCY: Frequency.WEEKLY.value,
            CONF_SECTIONS: [section.value for section in ReportSection],
            CONF_TIME: DEFAULT_TIME,
        }
        return await self._ask_what(user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what a report shows from now on, and to whom; its entities stay the same."""
        subentry = self._get_reconfigure_subentry()
        self._stored = {CONF_NAME: subentry.title, **subentry.data}
        return await self._ask_what(user_input)

    async def async_step_when(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the day and the time, as far as there are several, and save."""
        form = _when_form(Frequency(self._data[CONF_FREQUENCY]))
        if user_input is not None:
            return self._save({**self._data, **user_input})
        return self.async_show_form(
            step_id="when",
            data_schema=self.add_suggested_values_to_schema(form, self._stored),
            description_placeholders={CONF_NAME: self._name},
        )

    async def _ask_what(self, typed: dict[str, Any] | None) -> SubentryFlowResult:
        errors: dict[str, str] = {}
        values: dict[str, str] = {}
        recipients = self._recipients()
        if typed is not None:
            try:
                whom = self._read_recipients(typed.get(CONF_RECIPIENTS, ()), recipients)
            except MailError as error:
                errors = {CONF_RECIPIENTS: error.failure.kind.value}
                phrases = await Phrases.async_for_reader(self.hass)
                values = placeholders(error.failure, phrases)
            else:
                if any(typed.get(name) for name in _SHOWN):
                    self._name = typed[CONF_NAME].strip() or self._stored[CONF_NAME]
                    self._data = {name: typed[name] for name in _STORED if typed.get(name)} | {
                        CONF_RECIPIENTS: whom
                    }
                    return await self.async_step_when()
                errors = {CONF_SECTIONS: "report_empty"}
        filled = {**self._stored} if typed is None else typed
        if typed is None:  # those that are gone would be shown by an id that says nothing
            filled[CONF_RECIPIENTS] = [
                one for one in filled[CONF_RECIPIENTS] if one in recipients or "@" in one
            ]
        return self.async_show_form(
            step_id="reconfigure" if self.source == SOURCE_RECONFIGURE else "user",
            data_schema=self.add_suggested_values_to_schema(_what_form(recipients), filled),
            errors=errors,
            description_placeholders=values,
            last_step=False,
        )

    def _recipients(self) -> dict[str, str]:
        """Return the names of the account's recipients by their ids."""
        subentries = self._get_entry().get_subentries_of_type(SUBENTRY_RECIPIENT)
        return {one.subentry_id: one.title for one in subentries}

    def _read_recipients(self, typed: Iterable[str], known: Mapping[str, str]) -> list[str]:
        """Return recipients by their ids and addresses as they are. Raises MailError.

        A recipient may be named by its id, its entity or its name.
        """
        by_name = {name.casefold(): subentry_id for subentry_id, name in known.items()}
        registry = er.async_get(self.hass)
        found: list[str] = []
        for one in typed:
            entity = registry.async_get(one)
            is_ours = entity is not None and entity.platform == DOMAIN
            meant = entity.config_subentry_id if entity is not None and is_ours else None
            subentry_id = meant or by_name.get(one.strip().casefold(), one)
            if subentry_id in known:
                found.append(subentry_id)
            else:
                found += [format_mailbox(mailbox) for mailbox in parse_mailboxes([one])]
        if not found:
            parse_mailbox("")  # which says that the address is empty
        return [*dict.fromkeys(found)]

    def _save(self, data: dict[str, Any]) -> SubentryFlowResult:
        if CONF_DAY in data:
            data[CONF_DAY] = int(data[CONF_DAY])
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(), self._get_reconfigure_subentry(), title=self._name, data=data
            )
        return self.async_create_entry(title=self._name, data=data)


def _what_form(recipients: Mapping[str, str]) -> vol.Schema:
    whom = SelectSelectorConfig(
        options=[SelectOptionDict(value=key, label=name) for key, name in recipients.items()],
        multiple=True,
        custom_value=True,
        mode=SelectSelectorMode.DROPDOWN,
    )
    frequency = SelectSelectorConfig(
        options=[frequency.value for frequency in Frequency],
        mode=SelectSelectorMode.DROPDOWN,
        translation_key="report_frequency",
    )
    sections = SelectSelectorConfig(
        options=[section.value for section in ReportSection],
        multiple=True,
        mode=SelectSelectorMode.LIST,
        translation_key="report_section",
    )
    return vol.Schema(
        {
            vol.Required(CONF_NAME): TextSelector(),
            vol.Required(CONF_RECIPIENTS): SelectSelector(whom),
            vol.Required(CONF_FREQUENCY, default=Frequency.WEEKLY.value): SelectSelector(frequency),
            vol.Optional(CONF_SECTIONS): SelectSelector(sections),
            vol.Optional(CONF_CHARTS): EntitySelector(
                EntitySelectorConfig(domain=[*_CHARTABLE], multiple=True)
            ),
            vol.Optional(CONF_FACTS): EntitySelector(EntitySelectorConfig(multiple=True)),
        }
    )


def _when_form(frequency: Frequency) -> vol.Schema:
    weekday = SelectSelectorConfig(
        options=[*WEEKDAYS], mode=SelectSelectorMode.DROPDOWN, translation_key="report_weekday"
    )
    day = NumberSelectorConfig(min=1, max=31, step=1, mode=NumberSelectorMode.BOX)
    days: dict[Frequency, dict[Any, Any]] = {
        Frequency.DAILY: {},
        Frequency.WEEKLY: {
            vol.Required(CONF_WEEKDAY, default=WEEKDAYS[0]): SelectSelector(weekday)
        },
        Frequency.MONTHLY: {vol.Required(CONF_DAY, default=1): NumberSelector(day)},
    }
    return vol.Schema(
        {**days[frequency], vol.Required(CONF_TIME, default=DEFAULT_TIME): TimeSelector()}
    )

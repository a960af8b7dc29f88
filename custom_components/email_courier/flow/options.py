"""The options: what a person may set beside the server and the login."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import replace
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from ..const import (
    CONF_BACKUP_ACCOUNT,
    CONF_BACKUP_AFTER,
    CONF_CA_FILE,
    CONF_DEFAULT_SUBJECT,
    CONF_DROP_LARGE_ATTACHMENTS,
    CONF_FLOOD_LIMIT,
    CONF_HELLO_NAME,
    CONF_HIDE_SUBJECTS,
    CONF_LAYOUT,
    CONF_MAX_MAILS,
    CONF_MAX_MEGABYTES,
    CONF_REPLY_TO,
    CONF_SENDER_NAME,
    CONF_TIMEOUT,
    CONF_WAITING_AFTER,
    CONF_WRITE_FIRST,
    DEFAULT_BACKUP_AFTER,
    DEFAULT_MAX_MAILS,
    DEFAULT_MAX_MEGABYTES,
    DEFAULT_TIMEOUT,
    DEFAULT_WAITING_AFTER,
    DOMAIN,
    MAX_TIMEOUT,
    MIN_TIMEOUT,
    SUBJECT_FIRST_LINE,
    SUBJECT_HOME_ASSISTANT,
)
from ..entry import async_save
from ..mail.address import parse_mailboxes
from ..mail.compose.content import Layout
from ..mail.failure import Failure, FailureKind, MailError, Stage
from ..mail.hostname import is_hello_name
from ..phrases import Phrases
from .check import CheckResult, async_check
from .draft import Draft, async_draft_of
from .forms import layout_selector, nested
from .progress import Progress
from .texts import error_values, typing_error

if TYPE_CHECKING:
    from ..account import EmailCourierConfigEntry
    from ..mail.settings import ServerSettings
    from ..mail.verify.remedy import Diagnosis

_CONNECTION: Final = "connection"
_OUTBOX: Final = "outbox"
_BACKUP: Final = "backup"


def options_form(hass: HomeAssistant, entry: EmailCourierConfigEntry) -> vol.Schema:
    """Return the form; the backup is offered where there is another account."""
    others = [
        SelectOptionDict(value=other.entry_id, label=other.title)
        for other in hass.config_entries.async_entries(DOMAIN)
        if other.entry_id != entry.entry_id
    ]
    return vol.Schema(_always() | (_backup(others) if others else {}))


def typed_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed without sections and without empty fields."""
    return dict(_flat(values))


def shown_in(form: vol.Schema) -> frozenset[str]:
    """Return the names of the options that the form shows."""
    names: set[str] = set()
    for marker, field in form.schema.items():
        names |= shown_in(field.schema) if isinstance(field, section) else {str(marker)}
    return frozenset(names)


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value)
        elif value not in ("", []):
            yield name, value


def _number(least: int, most: int, unit: str | None = None) -> vol.All[Any]:
    config = NumberSelectorConfig(min=least, max=most, step=1, mode=NumberSelectorMode.BOX)
    if unit is not None:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _backup(others: list[SelectOptionDict]) -> dict[vol.Marker, section]:
    return {
        vol.Required(_BACKUP): section(
            vol.Schema(
                {
                    # A short list would come as radio buttons, and a choice of those is for good.
                    vol.Optional(CONF_BACKUP_ACCOUNT): SelectSelector(
                        SelectSelectorConfig(options=others, mode=SelectSelectorMode.DROPDOWN)
                    ),
                    vol.Required(CONF_BACKUP_AFTER, default=DEFAULT_BACKUP_AFTER): _number(
                        1, 1440, "min"
                    ),
                }
            ),
            {"collapsed": True},
        )
    }


def _always() -> dict[vol.Marker, Any]:
    return {
        vol.Optional(CONF_SENDER_NAME): TextSelector(),
        vol.Optional(CONF_REPLY_TO): TextSelector(TextSelectorConfig(multiple=True)),
        vol.Required(CONF_LAYOUT, default=Layout.CARD.value): layout_selector(),
        vol.Required(CONF_DEFAULT_SUBJECT, default=SUBJECT_HOME_ASSISTANT): SelectSelector(
            SelectSelectorConfig(
                options=[SUBJECT_FIRST_LINE, SUBJECT_HOME_ASSISTANT],
                translation_key="default_subject",
            )
        ),
        vol.Required(_CONNECTION): section(
            vol.Schema(
                {
                    vol.Required(CONF_TIMEOUT, default=DEFAULT_TIMEOUT): _number(
                        MIN_TIMEOUT, MAX_TIMEOUT, "s"
                    ),
                    vol.Optional(CONF_HELLO_NAME): TextSelector(),
                    vol.Optional(CONF_CA_FILE): TextSelector(),
                }
            ),
            {"collapsed": True},
        ),
        vol.Required(_OUTBOX): section(
            vol.Schema(
                {
                    vol.Required(CONF_WRITE_FIRST, default=False): BooleanSelector(),
                    vol.Required(CONF_MAX_MAILS, default=DEFAULT_MAX_MAILS): _number(1, 1_000_000),
                    vol.Required(CONF_MAX_MEGABYTES, default=DEFAULT_MAX_MEGABYTES): _number(
                        1, 1_000_000, "MB"
                    ),
                    vol.Optional(CONF_FLOOD_LIMIT): _number(1, 10_000),
                    vol.Required(CONF_DROP_LARGE_ATTACHMENTS, default=False): BooleanSelector(),
                    vol.Required(CONF_WAITING_AFTER, default=DEFAULT_WAITING_AFTER): _number(
                        1, 1440, "min"
                    ),
                    vol.Required(CONF_HIDE_SUBJECTS, default=False): BooleanSelector(),
                }
            ),
            {"collapsed": True},
        ),
    }


_OF_THE_CONNECTION = (CONF_HELLO_NAME, CONF_CA_FILE)


class EmailCourierOptionsFlow(OptionsFlow):
    """One form; what touches the connection is proven before it is saved."""

    def __init__(self) -> None:
        """Begin with nothing typed."""
        self._typed: dict[str, Any] | None = None
        self._draft = Draft()
        self._errors: dict[str, str] = {}
        self._failure: Failure | None = None
        self._remedy: ServerSettings | None = None
        self._handshake = Progress[CheckResult]()

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the options, or save them."""
        stored = self.config_entry.options
        if user_input is not None:
            self._typed = typed = typed_in(user_input)
            self._draft = replace(
                await async_draft_of(self.hass, self.config_entry),
                hello_name=typed.get(CONF_HELLO_NAME),
                ca_file=typed.get(CONF_CA_FILE),
            )
            if self._check_typing():
                if all(typed.get(name) == stored.get(name) for name in _OF_THE_CONNECTION):
                    return await self.async_step_save()
                result = await self.async_step_handshake()
                if result["type"] is FlowResultType.SHOW_PROGRESS:
                    return result
                return await (self.async_step_init() if self._errors else self.async_step_save())
        values: dict[str, str] = {}
        if self._failure is not None:
            phrases = await Phrases.async_for_reader(self.hass)
            values = error_values(self._failure, self._draft, phrases, self._remedy)
        form = options_form(self.hass, self.config_entry)
        shown = dict(stored) if self._typed is None else self._typed
        if self.hass.config_entries.async_get_entry(shown.get(CONF_BACKUP_ACCOUNT, "")) is None:
            shown.pop(CONF_BACKUP_ACCOUNT, None)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(form, nested(form, shown)),
            errors=self._errors,
            description_placeholders=values,
        )

    async def async_step_handshake(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Prove the account with the new options."""
        page = self._handshake.page(self, "handshake", lambda: async_check(self.hass, self._draft))
        if page is not None:
            return page
        diagnosis = self._handshake.result().diagnosis
        if diagnosis is None:
            return self.async_show_progress_done(next_step_id="save")
        self._fail(diagnosis.failure)
        self._take_remedy(diagnosis)
        return self.async_show_progress_done(next_step_id="init")

    async def async_step_save(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Save what was typed, beside the options that this form does not show."""
        shown = shown_in(options_form(self.hass, self.config_entry))
        others = {k: v for k, v in self.config_entry.options.items() if k not in shown}
        options = {**others, **(self._typed or {})}
        async_save(self.hass, self.config_entry, options=options)
        return self.async_create_entry(data=options)

    def _check_typing(self) -> bool:
        self._errors = {}
        self._failure = self._remedy = None
        typed = self._typed or {}
        try:
            parse_mailboxes(typed.get(CONF_REPLY_TO, []))
        except MailError as error:
            self._fail(error.failure, CONF_REPLY_TO)
        else:
            if (name := self._draft.hello_name) is not None and not is_hello_name(name):
                # not at its field: the pages of Home Assistant show no errors inside of sections
                self._fail(typing_error(FailureKind.HELO_REJECTED, Stage.HELLO, "hello_malformed"))
        return not self._errors

    def _fail(self, failure: Failure, field: str = "base") -> None:
        self._failure = failure
        self._errors = {field: failure.kind.value}

    def _take_remedy(self, diagnosis: Diagnosis) -> None:
        """Fill in a name that the server takes; another server or port is not set here."""
        remedy = diagnosis.remedy
        if remedy is not None and diagnosis.failure.kind is FailureKind.HELO_REJECTED:
            self._typed = {**(self._typed or {}), CONF_HELLO_NAME: remedy.hello_name}
            self._remedy = remedy

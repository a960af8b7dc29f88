"""The options: what a person may set beside the server and the login."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from .check import async_check
from .const import (
    CONF_CA_FILE,
    CONF_HELLO_NAME,
    CONF_REPLY_TO,
    CONF_SENDER_NAME,
    CONF_TIMEOUT,
    DEFAULT_TIMEOUT,
)
from .draft import Draft
from .flow_texts import error_values, no_error_values
from .mail.address import parse_mailboxes
from .mail.failure import MailError
from .mail.names import is_hello_name
from .mail.remedy import Diagnosis
from .phrases import Phrases

_FORM = vol.Schema(
    {
        vol.Optional(CONF_SENDER_NAME): TextSelector(),
        vol.Optional(CONF_REPLY_TO): TextSelector(TextSelectorConfig(multiple=True)),
        vol.Required(CONF_TIMEOUT, default=DEFAULT_TIMEOUT): vol.All(
            NumberSelector(
                NumberSelectorConfig(
                    min=5, max=300, step=1, unit_of_measurement="s", mode=NumberSelectorMode.BOX
                )
            ),
            vol.Coerce(int),
        ),
        vol.Optional(CONF_HELLO_NAME): TextSelector(),
        vol.Optional(CONF_CA_FILE): TextSelector(),
    }
)
_OF_THE_CONNECTION = (CONF_HELLO_NAME, CONF_CA_FILE)


class EmailCourierOptionsFlow(OptionsFlow):
    """One form; what touches the connection is proven before it is saved."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the options, or save them."""
        errors: dict[str, str] = {}
        values = no_error_values()
        if user_input is not None:
            errors, values = await self._async_check(user_input)
            if not errors:
                return self.async_create_entry(data={**self._others(), **user_input})
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                _FORM, self.config_entry.options if user_input is None else user_input
            ),
            errors=errors,
            description_placeholders=values,
        )

    async def _async_check(self, typed: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        values = no_error_values()
        try:
            parse_mailboxes(typed.get(CONF_REPLY_TO) or [])
        except MailError as error:
            values["address"] = error.failure.facts.get("address", "")
            values["reply"] = error.failure.detail
            return {CONF_REPLY_TO: error.failure.kind.value}, values
        name = typed.get(CONF_HELLO_NAME)
        if name and not is_hello_name(name):
            return {CONF_HELLO_NAME: "hello_name_invalid"}, values
        stored = self.config_entry.options
        if all(typed.get(name) == stored.get(name) for name in _OF_THE_CONNECTION):
            return {}, values
        draft = replace(
            Draft.of_entry(self.config_entry.data, stored),
            hello_name=name or None,
            ca_file=typed.get(CONF_CA_FILE) or None,
        )
        outcome = await async_check(self.hass, draft)
        if outcome.proof is not None:
            return {}, values
        diagnosis = outcome.diagnosis
        if diagnosis is None:
            return {}, values
        phrases = await Phrases.async_load(self.hass)
        unremedied = Diagnosis(diagnosis.failure, diagnosis.certificate)
        return (
            {"base": diagnosis.failure.kind.value},
            error_values(unremedied, draft, phrases),
        )

    def _others(self) -> dict[str, Any]:
        """Return the stored options that this form does not show."""
        shown = {str(marker) for marker in _FORM.schema}
        return {k: v for k, v in self.config_entry.options.items() if k not in shown}

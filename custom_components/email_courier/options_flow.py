"""The options: what a person may set beside the server and the login."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.data_entry_flow import FlowResultType

from .check import Outcome, async_check
from .const import CONF_BACKUP_ACCOUNT, CONF_CA_FILE, CONF_HELLO_NAME, CONF_REPLY_TO, DOMAIN
from .draft import Draft, async_draft_of
from .entry_saving import async_save
from .flow_texts import error_values, typing_error
from .mail.address import parse_mailboxes
from .mail.failure import FailureKind, MailError, Stage
from .mail.names import is_hello_name
from .mail.remedy import Diagnosis
from .options_form import options_form, shown_in, sorted_into, typed_in
from .phrases import Phrases

_OF_THE_CONNECTION = (CONF_HELLO_NAME, CONF_CA_FILE)


class EmailCourierOptionsFlow(OptionsFlow):
    """One form; what touches the connection is proven before it is saved."""

    def __init__(self) -> None:
        """Begin with nothing typed."""
        self._typed: dict[str, Any] | None = None
        self._draft = Draft()
        self._errors: dict[str, str] = {}
        self._diagnosis: Diagnosis | None = None
        self._handshake: asyncio.Task[Outcome] | None = None

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
        if self._diagnosis is not None:
            phrases = await Phrases.async_load(self.hass)
            values = error_values(self._diagnosis, self._draft, phrases)
        form = options_form(self.hass, self.config_entry)
        shown = dict(stored) if self._typed is None else self._typed
        if self.hass.config_entries.async_get_entry(shown.get(CONF_BACKUP_ACCOUNT, "")) is None:
            shown.pop(CONF_BACKUP_ACCOUNT, None)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(form, sorted_into(form, shown)),
            errors=self._errors,
            description_placeholders=values,
        )

    async def async_step_handshake(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Prove the account with the new options."""
        if self._handshake is None:
            self._handshake = self.hass.async_create_task(
                async_check(self.hass, self._draft), f"{DOMAIN} handshake"
            )
        if not self._handshake.done():
            return self.async_show_progress(
                step_id="handshake", progress_action="handshake", progress_task=self._handshake
            )
        diagnosis = self._handshake.result().diagnosis
        self._handshake = None
        if diagnosis is None:
            return self.async_show_progress_done(next_step_id="save")
        self._fail(diagnosis, "base")
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
        self._diagnosis = None
        typed = self._typed or {}
        try:
            parse_mailboxes(typed.get(CONF_REPLY_TO, []))
        except MailError as error:
            self._fail(Diagnosis(error.failure), CONF_REPLY_TO)
        else:
            if (name := self._draft.hello_name) is not None and not is_hello_name(name):
                # not at its field: the pages of Home Assistant show no errors inside of sections
                self._fail(
                    typing_error(FailureKind.HELO_REJECTED, Stage.HELLO, "hello_malformed"), "base"
                )
        return not self._errors

    def _fail(self, diagnosis: Diagnosis, field: str) -> None:
        self._diagnosis = diagnosis
        self._errors = {field: diagnosis.failure.kind.value}

    def _take_remedy(self, diagnosis: Diagnosis) -> None:
        """Fill in a name that the server takes; another server or port is not set here."""
        remedy = diagnosis.remedy
        if remedy is not None and diagnosis.failure.kind is FailureKind.HELO_REJECTED:
            self._typed = {**(self._typed or {}), CONF_HELLO_NAME: remedy.hello_name}
        else:
            self._diagnosis = replace(diagnosis, remedy=None)

"""The dialog for a recipient: a name and the addresses behind it."""

from __future__ import annotations

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType
import voluptuous as vol

from .const import CONF_BCC, CONF_CC, CONF_TO
from .mail.address import Mailbox, parse_mailboxes
from .mail.failure import FailureKind, MailError

_ADDRESSES = TextSelector(TextSelectorConfig(type=TextSelectorType.TEXT, multiple=True))
_FORM = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_TO): _ADDRESSES,
        vol.Optional(CONF_CC): _ADDRESSES,
        vol.Optional(CONF_BCC): _ADDRESSES,
    }
)
_FIELDS = (CONF_TO, CONF_CC, CONF_BCC)


class RecipientFlow(ConfigSubentryFlow):
    """Add and change a recipient."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Add a recipient."""
        return self._show_or_save(user_input, {})

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a recipient; its entity stays the same."""
        subentry = self._get_reconfigure_subentry()
        return self._show_or_save(user_input, {CONF_NAME: subentry.title, **subentry.data})

    def _show_or_save(
        self, typed: dict[str, Any] | None, stored: dict[str, Any]
    ) -> SubentryFlowResult:
        errors: dict[str, str] = {}
        values = {"address": "", "reply": ""}
        data: dict[str, list[str]] = {}
        if typed is not None:
            for field in _FIELDS:
                try:
                    mailboxes = parse_mailboxes(typed.get(field) or [])
                except MailError as error:
                    errors[field] = error.failure.kind.value
                    values["address"] = error.failure.facts.get("address", "")
                    values["reply"] = error.failure.detail
                    continue
                if mailboxes:
                    data[field] = [_stored(mailbox) for mailbox in mailboxes]
            if not errors and CONF_TO not in data:
                errors[CONF_TO] = FailureKind.INVALID_RECIPIENT.value
            if not errors:
                return self._save(typed[CONF_NAME].strip() or data[CONF_TO][0], data)
        return self.async_show_form(
            step_id="reconfigure" if self.source == SOURCE_RECONFIGURE else "user",
            data_schema=self.add_suggested_values_to_schema(_FORM, typed or stored),
            errors=errors,
            description_placeholders=values,
        )

    def _save(self, name: str, data: dict[str, list[str]]) -> SubentryFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(), self._get_reconfigure_subentry(), title=name, data=data
            )
        return self.async_create_entry(title=name, data=data)


def _stored(mailbox: Mailbox) -> str:
    """Write a mailbox so that it reads back as the same."""
    if not mailbox.name:
        return mailbox.address
    escaped = mailbox.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{mailbox.address}>'

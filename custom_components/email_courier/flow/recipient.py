"""The dialog for a recipient: a name and the addresses behind it."""

from __future__ import annotations

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType
import voluptuous as vol

from ..const import CONF_BCC, CONF_CC, CONF_TO
from ..errors import placeholders
from ..mail.address import Mailbox, parse_mailbox, parse_mailboxes
from ..mail.failure import MailError
from ..phrases import Phrases
from ..recipients import format_mailbox

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
        return await self._show_or_save(user_input, {})

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a recipient; its entity stays the same."""
        subentry = self._get_reconfigure_subentry()
        return await self._show_or_save(user_input, {CONF_NAME: subentry.title, **subentry.data})

    async def _show_or_save(
        self, typed: dict[str, Any] | None, stored: dict[str, Any]
    ) -> SubentryFlowResult:
        errors: dict[str, str] = {}
        values: dict[str, str] = {}
        if typed is not None:
            data: dict[str, list[str]] = {}
            for field in _FIELDS:
                try:
                    mailboxes = _mailboxes(typed.get(field, []), at_least_one=field == CONF_TO)
                except MailError as error:
                    # one at a time: the texts of two errors would share their values
                    errors = {field: error.failure.kind.value}
                    phrases = await Phrases.async_for_reader(self.hass)
                    values = placeholders(error.failure, phrases)
                    break
                if mailboxes:
                    data[field] = [format_mailbox(mailbox) for mailbox in mailboxes]
            else:
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


def _mailboxes(texts: list[str], *, at_least_one: bool) -> tuple[Mailbox, ...]:
    mailboxes = parse_mailboxes(texts)
    return mailboxes if mailboxes or not at_least_one else (parse_mailbox(""),)

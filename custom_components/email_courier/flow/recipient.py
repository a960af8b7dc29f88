"""The dialog for a recipient: a name and the addresses behind it."""

from __future__ import annotations

from collections.abc import Collection
import re
from typing import Any, cast

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType
import voluptuous as vol

from ..const import CONF_BCC, CONF_CC, CONF_LAYOUT, CONF_TO
from ..errors import placeholders
from ..mail.address import Mailbox, parse_mailbox, parse_mailboxes
from ..mail.failure import MailError
from ..phrases import Phrases, as_code
from ..recipients import format_mailbox
from .forms import layout_selector
from .texts import NEXT_PAGES, NEXT_STEPS

_ADDRESSES = TextSelector(TextSelectorConfig(type=TextSelectorType.TEXT, multiple=True))
_FORM = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_TO): _ADDRESSES,
        vol.Optional(CONF_CC): _ADDRESSES,
        vol.Optional(CONF_BCC): _ADDRESSES,
        vol.Optional(CONF_LAYOUT): layout_selector(),
    }
)
_FIELDS = (CONF_TO, CONF_CC, CONF_BCC)


class FirstRecipientContext(SubentryFlowContext, total=False):
    """The context of the dialog that follows a new account.

    tested_address: who has got the test mail; empty where none was sent.
    """

    tested_address: str


class RecipientFlow(ConfigSubentryFlow):
    """Add and change a recipient."""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self._asked_about: set[str] = set()

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Add a recipient; the first one is filled in with the address that was tested."""
        tested = cast("FirstRecipientContext", self.context).get("tested_address")
        return await self._show_or_save(user_input, _filled_in_for(tested) if tested else {})

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
            data: dict[str, Any] = {}
            for field in _FIELDS:
                # one at a time: the texts of two errors would share their values
                try:
                    mailboxes = _mailboxes(typed.get(field, []), at_least_one=field == CONF_TO)
                except MailError as error:
                    errors = {field: error.failure.kind.value}
                    phrases = await Phrases.async_for_reader(self.hass)
                    values = placeholders(error.failure, phrases)
                    break
                if (doubtful := self._doubtful(mailboxes, stored.get(field, ()))) is not None:
                    errors = {field: "domain_without_dot"}
                    values = {"address": doubtful.address}
                    break
                if mailboxes:
                    data[field] = [format_mailbox(mailbox) for mailbox in mailboxes]
            else:
                if layout := typed.get(CONF_LAYOUT):
                    data[CONF_LAYOUT] = layout
                return self._save(typed[CONF_NAME].strip() or data[CONF_TO][0], data)
        return self.async_show_form(
            step_id="reconfigure" if self.source == SOURCE_RECONFIGURE else "user",
            data_schema=self.add_suggested_values_to_schema(_FORM, typed or stored),
            errors=errors,
            description_placeholders=values,
        )

    def _doubtful(self, mailboxes: tuple[Mailbox, ...], stored: Collection[str]) -> Mailbox | None:
        """Return an address that only a server of one's own could know; each is doubted once."""
        for mailbox in mailboxes:
            is_known = format_mailbox(mailbox) in stored or mailbox.address in self._asked_about
            if not is_known and not set(".:") & set(mailbox.domain):
                self._asked_about.add(mailbox.address)
                return mailbox
        return None

    def _save(self, name: str, data: dict[str, Any]) -> SubentryFlowResult:
        entry = self._get_entry()
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                entry, self._get_reconfigure_subentry(), title=name, data=data
            )
        return self.async_create_entry(
            title=name,
            data=data,
            description=None if entry.subentries else NEXT_STEPS,
            description_placeholders={"name": as_code(name), **NEXT_PAGES},
        )


def _filled_in_for(tested: str) -> dict[str, Any]:
    """Return a recipient for an address, named after the part before the @."""
    try:
        mailbox = parse_mailbox(tested)
    except MailError:
        return {}
    words = re.split(r"[._+-]+", mailbox.local_part.partition("+")[0])
    name = mailbox.name or " ".join(word.capitalize() for word in words if word)
    return {CONF_NAME: name, CONF_TO: [format_mailbox(mailbox)]}


def _mailboxes(texts: list[str], *, at_least_one: bool) -> tuple[Mailbox, ...]:
    mailboxes = parse_mailboxes(texts)
    return mailboxes if mailboxes or not at_least_one else (parse_mailbox(""),)

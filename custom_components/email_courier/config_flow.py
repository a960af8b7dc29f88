"""The set-up dialog: where it begins; its pages are in the package `flow`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigFlowResult,
    ConfigSubentryFlow,
    FlowType,
)
from homeassistant.core import callback

from .const import CONF_SENDER, DOMAIN, SUBENTRY_RECIPIENT, SUBENTRY_REPORT
from .errors import cause
from .flow.core_smtp import core_accounts
from .flow.draft import Draft, async_draft_of
from .flow.finish import FinishSteps
from .flow.forms import core_account_form
from .flow.login import LoginSteps
from .flow.oauth import OAuthSteps
from .flow.options import EmailCourierOptionsFlow
from .flow.recipient import FirstRecipientContext, RecipientFlow
from .flow.report import ReportFlow
from .flow.server import ServerSteps
from .mail.failure import Failure
from .phrases import as_code

if TYPE_CHECKING:
    from .account import EmailCourierConfigEntry


class EmailCourierConfigFlow(ServerSteps, LoginSteps, OAuthSteps, FinishSteps, domain=DOMAIN):
    """A new account, an imported one, and changes to one that exists."""

    VERSION = 1
    MINOR_VERSION = 2

    @classmethod
    @callback
    def async_get_supported_subentry_types(
        cls, config_entry: EmailCourierConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """An account has recipients and reports."""
        return {SUBENTRY_RECIPIENT: RecipientFlow, SUBENTRY_REPORT: ReportFlow}

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: EmailCourierConfigEntry) -> EmailCourierOptionsFlow:
        """Return the dialog for what does not belong to the handshake."""
        return EmailCourierOptionsFlow()

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin a new account, or offer those of Home Assistant's own SMTP integration."""
        if self.follows_menu:
            if self.imported is not None:  # back from it: the other way begins anew
                self.imported = self.stored = None
                self.draft = Draft()
                self.login_is_known = self.keeps_password = False
            return self.async_show_menu(step_id="user", menu_options=["address", "core_account"])
        return await self.go_to("address")

    async def async_step_core_account(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take over an account of Home Assistant's own SMTP integration with its recipients."""
        accounts = core_accounts(self.hass)
        if user_input is None:
            return self.async_show_form(
                step_id="core_account", data_schema=core_account_form(accounts)
            )
        self.imported = accounts[user_input["core_account"]]
        self.draft = self.stored = self.imported.draft
        self.login_is_known = self.keeps_password = True
        return await self.go_to("address", {CONF_SENDER: self.draft.sender})

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the login again; everything else is known."""
        self.draft = self.stored = await async_draft_of(self.hass, self._get_reauth_entry())
        if (failure := (entry_data or {}).get("failure")) is not None:
            phrases = await self.async_phrases()
            known = Failure.from_dict(failure)
            said = as_code(known.heard) if known.heard else cause(known, phrases) or "-"
            self.intro = phrases.say("reauth", reply=said)
        await self.async_recognise_provider()
        return await self.go_to("login")

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go through all pages again, filled in with what is stored."""
        self.draft = self.stored = await async_draft_of(self.hass, self._get_reconfigure_entry())
        return await self.go_to("address")

    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Go on with the first recipient, without which nobody can be written to."""
        entry: EmailCourierConfigEntry = result["result"]
        if not entry.subentries:
            flow = await self.hass.config_entries.subentries.async_init(
                (entry.entry_id, SUBENTRY_RECIPIENT),
                context=FirstRecipientContext(
                    source=SOURCE_USER,
                    tested_address=self.test_recipient if self.has_tested else "",
                ),
            )
            result["next_flow"] = (FlowType.CONFIG_SUBENTRIES_FLOW, flow["flow_id"])
        return result

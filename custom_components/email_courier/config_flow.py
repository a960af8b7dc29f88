"""The set-up dialog: where it begins and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigFlowResult,
    ConfigSubentryData,
    ConfigSubentryFlow,
    FlowType,
    SubentryFlowContext,
)
from homeassistant.core import callback

from .const import CONF_CA_FILE, CONF_HELLO_NAME, CONF_SENDER_NAME, DOMAIN, SUBENTRY_RECIPIENT
from .core_smtp import CoreAccount, core_accounts
from .draft import Draft
from .flow_forms import core_account_form
from .flow_pages import AccountPages
from .options_flow import EmailCourierOptionsFlow
from .recipient_flow import RecipientFlow


class EmailCourierConfigFlow(AccountPages, domain=DOMAIN):
    """A new account, an imported one, and changes to one that exists."""

    VERSION = 1

    def __init__(self) -> None:
        """Begin with nothing imported."""
        super().__init__()
        self._imported: CoreAccount | None = None

    @classmethod
    @callback
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """An account has recipients."""
        return {SUBENTRY_RECIPIENT: RecipientFlow}

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: ConfigEntry) -> EmailCourierOptionsFlow:
        """Return the dialog for what does not belong to the handshake."""
        return EmailCourierOptionsFlow()

    @property
    def own_entry(self) -> ConfigEntry | None:
        """The account that is being changed."""
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_entry()
        return None

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin a new account, or offer those of Home Assistant's own SMTP integration."""
        if core_accounts(self.hass):
            return self.async_show_menu(step_id="user", menu_options=["address", "core_account"])
        return await self.async_step_address()

    async def async_step_core_account(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take over an account of Home Assistant's own SMTP integration with its recipients."""
        accounts = core_accounts(self.hass)
        if user_input is None:
            return self.async_show_form(
                step_id="core_account", data_schema=core_account_form(accounts)
            )
        self._imported = accounts[user_input["core_account"]]
        self.draft = self._imported.draft
        return await self.async_step_server()

    async def async_step_reauth(self, _data: Mapping[str, Any]) -> ConfigFlowResult:
        """Ask for the login again; everything else is known."""
        self._load_entry(self._get_reauth_entry())
        return await self.async_step_login()

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go through all pages again, filled in with what is stored."""
        self._load_entry(self._get_reconfigure_entry())
        return await self.async_step_address()

    async def async_finish(self) -> ConfigFlowResult:
        """Make the account, or change it; its recipients and waiting mail stay."""
        if (entry := self.own_entry) is not None:
            return self.async_update_and_abort(
                entry,
                title=self._title(entry),
                data=self.draft.data(),
                options=self._options(entry.options),
            )
        imported = self._imported
        options = self.draft.options()
        if imported is not None and imported.sender_name:
            options[CONF_SENDER_NAME] = imported.sender_name
        return self.async_create_entry(
            title=self.draft.sender,
            data=self.draft.data(),
            options=options,
            subentries=[
                ConfigSubentryData(
                    subentry_type=SUBENTRY_RECIPIENT,
                    title=recipient.name,
                    data={"to": [recipient.address]},
                    unique_id=None,
                )
                for recipient in (imported.recipients if imported else ())
            ],
        )

    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Go on with the first recipient, without which nobody can be written to."""
        entry: ConfigEntry = result["result"]
        if not entry.subentries:
            flow = await self.hass.config_entries.subentries.async_init(
                (entry.entry_id, SUBENTRY_RECIPIENT),
                context=SubentryFlowContext(source=SOURCE_USER),
            )
            result["next_flow"] = (FlowType.CONFIG_SUBENTRIES_FLOW, flow["flow_id"])
        return result

    def _load_entry(self, entry: ConfigEntry) -> None:
        self.draft = Draft.of_entry(entry.data, entry.options)
        self.stored_password = self.draft.password

    def _title(self, entry: ConfigEntry) -> str:
        """Keep a title of the person's own; one that is the sender follows the sender."""
        return self.draft.sender if entry.title == entry.data["sender"] else entry.title

    def _options(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        others = {k: v for k, v in stored.items() if k not in (CONF_HELLO_NAME, CONF_CA_FILE)}
        return {**others, **self.draft.options()}

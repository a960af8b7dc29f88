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

from .const import (
    CONF_CA_FILE,
    CONF_HELLO_NAME,
    CONF_SENDER,
    CONF_TO,
    DOMAIN,
    SUBENTRY_RECIPIENT,
)
from .entry import async_save
from .flow.core_smtp import CoreAccount, core_accounts
from .flow.draft import Draft, async_draft_of
from .flow.forms import CONF_GO_BACK, CONF_MANUAL, core_account_form
from .flow.login import SignInPages
from .flow.options import EmailCourierOptionsFlow
from .flow.recipient import RecipientFlow
from .mail.failure import Failure
from .phrases import as_code
from .recipients import written


class EmailCourierConfigFlow(SignInPages, domain=DOMAIN):
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

    @property
    def follows_menu(self) -> bool:
        """Whether there was something to take over."""
        return self.own_entry is None and bool(core_accounts(self.hass))

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin a new account, or offer those of Home Assistant's own SMTP integration."""
        if self.follows_menu:
            if self._imported is not None:  # back from it: the other way begins anew
                self._imported = self.stored = None
                self.draft = Draft()
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
        if user_input.get(CONF_GO_BACK):
            return await self.async_step_user()
        self._imported = accounts[user_input["core_account"]]
        self._load(self._imported.draft)
        return await self.async_step_address({CONF_SENDER: self.draft.sender, CONF_MANUAL: True})

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the login again; everything else is known."""
        entry = self._get_reauth_entry()
        self._load(await async_draft_of(self.hass, entry))
        if (failure := (entry_data or {}).get("failure")) is not None:
            phrases = await self.async_phrases()
            said = as_code(Failure.from_dict(failure).server_words)
            self.intro = phrases.say("reauth", reply=said)
        await self.async_recognise_provider()
        return await self.async_step_login()

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go through all pages again, filled in with what is stored."""
        entry = self._get_reconfigure_entry()
        self._load(await async_draft_of(self.hass, entry))
        return await self.async_step_address()

    async def async_finish(self) -> ConfigFlowResult:
        """Make the account, or change it; its recipients and waiting mail stay."""
        if (entry := self.own_entry) is not None:
            async_save(
                self.hass,
                entry,
                title=self._title(entry),
                data=self.draft.data(),
                options=self._options(entry.options),
            )
            return self.async_update_and_abort(entry)
        imported = self._imported
        return self.async_create_entry(
            title=self.draft.sender,
            data=self.draft.data(),
            options=self._options(imported.options if imported else {}),
            subentries=[
                ConfigSubentryData(
                    subentry_type=SUBENTRY_RECIPIENT,
                    title=recipient.name,
                    data={CONF_TO: [written(recipient.mailbox)]},
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

    def _load(self, stored: Draft) -> None:
        self.draft = self.stored = stored

    def _title(self, entry: ConfigEntry) -> str:
        """Keep a title of the person's own; one that is the sender follows the sender."""
        return self.draft.sender if entry.title == entry.data[CONF_SENDER] else entry.title

    def _options(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options with those that the dialog sets."""
        others = {k: v for k, v in stored.items() if k not in (CONF_HELLO_NAME, CONF_CA_FILE)}
        return {**others, **self.draft.options()}

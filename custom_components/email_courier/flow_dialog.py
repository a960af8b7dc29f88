"""What the pages of the set-up dialog stand on: what has been typed, found and proven.

Nothing that was typed is lost: a page comes back as it was left, with an error or a remedy.
"""

from __future__ import annotations

from abc import abstractmethod
import asyncio
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult
from homeassistant.core import callback
from homeassistant.data_entry_flow import FlowResultType
import voluptuous as vol

from .check import Outcome, async_check
from .const import (
    DOMAIN,
)
from .draft import Draft
from .entry_data import same_account
from .flow_texts import (
    error_values,
    no_error_values,
)
from .lookup import async_discover
from .mail.discovery.model import Discovery
from .mail.failure import LOGIN_REFUSED, FailureKind, Stage
from .mail.handshake import Proof
from .mail.remedy import Diagnosis
from .phrases import Phrases

_PAGE_OF_KIND = {
    FailureKind.INVALID_SENDER: "address",
    FailureKind.SENDER_REJECTED: "address",
    FailureKind.AUTH_REQUIRED: "login",
    FailureKind.AUTH_MECHANISM_UNSUPPORTED: "login",
    **dict.fromkeys(LOGIN_REFUSED, "login"),
}
_STAGES = tuple(Stage)


class AccountDialog(ConfigFlow):
    """Finds the server, proves the draft, and leads to the page that an outcome calls for."""

    def __init__(self) -> None:
        """Begin with nothing typed."""
        self.draft = Draft()
        self.found: Discovery | None = None
        self.stored_password: str | None = None
        self.login_is_known = False
        self._phrases: Phrases | None = None
        self._stage: Stage = Stage.RESOLVE
        self._discovery: asyncio.Task[Discovery] | None = None
        self._handshake: asyncio.Task[Outcome] | None = None
        self.errors: dict[str, str] = {}
        self.diagnosis: Diagnosis | None = None
        self.failed = self.draft
        self.proof: Proof | None = None

    @property
    def own_entry(self) -> ConfigEntry | None:
        """The account that is being changed, if it is not a new one."""
        return None

    @abstractmethod
    async def async_finish(self) -> ConfigFlowResult:
        """Save the proven draft."""

    @abstractmethod
    async def async_step_plain_login(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for an explicit yes to a password without encryption (never for loopback)."""

    async def async_step_discovery(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look for the server of the address."""
        if self._discovery is None:
            self._discovery = self.hass.async_create_task(
                async_discover(self.hass, self.draft.sender), "email_courier discovery"
            )
        if not self._discovery.done():
            return self.async_show_progress(
                step_id="discovery",
                progress_action="discovery",
                progress_task=self._discovery,
            )
        self.found = self._discovery.result()
        self._discovery = None
        self.draft = self.draft.with_discovery(self.found)
        return self.async_show_progress_done(next_step_id="server")

    async def async_step_handshake(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Prove the draft, and say at which stage that is."""
        if self._handshake is None:
            self._stage = Stage.RESOLVE
            self._handshake = self.hass.async_create_task(
                async_check(self.hass, self.draft, self._note_stage), "email_courier handshake"
            )
        if not self._handshake.done():
            return self.async_show_progress(
                step_id="handshake",
                progress_action=self._stage.value,
                progress_task=self._handshake,
            )
        outcome = self._handshake.result()
        self._handshake = None
        return self.async_show_progress_done(next_step_id=self._take_outcome(outcome))

    async def async_prove(self) -> ConfigFlowResult:
        """Refuse what exists already, ask for consent where needed, then prove the draft."""
        data = self.draft.data()
        for entry in self.hass.config_entries.async_entries(DOMAIN):
            if entry is not self.own_entry and same_account(data, entry.data):
                return self.async_abort(reason="already_configured")
        if self.draft.needs_plain_consent:
            return await self.async_step_plain_login()
        return await self.async_go_on(await self.async_step_handshake())

    async def async_go_on(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Show the next page at once where a task was done before any progress was shown."""
        if result["type"] is not FlowResultType.SHOW_PROGRESS_DONE:
            return result
        page: ConfigFlowResult = await getattr(self, f"async_step_{result['step_id']}")()
        return page

    @callback
    def _note_stage(self, stage: Stage) -> None:
        if stage is not self._stage:
            self._stage = stage
            self.async_update_progress(_STAGES.index(stage) / len(_STAGES))
            self.async_notify_flow_changed()

    def _take_outcome(self, outcome: Outcome) -> str:
        """Remember what came of a handshake and return the page that is next."""
        typed = self.draft
        self.draft = outcome.draft
        if outcome.proof is not None:
            self.proof = outcome.proof
            return "finish"
        if outcome.diagnosis is None:
            return "plain_login"
        diagnosis = outcome.diagnosis
        self.draft = replace(self.draft, encryption=typed.encryption)
        self.fail(diagnosis)
        if diagnosis.remedy is not None:
            self.draft = self.draft.with_settings(diagnosis.remedy)
            return "server"
        return _PAGE_OF_KIND.get(diagnosis.failure.kind, "server")

    def fail(self, diagnosis: Diagnosis, field: str = "base") -> None:
        """Remember an error for the page that comes next."""
        self.diagnosis = diagnosis
        self.failed = self.draft
        self.errors = {field: diagnosis.failure.kind.value}

    def forget_errors(self) -> None:
        """Begin anew with what has just been typed; nothing of it is proven."""
        self.errors = {}
        self.diagnosis = None
        self.proof = None

    async def async_page(
        self, page: str, form: vol.Schema, suggested: dict[str, Any], **values: str
    ) -> ConfigFlowResult:
        """Show a page with what has been typed, and with the error that led back to it."""
        if self.diagnosis is None:
            texts = no_error_values()
        else:
            texts = error_values(self.diagnosis, self.failed, await self.async_phrases())
        return self.async_show_form(
            step_id=page,
            data_schema=self.add_suggested_values_to_schema(form, suggested),
            errors=self.errors,
            description_placeholders={"sender": self.draft.sender, **texts, **values},
        )

    async def async_phrases(self) -> Phrases:
        """Return the dialog's sentences in the language of the home."""
        if self._phrases is None:
            self._phrases = await Phrases.async_load(self.hass)
        return self._phrases

"""What a person can do about a repair issue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from homeassistant.components.repairs import (
    ConfirmRepairFlow,
    FlowType,
    RepairsFlow,
    RepairsFlowResult,
)
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
import voluptuous as vol

from .const import CONF_FINGERPRINT, DOMAIN
from .flow.check import CheckResult, async_check
from .flow.draft import async_draft_of
from .flow.progress import Progress, share_done
from .issues import Issue, IssueData
from .mail.failure import Failure, Stage
from .phrases import as_code


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: IssueData | None
) -> RepairsFlow:
    """Return the dialog for an issue; most want nothing but to be read."""
    if data is None or not issue_id.startswith(Issue.CERTIFICATE_CHANGED):
        return ConfirmRepairFlow()
    entry = hass.config_entries.async_get_known_entry(str(data["entry_id"]))
    return CertificateChangedFlow(entry, str(data["fingerprint"]))


class CertificateChangedFlow(RepairsFlow):
    """Trust the new certificate, once the whole handshake has passed with it, or go elsewhere."""

    def __init__(self, entry: ConfigEntry, fingerprint: str) -> None:
        """Be about one certificate: SHA-256 in lower-case hex."""
        self._entry = entry
        self._fingerprint = fingerprint
        self._handshake = Progress[CheckResult]()
        self._stage = Stage.RESOLVE
        self._words: dict[str, str] = {}

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Show both certificates, and what can be done."""
        return self.async_show_menu(
            step_id="init",
            menu_options=["trust", "reconfigure"],
            description_placeholders=self._placeholders(),
        )

    async def async_step_trust(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Prove the account with exactly this certificate."""
        page = self._handshake.page(self, "trust", self._check, lambda: self._stage.value)
        if page is not None:
            return page
        diagnosis = self._handshake.result().diagnosis
        if diagnosis is None:
            return self.async_show_progress_done(next_step_id="save")
        self._words = _words(diagnosis.failure)
        return self.async_show_progress_done(next_step_id="not_trusted")

    async def async_step_not_trusted(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Say why the certificate was not trusted, and offer to try again."""
        return self.async_show_form(
            step_id="trust",
            data_schema=vol.Schema({}),
            errors={"base": "check_failed"},
            description_placeholders=self._placeholders() | self._words,
        )

    async def async_step_save(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Save the certificate that the account was proven with."""
        self.hass.config_entries.async_update_entry(
            self._entry, data={**self._entry.data, CONF_FINGERPRINT: self._fingerprint}
        )
        return self.async_create_entry(data={})

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Go on in the dialog that changes the account; the issue stays until it is solved."""
        flow = await self.hass.config_entries.flow.async_init(
            DOMAIN,
            context={"source": SOURCE_RECONFIGURE, "entry_id": self._entry.entry_id},
        )
        return self.async_abort(
            reason="reconfigure", next_flow=(FlowType.CONFIG_FLOW, flow["flow_id"])
        )

    async def _check(self) -> CheckResult:
        draft = await async_draft_of(self.hass, self._entry)
        draft = replace(draft, certificate_fingerprint=self._fingerprint)
        self._stage = Stage.RESOLVE
        return await async_check(self.hass, draft, self._note_stage)

    @callback
    def _note_stage(self, stage: Stage) -> None:
        if stage is not self._stage:
            self._stage = stage
            self.async_update_progress(share_done(stage))
            self.async_notify_flow_changed()

    def _placeholders(self) -> dict[str, str]:
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        return dict(issue.translation_placeholders or {}) if issue else {}


def _words(failure: Failure) -> dict[str, str]:
    return {"reply": as_code(failure.server_words or failure.kind.value)}

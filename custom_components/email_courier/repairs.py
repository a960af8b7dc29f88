"""What a person can do about a repair issue."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from typing import TYPE_CHECKING, Any

from homeassistant.components.repairs import (
    ConfirmRepairFlow,
    FlowType,
    RepairsFlow,
    RepairsFlowResult,
)
from homeassistant.config_entries import SOURCE_RECONFIGURE
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .account import loaded_account, origin_of
from .const import CONF_FINGERPRINT, CONF_PROVEN_AT, DOMAIN
from .errors import async_error_text, async_raise_if_not_trying, cause
from .flow.check import CheckResult, async_check
from .flow.draft import async_draft_of
from .flow.progress import Progress, share_done
from .issues import Issue, IssueData
from .mail.failure import Failure, Stage
from .phrases import Phrases, as_code

if TYPE_CHECKING:
    from .account import EmailCourierConfigEntry


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: IssueData | None
) -> RepairsFlow:
    """Return the dialog for an issue; most want nothing but to be read."""
    if data is None:
        return ConfirmRepairFlow()
    if issue_id.startswith(Issue.MAIL_WAITING):
        return WaitingFlow(str(data["entry_id"]))
    if issue_id.startswith(Issue.MAIL_EXPIRED) and data.get("message_ids"):
        return GivenUpFlow(str(data["entry_id"]), str(data["message_ids"]).split())
    if not issue_id.startswith(Issue.CERTIFICATE_CHANGED):
        return ConfirmRepairFlow()
    entry = hass.config_entries.async_get_known_entry(str(data["entry_id"]))
    return CertificateChangedFlow(entry, str(data["fingerprint"]))


class CertificateChangedFlow(RepairsFlow):
    """Trust the new certificate, once the whole handshake has passed with it, or go elsewhere."""

    def __init__(self, entry: EmailCourierConfigEntry, fingerprint: str) -> None:
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
        self._words = await self._async_words(diagnosis.failure)
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
            self._entry,
            data={
                **self._entry.data,
                CONF_FINGERPRINT: self._fingerprint,
                CONF_PROVEN_AT: dt_util.utcnow().isoformat(),
            },
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

    async def _async_words(self, failure: Failure) -> dict[str, str]:
        """Return what the server said, or why the account does not work."""
        if failure.heard:
            return {"reply": as_code(failure.heard)}
        phrases = await Phrases.async_for_reader(self.hass)
        why = cause(failure, phrases) or phrases.kind(failure.kind)
        return {"reply": why}

    def _placeholders(self) -> dict[str, str]:
        return _values_of(self)


class WaitingFlow(RepairsFlow):
    """Try waiting mail now; what then still waits says so again."""

    def __init__(self, entry_id: str) -> None:
        """Be about one account."""
        self._entry_id = entry_id

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Say what waits and why."""
        return self.async_show_menu(
            step_id="init", menu_options=["try_now"], description_placeholders=_values_of(self)
        )

    async def async_step_try_now(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Try it now, or say why that is not done."""
        account = loaded_account(self.hass, self._entry_id)
        if account is None:
            return self.async_abort(reason="account_not_loaded")
        try:
            async_raise_if_not_trying(account.courier, account.entry.title)
        except HomeAssistantError as error:
            words = {"error": await async_error_text(self.hass, error)}
            return self.async_show_form(
                step_id="try_now",
                data_schema=vol.Schema({}),
                errors={"base": "not_tried"},
                description_placeholders=_values_of(self) | words,
            )
        account.courier.retry_now()
        return self.async_create_entry(data={})


class GivenUpFlow(RepairsFlow):
    """Send given-up mail again, or take note that it is lost."""

    def __init__(self, entry_id: str, message_ids: Sequence[str]) -> None:
        """Be about some mails of one account."""
        self._entry_id = entry_id
        self._message_ids = message_ids
        self._words: dict[str, str] = {}

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Say what was given up and why, and what can be done."""
        return self.async_show_menu(
            step_id="init",
            menu_options=["send_again", "confirm"],
            description_placeholders=_values_of(self),
        )

    async def async_step_send_again(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Send it, each to those who did not get it."""
        account = loaded_account(self.hass, self._entry_id)
        if account is None:
            return self.async_abort(reason="account_not_loaded")
        values = _values_of(self)
        user_id = self.context.get("user_id")
        context = Context(user_id=str(user_id) if user_id else None)
        sent, error = 0, None
        for message_id in self._message_ids:
            try:
                receipt = await account.async_send_again(message_id, origin_of(context))
            except HomeAssistantError as raised:
                error = raised
            else:
                sent += receipt is not None
        if error is not None:
            self._words = {"error": await async_error_text(self.hass, error)}
            return self._not_sent("send_again", "not_sent", values)
        if not sent:
            return self._not_sent("confirm", "not_kept", values)
        return self.async_create_entry(data={})

    def _not_sent(self, step: str, key: str, values: dict[str, str]) -> RepairsFlowResult:
        return self.async_show_form(
            step_id=step,
            data_schema=vol.Schema({}),
            errors={"base": key},
            description_placeholders={"error": "", **values, **self._words},
        )

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Take note."""
        return self.async_create_entry(data={})


def _values_of(flow: RepairsFlow) -> dict[str, str]:
    issue = ir.async_get(flow.hass).async_get_issue(DOMAIN, flow.issue_id)
    return dict(issue.translation_placeholders or {}) if issue else {}

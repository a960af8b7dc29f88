"""What the pages of the set-up dialog stand on: what has been typed, found and proven.

Nothing that was typed is lost: a page comes back as it was left, with an error or a remedy.
"""

from __future__ import annotations

from abc import abstractmethod
import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow, FlowResultType, UnknownFlow
import voluptuous as vol

from ..const import CONF_TEST_RECIPIENT, DOMAIN
from ..entry import same_account
from ..mail.discovery.model import Discovery
from ..mail.failure import LOGIN_REFUSED, Failure, FailureKind, Stage
from ..mail.verify.remedy import Diagnosis
from ..phrases import Phrases
from .check import Outcome, async_check, async_discover, async_send_test
from .draft import Draft
from .texts import error_values, proof_text

_PAGE_OF_KIND = {
    FailureKind.INVALID_SENDER: "address",
    FailureKind.SENDER_REJECTED: "address",
    FailureKind.AUTH_REQUIRED: "login",
    FailureKind.AUTH_NOT_OFFERED: "login",
    FailureKind.AUTH_MECHANISM_UNSUPPORTED: "login",
    **dict.fromkeys(LOGIN_REFUSED, "login"),
}
_STAGES = tuple(Stage)


class AccountDialog(ConfigFlow):
    """Finds the server, proves the draft, and leads to the page that an outcome calls for.

    stored: what was saved before, of this account or of one that is taken over. Its password is
    not shown, and goes nowhere but to its own server.
    login_is_known: the login's page has been filled in; the other pages lead on to the handshake.
    """

    def __init__(self) -> None:
        """Begin with nothing typed."""
        self.draft = Draft()
        self.stored: Draft | None = None
        self.found: Discovery | None = None
        self.login_is_known = False
        self.errors: dict[str, str] = {}
        self.diagnosis: Diagnosis | None = None
        self.failed = self.draft
        self.summary = ""
        self.test_recipient = ""
        self._phrases: Phrases | None = None
        self._stage: Stage = Stage.RESOLVE
        self._discovery: asyncio.Task[Discovery] | None = None
        self._handshake: asyncio.Task[Outcome] | None = None
        self._test_mail: asyncio.Task[Failure | None] | None = None
        self._is_closed = False

    @property
    @abstractmethod
    def own_entry(self) -> ConfigEntry | None:
        """The account that is being changed, if it is not a new one."""

    @abstractmethod
    async def async_finish(self) -> ConfigFlowResult:
        """Save the proven draft."""

    @abstractmethod
    async def async_step_plain_login(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for an explicit yes to a password without encryption (never for loopback)."""

    @callback
    def async_remove(self) -> None:
        """Note that the dialog was closed: what a page was about to begin is not begun."""
        self._is_closed = True

    async def async_step_discovery(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look for the server of the address."""
        if self._discovery is None:
            self._discovery = self._begin(async_discover(self.hass, self.draft.sender), "discovery")
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
            self._handshake = self._begin(
                async_check(self.hass, self.draft, self._note_stage), "handshake"
            )
        if not self._handshake.done():
            return self.async_show_progress(
                step_id="handshake",
                progress_action=self._stage.value,
                progress_task=self._handshake,
            )
        outcome = self._handshake.result()
        self._handshake = None
        return self.async_show_progress_done(next_step_id=await self._take_outcome(outcome))

    async def async_step_test_mail(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Send the test mail, and save the account once the server has taken it."""
        if self._test_mail is None:
            phrases = await self.async_phrases()
            self._test_mail = self._begin(
                async_send_test(
                    self.hass,
                    self.draft,
                    self.test_recipient,
                    subject=phrases.say("test_subject", home=self.hass.config.location_name),
                    text=phrases.say("test_text", sender=self.draft.sender),
                ),
                "test mail",
            )
        if not self._test_mail.done():
            return self.async_show_progress(
                step_id="test_mail", progress_action="test_mail", progress_task=self._test_mail
            )
        failure = self._test_mail.result()
        self._test_mail = None
        if failure is None:
            return self.async_show_progress_done(next_step_id="save")
        self.fail(Diagnosis(failure), CONF_TEST_RECIPIENT)
        return self.async_show_progress_done(next_step_id="finish")

    async def async_step_save(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Save what was proven, unless another dialog has been faster."""
        self._abort_if_configured()
        return await self.async_finish()

    async def async_prove(self) -> ConfigFlowResult:
        """Refuse what exists already, ask for consent where needed, then prove the draft."""
        self._abort_if_configured()
        if self.draft.needs_plain_consent:
            return await self.async_step_plain_login()
        return await self.async_go_on(await self.async_step_handshake())

    async def async_go_on(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Show the next page at once where a task was done before any progress was shown."""
        if result["type"] is not FlowResultType.SHOW_PROGRESS_DONE:
            return result
        page: ConfigFlowResult = await getattr(self, f"async_step_{result['step_id']}")()
        return page

    def fail(self, diagnosis: Diagnosis, field: str = "base") -> None:
        """Remember an error for the page that comes next."""
        self.diagnosis = diagnosis
        self.failed = self.draft
        self.errors = {field: diagnosis.failure.kind.value}

    def forget_errors(self) -> None:
        """Begin anew with what has just been typed."""
        self.errors = {}
        self.diagnosis = None

    async def async_page(
        self, page: str, form: vol.Schema, suggested: dict[str, Any], **values: str
    ) -> ConfigFlowResult:
        """Show a page with what has been typed, and with the error that led back to it."""
        if self.diagnosis is not None:
            values |= error_values(self.diagnosis, self.failed, await self.async_phrases())
        return self.async_show_form(
            step_id=page,
            data_schema=self.add_suggested_values_to_schema(form, suggested),
            errors=self.errors,
            description_placeholders=values,
        )

    async def async_phrases(self) -> Phrases:
        """Return the dialog's sentences in the language of the home."""
        if self._phrases is None:
            self._phrases = await Phrases.async_load(self.hass)
        return self._phrases

    def _begin[T](self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Start what a progress page stands for. Raises UnknownFlow after the dialog's end."""
        if self._is_closed:
            work.close()
            raise UnknownFlow
        return self.hass.async_create_task(work, f"{DOMAIN} {name}")

    def _abort_if_configured(self) -> None:
        data = self.draft.data()
        for entry in self.hass.config_entries.async_entries(DOMAIN):
            if entry is not self.own_entry and same_account(data, entry.data):
                raise AbortFlow("already_configured")

    @callback
    def _note_stage(self, stage: Stage) -> None:
        if stage is not self._stage:
            self._stage = stage
            self.async_update_progress(_STAGES.index(stage) / len(_STAGES))
            self.async_notify_flow_changed()

    async def _take_outcome(self, outcome: Outcome) -> str:
        """Remember what came of a handshake and return the page that is next."""
        proof, diagnosis = outcome.proof, outcome.diagnosis
        if proof is not None:
            self.draft = replace(self.draft, encryption=proof.settings.encryption)
            self.summary = proof_text(proof, self.draft, await self.async_phrases())
            return "finish"
        if diagnosis is None:
            return "plain_login"
        self.fail(diagnosis)
        if diagnosis.remedy is not None:
            self.draft = self.draft.with_settings(diagnosis.remedy)
            return "server"
        return _PAGE_OF_KIND.get(diagnosis.failure.kind, "server")

"""What all pages of the set-up dialog share: what has been typed, found and proven.

Nothing that was typed is lost: a page comes back as it was left, with an error or a remedy.
"""

from __future__ import annotations

import asyncio
from copy import replace
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow, FlowResultType
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import DOMAIN
from ..entry import same_account
from ..mail.failure import LOGIN_REFUSED, Failure, FailureKind, Stage
from ..mail.hostname import host_to_ascii, is_hello_name
from ..mail.settings import Encryption
from ..phrases import Phrases
from .arrival import arrival_text, async_judge_softly
from .check import CheckResult, async_check, async_provider_of
from .core_smtp import CoreAccount
from .draft import Draft, SignInAttempt
from .forms import nested
from .progress import Progress, share_done
from .texts import error_values, proof_text, typing_error

if TYPE_CHECKING:
    from ..account import EmailCourierConfigEntry
    from ..mail.arrival.judge import Arrival
    from ..mail.discovery.model import Discovery
    from ..mail.verify.remedy import Diagnosis

_PAGE_OF_KIND = {
    FailureKind.INVALID_SENDER: "address",
    FailureKind.SENDER_REJECTED: "address",
    FailureKind.AUTH_REQUIRED: "login",
    FailureKind.AUTH_NOT_OFFERED: "login",
    FailureKind.AUTH_MECHANISM_UNSUPPORTED: "login",
    **dict.fromkeys(LOGIN_REFUSED, "login"),
}


class Dialog(ConfigFlow):
    """Proves the draft, and leads to the page that the outcome calls for.

    stored: what was saved before, of this account or of one that is taken over. Its password is
    not shown, and goes nowhere but to its own server.
    imported: the account that is taken over.
    attempt: the sign-in that was begun last.
    login_is_known: the login's page has been filled in; the other pages lead on to the handshake.
    keeps_password: the password is the stored one, which nobody has typed here.
    skips_server: the server's page has been left out, since the server is known.
    intro: why the login is asked for again.
    summary: what the handshake has shown.
    arrival: what may keep mail from arriving all the same; empty where nothing is known to.
    tried: the encryption that the handshake has found out.
    """

    def __init__(self) -> None:
        """Begin with nothing typed."""
        super().__init__()
        self.draft = Draft()
        self.stored: Draft | None = None
        self.imported: CoreAccount | None = None
        self.found: Discovery | None = None
        self.attempt = SignInAttempt()
        self.login_is_known = False
        self.keeps_password = False
        self.skips_server = False
        self.intro = ""
        self.summary = ""
        self.arrival = ""
        self.tried: Encryption | None = None
        self.errors: dict[str, str] = {}
        self.failure: Failure | None = None
        self.diagnosis: Diagnosis | None = None
        self.failed = self.draft
        self._stage = Stage.RESOLVE
        self._handshake = Progress[CheckResult]()
        self._judged: Arrival | None = None

    @property
    def own_entry(self) -> EmailCourierConfigEntry | None:
        """The account that is being changed, None for a new one."""
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_entry()
        return None

    async def go_to(self, step: str, typed: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Lead on to a step, whichever part of the dialog has it."""
        result: ConfigFlowResult = await getattr(self, f"async_step_{step}")(typed)
        # A task that was done at once has shown no page from which Home Assistant could lead on.
        if result["type"] is FlowResultType.SHOW_PROGRESS_DONE:
            return await self.go_to(result["step_id"])
        return result

    async def prove(self) -> ConfigFlowResult:
        """Refuse what exists already, ask for what is missing, then prove the draft."""
        self.abort_if_configured()
        if not self.draft.is_token_at_home:
            self.login_is_known = False
            return await self.go_to("login")
        return await self.go_to("plain_login" if self.draft.needs_plain_consent else "handshake")

    async def async_step_handshake(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Prove the draft, and say at which stage that is."""
        page = self._handshake.page(self, "handshake", self._check, lambda: self._stage.value)
        if page is not None:
            return page
        step = await self._take_result(self._handshake.result())
        return self.async_show_progress_done(next_step_id=step)

    @callback
    def async_remove(self) -> None:
        """Note that the dialog was closed: what a page was about to begin is not begun."""
        self._handshake.close()

    def abort_if_configured(self) -> None:
        """Raise AbortFlow where there is another account like this one."""
        data = self.draft.data()
        for entry in self.hass.config_entries.async_entries(DOMAIN):
            if entry is not self.own_entry and same_account(data, entry.data):
                raise AbortFlow("already_configured")

    def fail(
        self, failure: Failure, field: str = "base", diagnosis: Diagnosis | None = None
    ) -> None:
        """Remember an error for the page that comes next."""
        self.failure = failure
        self.diagnosis = diagnosis
        self.failed = self.draft
        self.errors = {field: failure.kind.value}

    def forget_errors(self) -> None:
        """Begin anew with what has just been typed."""
        self.errors = {}
        self.failure = self.diagnosis = None

    def check_server(self) -> bool:
        """Tell whether the draft's server can be one; what is wrong is remembered."""
        try:
            host_to_ascii(self.draft.host)
        except UnicodeError:
            self.fail(
                typing_error(FailureKind.HOST_NOT_FOUND, Stage.RESOLVE, "host_malformed"), CONF_HOST
            )
        name = self.draft.hello_name
        if name is not None and not is_hello_name(name):
            self.fail(typing_error(FailureKind.HELO_REJECTED, Stage.HELLO, "hello_malformed"))
        return not self.errors

    async def async_recognise_provider(self) -> None:
        """Know a provider by its server, with its hints and the username that it fixes."""
        found = self.found
        if found is not None and self.draft.host in {server.host for server in found.candidates}:
            return
        self.found = await async_provider_of(self.hass, self.draft.host, self.draft.sender)
        proposed = found.username if found is not None else None
        if (
            self.found is not None
            and self.stored is None
            and self.draft.username in (None, proposed)
        ):
            self.draft = replace(self.draft, username=self.found.username)

    async def async_page(
        self, page: str, form: vol.Schema, suggested: dict[str, Any], **values: str
    ) -> ConfigFlowResult:
        """Show a page with what has been typed, and with the error that led back to it."""
        if self.failure is not None:
            remedy = self.diagnosis.remedy if self.diagnosis else None
            phrases = await self.async_phrases()
            values |= error_values(self.failure, self.failed, phrases, remedy)
        return self.async_show_form(
            step_id=page,
            data_schema=self.add_suggested_values_to_schema(form, nested(form, suggested)),
            errors=self.errors,
            description_placeholders=values,
        )

    async def async_phrases(self) -> Phrases:
        """Return the dialog's sentences in the language of who sees its pages."""
        return await Phrases.async_for_reader(self.hass)

    async def _check(self) -> CheckResult:
        """Go through the handshake; whether mail will arrive is asked meanwhile."""
        self._stage = Stage.RESOLVE
        draft = self.draft
        asking = asyncio.create_task(
            async_judge_softly(self.hass, draft.sender, draft.host, draft.username)
        )
        try:
            result = await async_check(self.hass, draft, self._note_stage)
            self._judged = None if result.proof is None else await asking
        finally:
            asking.cancel()
        return result

    @callback
    def _note_stage(self, stage: Stage) -> None:
        if stage is not self._stage:
            self._stage = stage
            self.async_update_progress(share_done(stage))
            self.async_notify_flow_changed()

    async def _take_result(self, result: CheckResult) -> str:
        """Remember what came of a handshake and return the page that is next."""
        proof, diagnosis = result.proof, result.diagnosis
        self.tried = result.encryption
        if proof is not None:
            self.draft = replace(
                self.draft,
                encryption=proof.settings.encryption,
                proven_at=dt_util.utcnow().isoformat(),
            )
            phrases = await self.async_phrases()
            self.summary = proof_text(proof, self.draft, phrases)
            self.arrival = arrival_text(self._judged, self.draft.sender, self.draft.host, phrases)
            return "finish"
        if diagnosis is None:
            return "plain_login"
        self.fail(diagnosis.failure, diagnosis=diagnosis)
        if diagnosis.remedy is not None:
            self.draft = self.draft.with_settings(diagnosis.remedy)
            return "server"
        return _PAGE_OF_KIND.get(diagnosis.failure.kind, "server")

"""The pages of the set-up dialog: address, server, login, handshake, summary.

They are the same for a new account, for reauthentication and for reconfiguration. What has been
typed is never lost: every page comes back as it was left, with an error or with a remedy.
"""

from __future__ import annotations

from abc import abstractmethod
import asyncio
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult
from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
)
from homeassistant.core import callback
from homeassistant.data_entry_flow import FlowResultType
import voluptuous as vol

from .check import Outcome, async_check, async_send_test
from .const import (
    CONF_ALLOW_PLAIN_LOGIN,
    CONF_CA_FILE,
    CONF_ENCRYPTION,
    CONF_HELLO_NAME,
    CONF_SENDER,
    CONF_TEST_RECIPIENT,
    CONF_TRUST_CERTIFICATE,
    DOMAIN,
)
from .draft import Draft
from .entry_data import same_account
from .flow_forms import (
    ADDRESS_FORM,
    CERTIFICATE_FORM,
    CONF_ADVANCED,
    CONF_GO_BACK,
    CONF_MANUAL,
    FINISH_FORM,
    LOGIN_FORM,
    PLAIN_LOGIN_FORM,
    SERVER_FORM,
)
from .flow_texts import (
    certificate_text,
    error_values,
    login_text,
    no_error_values,
    origin_text,
    proof_values,
)
from .lookup import async_discover, async_provider_of
from .mail.address import parse_mailbox
from .mail.discovery.model import Discovery
from .mail.failure import LOGIN_REFUSED, FailureKind, MailError, Stage
from .mail.handshake import Proof
from .mail.names import host_to_ascii, is_hello_name
from .mail.remedy import Diagnosis
from .mail.settings import Encryption
from .phrases import Phrases

_PAGE_OF_KIND = {
    FailureKind.INVALID_SENDER: "address",
    FailureKind.SENDER_REJECTED: "address",
    FailureKind.AUTH_REQUIRED: "login",
    FailureKind.AUTH_MECHANISM_UNSUPPORTED: "login",
    **dict.fromkeys(LOGIN_REFUSED, "login"),
}
_STAGES = tuple(Stage)


class AccountPages(ConfigFlow):
    """The pages between the first click and a proven account."""

    def __init__(self) -> None:
        """Begin with nothing typed."""
        self.draft = Draft()
        self.found: Discovery | None = None
        self.stored_password: str | None = None
        self._login_is_known = False
        self._phrases: Phrases | None = None
        self._stage: Stage = Stage.RESOLVE
        self._discovery: asyncio.Task[Discovery] | None = None
        self._handshake: asyncio.Task[Outcome] | None = None
        self._errors: dict[str, str] = {}
        self._diagnosis: Diagnosis | None = None
        self._failed = self.draft
        self._proof: Proof | None = None

    @property
    def own_entry(self) -> ConfigEntry | None:
        """The account that is being changed, if it is not a new one."""
        return None

    @abstractmethod
    async def async_finish(self) -> ConfigFlowResult:
        """Save the proven draft."""

    async def async_step_address(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the sender's address."""
        if user_input is not None:
            self._forget_errors()
            typed = user_input[CONF_SENDER].strip()
            is_new = typed != self.draft.sender
            self.draft = replace(self.draft, sender=typed)
            try:
                mailbox = parse_mailbox(typed, FailureKind.INVALID_SENDER)
            except MailError as error:
                self._fail(Diagnosis(error.failure), field=CONF_SENDER)
            else:
                self.draft = replace(self.draft, sender=mailbox.address)
                if self._login_is_known:
                    return await self._async_prove()
                if is_new and self.own_entry is None and not user_input.get(CONF_MANUAL):
                    return await self._async_go_on(await self.async_step_discovery())
                return await self.async_step_server()
        return await self._async_form("address", ADDRESS_FORM, {CONF_SENDER: self.draft.sender})

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

    async def async_step_server(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the server, filled in with what is known about it."""
        if user_input is not None:
            self._take_server(user_input)
            if user_input.get(CONF_GO_BACK):
                return await self.async_step_address()
            if self._check_server():
                if self._login_is_known:
                    return await self._async_prove()
                await self._async_recognise_provider()
                return await self.async_step_login()
        offers_trust = self._certificate_is_in_question
        phrases = await self._async_phrases()
        return await self._async_form(
            "certificate" if offers_trust else "server",
            CERTIFICATE_FORM if offers_trust else SERVER_FORM,
            {
                **self.draft.server(),
                CONF_ADVANCED: self.draft.options(),
            },
            origin=origin_text(self.found, phrases),
            certificate=certificate_text(self._diagnosis, self._failed, phrases),
        )

    async_step_certificate = async_step_server

    async def async_step_login(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for username and password, with the provider's hint."""
        if user_input is not None:
            self._forget_errors()
            is_complete = self._take_login(user_input)
            if user_input.get(CONF_GO_BACK):
                return await self.async_step_server()
            if is_complete:
                self._login_is_known = True
                return await self._async_prove()
            self._errors = {CONF_PASSWORD: "password_missing"}
        suggested = {CONF_USERNAME: self.draft.username}
        if self.draft.password != self.stored_password:
            suggested[CONF_PASSWORD] = self.draft.password
        return await self._async_form(
            "login",
            LOGIN_FORM,
            suggested,
            hint=login_text(self.found, await self._async_phrases()),
        )

    async def async_step_plain_login(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for an explicit yes to a password without encryption (never for loopback)."""
        if user_input is not None:
            self._forget_errors()
            if user_input.get(CONF_GO_BACK):
                return await self.async_step_server()
            if user_input[CONF_ALLOW_PLAIN_LOGIN]:
                self.draft = replace(self.draft, allow_plain_login=True)
                return await self._async_prove()
            self._errors = {CONF_ALLOW_PLAIN_LOGIN: FailureKind.AUTH_NEEDS_ENCRYPTION.value}
        return await self._async_form("plain_login", PLAIN_LOGIN_FORM, {})

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

    async def async_step_finish(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Sum up what was proven, and offer a test mail with the settings not yet saved."""
        if self._proof is None:
            return await self.async_step_server()
        phrases = await self._async_phrases()
        suggested: dict[str, Any] = {}
        if user_input is not None:
            self._forget_errors()
            suggested = user_input
            if user_input.get(CONF_GO_BACK):
                self._login_is_known = False
                return await self.async_step_login()
            recipient = user_input.get(CONF_TEST_RECIPIENT)
            if not recipient:
                return await self.async_finish()
            try:
                await async_send_test(
                    self.hass,
                    self.draft,
                    recipient,
                    subject=phrases.say("test_subject", home=self.hass.config.location_name),
                    text=phrases.say("test_text", sender=self.draft.sender),
                )
            except MailError as error:
                self._fail(Diagnosis(error.failure), field=CONF_TEST_RECIPIENT)
            else:
                return await self.async_finish()
        return await self._async_form(
            "finish", FINISH_FORM, suggested, **proof_values(self._proof, self.draft, phrases)
        )

    async def _async_recognise_provider(self) -> None:
        """Know a provider by a server that was typed, with its hints and its fixed username."""
        if self.found is not None and self.found.provider is not None:
            return
        found = await async_provider_of(self.hass, self.draft.host, self.draft.sender)
        if found is not None:
            self.found = found
            if self.own_entry is None:
                self.draft = replace(self.draft, username=found.username)

    async def _async_prove(self) -> ConfigFlowResult:
        """Refuse what exists already, ask for consent where needed, then prove the draft."""
        data = self.draft.data()
        for entry in self.hass.config_entries.async_entries(DOMAIN):
            if entry is not self.own_entry and same_account(data, entry.data):
                return self.async_abort(reason="already_configured")
        if self.draft.needs_plain_consent:
            return await self.async_step_plain_login()
        return await self._async_go_on(await self.async_step_handshake())

    async def _async_go_on(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Show the next page at once where a task was done before any progress was shown."""
        if result["type"] is not FlowResultType.SHOW_PROGRESS_DONE:
            return result
        page: ConfigFlowResult = await getattr(self, f"async_step_{result['step_id']}")()
        return page

    def _take_server(self, typed: dict[str, Any]) -> None:
        trusts = typed.get(CONF_TRUST_CERTIFICATE)
        certificate = self._diagnosis.certificate if self._diagnosis else None
        self._forget_errors()
        advanced = typed.get(CONF_ADVANCED, {})
        self.draft = self.draft.at_server(
            host=typed[CONF_HOST].strip(),
            port=typed[CONF_PORT],
            encryption=Encryption(typed[CONF_ENCRYPTION]),
            verify_ssl=typed[CONF_VERIFY_SSL],
            ca_file=advanced.get(CONF_CA_FILE) or None,
            hello_name=advanced.get(CONF_HELLO_NAME) or None,
        )
        if trusts and certificate is not None:
            self.draft = replace(self.draft, certificate_fingerprint=certificate.fingerprint)

    def _check_server(self) -> bool:
        try:
            host_to_ascii(self.draft.host)
        except UnicodeError:
            self._errors = {CONF_HOST: FailureKind.HOST_NOT_FOUND.value}
        name = self.draft.hello_name
        if name is not None and not is_hello_name(name):
            self._errors = {"base": "hello_name_invalid"}
        return not self._errors

    def _take_login(self, typed: dict[str, Any]) -> bool:
        """Keep what was typed; False when there is a username without any password."""
        username = typed.get(CONF_USERNAME) or None
        password = typed.get(CONF_PASSWORD) or None
        if password is None and username is not None and self._may_keep_password(username):
            password = self.stored_password
        self.draft = replace(self.draft, username=username, password=password if username else None)
        return username is None or password is not None

    def _may_keep_password(self, username: str) -> bool:
        """Tell whether the stored password still goes where it was meant to go."""
        entry = self.own_entry
        return (
            entry is not None
            and entry.data.get(CONF_USERNAME) == username
            and entry.data[CONF_HOST] == self.draft.host
        )

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
            self._proof = outcome.proof
            return "finish"
        if outcome.diagnosis is None:
            return "plain_login"
        diagnosis = outcome.diagnosis
        self.draft = replace(self.draft, encryption=typed.encryption)
        self._fail(diagnosis)
        if diagnosis.remedy is not None:
            self.draft = self.draft.with_settings(diagnosis.remedy)
            return "server"
        return _PAGE_OF_KIND.get(diagnosis.failure.kind, "server")

    def _fail(self, diagnosis: Diagnosis, field: str = "base") -> None:
        self._diagnosis = diagnosis
        self._failed = self.draft
        self._errors = {field: diagnosis.failure.kind.value}

    def _forget_errors(self) -> None:
        self._errors = {}
        self._diagnosis = None
        self._proof = None

    @property
    def _certificate_is_in_question(self) -> bool:
        return (
            self._diagnosis is not None
            and self._diagnosis.failure.kind is FailureKind.CERTIFICATE_UNTRUSTED
            and self._diagnosis.certificate is not None
        )

    async def _async_form(
        self, page: str, form: vol.Schema, suggested: dict[str, Any], **values: str
    ) -> ConfigFlowResult:
        """Show a page with what has been typed, and with the error that led back to it."""
        if self._diagnosis is None:
            texts = no_error_values()
        else:
            texts = error_values(self._diagnosis, self._failed, await self._async_phrases())
        return self.async_show_form(
            step_id=page,
            data_schema=self.add_suggested_values_to_schema(form, suggested),
            errors=self._errors,
            description_placeholders={"sender": self.draft.sender, **texts, **values},
        )

    async def _async_phrases(self) -> Phrases:
        if self._phrases is None:
            self._phrases = await Phrases.async_load(self.hass)
        return self._phrases

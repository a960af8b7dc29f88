"""The pages of the set-up dialog: address, server, login, handshake, summary.

They are the same for a new account, for reauthentication and for reconfiguration. What has been
typed is never lost: every page comes back as it was left, with an error or with a remedy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
)

from .check import async_send_test
from .const import (
    CONF_ALLOW_PLAIN_LOGIN,
    CONF_CA_FILE,
    CONF_ENCRYPTION,
    CONF_HELLO_NAME,
    CONF_SENDER,
    CONF_TEST_RECIPIENT,
    CONF_TRUST_CERTIFICATE,
)
from .flow_dialog import AccountDialog
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
    login_text,
    origin_text,
    proof_values,
)
from .lookup import async_provider_of
from .mail.address import parse_mailbox
from .mail.failure import FailureKind, MailError
from .mail.names import host_to_ascii, is_hello_name
from .mail.remedy import Diagnosis
from .mail.settings import Encryption


class AccountPages(AccountDialog):
    """The pages between the first click and a proven account."""

    async def async_step_address(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the sender's address."""
        if user_input is not None:
            self.forget_errors()
            typed = user_input[CONF_SENDER].strip()
            is_new = typed != self.draft.sender
            self.draft = replace(self.draft, sender=typed)
            try:
                mailbox = parse_mailbox(typed, FailureKind.INVALID_SENDER)
            except MailError as error:
                self.fail(Diagnosis(error.failure), field=CONF_SENDER)
            else:
                self.draft = replace(self.draft, sender=mailbox.address)
                if self.login_is_known:
                    return await self.async_prove()
                if is_new and self.own_entry is None and not user_input.get(CONF_MANUAL):
                    return await self.async_go_on(await self.async_step_discovery())
                return await self.async_step_server()
        return await self.async_page("address", ADDRESS_FORM, {CONF_SENDER: self.draft.sender})

    async def async_step_server(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the server, filled in with what is known about it."""
        if user_input is not None:
            self._take_server(user_input)
            if user_input.get(CONF_GO_BACK):
                return await self.async_step_address()
            if self._check_server():
                if self.login_is_known:
                    return await self.async_prove()
                await self._async_recognise_provider()
                return await self.async_step_login()
        offers_trust = self._certificate_is_in_question
        phrases = await self.async_phrases()
        return await self.async_page(
            "certificate" if offers_trust else "server",
            CERTIFICATE_FORM if offers_trust else SERVER_FORM,
            {
                **self.draft.server(),
                CONF_ADVANCED: self.draft.options(),
            },
            origin=origin_text(self.found, phrases),
            certificate=certificate_text(self.diagnosis, self.failed, phrases),
        )

    async_step_certificate = async_step_server

    async def async_step_login(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for username and password, with the provider's hint."""
        if user_input is not None:
            self.forget_errors()
            is_complete = self._take_login(user_input)
            if user_input.get(CONF_GO_BACK):
                return await self.async_step_server()
            if is_complete:
                self.login_is_known = True
                return await self.async_prove()
            self.errors = {CONF_PASSWORD: "password_missing"}
        suggested = {CONF_USERNAME: self.draft.username}
        if self.draft.password != self.stored_password:
            suggested[CONF_PASSWORD] = self.draft.password
        return await self.async_page(
            "login",
            LOGIN_FORM,
            suggested,
            hint=login_text(self.found, await self.async_phrases()),
        )

    async def async_step_plain_login(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for an explicit yes to a password without encryption (never for loopback)."""
        if user_input is not None:
            self.forget_errors()
            if user_input.get(CONF_GO_BACK):
                return await self.async_step_server()
            if user_input[CONF_ALLOW_PLAIN_LOGIN]:
                self.draft = replace(self.draft, allow_plain_login=True)
                return await self.async_prove()
            self.errors = {CONF_ALLOW_PLAIN_LOGIN: FailureKind.AUTH_NEEDS_ENCRYPTION.value}
        return await self.async_page("plain_login", PLAIN_LOGIN_FORM, {})

    async def async_step_finish(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Sum up what was proven, and offer a test mail with the settings not yet saved."""
        if self.proof is None:
            return await self.async_step_server()
        phrases = await self.async_phrases()
        suggested: dict[str, Any] = {}
        if user_input is not None:
            self.forget_errors()
            suggested = user_input
            if user_input.get(CONF_GO_BACK):
                self.login_is_known = False
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
                self.fail(Diagnosis(error.failure), field=CONF_TEST_RECIPIENT)
            else:
                return await self.async_finish()
        return await self.async_page(
            "finish", FINISH_FORM, suggested, **proof_values(self.proof, self.draft, phrases)
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

    def _take_server(self, typed: dict[str, Any]) -> None:
        trusts = typed.get(CONF_TRUST_CERTIFICATE)
        certificate = self.diagnosis.certificate if self.diagnosis else None
        self.forget_errors()
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
            self.errors = {CONF_HOST: FailureKind.HOST_NOT_FOUND.value}
        name = self.draft.hello_name
        if name is not None and not is_hello_name(name):
            self.errors = {"base": "hello_name_invalid"}
        return not self.errors

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

    @property
    def _certificate_is_in_question(self) -> bool:
        return (
            self.diagnosis is not None
            and self.diagnosis.failure.kind is FailureKind.CERTIFICATE_UNTRUSTED
            and self.diagnosis.certificate is not None
        )

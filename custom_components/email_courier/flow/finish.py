"""The pages of the set-up dialog about the login and what follows: consent, summary.

All pages are the same for a new account, for reauthentication and for reconfiguration.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME

from ..const import CONF_ALLOW_PLAIN_LOGIN, CONF_TEST_RECIPIENT
from ..mail.failure import FailureKind, Stage
from ..phrases import as_code
from .forms import CONF_GO_BACK, FINISH_FORM, LOGIN_FORM, PLAIN_LOGIN_FORM
from .server import ServerPages
from .texts import login_text, typing_error


class AccountPages(ServerPages):
    """The pages between the first click and a proven account.

    intro: why the login is asked for again.
    """

    def __init__(self) -> None:
        """Begin with nothing typed."""
        super().__init__()
        self.intro = ""

    async def async_step_login(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for username and password, with the provider's hint."""
        if user_input is not None:
            self.forget_errors()
            self._take_login(user_input)
            if user_input.get(CONF_GO_BACK):
                self.login_is_known = False
                return await self.async_step_server()
            if self.draft.username is None or self.draft.password is not None:
                self.login_is_known = True
                return await self.async_prove()
            self.fail(
                typing_error(FailureKind.INVALID_AUTH, Stage.LOGIN, "password_missing"),
                CONF_PASSWORD,
            )
        suggested = {CONF_USERNAME: self.draft.username}
        if self.stored is None or self.draft.password != self.stored.password:
            suggested[CONF_PASSWORD] = self.draft.password
        phrases = await self.async_phrases()
        hint = login_text(self.found, phrases)
        has_stored = self.stored is not None and self.stored.password is not None
        return await self.async_page(
            "login",
            LOGIN_FORM,
            suggested,
            hint="\n\n".join(text for text in (self.intro, hint) if text),
            kept=phrases.say("password_kept") if has_stored else "",
        )

    async def async_step_plain_login(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for an explicit yes to a password without encryption (never for loopback)."""
        if user_input is not None:
            self.forget_errors()
            if user_input.get(CONF_GO_BACK):
                self.login_is_known = False
                return await self.async_step_server()
            if user_input[CONF_ALLOW_PLAIN_LOGIN]:
                self.draft = replace(self.draft, allow_plain_login=True)
                return await self.async_prove()
            self.fail(
                typing_error(FailureKind.AUTH_NEEDS_ENCRYPTION, Stage.LOGIN, "no_consent"),
                CONF_ALLOW_PLAIN_LOGIN,
            )
        return await self.async_page(
            "plain_login", PLAIN_LOGIN_FORM, {}, server=as_code(self.draft.host)
        )

    async def async_step_finish(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Sum up what was proven, and offer a test mail with the settings not yet saved."""
        if user_input is not None:
            self.forget_errors()
            self.test_recipient = user_input.get(CONF_TEST_RECIPIENT, "").strip()
            if user_input.get(CONF_GO_BACK):
                self.login_is_known = False
                return await self.async_step_login()
            if not self.test_recipient:
                return await self.async_step_save()
            return await self.async_go_on(await self.async_step_test_mail())
        return await self.async_page(
            "finish",
            FINISH_FORM,
            {CONF_TEST_RECIPIENT: self.test_recipient},
            summary=self.summary,
        )

    def _take_login(self, typed: dict[str, Any]) -> None:
        """Keep what was typed; an empty password stands for the stored one where that may go."""
        username = typed.get(CONF_USERNAME, "").strip() or None
        password = typed.get(CONF_PASSWORD) or None
        self.draft = replace(self.draft, username=username)
        self.keeps_password = (
            password is None and self.stored is not None and self.draft.has_login_of(self.stored)
        )
        if self.keeps_password and self.stored is not None:
            password = self.stored.password
        self.draft = replace(self.draft, password=password if username else None)

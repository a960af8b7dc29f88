"""The choice between a password and a sign-in, in the set-up dialog."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from homeassistant.config_entries import SOURCE_REAUTH, ConfigFlowResult
from homeassistant.const import CONF_USERNAME

from ..const import CONF_LOGIN_WITH, CONF_USE_SIGN_IN
from ..oauth.provider import OAuthProvider
from ..phrases import as_code
from .forms import CONF_GO_BACK, LoginWith, signed_in_form
from .oauth import ProviderPages

_PROVIDERS: Final = {
    "gmail": OAuthProvider.GOOGLE,
    "google_workspace": OAuthProvider.GOOGLE,
    "outlook": OAuthProvider.MICROSOFT,
    "microsoft_365": OAuthProvider.MICROSOFT,
}
"""By the keys of the table of mail providers."""


class SignInPages(ProviderPages):
    """The login's page, with a way around the password where there is one."""

    async def async_step_login(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how to log in where there is a choice, else for username and password."""
        if user_input is None:
            if self.draft.sign_in is not None:
                return await self.async_step_signed_in()
            has_choice = self._provider is not None and self.draft.password is None
            if has_choice and not self.errors:
                return await self.async_step_login_choice()
        elif user_input.get(CONF_USE_SIGN_IN):
            self.forget_errors()
            self.sign_in_username = user_input.get(CONF_USERNAME, "").strip()
            return await self.async_step_sign_in()
        return await super().async_step_login(user_input)

    async def async_step_login_choice(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a choice between a password and the provider of the account's server."""
        provider = self._provider or OAuthProvider.CUSTOM
        options = ["password", provider.value]
        if provider is OAuthProvider.MICROSOFT:  # most of its accounts have no other way
            options.reverse()
        return self.async_show_menu(
            step_id="login_choice",
            menu_options=[*options, "server"],
            description_placeholders={"intro": self.intro},
        )

    async def async_step_password(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on with a password."""
        return await super().async_step_login()

    async def async_step_sign_in(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask who is to be signed in with."""
        provider = self._provider
        if provider is not None:
            return await self.async_provider_page(provider)
        return self.async_show_menu(step_id="sign_in", menu_options=[*OAuthProvider, "password"])

    async def async_step_signed_in(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether a sign-in is to stay, on an account that has one."""
        sign_in = self.draft.sign_in
        if user_input is not None and sign_in is not None:
            self.forget_errors()
            if user_input.get(CONF_GO_BACK):
                self.login_is_known = False
                return await self.async_step_server()
            login_with = LoginWith(user_input[CONF_LOGIN_WITH])
            if login_with is LoginWith.KEEP:
                self.login_is_known = True
                return await self.async_prove()
            if login_with is LoginWith.OTHER:
                self.draft = replace(self.draft, sign_in=None, tokens=None)
                return await self.async_step_login()
            self.sign_in_username = self.draft.username or ""
            self.wanted = sign_in
            return await self.async_provider_page(sign_in.provider)
        choices = list(LoginWith)
        default = LoginWith.AGAIN
        if not self.is_token_at_home:
            choices.remove(LoginWith.KEEP)
        elif not self.errors and self.source != SOURCE_REAUTH:
            default = LoginWith.KEEP
        return await self.async_page(
            "signed_in",
            signed_in_form(choices, default),
            {},
            intro=self.intro,
            username=as_code(self.draft.username or ""),
        )

    @property
    def _provider(self) -> OAuthProvider | None:
        """Who runs the account's server, where that is one of those known here."""
        provider = self.found.provider if self.found else None
        return _PROVIDERS.get(provider.key) if provider else None

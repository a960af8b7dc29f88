"""The pages of the set-up dialog about the login: password, sign-in that is there, consent."""

from __future__ import annotations

from copy import replace
from typing import Any, Final

from homeassistant.config_entries import SOURCE_REAUTH, ConfigFlowResult
from homeassistant.const import CONF_PASSWORD, CONF_PORT, CONF_USERNAME

from ..const import CONF_ALLOW_PLAIN_LOGIN, CONF_LOGIN_WITH, CONF_USE_SIGN_IN
from ..mail.failure import FailureKind, Stage
from ..oauth.provider import OAuthProvider
from ..phrases import as_code
from .dialog import Dialog
from .forms import CONF_GO_BACK, LoginWith, flat, login_form, plain_login_form, signed_in_form
from .pasted import password_in
from .texts import login_text, origin_text, server_line, typing_error

_PROVIDERS: Final = {
    "gmail": OAuthProvider.GOOGLE,
    "google_workspace": OAuthProvider.GOOGLE,
    "outlook": OAuthProvider.MICROSOFT,
    "microsoft_365": OAuthProvider.MICROSOFT,
}
"""By the keys of the table of mail providers."""


class LoginSteps(Dialog):
    """Username and password, with a way around the password where there is one."""

    def __init__(self) -> None:
        """Begin with no way of logging in chosen."""
        super().__init__()
        self._way_is_chosen = False

    async def async_step_login(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for username and password, or first for the way to log in where it matters."""
        if user_input is None:
            if self.draft.sign_in is not None:
                return await self.go_to("signed_in")
            asks_first = (
                self._provider is OAuthProvider.MICROSOFT  # most of its accounts have no password
                and self.draft.password is None
                and not self._way_is_chosen
                and not self.errors
            )
            return await self.go_to("login_choice" if asks_first else "show_login")
        typed = flat(user_input)
        self.forget_errors()
        await self._async_take_server(typed)
        self._take_login(typed)
        if typed.get(CONF_USE_SIGN_IN):
            return await self._choose_way(typed)
        if typed.get(CONF_GO_BACK):
            self.login_is_known = False
            return await (self._choose_way(typed) if self._way_is_chosen else self.go_to("server"))
        if not self.check_server():
            return await self.go_to("server")
        if self.draft.username is None or self.draft.password is not None:
            self.login_is_known = True
            return await self.prove()
        self.fail(
            typing_error(FailureKind.INVALID_AUTH, Stage.LOGIN, "password_missing"), CONF_PASSWORD
        )
        return await self.go_to("show_login")

    async def async_step_login_choice(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a choice between a password and the provider of the account's server."""
        provider = self._provider or OAuthProvider.GOOGLE
        options = ["password", provider.value]
        if provider is OAuthProvider.MICROSOFT:
            options.reverse()
        return self.async_show_menu(
            step_id=f"login_choice_{provider}",
            menu_options=[*options, "server"],
            description_placeholders={"intro": self.intro},
        )

    async_step_login_choice_google = async_step_login_choice
    async_step_login_choice_microsoft = async_step_login_choice

    async def async_step_password(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take the password for the way to log in, and ask for it."""
        self._way_is_chosen = True
        return await self.go_to("show_login")

    async def async_step_show_login(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the page for username and password, with the provider's hint."""
        suggested = {CONF_USERNAME: self.draft.username, **self.draft.server()}
        if self.stored is None or self.draft.password != self.stored.password:
            suggested[CONF_PASSWORD] = self.draft.password
        phrases = await self.async_phrases()
        has_stored = self.stored is not None and self.stored.password is not None
        wants_sign_in = self.failure is not None and self.failure.kind is FailureKind.OAUTH_REQUIRED
        origin = origin_text(self.found, phrases) if self.skips_server else ""
        server = " ".join(text for text in (origin, server_line(self.draft, phrases)) if text)
        texts = (self.intro, server, login_text(self.found, phrases))
        return await self.async_page(
            "login",
            login_form(
                offers_other_ways=wants_sign_in or not self._way_is_chosen,
                unfolds_other_ways=wants_sign_in,
            ),
            suggested,
            hint="\n\n".join(text for text in texts if text),
            kept=phrases.say("password_kept") if has_stored else "",
        )

    async def async_step_sign_in(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask who is to be signed in with, where the server does not tell."""
        return self.async_show_menu(step_id="sign_in", menu_options=[*OAuthProvider, "password"])

    async def async_step_signed_in(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether a sign-in is to stay, on an account that has one."""
        sign_in = self.draft.sign_in
        if user_input is not None and sign_in is not None:
            typed = flat(user_input)
            self.forget_errors()
            if typed.get(CONF_GO_BACK):
                self.login_is_known = False
                return await self.go_to("server")
            match LoginWith(typed[CONF_LOGIN_WITH]):
                case LoginWith.KEEP:
                    self.login_is_known = True
                    return await self.prove()
                case LoginWith.OTHER:
                    self.draft = self.draft.without_sign_in()
                    return await self.go_to("login")
                case LoginWith.AGAIN:
                    self.attempt.username = self.draft.username or ""
                    self.attempt.sign_in = sign_in
                    return await self.go_to(sign_in.provider)
        choices = list(LoginWith)
        default = LoginWith.AGAIN
        if not self.draft.is_token_at_home:
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

    async def async_step_plain_login(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for an explicit yes to a password without encryption (never for loopback)."""
        if user_input is not None:
            typed = flat(user_input)
            self.forget_errors()
            if typed.get(CONF_GO_BACK):
                self.login_is_known = False
                return await self.go_to("server")
            if typed[CONF_ALLOW_PLAIN_LOGIN]:
                self.draft = replace(self.draft, allow_plain_login=True)
                return await self.prove()
            self.fail(
                typing_error(FailureKind.AUTH_NEEDS_ENCRYPTION, Stage.LOGIN, "no_consent"),
                CONF_ALLOW_PLAIN_LOGIN,
            )
        return await self.async_page(
            "plain_login", plain_login_form(), {}, server=as_code(self.draft.host)
        )

    async def _choose_way(self, typed: dict[str, Any]) -> ConfigFlowResult:
        self.attempt.username = typed.get(CONF_USERNAME, "").strip()
        self._way_is_chosen = False
        return await self.go_to("sign_in" if self._provider is None else "login_choice")

    async def _async_take_server(self, typed: dict[str, Any]) -> None:
        """Take over the server that the login's page shows beside username and password."""
        if CONF_PORT not in typed:
            return
        before = self.draft
        self.draft = before.at_typed_server(typed)
        if self.draft.host != before.host:
            self.skips_server = False
            await self.async_recognise_provider()

    def _take_login(self, typed: dict[str, Any]) -> None:
        """Keep what was typed; an empty password stands for the stored one where that may go."""
        username = typed.get(CONF_USERNAME, "").strip() or None
        provider = self.found.provider if self.found else None
        password = password_in(typed.get(CONF_PASSWORD, ""), provider.key if provider else None)
        self.draft = replace(self.draft, username=username)
        self.keeps_password = (
            not password and self.stored is not None and self.draft.has_login_of(self.stored)
        )
        if self.keeps_password and self.stored is not None:
            password = self.stored.password or ""
        self.draft = replace(self.draft, password=password or None if username else None)

    @property
    def _provider(self) -> OAuthProvider | None:
        """Who runs the account's server, where that is one of those known here."""
        provider = self.found.provider if self.found else None
        return _PROVIDERS.get(provider.key) if provider else None

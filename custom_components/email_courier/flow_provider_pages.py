"""The pages of the set-up dialog about those who can be signed in with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_USERNAME
from homeassistant.helpers.network import NoURLAvailableError
import voluptuous as vol

from .const import CONF_AUTHORITY, CONF_AUTHORIZE_URL, CONF_SCOPE, CONF_TOKEN_URL
from .flow_forms import CONF_GO_BACK
from .flow_links import EXAMPLE_LINKS, REGISTRATION_LINKS
from .flow_oauth import OAuthDialog
from .flow_sign_in_forms import CREDENTIALS_FORM, CUSTOM_FORM, GOOGLE_FORM, MICROSOFT_FORM
from .oauth_client import async_keep_client, redirect_uri
from .sign_in import OAuthProvider, SignIn, is_authority, is_safe_url


class ProviderPages(OAuthDialog):
    """Google, Microsoft, a provider of one's own, and the client that each wants to know."""

    async def async_step_google(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Sign in with Google."""
        if user_input is not None and not self._goes_back(user_input):
            return await self.async_begin(self._as_before(SignIn.google()))
        return await self._async_form("google", GOOGLE_FORM, user_input)

    async def async_step_microsoft(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Sign in with Microsoft, as one of the accounts that an authority lets in."""
        authority = self.wanted.authority if self.wanted else ""
        if user_input is not None and not self._goes_back(user_input):
            authority = user_input[CONF_AUTHORITY].strip()
            if is_authority(authority):
                return await self.async_begin(self._as_before(SignIn.microsoft(authority)))
            self.errors = {CONF_AUTHORITY: "authority_invalid"}
        suggested = {CONF_AUTHORITY: authority or self._likely_authority}
        return await self._async_form("microsoft", MICROSOFT_FORM, user_input, suggested)

    async def async_step_custom(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Sign in with a provider of one's own."""
        suggested: dict[str, Any] = {}
        if self.wanted is not None and self.wanted.provider is OAuthProvider.CUSTOM:
            suggested = self.wanted.as_data()
            suggested.pop(CONF_CLIENT_SECRET, None)
        if user_input is not None and not self._goes_back(user_input):
            for name in (CONF_AUTHORIZE_URL, CONF_TOKEN_URL):
                user_input[name] = user_input[name].strip()
                if not is_safe_url(user_input[name]):
                    self.errors = {name: "url_unsafe"}
            suggested = user_input
            if not self.errors:
                return await self.async_begin(self._custom(user_input))
        return await self._async_form("custom", CUSTOM_FORM, user_input, suggested)

    async def async_step_credentials(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Explain how to register Home Assistant with the provider, and keep what comes of it."""
        wanted = self.wanted or SignIn.google()
        if user_input is not None:
            self.forget_errors()
            if user_input.get(CONF_GO_BACK):
                return await self.async_provider_page(wanted.provider)
            client_id = user_input.get(CONF_CLIENT_ID, "").strip()
            if SignIn.of_client(client_id).provider is wanted.provider and client_id:
                secret = user_input.get(CONF_CLIENT_SECRET, "").strip()
                return await self.async_begin(
                    await async_keep_client(self.hass, wanted, client_id, secret)
                )
            self.errors = {CONF_CLIENT_ID: "client_id_invalid"}
        return await self.async_page(
            f"credentials_{wanted.provider}",
            CREDENTIALS_FORM,
            user_input or {CONF_CLIENT_ID: self.client.client_id if self.client else ""},
            redirect_uri=self._redirect_address,
            **REGISTRATION_LINKS,
        )

    async_step_credentials_google = async_step_credentials
    async_step_credentials_microsoft = async_step_credentials

    async def _async_form(
        self,
        page: str,
        form: vol.Schema,
        typed: dict[str, Any] | None,
        suggested: dict[str, Any] | None = None,
    ) -> ConfigFlowResult:
        if typed is not None and typed.get(CONF_GO_BACK):
            return await self.async_step_login()
        username = self.sign_in_username or self.draft.username or self.draft.sender
        phrases = await self.async_phrases()
        has_secret = self.wanted is not None and bool(self.wanted.client_secret)
        return await self.async_page(
            page,
            form,
            {CONF_USERNAME: username, **(suggested or {})},
            detail=self.detail,
            redirect_uri=self._redirect_address,
            kept=phrases.say("client_secret_kept") if has_secret else "",
            **EXAMPLE_LINKS,
        )

    def _goes_back(self, typed: dict[str, Any]) -> bool:
        self.forget_errors()
        self.sign_in_username = typed.get(CONF_USERNAME, "").strip()
        return bool(typed.get(CONF_GO_BACK))

    def _as_before(self, sign_in: SignIn) -> SignIn:
        """Return a sign-in with the client that goes with the account, where there is one."""
        before = self.wanted
        if before is None or before.provider is not sign_in.provider:
            return sign_in
        return replace(sign_in, client_id=before.client_id, client_secret=before.client_secret)

    def _custom(self, typed: dict[str, Any]) -> SignIn:
        """Return what was typed; an empty secret stands for the one that is stored."""
        secret = typed.get(CONF_CLIENT_SECRET, "").strip()
        client_id = typed[CONF_CLIENT_ID].strip()
        before = self.wanted
        if (
            not secret
            and before is not None
            and (before.client_id, before.token_url) == (client_id, typed[CONF_TOKEN_URL])
        ):
            secret = before.client_secret
        return SignIn(
            provider=OAuthProvider.CUSTOM,
            authorize_url=typed[CONF_AUTHORIZE_URL],
            token_url=typed[CONF_TOKEN_URL],
            scope=typed.get(CONF_SCOPE, "").strip(),
            client_id=client_id,
            client_secret=secret,
        )

    @property
    def _redirect_address(self) -> str:
        """What to register with the provider; a dash where Home Assistant does not know it."""
        try:
            return redirect_uri(self.hass)
        except NoURLAvailableError:
            return "-"

    @property
    def _likely_authority(self) -> str:
        provider = self.found.provider if self.found else None
        return (
            "consumers" if provider is not None and provider.key == "outlook" else "organizations"
        )

"""The pages of the set-up dialog for signing in: to a provider and back with a token."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from copy import replace
from http import HTTPStatus
import time
from typing import Any, Final

from aiohttp import ClientError, ClientResponseError
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_USERNAME
from homeassistant.helpers.network import NoURLAvailableError
import voluptuous as vol

from ..const import (
    CONF_AUTHORITY,
    CONF_AUTHORIZE_URL,
    CONF_SCOPE,
    CONF_TENANT,
    CONF_TOKEN_URL,
    LOGGER,
)
from ..oauth.client import (
    MailOAuth2Implementation,
    async_clients,
    async_keep_client,
    redirect_uri,
    with_client_of,
)
from ..oauth.provider import Audience, OAuthProvider, SignIn, is_safe_url, is_tenant
from ..oauth.tokens import GrantedTokens
from .dialog import Dialog
from .forms import (
    CONF_GO_BACK,
    EXAMPLE_LINKS,
    REGISTRATION_LINKS,
    credentials_form,
    custom_form,
    flat,
    google_form,
    microsoft_form,
)

_LIMIT: Final = 30.0
"""Seconds that the provider is given to answer."""


class OAuthSteps(Dialog):
    """Google, Microsoft, a provider of one's own, and the client that each wants to know."""

    async def async_step_google(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Sign in with Google."""
        typed = None if user_input is None else flat(user_input)
        if typed is not None and not self._goes_back(typed):
            return await self._async_begin(self._as_before(SignIn.google()))
        return await self._async_form("google", google_form(), typed)

    async def async_step_microsoft(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Sign in with Microsoft, as one of the accounts that the person's app lets in."""
        before = self.attempt.sign_in
        suggested = _of_authority((before.authority if before else "") or self._likely_authority)
        typed = None if user_input is None else flat(user_input)
        if typed is not None and not self._goes_back(typed):
            audience, tenant = Audience(typed[CONF_AUTHORITY]), typed.get(CONF_TENANT, "").strip()
            error = _tenant_error(audience, tenant)
            if error is None:
                authority = tenant or audience.value
                return await self._async_begin(self._as_before(SignIn.microsoft(authority)))
            self.errors = {CONF_TENANT: error}
            suggested = {CONF_AUTHORITY: audience.value, CONF_TENANT: tenant}
        return await self._async_form("microsoft", microsoft_form(), typed, suggested)

    async def async_step_custom(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Sign in with a provider of one's own."""
        suggested: dict[str, Any] = {}
        before = self.attempt.sign_in
        if before is not None and before.provider is OAuthProvider.CUSTOM:
            suggested = before.as_data()
            suggested.pop(CONF_CLIENT_SECRET, None)
        typed = None if user_input is None else flat(user_input)
        if typed is not None and not self._goes_back(typed):
            for name in (CONF_AUTHORIZE_URL, CONF_TOKEN_URL):
                typed[name] = typed[name].strip()
                if not is_safe_url(typed[name]):
                    self.errors = {name: "url_unsafe"}
            suggested = typed
            if not self.errors:
                return await self._async_begin(self._custom(typed))
        return await self._async_form("custom", custom_form(), typed, suggested)

    async def async_step_credentials(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Explain how to register Home Assistant with the provider, and keep what comes of it."""
        wanted = self.attempt.sign_in or SignIn.google()
        typed = None if user_input is None else flat(user_input)
        if typed is not None:
            self.forget_errors()
            if typed.get(CONF_GO_BACK):
                return await self.go_to(wanted.provider)
            client_id = typed.get(CONF_CLIENT_ID, "").strip()
            if SignIn.of_client(client_id).provider is wanted.provider and client_id:
                secret = typed.get(CONF_CLIENT_SECRET, "").strip()
                return await self._async_begin(
                    await async_keep_client(self.hass, wanted, client_id, secret)
                )
            self.errors = {CONF_CLIENT_ID: "client_id_invalid"}
        return await self.async_page(
            f"credentials_{wanted.provider}",
            credentials_form(),
            typed or {CONF_CLIENT_ID: self.attempt.client_id},
            redirect_uri=self._redirect_address,
            **REGISTRATION_LINKS,
        )

    async_step_credentials_google = async_step_credentials
    async_step_credentials_microsoft = async_step_credentials

    async def async_step_external(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Send the person to the provider, and take what the provider sends them back with."""
        if user_input is None:
            return self.async_external_step(step_id="external", url=self.attempt.url)
        self.attempt.answer = user_input
        return self.async_external_step_done(next_step_id="exchange")

    async def async_step_exchange(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Exchange what the provider has sent for tokens, and prove the account with them."""
        client, answer = self.attempt.client, self.attempt.answer
        sign_in = client.sign_in
        if "error" in answer:
            return await self._async_failed(
                sign_in, "sign_in_denied", await self._async_refusal(answer)
            )
        try:
            async with asyncio.timeout(_LIMIT):
                token = await client.async_resolve_external_data(answer)
            token["expires_at"] = time.time() + int(token["expires_in"])
        except ClientResponseError as error:
            if (
                error.status == HTTPStatus.UNAUTHORIZED
                and sign_in.provider is not OAuthProvider.CUSTOM
            ):
                self.errors = {"base": "client_refused"}
                return await self.go_to("credentials")
            return await self._async_failed(sign_in, "sign_in_failed", f"HTTP {error.status}")
        except (TimeoutError, ClientError) as error:
            return await self._async_no_tokens(sign_in, error, "oauth_no_answer")
        except (ValueError, KeyError, TypeError) as error:
            return await self._async_no_tokens(sign_in, error, "oauth_unusable")
        if not token.get("access_token") or not token.get("refresh_token"):
            return await self._async_failed(sign_in, "sign_in_not_lasting", "-")
        if sign_in.credential:  # the client stays where it is stored
            sign_in = replace(sign_in, client_id="", client_secret="")
        self.draft = self.draft.signed_in(
            self.attempt.username or self.draft.sender,
            sign_in,
            GrantedTokens(self.hass, sign_in, token),
        )
        self.login_is_known = True
        return await self.prove()

    async def _async_begin(self, sign_in: SignIn) -> ConfigFlowResult:
        """Send the person to the provider, or first ask for the client's credentials."""
        self.attempt.sign_in = sign_in
        if not sign_in.client_id:
            clients = [
                client
                for client in await async_clients(self.hass)
                if client.sign_in.provider is sign_in.provider
            ]
            if not clients:
                return await self.go_to("credentials")
            sign_in = with_client_of(sign_in, clients[-1])
        client = MailOAuth2Implementation(
            self.hass, sign_in, login_hint=self.attempt.username or self.draft.sender
        )
        self.attempt.client = client
        self.attempt.client_id = client.client_id
        try:
            self.attempt.url = await client.async_generate_authorize_url(self.flow_id)
        except NoURLAvailableError:
            return await self._async_failed(sign_in, "no_own_url", "-")
        return await self.go_to("external")

    async def _async_refusal(self, answer: Mapping[str, Any]) -> str:
        """Say why the provider sends nobody in: the person did not agree, or in its own words."""
        if answer["error"] == "access_denied":
            return (await self.async_phrases()).say("oauth_denied")
        return str(answer["error"])

    async def _async_no_tokens(
        self, sign_in: SignIn, error: Exception, sentence: str
    ) -> ConfigFlowResult:
        """Say why there are no tokens, in words for a person, and in the log in others."""
        LOGGER.info("No tokens were handed out: %s: %s", type(error).__name__, error)
        phrases = await self.async_phrases()
        return await self._async_failed(sign_in, "sign_in_failed", phrases.say(sentence))

    async def _async_failed(self, sign_in: SignIn, error: str, detail: str) -> ConfigFlowResult:
        self.errors = {"base": error}
        self.attempt.detail = detail
        return await self.go_to(sign_in.provider)

    async def _async_form(
        self,
        page: str,
        form: vol.Schema,
        typed: dict[str, Any] | None,
        suggested: dict[str, Any] | None = None,
    ) -> ConfigFlowResult:
        if typed is not None and typed.get(CONF_GO_BACK):
            return await self.go_to("login")
        username = self.attempt.username or self.draft.username or self.draft.sender
        phrases = await self.async_phrases()
        before = self.attempt.sign_in
        has_secret = before is not None and bool(before.client_secret)
        return await self.async_page(
            page,
            form,
            {CONF_USERNAME: username, **(suggested or {})},
            detail=self.attempt.detail,
            redirect_uri=self._redirect_address,
            kept=phrases.say("client_secret_kept") if has_secret else "",
            **EXAMPLE_LINKS,
        )

    def _goes_back(self, typed: dict[str, Any]) -> bool:
        self.forget_errors()
        self.attempt.username = typed.get(CONF_USERNAME, "").strip()
        return bool(typed.get(CONF_GO_BACK))

    def _as_before(self, sign_in: SignIn) -> SignIn:
        """Return a sign-in with the client that goes with the account, where there is one."""
        before = self.attempt.sign_in
        if before is None or before.provider is not sign_in.provider:
            return sign_in
        return replace(sign_in, client_id=before.client_id, client_secret=before.client_secret)

    def _custom(self, typed: dict[str, Any]) -> SignIn:
        """Return what was typed; an empty secret stands for the one that is stored."""
        secret = typed.get(CONF_CLIENT_SECRET, "").strip()
        client_id = typed[CONF_CLIENT_ID].strip()
        before = self.attempt.sign_in
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
        is_personal = provider is not None and provider.key == "outlook"
        return (Audience.PERSONAL if is_personal else Audience.WORK).value


def _of_authority(authority: str) -> dict[str, str]:
    """Return how the page of Microsoft shows the authority of a sign-in."""
    audience = Audience.of_authority(authority)
    if audience is Audience.TENANT:
        return {CONF_AUTHORITY: audience.value, CONF_TENANT: authority}
    return {CONF_AUTHORITY: audience.value}


def _tenant_error(audience: Audience, tenant: str) -> str | None:
    """Return the key of what is wrong with a tenant for an audience, None when nothing is."""
    if audience is not Audience.TENANT:
        return "tenant_unused" if tenant else None
    if not tenant:
        return "tenant_missing"
    return None if is_tenant(tenant) else "tenant_invalid"

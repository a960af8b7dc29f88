"""The way to a provider and back with a token, in the set-up dialog."""

from __future__ import annotations

from abc import abstractmethod
import asyncio
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
import time
from typing import Any, Final

from aiohttp import ClientError, ClientResponseError
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.network import NoURLAvailableError

from .flow_pages import AccountPages
from .oauth_client import MailOAuth2Implementation, async_clients, with_client_of
from .oauth_tokens import GrantedTokens
from .sign_in import OAuthProvider, SignIn

_LIMIT: Final = 30.0
"""Seconds that the provider is given to answer."""


class OAuthDialog(AccountPages):
    """Sends a person to a provider, and exchanges what they come back with.

    sign_in_username: the mailbox that is signed in on. wanted: the sign-in that was begun last.
    client: the client that it was begun as. detail: why it came to nothing.
    """

    def __init__(self) -> None:
        """Begin with nobody signed in."""
        super().__init__()
        self.sign_in_username = ""
        self.wanted: SignIn | None = None
        self.client: MailOAuth2Implementation | None = None
        self._begun_as: MailOAuth2Implementation  # set before the person is sent away
        self._url = ""
        self._answer: Mapping[str, Any] = {}
        self.detail = ""
        self._signed_in_for = ""

    @property
    def is_token_at_home(self) -> bool:
        """Whether the server is the one that the person has signed in for."""
        host = self._signed_in_for or (self.stored.host if self.stored else "")
        return self.draft.host == host

    async def async_prove(self) -> ConfigFlowResult:
        """Prove the draft; no token goes to another server than it was meant for."""
        if self.draft.sign_in is not None and not self.is_token_at_home:
            self.login_is_known = False
            return await self.async_step_login()
        return await super().async_prove()

    @abstractmethod
    async def async_step_credentials(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the client that Home Assistant is at the provider."""

    async def async_step_external(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Send the person to the provider, and take what the provider sends them back with."""
        if user_input is None:
            return self.async_external_step(step_id="external", url=self._url)
        self._answer = user_input
        return self.async_external_step_done(next_step_id="exchange")

    async def async_step_exchange(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Exchange what the provider has sent for tokens, and prove the account with them."""
        client = self._begun_as
        sign_in = client.sign_in
        if "error" in self._answer:
            return await self._async_failed(sign_in, "sign_in_denied", str(self._answer["error"]))
        try:
            async with asyncio.timeout(_LIMIT):
                token = await client.async_resolve_external_data(self._answer)
            token["expires_at"] = time.time() + int(token["expires_in"])
        except ClientResponseError as error:
            if (
                error.status == HTTPStatus.UNAUTHORIZED
                and sign_in.provider is not OAuthProvider.CUSTOM
            ):
                self.errors = {"base": "client_refused"}
                return await self.async_step_credentials()
            return await self._async_failed(sign_in, "sign_in_failed", str(error.status))
        except (TimeoutError, ClientError, ValueError, KeyError, TypeError) as error:
            return await self._async_failed(sign_in, "sign_in_failed", type(error).__name__)
        if not token.get("access_token") or not token.get("refresh_token"):
            return await self._async_failed(sign_in, "sign_in_not_lasting", "-")
        if sign_in.credential:  # the client stays where it is stored
            sign_in = replace(sign_in, client_id="", client_secret="")
        self.draft = replace(
            self.draft,
            username=self.sign_in_username or self.draft.sender,
            password=None,
            sign_in=sign_in,
            tokens=GrantedTokens(self.hass, sign_in, token),
        )
        self._signed_in_for = self.draft.host
        self.login_is_known = True
        return await self.async_prove()

    async def async_begin(self, sign_in: SignIn) -> ConfigFlowResult:
        """Send the person to the provider, or first ask for the client's credentials."""
        self.wanted = sign_in
        if not sign_in.client_id:
            clients = [
                client
                for client in await async_clients(self.hass)
                if client.sign_in.provider is sign_in.provider
            ]
            if not clients:
                return await self.async_step_credentials()
            sign_in = with_client_of(sign_in, clients[-1])
        client = MailOAuth2Implementation(
            self.hass, sign_in, login_hint=self.sign_in_username or self.draft.sender
        )
        self.client = self._begun_as = client
        try:
            self._url = await client.async_generate_authorize_url(self.flow_id)
        except NoURLAvailableError:
            return await self._async_failed(sign_in, "no_own_url", "-")
        return await self.async_step_external()

    async def _async_failed(self, sign_in: SignIn, error: str, detail: str) -> ConfigFlowResult:
        self.errors = {"base": error}
        self.detail = detail
        return await self.async_provider_page(sign_in.provider)

    async def async_provider_page(self, provider: OAuthProvider) -> ConfigFlowResult:
        """Show the page of a provider."""
        page: ConfigFlowResult = await getattr(self, f"async_step_{provider}")()
        return page

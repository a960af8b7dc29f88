"""Home Assistant as the client of an OAuth 2 provider (RFC 6749 with PKCE, RFC 7636)."""

from __future__ import annotations

from copy import replace
import re
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.config_entry_oauth2_flow import (
    AUTH_CALLBACK_PATH,
    LocalOAuth2ImplementationWithPkce,
    async_get_implementations,
    async_get_redirect_uri,
)
from homeassistant.helpers.network import get_url
from homeassistant.util import slugify

from ..const import DOMAIN
from .provider import SignIn

_VISIBLE = re.compile(r"[ -~]+")
"""What a token or a scope is made of (RFC 6749 appendix A)."""
_SECONDS = re.compile(r"[0-9]{1,10}")
_LONGEST: Final = 2**31 - 1
"""Seconds. A token for longer is taken for one that lasts so long."""


class MailOAuth2Implementation(LocalOAuth2ImplementationWithPkce):
    """The client for one sign-in."""

    def __init__(
        self, hass: HomeAssistant, sign_in: SignIn, *, name: str = "", login_hint: str = ""
    ) -> None:
        """Prepare the client. login_hint: the account that the provider is to propose."""
        super().__init__(
            hass,
            sign_in.credential or DOMAIN,
            sign_in.client_id,
            sign_in.authorize_url,
            sign_in.token_url,
            sign_in.client_secret,
        )
        self.sign_in = sign_in
        self._name = name
        self._login_hint = login_hint

    @property
    def name(self) -> str:
        """What a person called the credentials."""
        return self._name or self.client_id

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends the person back to. Raises NoURLAvailableError."""
        return redirect_uri(self.hass)

    @property
    def extra_authorize_data(self) -> dict[str, Any]:
        """The scope, and what else the provider wants to be told."""
        hint = {"login_hint": self._login_hint} if self._login_hint else {}
        return {
            "scope": self.sign_in.scope,
            **self.sign_in.extra_parameters,
            **hint,
            **super().extra_authorize_data,
        }

    async def _token_request(self, data: dict[str, Any]) -> dict[str, Any]:
        """Ask the token endpoint. Raises ClientError, and ValueError for an unusable answer."""
        try:
            answer = await super()._token_request(data)
        except (LookupError, RecursionError) as error:
            # Character sets that are none for text, and lists within lists within lists.
            raise ValueError("no JSON that can be read") from error
        return read_token(answer)


def read_token(answer: object) -> dict[str, Any]:
    """Return what is used of a token endpoint's answer (RFC 6749 section 5.1).

    All of it can be stored and sent: tokens are printable ASCII, "expires_in" is in seconds.
    Raises ValueError where there is no access token, or nobody can tell how long it lasts.
    """
    if not isinstance(answer, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - of the answer, not of the program
    token: dict[str, Any] = {
        name: answer[name]
        for name in ("access_token", "refresh_token", "id_token", "token_type", "scope")
        if isinstance(answer.get(name), str) and _VISIBLE.fullmatch(answer[name])
    }
    if "access_token" not in token:
        raise ValueError("no access token")
    # Some providers write it as a text or as a floating-point number.
    lasts = str(answer.get("expires_in")).removesuffix(".0")
    if not _SECONDS.fullmatch(lasts):
        raise ValueError("no time at which the access token ends")
    return {**token, "expires_in": min(int(lasts), _LONGEST)}


@callback
def redirect_uri(hass: HomeAssistant) -> str:
    """Return the address that has to be registered with the provider.

    Raises NoURLAvailableError.
    """
    try:
        return async_get_redirect_uri(hass)
    except RuntimeError:  # not asked by the frontend, which says where it is
        return get_url(hass, prefer_external=True) + AUTH_CALLBACK_PATH


async def async_clients(hass: HomeAssistant) -> list[MailOAuth2Implementation]:
    """Return the clients that are stored as application credentials, the newest last."""
    implementations = await async_get_implementations(hass, DOMAIN)
    return [
        implementation
        for implementation in implementations.values()
        if isinstance(implementation, MailOAuth2Implementation)
    ]


async def async_with_client(hass: HomeAssistant, sign_in: SignIn) -> SignIn | None:
    """Return a sign-in with its client's id and secret; None where they have been removed."""
    if sign_in.client_id:
        return sign_in
    for client in await async_clients(hass):
        if client.domain == sign_in.credential:
            return with_client_of(sign_in, client)
    return None


async def async_keep_client(
    hass: HomeAssistant, sign_in: SignIn, client_id: str, client_secret: str
) -> SignIn:
    """Store a client for all accounts, and return the sign-in to look it up for.

    What is stored under the same id cannot be changed; where it is, the client goes with the
    account alone, so that a secret that has ended can be replaced.
    """
    if any(client.client_id == client_id for client in await async_clients(hass)):
        return replace(sign_in, credential="", client_id=client_id, client_secret=client_secret)
    # It is set up before this integration, and imported no earlier than that.
    from homeassistant.components.application_credentials import (  # noqa: PLC0415
        ClientCredential,
        async_import_client_credential,
    )

    await async_import_client_credential(
        hass,
        DOMAIN,
        ClientCredential(client_id, client_secret),
        slugify(f"{DOMAIN}.{client_id}"),
    )
    return replace(sign_in, client_id="", client_secret="")


def with_client_of(sign_in: SignIn, client: MailOAuth2Implementation) -> SignIn:
    """Return a sign-in as this client."""
    return replace(
        sign_in,
        credential=client.domain,
        client_id=client.client_id,
        client_secret=client.client_secret,
    )

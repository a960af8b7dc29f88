"""The access tokens of one account: kept, renewed in time, and never shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
import math
import time
from typing import Any, Final

from aiohttp import ClientError, ClientResponseError
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant
from yarl import URL

from ..const import CONF_SIGN_IN, DOMAIN
from ..mail.failure import Cause, Failure, FailureKind, MailError, Permanence, Stage
from .client import MailOAuth2Implementation, async_with_client
from .provider import SignIn

_EARLY: Final = 120.0
"""Seconds before its end at which a token is renewed."""
_MARGIN: Final = 10.0
"""Seconds before its end up to which a token is good enough where no new one is to be had."""
PROVIDER_LIMIT: Final = 15.0
"""Seconds that the provider is given to hand out a token."""
_GRANT_IS_GONE: Final = (400, 401)
"""What a token endpoint answers for good: the grant or the client (RFC 6749 section 5.2)."""

type Token = Mapping[str, Any]


class GrantedTokens:
    """What a person has granted by signing in, for the mail layer to log in with.

    token: the last answer of the provider, as it is stored.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        sign_in: SignIn,
        token: Token,
        store: Callable[[dict[str, Any], Token], None] | None = None,
    ) -> None:
        """Begin with a stored token. store: keeps each new one, and is told the old one."""
        self.token = dict(token)
        self._hass = hass
        self._sign_in = sign_in
        self._store = store
        self._renewal: asyncio.Task[Failure | None] | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """All that is known by now and must not be shown: tokens, the client's secret."""
        names = ("access_token", "refresh_token", "id_token")
        tokens = [self.token.get(name) for name in names]
        return tuple(str(secret) for secret in (*tokens, self._sign_in.client_secret) if secret)

    async def current(self) -> str:
        """Return an access token that has not expired. Raises MailError."""
        left = self._expires_at - time.time()
        if left < _EARLY:
            try:
                await self.renew()
            except MailError as error:
                if left < _MARGIN or error.failure.permanence is Permanence.PERMANENT:
                    raise
        return str(self.token["access_token"])

    @property
    def _expires_at(self) -> float:
        """When the token ends, as a UTC timestamp in seconds; 0 where that is not stored."""
        try:
            stored = float(self.token["expires_at"])
        except KeyError, TypeError, ValueError, OverflowError:
            return 0.0
        return stored if math.isfinite(stored) else 0.0

    async def renew(self) -> None:
        """Get a new access token. Raises MailError.

        Who waits for it may be cancelled; the new token is stored all the same, because the
        refresh token may have been good for one use.
        """
        if self._renewal is None:
            self._renewal = self._hass.async_create_task(self._async_renew(), f"{DOMAIN} token")
            self._renewal.add_done_callback(self._renewed)
        renewal = self._renewal
        await asyncio.wait({renewal})
        failure = renewal.result()
        if failure is not None:
            raise MailError(failure)

    def _renewed(self, _task: asyncio.Task[Failure | None]) -> None:
        self._renewal = None

    async def _async_renew(self) -> Failure | None:
        sign_in = await async_with_client(self._hass, self._sign_in)
        if sign_in is None:
            return _refused("the application credentials have been removed")
        if not self.token.get("refresh_token"):
            return _refused("the provider gave no refresh token")
        client = MailOAuth2Implementation(self._hass, sign_in)
        host = URL(sign_in.token_url).host
        replaced = self.token
        try:
            async with asyncio.timeout(PROVIDER_LIMIT):
                self.token = await client.async_refresh_token(self.token)
        except ClientResponseError as error:
            if error.status in _GRANT_IS_GONE:
                return _refused(f"{host} answered {error.status}")
            return _unavailable(f"{host} answered {error.status}")
        except TimeoutError:
            return _unavailable(f"{host} does not answer in time")
        except ClientError, ValueError:
            return _unavailable(f"{host} gives no usable answer")
        if self._store is not None:
            self._store(self.token, replaced)
        return None


async def async_tokens_for(hass: HomeAssistant, entry: ConfigEntry[Any]) -> GrantedTokens | None:
    """Return the tokens of an account; None where it has a password or no login."""
    if CONF_SIGN_IN not in entry.data:
        return None
    is_loaded = entry.state is ConfigEntryState.LOADED
    loaded: GrantedTokens | None = entry.runtime_data.tokens if is_loaded else None
    if loaded is not None:
        return loaded

    def store(token: dict[str, Any], replaced: Token) -> None:
        if entry.data.get(CONF_TOKEN) == replaced:  # nobody has signed in anew meanwhile
            hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_TOKEN: token})

    sign_in = SignIn.of_data(entry.data[CONF_SIGN_IN])
    return GrantedTokens(hass, sign_in, entry.data[CONF_TOKEN], store)


def _refused(reason: str) -> Failure:
    return Failure(
        FailureKind.INVALID_AUTH,
        Stage.LOGIN,
        Permanence.PERMANENT,
        detail=f"a new sign-in is needed: {reason}",
        facts={"login": "token", "cause": Cause.SIGN_IN_AGAIN.value},
    )


def _unavailable(reason: str) -> Failure:
    return Failure(
        FailureKind.SERVER_BUSY,
        Stage.LOGIN,
        Permanence.TEMPORARY,
        detail=f"no access token to be had: {reason}",
        facts={"login": "token", "cause": Cause.NO_TOKEN.value},
    )

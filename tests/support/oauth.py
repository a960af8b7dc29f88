"""People who sign in, and mail servers that believe their provider."""

from collections.abc import Iterator, Mapping
from html import unescape
import re
from typing import Any

import aiohttp
from aiohttp.test_utils import TestClient
from yarl import URL

from custom_components.email_courier.oauth.provider import OAuthProvider, SignIn
from tests.support.dialogs import Dialog
from tests.support.oauth_server import CLIENT_ID, CLIENT_SECRET, SCOPE, OAuthServer
from tests.support.script import USERNAME

_FIELD = re.compile(r'name="(\w+)" value="([^"]*)"')
CALLBACK = "/auth/external/callback"


class Vouched(Mapping[str, str]):
    """The one token of the one person that their provider takes for good."""

    def __init__(self, provider: OAuthServer) -> None:
        self._provider = provider

    def __getitem__(self, user: str) -> str:
        if user != self._provider.user or self._provider.newest is None:
            raise KeyError(user)
        return self._provider.newest

    def __iter__(self) -> Iterator[str]:
        return iter((self._provider.user,))

    def __len__(self) -> int:
        return 1


def sign_in_at(provider: OAuthServer) -> SignIn:
    """Return how an account signs in with a provider of one's own."""
    return SignIn(
        provider=OAuthProvider.CUSTOM,
        authorize_url=provider.authorize_url,
        token_url=provider.token_url,
        scope=SCOPE,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
    )


def signed_in(provider: OAuthServer, *, expires_at: float) -> dict[str, Any]:
    """Return what an account stores once somebody has signed in.

    expires_at: the time at which the access token is thought to end.
    """
    access, refresh = provider.issue()
    return {
        "username": USERNAME,
        "sign_in": sign_in_at(provider).as_data(),
        "token": {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": 3600,
            "expires_at": expires_at,
        },
    }


def typed_for_provider(provider: OAuthServer) -> dict[str, Any]:
    """Return what a person types about a provider of their own."""
    return {
        "authorize_url": provider.authorize_url,
        "token_url": provider.token_url,
        "scope": SCOPE,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }


async def answer_provider(dialog: Dialog, home: TestClient[Any, Any], answer: str) -> Dialog:
    """Go where the dialog sends a person, press a button there, and come back with the browser.

    answer: "allow" or "deny".
    """
    url = URL(dialog.page["url"])
    async with aiohttp.ClientSession() as browser:
        async with browser.get(url) as response:
            assert response.status == 200, await response.text()
            page = await response.text()
        form = {name: unescape(value) for name, value in _FIELD.findall(page)}
        consent = url.with_path("/consent").with_query(None)
        async with browser.post(
            consent, data={**form, "answer": answer}, allow_redirects=False
        ) as response:
            back = URL(response.headers["Location"])
    assert back.path == CALLBACK
    async with home.get(CALLBACK, params=dict(back.query)) as response:
        assert response.status == 200
    await dialog.look_again()
    return await dialog.wait()

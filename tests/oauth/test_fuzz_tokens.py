"""Token endpoints that answer what they like: a token that can be used, or a failure of ours."""

from collections.abc import AsyncIterator
import json
from random import Random
import time

from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_bytes
import pytest

from custom_components.email_courier.mail.failure import FailureKind, MailError, Permanence
from custom_components.email_courier.oauth.client import read_token
from custom_components.email_courier.oauth.provider import OAuthProvider, SignIn
from custom_components.email_courier.oauth.tokens import GrantedTokens
from tests.support.bent import INPUTS, bent_json

ANSWER = {
    "access_token": "ya29.a0AfH6SMBx",
    "expires_in": 3599,
    "refresh_token": "1//0gdJ",
    "scope": "https://mail.google.com/",
    "token_type": "Bearer",
}
JSON = "application/json"


class Endpoint:
    """Answers every question for a token with the same bytes."""

    def __init__(self) -> None:
        self.status = 200
        self.body = b""
        self.content_type = JSON
        self.url = ""

    async def answer(self, _: web.Request) -> web.Response:
        return web.Response(
            status=self.status, body=self.body, headers={"Content-Type": self.content_type}
        )

    def tokens(self, hass: HomeAssistant, **stored: object) -> GrantedTokens:
        """Return tokens that have to be renewed there."""
        sign_in = SignIn(
            provider=OAuthProvider.CUSTOM,
            authorize_url=self.url,
            token_url=self.url,
            scope="",
            client_id="client",
        )
        return GrantedTokens(hass, sign_in, {"refresh_token": "kept", "expires_at": 0, **stored})


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    app = web.Application()
    app.router.add_post("/token", endpoint.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        endpoint.url = str(server.make_url("/token"))
        yield endpoint


def test_whatever_a_token_endpoint_answers_is_a_token_or_refused() -> None:
    chance = Random(1)
    taken = 0
    for _ in range(INPUTS):
        raw = bent_json(chance, ANSWER)
        try:
            answer = json.loads(raw)
        except ValueError, RecursionError:
            continue
        try:
            token = read_token(answer)
        except ValueError:
            continue
        assert 0 <= token["expires_in"] < 2**31
        assert f"{token['access_token']}{token.get('refresh_token', '')}".isascii()
        json_bytes(token)  # the config entry keeps it
        taken += 1
    assert taken > INPUTS // 10


@pytest.mark.parametrize("status", [200, 503])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"null", JSON),
        (b"[]", JSON),
        (b"3", JSON),
        (b'"access_token"', JSON),
        (b"{}", JSON),
        (b"", JSON),
        (b"\xff", JSON),
        (b"[" * 50_000, JSON),
        (b"null", f"{JSON}; charset=hex"),
        (b"null", "text/html"),
        (b'{"access_token": {}, "expires_in": 3599}', JSON),
        (b'{"access_token": "a\\nb", "expires_in": 3599}', JSON),
        (b'{"access_token": "\\ud800", "expires_in": 3599}', JSON),
        (b'{"access_token": "a"}', JSON),
        (b'{"access_token": "a", "expires_in": 1e999}', JSON),
        (b'{"access_token": "a", "expires_in": -1}', JSON),
        (b'{"access_token": "a", "expires_in": "\xd9\xa3"}', JSON),
        (b'{"access_token": "a", "expires_in": []}', JSON),
        (b'{"access_token": "a", "expires_in": true}', JSON),
    ],
)
async def test_what_is_no_token_is_asked_for_again_later(
    hass: HomeAssistant, endpoint: Endpoint, body: bytes, content_type: str, status: int
) -> None:
    endpoint.body, endpoint.content_type, endpoint.status = body, content_type, status
    tokens = endpoint.tokens(hass)
    with pytest.raises(MailError) as refusal:
        await tokens.current()
    failure = refusal.value.failure
    assert (failure.kind, failure.permanence) == (FailureKind.SERVER_BUSY, Permanence.TEMPORARY)
    assert tokens.token["refresh_token"] == "kept"


async def test_of_an_answer_only_what_is_used_is_kept(
    hass: HomeAssistant, endpoint: Endpoint
) -> None:
    odd = {"refresh_token": None, "expires_in": "9" * 9, "id_token": ["x"], "more": [[1]]}
    endpoint.body = json.dumps({**ANSWER, **odd}).encode()
    tokens = endpoint.tokens(hass)
    assert await tokens.current() == ANSWER["access_token"]
    assert tokens.token["refresh_token"] == "kept"
    assert tokens.token["expires_in"] == 999_999_999
    assert tokens.token.keys() == {*ANSWER, "expires_at"}


@pytest.mark.parametrize("expires_at", [None, "soon", [], 10**400, float("nan")])
async def test_a_stored_token_without_a_time_is_renewed(
    hass: HomeAssistant, endpoint: Endpoint, expires_at: object
) -> None:
    endpoint.body = json.dumps(ANSWER).encode()
    tokens = endpoint.tokens(hass, access_token="old", expires_at=expires_at)
    assert await tokens.current() == ANSWER["access_token"]
    assert tokens.token["expires_at"] > time.time()

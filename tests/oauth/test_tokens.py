"""Access tokens as an account keeps them: one renewal at a time, and none that is lost."""

import asyncio
from collections.abc import AsyncIterator
import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.email_courier.const import DOMAIN
from custom_components.email_courier.mail.failure import FailureKind, MailError, Permanence
from custom_components.email_courier.oauth import tokens as oauth_tokens
from custom_components.email_courier.oauth.provider import SignIn
from custom_components.email_courier.oauth.tokens import GrantedTokens
from tests.support.oauth import sign_in_at, signed_in
from tests.support.oauth_server import OAuthServer


@pytest.fixture
async def provider() -> AsyncIterator[OAuthServer]:
    async with OAuthServer() as provider:
        yield provider


class Kept:
    """What was stored, and what that replaced."""

    def __init__(self) -> None:
        self.tokens: list[dict[str, Any]] = []
        self.replaced: list[Any] = []

    def __call__(self, token: dict[str, Any], replaced: Any) -> None:
        self.tokens.append(token)
        self.replaced.append(replaced)


def granted(
    hass: HomeAssistant, provider: OAuthServer, kept: Kept, *, left: float = -1
) -> GrantedTokens:
    """Return tokens of which the stored one is good for that many seconds."""
    token = signed_in(provider, expires_at=time.time() + left)["token"]
    return GrantedTokens(hass, sign_in_at(provider), token, kept)


async def test_a_token_that_is_good_is_handed_out_without_asking(
    hass: HomeAssistant, provider: OAuthServer
) -> None:
    kept = Kept()
    tokens = granted(hass, provider, kept, left=600)
    assert await tokens.current() == provider.newest
    assert provider.requests == []
    assert kept.tokens == []


async def test_all_that_must_not_be_shown_is_named(
    hass: HomeAssistant, provider: OAuthServer
) -> None:
    tokens = granted(hass, provider, Kept(), left=600)
    kept = tokens.token
    assert set(tokens.secrets) == {
        kept["access_token"],
        kept["refresh_token"],
        sign_in_at(provider).client_secret,
    } - {""}
    assert len(tokens.secrets) >= 2


async def test_many_who_ask_at_once_make_one_request(
    hass: HomeAssistant, provider: OAuthServer
) -> None:
    kept = Kept()
    tokens = granted(hass, provider, kept)
    provider.delay = 0.05
    answers = await asyncio.gather(*(tokens.current() for _ in range(5)))
    assert set(answers) == {provider.newest}
    assert provider.requests == ["refresh_token"]
    assert len(kept.tokens) == 1


async def test_a_new_token_is_kept_although_nobody_waits_for_it_any_more(
    hass: HomeAssistant, provider: OAuthServer
) -> None:
    """With a refresh token that is good for one use the account would be lost otherwise."""
    provider.rotates = True
    provider.delay = 0.1
    kept = Kept()
    tokens = granted(hass, provider, kept)
    before = tokens.token
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await tokens.current()
    await hass.async_block_till_done()
    assert kept.replaced == [before]
    assert kept.tokens == [tokens.token]
    assert tokens.token["refresh_token"] != before["refresh_token"]
    assert await tokens.current() == provider.newest


async def test_a_failure_that_nobody_waits_for_is_no_news(
    hass: HomeAssistant, provider: OAuthServer, caplog: pytest.LogCaptureFixture
) -> None:
    provider.delay = 0.1
    provider.status = 503
    tokens = granted(hass, provider, Kept())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await tokens.current()
    await hass.async_block_till_done()
    assert "never retrieved" not in caplog.text
    provider.status = None
    assert await tokens.current() == provider.newest


@pytest.mark.parametrize(
    ("status", "kind", "permanence"),
    [
        (400, FailureKind.INVALID_AUTH, Permanence.PERMANENT),
        (401, FailureKind.INVALID_AUTH, Permanence.PERMANENT),
        (403, FailureKind.SERVER_BUSY, Permanence.TEMPORARY),
        (429, FailureKind.SERVER_BUSY, Permanence.TEMPORARY),
        (502, FailureKind.SERVER_BUSY, Permanence.TEMPORARY),
    ],
)
async def test_what_the_provider_answers_decides_whether_to_sign_in_again(
    hass: HomeAssistant,
    provider: OAuthServer,
    status: int,
    kind: FailureKind,
    permanence: Permanence,
) -> None:
    provider.status = status
    with pytest.raises(MailError) as refusal:
        await granted(hass, provider, Kept()).current()
    failure = refusal.value.failure
    assert (failure.kind, failure.permanence) == (kind, permanence)
    assert str(status) in failure.detail


async def test_a_provider_that_is_not_there_is_temporary(hass: HomeAssistant) -> None:
    async with OAuthServer() as provider:
        tokens = granted(hass, provider, Kept())
    with pytest.raises(MailError) as refusal:
        await tokens.current()
    assert refusal.value.failure.permanence is Permanence.TEMPORARY


async def test_a_provider_that_takes_too_long_is_temporary(
    hass: HomeAssistant, provider: OAuthServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth_tokens, "PROVIDER_LIMIT", 0.05)
    provider.delay = 0.5
    with pytest.raises(MailError, match="does not answer in time") as refusal:
        await granted(hass, provider, Kept()).current()
    failure = refusal.value.failure
    assert failure.kind is FailureKind.SERVER_BUSY
    assert failure.permanence is Permanence.TEMPORARY


async def test_without_a_refresh_token_there_is_only_a_new_sign_in(
    hass: HomeAssistant, provider: OAuthServer
) -> None:
    tokens = granted(hass, provider, Kept())
    del tokens.token["refresh_token"]
    with pytest.raises(MailError, match="no refresh token"):
        await tokens.current()


async def test_a_client_that_was_removed_asks_for_a_new_sign_in(
    hass: HomeAssistant, provider: OAuthServer
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    sign_in = SignIn.of_data({**SignIn.google().as_data(), "credential": "gone"})
    token = signed_in(provider, expires_at=0)["token"]
    with pytest.raises(MailError, match="have been removed") as refusal:
        await GrantedTokens(hass, sign_in, token).current()
    assert refusal.value.failure.kind is FailureKind.INVALID_AUTH

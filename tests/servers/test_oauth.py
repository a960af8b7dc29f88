"""Access tokens at a real server, which asks their provider what they are worth."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from custom_components.email_courier.mail.envelope import Envelope
from custom_components.email_courier.mail.failure import FailureKind, MailError, Stage
from custom_components.email_courier.mail.settings import (
    Encryption,
    Login,
    ServerSettings,
    TokenLogin,
    Trust,
)
from custom_components.email_courier.mail.smtp.keepalive import deliver_once
from custom_components.email_courier.mail.smtp.session import Session
from custom_components.email_courier.mail.smtp.tls import build_context
from tests.support.oauth_server import OAuthServer
from tests.support.tokens import Tokens

from .fleet import Fleet
from .people import PASSWORD, RECIPIENT, SENDER, USERNAME
from .server import RunningServer
from .test_delivery import message

MECHANISMS = ("xoauth2", "oauthbearer")
ENVELOPE = Envelope(SENDER, (RECIPIENT,))


@pytest.fixture
async def provider() -> AsyncIterator[OAuthServer]:
    async with OAuthServer(USERNAME) as provider:
        yield provider


@pytest.fixture(params=MECHANISMS)
async def dovecot(
    request: pytest.FixtureRequest, fleet: Fleet, provider: OAuthServer
) -> AsyncIterator[RunningServer]:
    """A Dovecot with one mechanism, with empty mailboxes."""
    url = provider.introspection_url
    server = await asyncio.to_thread(
        lambda: fleet.start("dovecot_oauth", introspection_url=url, mechanisms=(request.param,))
    )
    server.clear()
    yield server
    await asyncio.to_thread(server.stop)


def settings(server: RunningServer, trust: Trust, login: Login | TokenLogin) -> ServerSettings:
    return ServerSettings(server.host, server.ports["tls"], Encryption.TLS, trust, login)


async def test_a_mail_goes_out_with_a_token_that_the_provider_vouches_for(
    dovecot: RunningServer, provider: OAuthServer, authority: Trust
) -> None:
    login = TokenLogin(USERNAME, Tokens(provider.issue()[0]))
    delivery = await deliver_once(
        settings(dovecot, authority, login), build_context(authority), ENVELOPE, message("token")
    )
    assert [outcome.failure for outcome in delivery.outcomes] == [None]
    (mail,) = await asyncio.to_thread(dovecot.mails)
    assert mail.holds(message("token"))


async def test_a_token_that_is_worth_nothing_is_a_wrong_login(
    dovecot: RunningServer, provider: OAuthServer, authority: Trust
) -> None:
    expired, _ = provider.issue()
    provider.expire()
    withdrawn, _ = provider.issue()
    provider.withdraw()
    for token in ("made-up-by-a-stranger", expired, withdrawn):
        login = TokenLogin(USERNAME, Tokens(token))
        session = Session(settings(dovecot, authority, login), build_context(authority))
        with pytest.raises(MailError) as refusal:
            await session.open()
        failure = refusal.value.failure
        assert (failure.kind, failure.stage) == (FailureKind.INVALID_AUTH, Stage.LOGIN)
        assert "535" in failure.server_words
        assert token not in str(failure)


async def test_a_token_that_expired_unnoticed_is_renewed_once(
    dovecot: RunningServer, provider: OAuthServer, authority: Trust
) -> None:
    old, _ = provider.issue()
    provider.expire()
    tokens = Tokens(old, provider.issue()[0])
    delivery = await deliver_once(
        settings(dovecot, authority, TokenLogin(USERNAME, tokens)),
        build_context(authority),
        ENVELOPE,
        message("renewed"),
    )
    assert [outcome.failure for outcome in delivery.outcomes] == [None]
    assert tokens.renewals == 1


async def test_a_password_is_not_even_tried(dovecot: RunningServer, authority: Trust) -> None:
    login = Login(USERNAME, PASSWORD)
    session = Session(settings(dovecot, authority, login), build_context(authority))
    with pytest.raises(MailError) as refusal:
        await session.open()
    assert refusal.value.failure.kind is FailureKind.OAUTH_REQUIRED

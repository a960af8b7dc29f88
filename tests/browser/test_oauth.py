"""Signing in instead of typing a password, all the way: browser, provider, mail server, mailbox."""

import asyncio
from collections.abc import AsyncIterator
import re

from playwright.async_api import expect
import pytest
import pytest_asyncio

from tests.live.client import HassError
from tests.servers.fixtures import fleet
from tests.servers.fleet import Fleet
from tests.servers.people import RECIPIENT, USERNAME
from tests.servers.server import RunningServer
from tests.support.oauth_server import CLIENT_ID, CLIENT_SECRET, SCOPE, OAuthServer

from .flow_dialog import FlowDialog
from .house import House
from .pictures import Picture, take
from .test_setup import DASHBOARD, WORKS, begin, to_login
from .visitor import Visitor

__all__ = ["fleet"]

PROVIDER_PAGE = "Sign in with a provider of your own"
FAMILY = {"entity_id": "notify.family"}
LIFETIME = 123
"""Seconds: a token is renewed when 120 are left."""


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[OAuthServer]:
    async with OAuthServer(USERNAME) as provider:
        yield provider


@pytest_asyncio.fixture(loop_scope="session")
async def dovecot(fleet: Fleet, provider: OAuthServer) -> AsyncIterator[RunningServer]:
    """A mail server that asks the provider about every token."""
    url = provider.introspection_url
    server = await asyncio.to_thread(lambda: fleet.start("dovecot_oauth", introspection_url=url))
    server.clear()
    yield server
    await asyncio.to_thread(server.stop)


async def consent(dialog: FlowDialog, *, picture: bool = False) -> None:
    """Submit the provider's page, and agree in the window that opens."""
    async with dialog.page.expect_popup() as opening:
        await dialog.submit()
    window = await opening.value
    await expect(window.get_by_text("wants to send mail as")).to_be_visible()
    if picture:
        await take(window, Picture.OAUTH_CONSENT)
    await window.get_by_role("button", name="Allow").click()


async def begin_anew(server: RunningServer) -> None:
    """Have the next mail need a new login."""
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)


async def sign_up(ada: Visitor, dovecot: RunningServer, provider: OAuthServer) -> None:
    """Set up an account by signing in."""
    dialog = await begin(ada)
    await to_login(dialog, dovecot.ports["tls"], "TLS from the first moment (465)")
    await dialog.unfold("More")
    await dialog.switch("Sign in without a password (OAuth)")
    await dialog.submit()
    await dialog.titled("Sign in")
    await dialog.pick("A provider of my own (Keycloak, Authentik, …)")
    await dialog.titled(PROVIDER_PAGE)
    await dialog.fill("Account to sign in with", USERNAME)
    await dialog.fill("Authorization address", provider.authorize_url)
    await dialog.fill("Token address", provider.token_url)
    await dialog.fill("Scope", SCOPE)
    await dialog.fill("Client ID", CLIENT_ID)
    await dialog.fill("Client secret", CLIENT_SECRET)
    await take(ada.page, Picture.OAUTH_PROVIDER)
    await consent(dialog, picture=True)
    await dialog.titled(WORKS)
    await dialog.says(USERNAME, "XOAUTH2")
    await take(ada.page, Picture.OAUTH_WORKS)
    await dialog.submit()
    await dialog.titled("New recipient")
    await dialog.close()


async def sign_in_again(ada: Visitor) -> None:
    """Follow what Home Assistant asks for; a password is no part of it."""
    await ada.go(DASHBOARD)
    await ada.button("Reconfigure").click()
    dialog = FlowDialog(ada.page)
    await dialog.titled("Login")
    await expect(dialog.root.get_by_text("Password", exact=True)).to_have_count(0)
    await take(ada.page, Picture.OAUTH_AGAIN)
    await dialog.submit()
    await dialog.titled(PROVIDER_PAGE)
    await consent(dialog)
    await dialog.titled(WORKS)
    await dialog.submit()


async def test_from_the_first_click_to_a_withdrawn_grant_and_back(
    house: House, ada: Visitor, dovecot: RunningServer, provider: OAuthServer
) -> None:
    provider.lifetime = LIFETIME
    await sign_up(ada, dovecot, provider)

    (entry,) = await house.entries()
    await house.add_recipient(entry["entry_id"], "Family", RECIPIENT)
    client = house.hass.client
    await client.until_state("notify.family")
    await client.call("notify.send_message", {"message": "first"}, target=FAMILY)

    await asyncio.sleep(LIFETIME - 120)
    asked = len(provider.requests)
    await begin_anew(dovecot)
    await client.call("notify.send_message", {"message": "after the end"}, target=FAMILY)
    assert provider.requests[asked:] == ["refresh_token"]
    assert len(await asyncio.to_thread(dovecot.mails, 2)) == 2

    provider.withdraw()
    await begin_anew(dovecot)
    with pytest.raises(HassError, match="does not accept the login"):
        await client.call("notify.send_message", {"message": "refused"}, target=FAMILY)
    await client.call("notify.send_message", {"message": "waiting"}, target=FAMILY)

    await sign_in_again(ada)
    mails = await asyncio.to_thread(dovecot.mails, 3)
    assert ["waiting" in mail.message.as_string() for mail in mails] == [False, False, True]
    told = house.hass.log()
    secrets = [*provider.tokens, CLIENT_SECRET]
    assert [secret for secret in secrets if secret in told] == []


async def test_google_is_explained_before_anybody_is_sent_there(ada: Visitor) -> None:
    dialog = await begin(ada)
    await dialog.fill("Email address", "grace@gmail.com")
    await dialog.submit()
    await dialog.titled("Login")
    await dialog.unfold("More")
    await dialog.switch("Sign in without a password (OAuth)")
    await dialog.submit()
    await dialog.titled("How to log in")
    await dialog.says("about 2 minutes", "needs a project of your own at Google")
    await take(ada.page, Picture.LOGIN_CHOICE)
    await dialog.pick("Sign in with Google")
    await dialog.titled("Sign in with Google")
    await dialog.submit()
    await dialog.titled("Register the app with Google (once)")
    await expect(dialog.root.get_by_text(re.compile("/auth/external/callback"))).to_be_visible()
    await take(ada.page, Picture.OAUTH_GOOGLE)

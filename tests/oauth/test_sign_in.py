"""Signing in instead of typing a password: in the dialog, at every mail, and when it has ended."""

import asyncio
from collections.abc import AsyncIterator
from copy import replace
import time
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import DOMAIN
from custom_components.email_courier.diagnostics import async_get_config_entry_diagnostics
from custom_components.email_courier.oauth.client import async_clients, async_keep_client
from custom_components.email_courier.oauth.provider import OAuthProvider, SignIn
from tests.support.accounts import account_entry, load, recipient
from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.oauth import Vouched, answer_provider, sign_in_at, signed_in, typed_for_provider
from tests.support.oauth_server import CLIENT_ID, OAuthServer
from tests.support.script import HEALTHY_TLS, PASSWORD, USERNAME
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import pass_time, send_from

PERSON = "bea@example.test"
FAMILY = recipient("Family", [PERSON])


@pytest.fixture
async def provider() -> AsyncIterator[OAuthServer]:
    async with OAuthServer() as provider:
        yield provider


@pytest.fixture
async def server(bed: Bed, provider: OAuthServer) -> ScriptedServer:
    """A mail server that takes tokens alone, a new login for each mail."""
    return await bed.serve(
        HEALTHY_TLS.but(
            mechanisms=("XOAUTH2",),
            tokens=Vouched(provider),
            login_required=True,
            mails_per_connection=1,
        )
    )


@pytest.fixture
async def home(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> TestClient[Any, Any]:
    """Home Assistant as a browser sees it."""
    hass.config.external_url = "https://home.example.test"
    assert await async_setup_component(hass, DOMAIN, {})
    return await hass_client_no_auth()


async def load_signed_in(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer, *, left: float = 3600
) -> Account:
    """Load an account that somebody has signed in on. left: seconds that its token is good for."""
    entry = account_entry(
        server, FAMILY, password=None, **signed_in(provider, expires_at=time.time() + left)
    )
    return await load(hass, entry)


async def find_login_refused(account: Account) -> None:
    """Send a mail whose login is refused, which its sender is told, and one that then waits."""
    with pytest.raises(HomeAssistantError, match="does not accept the login"):
        await send_from(account, PERSON)
    assert account.courier.paused is not None
    assert not (await send_from(account, PERSON)).accepted
    assert account.courier.state.waiting == 1


async def to_custom_page(dialog: Dialog, server: ScriptedServer) -> Dialog:
    """Go from the first page to the one about a provider of one's own."""
    typed = typed_for(server)
    await dialog.submit(sender=typed["sender"])
    await dialog.submit(**{name: typed[name] for name in ("host", "port", "encryption")})
    assert dialog.step == "login"
    await dialog.submit(use_sign_in=True)
    return await dialog.choose("custom")


async def to_provider(dialog: Dialog, server: ScriptedServer, provider: OAuthServer) -> Dialog:
    """Go from the first page to the one of the provider."""
    await to_custom_page(dialog, server)
    await dialog.submit(**typed_for_provider(provider))
    assert dialog.type is FlowResultType.EXTERNAL_STEP
    return dialog


async def test_an_account_is_made_by_signing_in(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer, home: TestClient[Any, Any]
) -> None:
    dialog = await to_provider(await Dialog.new_account(hass), server, provider)
    await answer_provider(dialog, home, "allow")
    assert dialog.step == "finish"
    assert "XOAUTH2" in dialog.description
    await dialog.submit()
    data = dialog.entry.data
    assert "password" not in data
    assert data["username"] == USERNAME
    assert data["sign_in"]["provider"] == "custom"
    assert data["token"]["access_token"] == provider.newest
    assert server.record.violations == []
    receipt = await send_from(dialog.entry.runtime_data, PERSON)
    assert [outcome.address for outcome in receipt.accepted] == [PERSON]


async def test_only_where_a_secret_is_stored_the_page_says_how_to_keep_it(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer
) -> None:
    dialog = await to_custom_page(await Dialog.new_account(hass), server)
    assert dialog.help("client_secret").strip() == "A public client has none."
    account = await load_signed_in(hass, server, provider)
    dialog = await Dialog.reconfiguration(hass, account.entry)
    await dialog.submit()
    await dialog.submit()
    await dialog.submit(login_with="sign_in_again")
    assert dialog.step == "custom"
    assert "Leave it empty to keep the stored one" in dialog.help("client_secret")


async def test_whoever_does_not_agree_can_try_again(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer, home: TestClient[Any, Any]
) -> None:
    dialog = await to_provider(await Dialog.new_account(hass), server, provider)
    await answer_provider(dialog, home, "deny")
    assert dialog.step == "custom"
    assert dialog.errors == {"base": "sign_in_denied"}
    assert dialog.fields["token_url"] == provider.token_url
    await dialog.submit(client_secret=typed_for_provider(provider)["client_secret"])
    await answer_provider(dialog, home, "allow")
    assert dialog.step == "finish"


async def test_a_wrong_client_secret_is_said(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer, home: TestClient[Any, Any]
) -> None:
    dialog = await to_provider(await Dialog.new_account(hass), server, provider)
    provider.status = 401
    await answer_provider(dialog, home, "allow")
    assert dialog.errors == {"base": "sign_in_failed"}
    assert "401" in dialog.error_texts["base"]


@pytest.mark.parametrize(
    ("omitted", "error"),
    [("refresh_token", "sign_in_not_lasting"), ("expires_in", "sign_in_failed")],
)
async def test_a_sign_in_that_would_not_last_is_not_taken(
    hass: HomeAssistant,
    server: ScriptedServer,
    provider: OAuthServer,
    home: TestClient[Any, Any],
    omitted: str,
    error: str,
) -> None:
    provider.omits = frozenset({omitted})
    dialog = await to_provider(await Dialog.new_account(hass), server, provider)
    await answer_provider(dialog, home, "allow")
    assert dialog.errors == {"base": error}
    assert server.record.auth_commands == 0


@pytest.mark.parametrize("name", ["authorize_url", "token_url"])
async def test_a_providers_secrets_only_go_over_tls(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer, name: str
) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=USERNAME)
    await dialog.submit(host=server.host, port=server.port, encryption="tls")
    await dialog.submit(use_sign_in=True)
    await dialog.choose("custom")
    typed = {**typed_for_provider(provider), name: "http://id.example.test/token"}
    await dialog.submit(**typed)
    assert dialog.errors == {name: "url_unsafe"}
    typed = typed_for_provider(provider)
    await dialog.submit(**{**typed, name: f" {typed[name]} "})
    assert dialog.type is FlowResultType.EXTERNAL_STEP


async def test_a_server_that_only_takes_tokens_leads_to_the_sign_in(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server))
    assert dialog.step == "login"
    assert dialog.errors == {"base": "oauth_required"}
    assert server.record.auth_commands == 0
    await dialog.submit(use_sign_in=True)
    assert dialog.page["menu_options"] == ["google", "microsoft", "custom", "password"]
    await dialog.choose("password")
    assert dialog.step == "login", "the way back"


async def test_an_expired_token_is_renewed_and_the_mail_delivered(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer
) -> None:
    account = await load_signed_in(hass, server, provider, left=-1)
    before = account.entry.data["token"]
    assert (await send_from(account, PERSON)).accepted
    assert provider.requests == ["refresh_token"]
    assert server.record.auth_commands == 1
    assert account.entry.data["token"]["access_token"] != before["access_token"]
    assert account.entry.data["token"]["expires_at"] > time.time() + 3000
    assert account.entry.runtime_data is account, "a new token loaded the account anew"


async def test_a_token_is_renewed_before_it_expires(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer
) -> None:
    account = await load_signed_in(hass, server, provider, left=60)
    assert (await send_from(account, PERSON)).accepted
    assert provider.requests == ["refresh_token"]
    assert (await send_from(account, PERSON)).accepted
    assert provider.requests == ["refresh_token"]


async def test_a_token_withdrawn_before_its_time_is_renewed_once(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer
) -> None:
    account = await load_signed_in(hass, server, provider)
    provider.expire()
    assert (await send_from(account, PERSON)).accepted
    assert provider.requests == ["refresh_token"]
    assert server.record.auth_commands == 2


async def test_each_refresh_token_of_a_strict_provider_is_used_once(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer
) -> None:
    provider.rotates = True
    provider.lifetime = 1
    account = await load_signed_in(hass, server, provider, left=-1)
    for _ in range(3):
        assert (await send_from(account, PERSON)).accepted
    assert provider.requests == ["refresh_token"] * 3


@pytest.mark.parametrize("status", [429, 500, 503, 403, 404])
async def test_a_provider_that_fails_makes_mail_wait(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer, status: int
) -> None:
    account = await load_signed_in(hass, server, provider, left=-1)
    provider.status = status
    assert not (await send_from(account, PERSON)).accepted
    down = account.courier.state.down
    assert down is not None
    assert str(status) in down.server_words
    assert account.courier.paused is None
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN) == []
    provider.status = None
    await pass_time(hass, minutes=10)
    assert len(server.record.mails) == 1
    assert account.courier.state.waiting == 0


async def test_a_token_that_is_still_good_is_used_while_the_provider_fails(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer
) -> None:
    account = await load_signed_in(hass, server, provider, left=90)
    provider.status = 503
    assert (await send_from(account, PERSON)).accepted


async def test_a_withdrawn_grant_asks_for_a_sign_in_and_the_mail_waits_for_it(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer, home: TestClient[Any, Any]
) -> None:
    account = await load_signed_in(hass, server, provider, left=-1)
    provider.withdraw()
    await find_login_refused(account)
    assert server.record.auth_commands == 0

    dialog = await Dialog.reauthentication(hass)
    assert dialog.step == "signed_in"
    assert "password" not in dialog.fields
    await dialog.submit()
    assert dialog.step == "custom"
    await dialog.submit()
    await answer_provider(dialog, home, "allow")
    assert dialog.step == "finish"
    await dialog.submit()
    assert dialog.reason == "reauth_successful"
    await pass_time(hass, seconds=1)
    assert len(server.record.mails) == 1
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN) == []


async def test_the_same_grant_can_be_kept_when_the_account_changes(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer
) -> None:
    account = await load_signed_in(hass, server, provider)
    entry = account.entry
    dialog = await Dialog.reconfiguration(hass, entry)
    await dialog.submit(sender="house@example.test")
    await dialog.submit()
    assert dialog.step == "signed_in"
    await dialog.submit()
    assert dialog.step == "finish"
    await dialog.submit()
    assert dialog.reason == "reconfigure_successful"
    assert entry.data["sender"] == "house@example.test"
    assert entry.data["token"]["access_token"] == provider.newest


async def test_a_password_account_turns_into_one_with_a_sign_in(
    hass: HomeAssistant, bed: Bed, provider: OAuthServer, home: TestClient[Any, Any]
) -> None:
    script = HEALTHY_TLS.but(mechanisms=("PLAIN", "XOAUTH2"), tokens=Vouched(provider))
    server = await bed.serve(script.but(users={USERNAME: "changed since"}))
    entry = account_entry(server, FAMILY)
    await find_login_refused(await load(hass, entry))
    subentries = dict(entry.subentries)
    entities = set(hass.states.async_entity_ids())

    dialog = await Dialog.reconfiguration(hass, entry)
    await dialog.submit()
    await dialog.submit()
    assert dialog.step == "login"
    await dialog.submit(use_sign_in=True)
    await dialog.choose("custom")
    await dialog.submit(**typed_for_provider(provider))
    await answer_provider(dialog, home, "allow")
    await dialog.submit()
    assert dialog.reason == "reconfigure_successful"

    assert "password" not in entry.data
    assert PASSWORD not in str(entry.data)
    assert dict(entry.subentries) == subentries
    assert set(hass.states.async_entity_ids()) == entities
    await pass_time(hass, seconds=1)
    assert len(server.record.mails) == 1
    assert server.record.commands("AUTH")[-1].split()[1] == "XOAUTH2"


async def test_an_account_with_a_sign_in_can_go_back_to_a_password(
    hass: HomeAssistant, bed: Bed, provider: OAuthServer
) -> None:
    script = HEALTHY_TLS.but(mechanisms=("PLAIN", "XOAUTH2"), tokens=Vouched(provider))
    server = await bed.serve(script)
    account = await load_signed_in(hass, server, provider)
    dialog = await Dialog.reconfiguration(hass, account.entry)
    await dialog.submit()
    await dialog.submit()
    await dialog.submit(login_with="change_login")
    assert dialog.step == "login"
    await dialog.submit(username=USERNAME, password=PASSWORD)
    await dialog.submit()
    assert dialog.reason == "reconfigure_successful"
    assert account.entry.data["password"] == PASSWORD
    assert not {"sign_in", "token"} & account.entry.data.keys()


async def test_no_token_is_told_to_anybody(
    hass: HomeAssistant,
    server: ScriptedServer,
    provider: OAuthServer,
    home: TestClient[Any, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    dialog = await to_provider(await Dialog.new_account(hass), server, provider)
    await answer_provider(dialog, home, "allow")
    await dialog.submit()
    account = dialog.entry.runtime_data
    provider.expire()
    await send_from(account, PERSON)
    provider.withdraw()
    provider.expire()
    await find_login_refused(account)
    diagnostics = str(await async_get_config_entry_diagnostics(hass, dialog.entry))
    told = caplog.text + diagnostics + repr(account.settings) + str(account.courier.state)
    secrets = {*provider.tokens, typed_for_provider(provider)["client_secret"]}
    assert len(secrets) >= 4
    assert [secret for secret in secrets if secret in told] == []


async def test_a_client_secret_that_has_ended_is_replaced_in_the_dialog(
    hass: HomeAssistant,
    server: ScriptedServer,
    provider: OAuthServer,
    home: TestClient[Any, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    microsoft = replace(
        sign_in_at(provider), provider=OAuthProvider.MICROSOFT, client_id="", client_secret=""
    )
    monkeypatch.setattr(SignIn, "microsoft", lambda _authority="common": microsoft)
    await async_keep_client(hass, microsoft, CLIENT_ID, provider.client_secret)
    (client,) = await async_clients(hass)
    stored = {
        **signed_in(provider, expires_at=0),
        "sign_in": replace(microsoft, credential=client.domain).as_data(),
        "auth_implementation": client.domain,
    }
    account = await load(hass, account_entry(server, FAMILY, password=None, **stored))
    assert (await send_from(account, PERSON)).accepted

    provider.client_secret = "the next one"
    provider.lifetime = 1
    provider.expire()
    await find_login_refused(account)

    dialog = await Dialog.reauthentication(hass)
    await dialog.submit()
    assert dialog.step == "microsoft"
    await dialog.submit()
    await answer_provider(dialog, home, "allow")
    assert dialog.step == "credentials_microsoft"
    assert dialog.errors == {"base": "client_refused"}
    assert dialog.fields["client_id"] == CLIENT_ID
    await dialog.submit(client_secret="the next one")
    await answer_provider(dialog, home, "allow")
    assert dialog.step == "finish"
    await dialog.submit()
    assert dialog.reason == "reauth_successful"
    await pass_time(hass, seconds=1)
    assert len(server.record.mails) == 2
    assert account.entry.data["sign_in"]["client_secret"] == "the next one"
    assert "auth_implementation" not in account.entry.data


async def test_a_client_that_is_stored_for_all_accounts_is_not_copied_into_one(
    hass: HomeAssistant,
    bed: Bed,
    provider: OAuthServer,
    home: TestClient[Any, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    microsoft = replace(
        sign_in_at(provider), provider=OAuthProvider.MICROSOFT, client_id="", client_secret=""
    )
    monkeypatch.setattr(SignIn, "microsoft", lambda _authority="common": microsoft)
    await async_keep_client(hass, SignIn.google(), "1234.apps.googleusercontent.com", "another")
    await async_keep_client(hass, microsoft, CLIENT_ID, provider.client_secret)
    script = HEALTHY_TLS.but(mechanisms=("PLAIN", "XOAUTH2"), tokens=Vouched(provider))
    entry = account_entry(await bed.serve(script.but(mails_per_connection=1)), FAMILY)
    await load(hass, entry)

    dialog = await Dialog.reconfiguration(hass, entry)
    await dialog.submit()
    await dialog.submit()
    await dialog.submit(use_sign_in=True)
    await dialog.choose("microsoft")
    await dialog.submit(authority="common")
    await answer_provider(dialog, home, "allow")
    await dialog.submit()

    assert dialog.reason == "reconfigure_successful"
    assert entry.data["sign_in"]["credential"]
    assert not {"client_id", "client_secret"} & entry.data["sign_in"].keys()
    account = entry.runtime_data
    provider.expire()
    assert (await send_from(account, PERSON)).accepted
    assert provider.requests == ["authorization_code", "refresh_token"]


async def test_a_token_withdrawn_before_its_time_is_renewed_in_the_dialog_too(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer
) -> None:
    account = await load_signed_in(hass, server, provider)
    provider.expire()
    dialog = await Dialog.reconfiguration(hass, account.entry)
    await dialog.submit()
    await dialog.submit()
    await dialog.submit(login_with="keep_sign_in")
    assert dialog.step == "finish"
    assert provider.requests == ["refresh_token"]
    assert server.record.auth_commands == 2
    await dialog.submit()
    assert account.entry.data["token"]["access_token"] == provider.newest


async def test_a_new_token_does_not_replace_that_of_whoever_has_signed_in_meanwhile(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer
) -> None:
    account = await load_signed_in(hass, server, provider, left=-1)
    provider.delay = 0.2
    sending = hass.async_create_task(send_from(account, PERSON))
    async with asyncio.timeout(5):
        while not provider.requests:
            await asyncio.sleep(0.01)
    signed_in_anew = signed_in(provider, expires_at=time.time() + 3600)
    entry = account.entry
    hass.config_entries.async_update_entry(entry, data={**entry.data, **signed_in_anew})
    await asyncio.wait({sending})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.data["token"] == signed_in_anew["token"]
    assert len(server.record.mails) == 1


async def test_the_page_of_a_sign_in_can_be_left_backwards(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer
) -> None:
    account = await load_signed_in(hass, server, provider)
    dialog = await Dialog.reconfiguration(hass, account.entry)
    await dialog.submit()
    await dialog.submit()
    await dialog.submit(go_back=True)
    assert dialog.step == "server"
    assert dialog.fields["host"] == server.host
    await dialog.submit()
    assert dialog.step == "signed_in"


async def test_a_server_that_is_changed_after_a_failure_gets_no_token_of_the_first(
    hass: HomeAssistant, bed: Bed, server: ScriptedServer, provider: OAuthServer
) -> None:
    account = await load_signed_in(hass, server, provider)
    stranger = await bed.serve(HEALTHY_TLS.but(mechanisms=("XOAUTH2",)))
    dialog = await Dialog.reconfiguration(hass, account.entry)
    await dialog.submit()
    await dialog.submit()
    await server.stop()
    await dialog.submit(login_with="keep_sign_in")
    assert (dialog.step, dialog.errors) == ("server", {"base": "connection_refused"})
    await dialog.submit(host="localhost", port=stranger.port)
    assert dialog.step == "signed_in"
    assert dialog.fields["login_with"] == "sign_in_again"
    assert stranger.record.connections == 0


async def test_a_token_goes_to_no_other_server(
    hass: HomeAssistant, bed: Bed, server: ScriptedServer, provider: OAuthServer
) -> None:
    account = await load_signed_in(hass, server, provider)
    stranger = await bed.serve(HEALTHY_TLS.but(mechanisms=("XOAUTH2",)))
    dialog = await Dialog.reconfiguration(hass, account.entry)
    await dialog.submit()
    await dialog.submit(host="localhost", port=stranger.port)
    assert dialog.step == "signed_in"
    assert dialog.fields["login_with"] == "sign_in_again"
    with pytest.raises(InvalidData):
        await dialog.submit(login_with="keep_sign_in")
    assert stranger.record.auth_commands == 0


async def test_options_of_the_connection_are_proven_with_the_token(
    hass: HomeAssistant, server: ScriptedServer, provider: OAuthServer
) -> None:
    account = await load_signed_in(hass, server, provider)
    dialog = await Dialog.options(hass, account.entry)
    await dialog.submit(hello_name="home.example.test")
    assert dialog.type is FlowResultType.CREATE_ENTRY
    assert account.entry.options["hello_name"] == "home.example.test"
    assert server.record.auth_commands == 1

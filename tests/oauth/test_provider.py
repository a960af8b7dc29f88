"""Signing in with Google and Microsoft, up to their door: nothing here leaves the machine."""

from typing import Any

from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from yarl import URL

from custom_components.email_courier.application_credentials import (
    async_get_description_placeholders,
)
from custom_components.email_courier.const import DOMAIN
from custom_components.email_courier.oauth.client import async_clients
from custom_components.email_courier.oauth.provider import SignIn, is_authority, is_safe_url
from tests.support.dialogs import Dialog

GOOGLE_CLIENT = "1234-abcd.apps.googleusercontent.com"
MICROSOFT_CLIENT = "0a1b2c3d-0000-4000-8000-000000000000"
REDIRECT = "https://home.example.test/auth/external/callback"
SECRET = "a-client-secret"


@pytest.fixture(autouse=True)
async def _home(hass: HomeAssistant) -> None:
    hass.config.external_url = "https://home.example.test"
    assert await async_setup_component(hass, DOMAIN, {})


async def store_client(hass: HomeAssistant, client_id: str) -> None:
    """Store application credentials as the page in Home Assistant's settings does."""
    await async_import_client_credential(hass, DOMAIN, ClientCredential(client_id, SECRET), "own")


async def to_choice(hass: HomeAssistant, sender: str) -> Dialog:
    """Go to where the login of an address is asked for."""
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=sender)
    if dialog.step == "login":  # most accounts of Google take an app password
        await dialog.submit(use_sign_in=True)
    assert dialog.type is FlowResultType.MENU
    return dialog


def parameters(dialog: Dialog) -> dict[str, Any]:
    """Return what the provider is asked."""
    assert dialog.type is FlowResultType.EXTERNAL_STEP
    return dict(URL(dialog.page["url"]).query)


@pytest.mark.parametrize(
    ("sender", "options"),
    [
        ("bea@gmail.com", ["password", "google", "server"]),
        ("bea@outlook.com", ["microsoft", "password", "server"]),
        ("bea@hotmail.de", ["microsoft", "password", "server"]),
    ],
)
async def test_addresses_of_these_providers_have_a_choice(
    hass: HomeAssistant, sender: str, options: list[str]
) -> None:
    dialog = await to_choice(hass, sender)
    assert dialog.page["menu_options"] == options
    await dialog.choose("password")
    assert dialog.step == "login"
    assert dialog.fields["username"] == sender
    assert "use_sign_in" not in dialog.fields, "what was answered is not asked again"


async def test_a_server_that_was_typed_has_the_choice_of_its_provider(hass: HomeAssistant) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender="bea@example.test", enter_manually=True)
    await dialog.submit(host="smtp.office365.com", port=587, encryption="starttls")
    assert dialog.page["menu_options"] == ["microsoft", "password", "server"]


async def test_without_credentials_google_is_explained_step_by_step(hass: HomeAssistant) -> None:
    dialog = await to_choice(hass, "bea@gmail.com")
    await dialog.choose("google")
    assert dialog.step == "google"
    assert dialog.fields["username"] == "bea@gmail.com"
    await dialog.submit()
    assert dialog.step == "credentials_google"
    assert REDIRECT in dialog.description
    await dialog.submit(client_id=MICROSOFT_CLIENT)
    assert dialog.errors == {"client_id": "client_id_invalid"}
    await dialog.submit(client_id=GOOGLE_CLIENT, client_secret=SECRET)
    asked = parameters(dialog)
    assert URL(dialog.page["url"]).host == "accounts.google.com"
    assert asked["scope"] == "https://mail.google.com/"
    assert (asked["access_type"], asked["prompt"]) == ("offline", "consent")
    assert asked["code_challenge_method"] == "S256"
    assert asked["login_hint"] == "bea@gmail.com"
    assert asked["redirect_uri"] == REDIRECT
    assert asked["client_id"] == GOOGLE_CLIENT
    assert SECRET not in dialog.page["url"]


async def test_credentials_that_are_stored_are_used(hass: HomeAssistant) -> None:
    await store_client(hass, GOOGLE_CLIENT)
    dialog = await to_choice(hass, "bea@gmail.com")
    await dialog.choose("google")
    await dialog.submit()
    assert parameters(dialog)["client_id"] == GOOGLE_CLIENT


async def test_whoever_thinks_twice_before_the_password_signs_in_with_its_provider(
    hass: HomeAssistant,
) -> None:
    dialog = await to_choice(hass, "bea@gmail.com")
    await dialog.choose("password")
    await dialog.submit(username="bea.b@gmail.com", go_back=True)
    assert dialog.page["menu_options"] == ["password", "google", "server"]
    await dialog.choose("google")
    assert dialog.step == "google"
    assert dialog.fields["username"] == "bea.b@gmail.com"


@pytest.mark.parametrize(
    ("authority", "sender"),
    [
        ("common", "bea@outlook.com"),
        ("consumers", "bea@outlook.com"),
        ("organizations", "bea@outlook.com"),
        ("contoso.onmicrosoft.com", "bea@outlook.com"),
        (MICROSOFT_CLIENT, "bea@outlook.com"),
    ],
)
async def test_microsoft_is_asked_as_the_authority_that_was_chosen(
    hass: HomeAssistant, authority: str, sender: str
) -> None:
    dialog = await to_choice(hass, sender)
    await dialog.choose("microsoft")
    assert dialog.fields["authority"] == "consumers"
    await dialog.submit(authority=authority)
    assert dialog.step == "credentials_microsoft"
    await dialog.submit(client_id=GOOGLE_CLIENT)
    assert dialog.errors == {"client_id": "client_id_invalid"}
    await dialog.submit(client_id=MICROSOFT_CLIENT, client_secret=SECRET)
    url = URL(dialog.page["url"])
    assert (url.host, url.path) == (
        "login.microsoftonline.com",
        f"/{authority}/oauth2/v2.0/authorize",
    )
    assert parameters(dialog)["scope"] == "https://outlook.office.com/SMTP.Send offline_access"


async def test_the_credentials_stored_last_are_used_and_keep_their_name(
    hass: HomeAssistant,
) -> None:
    await async_import_client_credential(
        hass, DOMAIN, ClientCredential(GOOGLE_CLIENT, SECRET, "Our project"), "first"
    )
    await async_import_client_credential(
        hass, DOMAIN, ClientCredential(f"9{GOOGLE_CLIENT}", SECRET), "second"
    )
    assert (await async_clients(hass))[0].name == "Our project"
    dialog = await to_choice(hass, "bea@gmail.com")
    await dialog.choose("google")
    await dialog.submit()
    assert parameters(dialog)["client_id"] == f"9{GOOGLE_CLIENT}"


async def test_one_providers_credentials_are_not_used_for_the_other(hass: HomeAssistant) -> None:
    await store_client(hass, GOOGLE_CLIENT)
    dialog = await to_choice(hass, "bea@outlook.com")
    await dialog.choose("microsoft")
    await dialog.submit()
    assert dialog.step == "credentials_microsoft"


async def test_a_tenant_that_is_none_is_refused(hass: HomeAssistant) -> None:
    dialog = await to_choice(hass, "bea@outlook.com")
    await dialog.choose("microsoft")
    await dialog.submit(authority="evil.test/x?")
    assert dialog.errors == {"authority": "authority_invalid"}
    assert dialog.fields["authority"] == "evil.test/x?"


async def test_every_page_can_be_left_backwards(hass: HomeAssistant) -> None:
    dialog = await to_choice(hass, "bea@outlook.com")
    await dialog.choose("microsoft")
    await dialog.submit()
    await dialog.submit(go_back=True)
    assert dialog.step == "microsoft"
    await dialog.submit(go_back=True)
    assert dialog.step == "login_choice_microsoft"
    await dialog.choose("server")
    assert dialog.step == "server"


async def test_a_home_without_an_address_of_its_own_is_told_so(hass: HomeAssistant) -> None:
    hass.config.external_url = None
    hass.config.api = None
    await store_client(hass, GOOGLE_CLIENT)
    dialog = await to_choice(hass, "bea@gmail.com")
    await dialog.choose("google")
    await dialog.submit()
    assert dialog.errors == {"base": "no_own_url"}
    assert await async_get_description_placeholders(hass) == {"redirect_uri": "-"}


async def test_the_page_for_credentials_names_the_redirect_address(hass: HomeAssistant) -> None:
    assert await async_get_description_placeholders(hass) == {"redirect_uri": REDIRECT}


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://id.example.com/token", True),
        ("http://127.0.0.1:8080/token", True),
        ("http://localhost/token", True),
        ("http://id.example.com/token", False),
        ("http://192.168.1.5/token", False),
        ("https://user@id.example.com/token", False),
        ("https://id.example.com/token#part", False),
        ("ftp://localhost/token", False),
        ("/token", False),
        ("", False),
        ("https://[::1", False),
    ],
)
def test_secrets_only_go_where_nobody_listens(url: str, is_safe: bool) -> None:
    assert is_safe_url(url) is is_safe


@pytest.mark.parametrize("text", ["", "a b", "x/y", "..", "-a", "a?", "a#"])
def test_what_is_no_authority_is_told_apart(text: str) -> None:
    assert not is_authority(text)


def test_a_sign_in_is_stored_and_read_back() -> None:
    for sign_in in (SignIn.google(), SignIn.microsoft("consumers")):
        assert SignIn.of_data(sign_in.as_data()) == sign_in
    assert SECRET not in repr(
        SignIn.of_data({**SignIn.google().as_data(), "client_secret": SECRET})
    )

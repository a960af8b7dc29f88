"""Signing in with Google and Microsoft, up to their door: nothing here leaves the machine."""

from copy import replace
from typing import Any

from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.setup import async_setup_component
import pytest
from yarl import URL

from custom_components.email_courier.application_credentials import (
    async_get_description_placeholders,
)
from custom_components.email_courier.const import DOMAIN
from custom_components.email_courier.oauth.client import async_clients
from custom_components.email_courier.oauth.provider import Audience, SignIn, is_safe_url, is_tenant
from tests.support.accounts import account_entry
from tests.support.dialogs import Dialog
from tests.support.fixtures import Bed

GOOGLE_CLIENT = "1234-abcd.apps.googleusercontent.com"
MICROSOFT_CLIENT = "0a1b2c3d-0000-4000-8000-000000000000"
KINDS = ("consumers", "organizations", "common")
TENANT = "0a1b2c3d-0000-4000-8000-00000000ca11"
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
    ("typed", "authority"),
    [
        *(({"authority": kind}, kind) for kind in KINDS),
        ({"authority": "tenant", "tenant": " contoso.test "}, "contoso.test"),
        ({"authority": "tenant", "tenant": TENANT}, TENANT),
    ],
)
async def test_microsoft_is_asked_as_the_kind_of_account_that_was_chosen(
    hass: HomeAssistant, typed: dict[str, str], authority: str
) -> None:
    dialog = await to_choice(hass, "bea@outlook.com")
    await dialog.choose("microsoft")
    assert dialog.fields["authority"] == "consumers"
    await dialog.submit(**typed)
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


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"authority": "tenant"}, "tenant_missing"),
        ({"authority": "tenant", "tenant": "evil.test/x?"}, "tenant_invalid"),
        ({"authority": "tenant", "tenant": "consumers"}, "tenant_invalid"),
        ({"authority": "organizations", "tenant": "contoso.test"}, "tenant_unused"),
    ],
)
async def test_a_tenant_that_does_not_go_with_the_kind_of_account_is_refused_and_kept(
    hass: HomeAssistant, typed: dict[str, str], error: str
) -> None:
    dialog = await to_choice(hass, "bea@outlook.com")
    await dialog.choose("microsoft")
    await dialog.submit(**typed)
    assert dialog.errors == {"tenant": error}
    assert "Domain or tenant ID" in dialog.error_texts["tenant"]
    shown = {name: dialog.fields[name] or "" for name in ("authority", "tenant")}
    assert shown == {"tenant": "", **typed}
    await dialog.submit(authority="tenant", tenant="contoso.test")
    assert dialog.step == "credentials_microsoft"


async def test_a_kind_of_account_that_is_not_on_the_list_is_refused(hass: HomeAssistant) -> None:
    dialog = await to_choice(hass, "bea@outlook.com")
    await dialog.choose("microsoft")
    with pytest.raises(InvalidData):
        await dialog.submit(authority="contoso.test")


@pytest.mark.parametrize(
    ("authority", "shown"),
    [
        *((kind, {"authority": kind, "tenant": ""}) for kind in KINDS),
        ("contoso.test", {"authority": "tenant", "tenant": "contoso.test"}),
        (TENANT, {"authority": "tenant", "tenant": TENANT}),
    ],
)
async def test_an_account_that_is_stored_shows_its_kind_and_its_tenant(
    hass: HomeAssistant, bed: Bed, authority: str, shown: dict[str, str]
) -> None:
    stored = {
        "provider": "microsoft",
        "authority": authority,
        "authorize_url": f"https://login.microsoftonline.com/{authority}/oauth2/v2.0/authorize",
        "token_url": f"https://login.microsoftonline.com/{authority}/oauth2/v2.0/token",
        "scope": "https://outlook.office.com/SMTP.Send offline_access",
        "client_id": MICROSOFT_CLIENT,
    }
    token = {"access_token": "a", "refresh_token": "r", "expires_at": 0}
    entry = account_entry(await bed.serve(), password=None, sign_in=stored, token=token)
    entry.add_to_hass(hass)
    dialog = await Dialog.reconfiguration(hass, entry)
    await dialog.submit()
    await dialog.submit()
    await dialog.submit(login_with="sign_in_again")
    assert {name: dialog.fields[name] or "" for name in shown} == shown
    await dialog.submit()
    assert str(URL(dialog.page["url"]).with_query(None)) == stored["authorize_url"]
    sign_in = replace(SignIn.microsoft(authority), client_id=MICROSOFT_CLIENT)
    assert sign_in.as_data() == stored


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


@pytest.mark.parametrize(
    "text",
    ["contoso.test", "Contoso.OnMicrosoft.com", "xn--bcher-kva.test", "a-1.b.test", TENANT.upper()],
)
def test_a_tenant_is_a_domain_or_an_id(text: str) -> None:
    assert is_tenant(text)
    assert Audience.of_authority(text) is Audience.TENANT


@pytest.mark.parametrize(
    "text",
    [
        *("", "a b", "x/y", "..", "-a.test", "a-.test", "a.test?", "a.test#", "a.test/", "a.test."),
        *("bea@contoso.test", "https://contoso.test", "contoso", TENANT[:-1], f"{TENANT}0"),
        *("a" * 64 + ".test", "b\u00fccher.test", "contoso.test\n", "\u017f.test"),
        *(audience.value for audience in Audience),
    ],
)
def test_what_is_no_tenant_is_told_apart(text: str) -> None:
    assert not is_tenant(text)


def test_a_sign_in_is_stored_and_read_back() -> None:
    for sign_in in (SignIn.google(), SignIn.microsoft("consumers")):
        assert SignIn.of_data(sign_in.as_data()) == sign_in
    assert SECRET not in repr(
        SignIn.of_data({**SignIn.google().as_data(), "client_secret": SECRET})
    )

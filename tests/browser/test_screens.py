"""Every page on a desktop and on a phone, by day and by night: finished, and not too wide."""

from collections.abc import AsyncIterator

from playwright.async_api import expect
import pytest
import pytest_asyncio

from tests.support.certificates import Certificates, ServerTls
from tests.support.script import HEALTHY, USERNAME

from .conftest import Screens
from .flow_dialog import FlowDialog
from .house import HOST, SENDER, House
from .look import fits, is_finished, take_in
from .pictures import Picture
from .test_account import open_device
from .test_actions import open_editor
from .test_setup import DASHBOARD, begin, log_in, to_login, to_server
from .translations import english
from .visitor import DESKTOP, PHONE, Screen, Theme, Visitor

PAGE = "/config/integrations/integration/email_courier"
SELF_SIGNED = HEALTHY.but(tls_kind=ServerTls.SELF_SIGNED)


@pytest_asyncio.fixture(loop_scope="session", params=[DESKTOP, PHONE], ids=["desktop", "phone"])
async def grace(screens: Screens, request: pytest.FixtureRequest) -> AsyncIterator[Visitor]:
    """Somebody at each kind of screen."""
    screen: Screen = request.param
    yield await screens.open(screen)


async def look(
    dialog: FlowDialog,
    title: str,
    desktop: Picture | None = None,
    phone_dark: Picture | None = None,
) -> None:
    """Expect a page of a dialog to be there, finished, and not too wide; take its pictures."""
    await dialog.titled(title)
    await dialog.fits()
    wide = await dialog.page.evaluate("innerWidth") == DESKTOP.width
    if wide and desktop is not None:
        await take_in(Theme.LIGHT, dialog.page, desktop)
    if not wide and phone_dark is not None:
        await take_in(Theme.DARK, dialog.page, phone_dark)


async def unfolded(dialog: FlowDialog, *sections: str) -> None:
    """Expect a page to fit with all of its sections open."""
    for section in sections:
        await dialog.unfold(section)
    await dialog.fits()


async def test_a_password_without_encryption_is_asked_about(grace: Visitor) -> None:
    dialog = await begin(grace)
    await to_server(dialog)
    await unfolded(dialog, "More settings")
    await dialog.fill("Server", HOST)
    await dialog.choose("Encryption", "None")
    await dialog.submit()
    await dialog.titled("Login")
    await log_in(dialog)
    await look(
        dialog,
        "Send the password without encryption?",
        Picture.PLAIN_LOGIN,
        Picture.PLAIN_LOGIN_PHONE_DARK,
    )
    await dialog.says(HOST)
    await dialog.submit()
    await dialog.says("Without a yes the password is not sent.")
    await dialog.fits()


async def test_a_certificate_to_trust(house: House, grace: Visitor) -> None:
    server = await house.serve(SELF_SIGNED)
    dialog = await begin(grace)
    await to_login(dialog, server.port)
    await log_in(dialog)
    await look(
        dialog,
        "Do you know this certificate?",
        phone_dark=Picture.CERTIFICATE_PHONE_DARK,
    )
    trust = dialog.field("Trust this certificate")
    await expect(trust).to_be_in_viewport()
    await dialog.says(f"openssl s_client -connect {HOST}:{server.port} -starttls smtp")
    await unfolded(dialog, "More")


async def test_ways_to_sign_in(grace: Visitor) -> None:
    for address, provider in (("grace@gmail.com", "Google"), ("grace@outlook.com", "Microsoft")):
        dialog = await begin(grace)
        await dialog.fill("Email address", address)
        await dialog.submit()
        if provider == "Google":
            await look(dialog, "Login")
            await unfolded(dialog, "Other server settings", "More")
            await dialog.switch("Sign in without a password (OAuth)")
            await dialog.submit()
        await look(dialog, "How to log in", phone_dark=Picture.LOGIN_CHOICE_PHONE_DARK)
        await dialog.pick(f"Sign in with {provider}")
        await look(dialog, f"Sign in with {provider}")
        if provider == "Microsoft":
            kind = dialog.field("Kind of account")
            await expect(kind).to_contain_text("Personal (Outlook.com, Hotmail)")
            await expect(kind).not_to_contain_text("consumers")
            await dialog.shows("Domain or tenant ID")
            await dialog.choose("Kind of account", "One organization")
            await dialog.submit()
            await dialog.says("“Domain or tenant ID” is empty.")
            await dialog.fits()
            await dialog.fill("Domain or tenant ID", "contoso.test")
        await dialog.submit()
        await look(dialog, f"Register the app with {provider} (once)")
        await dialog.close()
    dialog = await begin(grace)
    await to_login(dialog, 465)
    await dialog.unfold("More")
    await dialog.switch("Sign in without a password (OAuth)")
    await dialog.submit()
    await look(dialog, "Sign in")
    await dialog.pick("A provider of my own (Keycloak, Authentik, …)")
    await look(dialog, "Sign in with a provider of your own")


async def test_a_misspelt_address(grace: Visitor) -> None:
    dialog = await begin(grace)
    await dialog.fill("Email address", "grace@gmial.com")
    await dialog.submit()
    await look(dialog, "Is the address right?", Picture.MISSPELT, Picture.MISSPELT_PHONE_DARK)
    await dialog.says("Did you mean grace@gmail.com?")
    await dialog.pick("Yes, use grace@gmail.com")
    await look(dialog, "Login")
    await dialog.holds("Username", "grace@gmail.com")


async def test_an_account_that_is_there_already(house: House, grace: Visitor) -> None:
    await house.serve()
    await house.add_account()
    dialog = await begin(grace)
    await dialog.says("Already set up:", SENDER, HOST)
    await dialog.fits()


async def test_an_account_to_take_over(house: House, grace: Visitor) -> None:
    await house.serve()
    await house.add_core_account("grace@example.test")
    await grace.go(DASHBOARD)
    await grace.button("Add integration").click()
    await grace.page.get_by_placeholder("Search for a brand name").fill("email courier")
    await grace.text("Email Courier (SMTP)").click()
    dialog = FlowDialog(grace.page)
    await look(dialog, "Email Courier")
    await dialog.pick("Take over an account")
    await look(dialog, "Take over an account", phone_dark=Picture.TAKE_OVER_PHONE_DARK)


async def test_the_account_and_its_options(house: House, grace: Visitor) -> None:
    await house.serve()
    account = await house.add_account()
    await house.add_account("backup@example.test")
    await house.add_recipient(account, "Family", "grace@example.test")
    await grace.go(PAGE)
    page = grace.page.locator("ha-config-integration-page")
    await expect(page).to_contain_text("Family")
    await is_finished(page)
    await fits(page)
    await grace.button("Configure").first.click()
    dialog = FlowDialog(grace.page)
    options = english()["options"]["step"]["init"]
    await dialog.titled(options["title"])
    await unfolded(dialog, *(section["name"] for section in options["sections"].values()))


async def test_a_recipient_with_many_addresses(house: House, grace: Visitor) -> None:
    await house.serve()
    await house.add_account()
    await grace.go(PAGE)
    await grace.page.get_by_role("button", name="Add recipient").first.click()
    dialog = FlowDialog(grace.page)
    await look(dialog, "New recipient")
    await dialog.add("Address (To)", f"Grace of the Long Name <{'g' * 40}@example.test>", SENDER)
    await dialog.fits()


async def test_the_device_and_the_action(house: House, grace: Visitor) -> None:
    await house.serve()
    await house.add_account()
    await open_device(house, grace)
    page = grace.page.locator("ha-config-device-page")
    await is_finished(page)
    await fits(page)
    editor = await open_editor(grace)
    await expect(editor.locator("ha-settings-row").first).to_be_visible()
    await is_finished(editor)
    await fits(editor)


async def test_a_changed_certificate(house: House, grace: Visitor) -> None:
    before = await house.serve(SELF_SIGNED)
    account = await house.add_account()
    await house.add_recipient(account, "Family", "grace@example.test")
    await house.hass.client.until_state("notify.family")
    await before.stop()
    await house.serve(SELF_SIGNED, certificates=Certificates())
    await house.hass.client.call(
        "notify.send_message", {"message": "waiting"}, target={"entity_id": "notify.family"}
    )
    await grace.go("/config/repairs")
    await grace.page.get_by_text("shows another certificate").click()
    await look(FlowDialog(grace.page), "Another certificate")


async def test_a_login_to_renew(house: House, grace: Visitor) -> None:
    server = await house.serve()
    await house.add_account()
    server.script = HEALTHY.but(users={USERNAME: "Close-Sesame-1247"})
    await open_device(house, grace)
    await grace.button("Press").last.click()
    await grace.go(DASHBOARD)
    await grace.button("Reconfigure").click()
    dialog = FlowDialog(grace.page)
    await look(dialog, "Login")
    await dialog.says("535 5.7.8", "Leave it empty to keep the stored one")

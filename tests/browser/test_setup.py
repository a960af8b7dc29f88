"""Setting up an account: found, filled in, explained, mended, proven."""

import re

from playwright.async_api import expect
import pytest

from tests.support.certificates import ServerTls
from tests.support.script import HEALTHY, HEALTHY_TLS, PASSWORD, USERNAME, Script, Step, drip

from .conftest import Screens
from .flow_dialog import FlowDialog
from .house import HOST, SENDER, STARTTLS_PORT, TLS_PORT, House, until
from .look import take_in
from .pictures import Picture, take
from .visitor import DESKTOP, PHONE, TALL, Screen, Theme, Visitor

NAME = "Email Courier (SMTP)"
DASHBOARD = "/config/integrations/dashboard"
WORKS = "It works"
PAGE_PICTURES = {
    ("address", DESKTOP, Theme.LIGHT): Picture.ADDRESS,
    ("server", DESKTOP, Theme.LIGHT): Picture.SERVER,
    ("login", DESKTOP, Theme.LIGHT): Picture.LOGIN,
    ("works", DESKTOP, Theme.LIGHT): Picture.WORKS,
    ("server", DESKTOP, Theme.DARK): Picture.SERVER_DARK,
    ("server", PHONE, Theme.LIGHT): Picture.SERVER_PHONE,
    ("login", PHONE, Theme.DARK): Picture.LOGIN_PHONE_DARK,
    ("address", PHONE, Theme.DARK): Picture.ADDRESS_PHONE_DARK,
    ("server", PHONE, Theme.DARK): Picture.SERVER_PHONE_DARK,
    ("recipient", PHONE, Theme.DARK): Picture.RECIPIENT_PHONE_DARK,
    ("next", PHONE, Theme.DARK): Picture.NEXT_STEPS_PHONE_DARK,
    ("works", PHONE, Theme.DARK): Picture.WORKS_PHONE_DARK,
    ("tested", PHONE, Theme.DARK): Picture.TESTED_PHONE_DARK,
}


async def begin(person: Visitor) -> FlowDialog:
    """Open the dialog for a new account as a person does."""
    await person.go(DASHBOARD)
    await person.button("Add integration").click()
    await person.page.get_by_placeholder("Search for a brand name").fill("email")
    # The page behind the dialog names the integration too, once there is an account.
    await person.page.locator("dialog-add-integration").get_by_text(NAME, exact=True).click()
    dialog = FlowDialog(person.page)
    await dialog.titled("Your email address")
    return dialog


async def to_server(dialog: FlowDialog) -> None:
    """Go from the first page to that of the server."""
    await dialog.fill("Email address", SENDER)
    await dialog.unfold("More")
    await dialog.switch("Enter everything myself")
    await dialog.submit("Next")
    await dialog.titled("Mail server")


async def to_login(dialog: FlowDialog, port: int, encryption: str | None = None) -> None:
    """Go from the first page to that of the login."""
    await to_server(dialog)
    await dialog.fill("Server", HOST)
    await dialog.fill("Port", port)
    if encryption:
        await dialog.choose("Encryption", encryption)
    await dialog.submit()
    await dialog.titled("Login")


async def log_in(dialog: FlowDialog, password: str = PASSWORD) -> None:
    """Send the page of the login off."""
    await dialog.fill("Username", USERNAME)
    await dialog.fill("Password", password)
    await dialog.submit("Test login")


async def test_it_is_found_by_what_people_type(ada: Visitor) -> None:
    await ada.go(DASHBOARD)
    await ada.button("Add integration").click()
    for words in ("email", "smtp", "Email Courier", "mail"):
        await ada.page.get_by_placeholder("Search for a brand name").fill("nothing of that name")
        await expect(ada.text(NAME)).to_have_count(0)
        await ada.page.get_by_placeholder("Search for a brand name").fill(words)
        await expect(ada.text(NAME)).to_be_visible()
    await ada.sees_pictures("email_courier")
    await take(ada.page, Picture.FIND)


async def test_a_wrong_pair_is_mended_by_one_click(house: House, ada: Visitor) -> None:
    server = await house.serve(HEALTHY_TLS, TLS_PORT)
    dialog = await begin(ada)
    await to_login(dialog, TLS_PORT, "STARTTLS (587)")
    await log_in(dialog)
    await dialog.says("port 465 with TLS")
    await dialog.holds("Port", TLS_PORT)
    await expect(dialog.field("Encryption")).to_contain_text("TLS from the first moment (465)")
    await take(ada.page, Picture.MENDED)
    await dialog.submit()
    await dialog.titled(WORKS)
    await dialog.says(USERNAME, "TLS 1.3 from the first moment", "port 465")
    await dialog.submit()
    await dialog.titled("New recipient")
    assert [entry["title"] for entry in await house.entries()] == [SENDER]
    assert server.record.secrets_in_clear([PASSWORD]) == []


async def test_a_wrong_password_shows_the_servers_words(house: House, ada: Visitor) -> None:
    server = await house.serve()
    dialog = await begin(ada)
    await to_login(dialog, STARTTLS_PORT)
    await log_in(dialog, "not the password")
    await dialog.says("535 5.7.8 Error: authentication failed")
    await dialog.titled("Login")
    await dialog.holds("Username", USERNAME)
    await take(ada.page, Picture.WRONG_PASSWORD)
    assert server.record.auth_commands == 1
    await dialog.fill("Password", PASSWORD)
    await dialog.submit()
    await dialog.titled(WORKS)


async def test_a_self_signed_certificate_is_shown_and_trusted(
    house: House, screens: Screens
) -> None:
    await house.serve(HEALTHY.but(tls_kind=ServerTls.SELF_SIGNED))
    ada = await screens.open(TALL)
    dialog = await begin(ada)
    await to_login(dialog, STARTTLS_PORT)
    await log_in(dialog)
    await dialog.titled("Do you know this certificate?")
    fingerprint = house.certificates.fingerprint(ServerTls.SELF_SIGNED)
    pairs = [fingerprint[i : i + 2] for i in range(0, len(fingerprint), 2)]
    await dialog.says(":".join(pairs).upper(), "mail.example.test")
    await take(ada.page, Picture.CERTIFICATE)
    await dialog.switch("Trust this certificate")
    await dialog.submit()
    await dialog.titled(WORKS)
    await dialog.submit()
    await dialog.titled("New recipient")
    assert len(await house.entries()) == 1


async def test_progress_is_seen_within_a_second_and_names_its_stage(
    house: House, ada: Visitor
) -> None:
    await house.serve(Script(answers={Step.GREETING: drip(0.05)}))
    dialog = await begin(ada)
    await to_login(dialog, STARTTLS_PORT)
    await log_in(dialog)
    stage = dialog.root.get_by_text("Waiting for the server to answer…")
    await expect(stage).to_be_visible(timeout=1000)
    await take(ada.page, Picture.PROGRESS)
    await dialog.titled(WORKS)


async def test_closing_the_dialog_leaves_no_connection(house: House, ada: Visitor) -> None:
    server = await house.serve(Script(answers={Step.GREETING: drip(1)}))
    dialog = await begin(ada)
    await to_login(dialog, STARTTLS_PORT)
    await log_in(dialog)
    await until(lambda: server.record.open_connections > 0)
    await dialog.close()
    assert await server.all_closed(within=5)
    assert await house.entries() == []


async def test_the_test_mail_and_the_first_recipient_end_the_dialog(
    house: House, ada: Visitor
) -> None:
    server = await house.serve()
    dialog = await begin(ada)
    await to_login(dialog, STARTTLS_PORT)
    await log_in(dialog)
    await dialog.titled(WORKS)
    await dialog.fill("Send a test mail to (optional)", "ada@example.test")
    await dialog.submit("Save")
    await dialog.titled("The server took the test mail")
    await dialog.says("ada@example.test", "250 2.0.0 Ok: queued as 1")
    await take(ada.page, Picture.TESTED)
    assert await house.entries() == []
    await dialog.submit("Save")
    await dialog.titled("New recipient")
    assert [entry["title"] for entry in await house.entries()] == [SENDER]
    assert [mail.recipients for mail in server.record.mails] == [("ada@example.test",)]
    await dialog.holds("Name", "Ada")
    await dialog.holds("Address (To)", "ada@example.test")
    await dialog.fill("Name", "Family")
    await dialog.add("Address (To)", "grace@example.test", "alan@example.test")
    await take(ada.page, Picture.RECIPIENT)
    await dialog.submit("Save")
    await dialog.says("From now on automations can send mail.")
    await take(ada.page, Picture.NEXT_STEPS)
    await dialog.root.get_by_role("link", name="Create an automation").click()
    await expect(ada.page).to_have_url(re.compile("/config/automation/dashboard"))
    assert (await house.hass.client.until_state("notify.family"))["state"] == "unknown"


async def test_a_misspelt_address_is_corrected_by_one_click(ada: Visitor) -> None:
    dialog = await begin(ada)
    await dialog.fill("Email address", "ada@gmial.com")
    await dialog.submit()
    await dialog.titled("Is the address right?")
    await dialog.says("Did you mean ada@gmail.com?")
    await dialog.pick("Yes, use ada@gmail.com")
    await dialog.titled("Login")
    await dialog.holds("Username", "ada@gmail.com")


async def test_a_test_mail_that_is_refused_is_explained(house: House, ada: Visitor) -> None:
    refusal = "550 5.1.1 <nobody@example.test>: no such user here"
    await house.serve(Script(recipient_replies={"nobody@example.test": refusal}))
    dialog = await begin(ada)
    await to_login(dialog, STARTTLS_PORT)
    await log_in(dialog)
    await dialog.titled(WORKS)
    await dialog.fill("Send a test mail to (optional)", "nobody@example.test")
    await dialog.submit()
    await dialog.says(
        "The server does not take mail for this recipient.", "550 5.1.1", "no such user"
    )
    assert await house.entries() == []


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_every_page_fits_the_screen(house: House, screens: Screens, screen: Screen) -> None:
    await house.serve()
    person = await screens.open(screen)

    async def look(name: str) -> None:
        await dialog.fits()
        for theme in Theme:
            if picture := PAGE_PICTURES.get((name, screen, theme)):
                await take_in(theme, person.page, picture)

    dialog = await begin(person)
    await dialog.fill("Email address", SENDER)
    await look("address")
    await dialog.unfold("More")
    await dialog.switch("Enter everything myself")
    await dialog.submit()
    await dialog.titled("Mail server")
    await dialog.fill("Server", HOST)
    await look("server")
    await dialog.submit()
    await dialog.titled("Login")
    await dialog.fill("Username", USERNAME)
    await dialog.fill("Password", PASSWORD)
    await look("login")
    await dialog.submit()
    await dialog.titled(WORKS)
    await look("works")
    await dialog.fill("Send a test mail to (optional)", "ada@example.test")
    await dialog.submit()
    await dialog.titled("The server took the test mail")
    await look("tested")
    await dialog.submit()
    await dialog.titled("New recipient")
    await look("recipient")
    await dialog.submit()
    await dialog.says("From now on automations can send mail.")
    await look("next")

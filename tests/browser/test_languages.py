"""The set-up in every language: finished, and no wider than a phone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from playwright.async_api import expect
import pytest
import pytest_asyncio

from tests.live.hass_runner import HomeAssistant
from tests.support.certificates import ServerTls
from tests.support.script import HEALTHY, PASSWORD, USERNAME

from .conftest import Screens
from .flow_dialog import FlowDialog
from .house import DOMAIN, HOST, SENDER, STARTTLS_PORT, House
from .look import fits, is_finished
from .translations import LANGUAGES, home_assistants_words, texts_in
from .visitor import PHONE

_PATH = ("panel.config", "ui.panel.config.dashboard.system.main", "ui.panel.config.network.caption")


@pytest_asyncio.fixture(loop_scope="session")
async def speak(hass: HomeAssistant) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Set the language of the home, which is English again afterwards."""

    async def set_language(language: str) -> None:
        await hass.client.command("config/core/update", language=language)

    yield set_language
    await set_language("en")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_account_is_set_up_on_a_phone(
    house: House, screens: Screens, speak: Callable[[str], Awaitable[None]], language: str
) -> None:
    await house.serve(HEALTHY.but(tls_kind=ServerTls.SELF_SIGNED))
    await speak(language)
    person = await screens.open(PHONE, language=language)
    texts = texts_in(language)
    pages = texts["config"]["step"]
    dialog = FlowDialog(person.page)

    async def look(page: dict[str, Any]) -> None:
        await dialog.titled(page["title"])
        await dialog.fits()

    async def send(page: dict[str, Any]) -> None:
        await dialog.submit(page["submit"])

    await person.go(f"/config/integrations/dashboard/add?domain={DOMAIN}")
    await person.page.locator("dialog-box ha-button:visible").last.click()
    await look(pages["address"])
    await dialog.fill(pages["address"]["data"]["sender"], SENDER)
    await dialog.unfold(pages["address"]["sections"]["more"]["name"])
    await dialog.switch(pages["address"]["sections"]["more"]["data"]["enter_manually"])
    await send(pages["address"])
    await look(pages["server"])
    await dialog.fill(pages["server"]["data"]["host"], HOST)
    await dialog.fill(pages["server"]["data"]["port"], STARTTLS_PORT)
    await send(pages["server"])
    await look(pages["login"])
    await dialog.fill(pages["login"]["data"]["username"], USERNAME)
    await dialog.fill(pages["login"]["data"]["password"], PASSWORD)
    for section in pages["login"]["sections"].values():
        await dialog.unfold(section["name"])
    await dialog.fits()
    await send(pages["login"])
    await look(pages["certificate"])
    await dialog.switch(pages["certificate"]["data"]["trust_certificate"])
    await send(pages["certificate"])
    await look(pages["finish"])
    await dialog.says(texts["selector"]["phrase"]["options"]["proof"].partition("{")[0])
    await dialog.fill(pages["finish"]["data"]["test_recipient"], "ada@example.test")
    await send(pages["finish"])
    await look(pages["tested"])
    await send(pages["tested"])
    recipient = texts["config_subentries"]["recipient"]
    await look(recipient["step"]["user"])
    await send(recipient["step"]["user"])
    await dialog.says(recipient["create_entry"]["next_steps"].partition("\n")[0])
    await is_finished(dialog.root)

    devices = await house.hass.client.command("config/device_registry/list")
    (device,) = (device for device in devices if device["name"] == SENDER)
    await person.go(f"/config/devices/device/{device['id']}")
    page = person.page.locator("ha-config-device-page")
    await expect(page).to_contain_text(texts["entity"]["button"]["send_test_mail"]["name"])
    await is_finished(page)
    await fits(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_places_in_home_assistant_have_the_names_that_it_gives_them(language: str) -> None:
    words = home_assistants_words(language)
    text = texts_in(language)["config"]["error"]["no_own_url"]
    assert [words[key] for key in _PATH if words[key] not in text] == []

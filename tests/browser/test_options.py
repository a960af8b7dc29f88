"""The options of an account, as they come up behind its cogwheel."""

from playwright.async_api import expect

from .conftest import Screens
from .flow_dialog import FlowDialog
from .house import House
from .pictures import Picture, take
from .translations import english
from .visitor import VERY_TALL, Visitor

PAGE = "/config/integrations/integration/email_courier"


async def test_every_option_is_there_by_its_name_and_is_kept(
    house: House, screens: Screens
) -> None:
    await house.serve()
    await house.add_account()
    await house.add_account("backup@example.test")
    ada = await screens.open(VERY_TALL)
    await ada.go(PAGE)
    await ada.button("Configure").first.click()
    dialog = FlowDialog(ada.page)
    texts = english()["options"]["step"]["init"]
    await dialog.titled(texts["title"])
    for section in texts.get("sections", {}).values():
        await dialog.unfold(section["name"])
        for label in section["data"].values():
            await dialog.shows(label)
    for label in texts["data"].values():
        await dialog.shows(label)
    await dialog.fits()
    await take(ada.page, Picture.OPTIONS)
    await dialog.fill(texts["data"]["sender_name"], "Our home")
    await dialog.submit()
    await dialog.press("Finish")
    await ada.button("Configure").first.click()
    await dialog.holds(texts["data"]["sender_name"], "Our home")


async def test_a_backup_account_is_chosen_and_given_up(house: House, ada: Visitor) -> None:
    await house.serve()
    await house.add_account()
    await house.add_account("backup@example.test")
    await ada.go(PAGE)
    dialog = FlowDialog(ada.page)
    section = english()["options"]["step"]["init"]["sections"]["backup"]
    label = section["data"]["backup_account"]

    async def open_section() -> None:
        await ada.button("Configure").last.click()
        await dialog.unfold(section["name"])

    await open_section()
    await dialog.choose(label, "backup@example.test")
    await dialog.submit()
    await dialog.press("Finish")
    await open_section()
    chosen = dialog.field(label)
    await expect(chosen).to_contain_text("backup@example.test")
    await chosen.get_by_role("button", name="Clear").click()
    await dialog.submit()
    await dialog.press("Finish")
    await open_section()
    await expect(chosen.get_by_role("button", name="Clear")).to_have_count(0)

"""The options of an account, as they come up behind its cogwheel."""

from .conftest import Screens
from .flow_dialog import FlowDialog
from .house import House
from .pictures import Picture, take
from .translations import english
from .visitor import VERY_TALL

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

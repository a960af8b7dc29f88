"""From a device to an automation, by clicking alone."""

from playwright.async_api import Locator, expect
import pytest

from tests.live.client import Json

from .conftest import Screens
from .house import SENDER, House, mails, until_async
from .pictures import Picture, take
from .translations import english
from .visitor import TALL, Visitor

TEXTS = english()
SEND = TEXTS["services"]["send_message"]["name"]
CAMERAS = TEXTS["services"]["send_message"]["fields"]["camera"]["name"]
MOST_CLICKS = 6


class Clicks:
    """Counts what a person clicks on."""

    def __init__(self) -> None:
        """Begin at nought."""
        self.count = 0

    async def on(self, what: Locator) -> None:
        """Click once."""
        await what.click()
        self.count += 1


async def begin(person: Visitor, clicks: Clicks, house: House, device: str, what: str) -> None:
    """Open a device's page and choose what its automation begins with."""
    await person.go(f"/config/devices/device/{await house.device(device)}")
    await clicks.on(person.page.get_by_role("button", name="Add to").first)
    await clicks.on(person.page.get_by_text(what).first)


async def name_it(person: Visitor, name: str) -> Locator:
    """Ask the editor to save, by the keyboard, answer what the name is, and return the button."""
    await person.page.keyboard.press("Control+s")
    save = person.button("Save")
    await expect(save).to_have_count(2)
    await expect(person.button("Cancel")).to_be_visible()
    await person.page.keyboard.type(name)
    return save.last


async def saved(house: House, entity_id: str) -> Json:
    """Return an automation as it was saved."""
    client = house.hass.client

    async def is_there() -> bool:
        return entity_id in await client.states("automation")

    await until_async(is_there)
    config: Json = (await client.command("automation/config", entity_id=entity_id))["config"]
    return config


async def search(person: Visitor, words: str) -> None:
    """Type into the search of the dialog that has been opened, once it is there."""
    field = person.page.get_by_placeholder("Search").last
    await expect(field).to_be_visible()
    await field.fill(words)


async def forget(house: House, config: Json) -> None:
    """Remove an automation."""
    await house.hass.client.delete(f"/api/config/automation/config/{config['id']}")


async def test_from_a_recipient_to_a_mail_with_a_picture_in_six_clicks(
    house: House, screens: Screens
) -> None:
    server = await house.serve()
    account = await house.add_account()
    await house.add_recipient(account, "Family", "grace@example.test")
    camera = await house.add_camera()
    ada, clicks = await screens.open(TALL), Clicks()

    await begin(ada, clicks, house, "Family", "Create as a new action")
    await clicks.on(ada.page.get_by_text(SEND).first)
    editor = ada.page.locator("ha-service-control")
    row = editor.locator("ha-settings-row").filter(has=ada.page.get_by_text(CAMERAS, exact=True))
    await clicks.on(row.locator("ha-selector").get_by_role("button").first)
    await clicks.on(ada.page.get_by_text(camera.partition(".")[2]).last)
    await expect(row).to_contain_text(camera.partition(".")[2])
    await take(ada.page, Picture.AUTOMATION_CAMERA)
    await clicks.on(await name_it(ada, "Picture of the door"))

    entity_id = "automation.picture_of_the_door"
    config = await saved(house, entity_id)
    try:
        assert clicks.count <= MOST_CLICKS
        await house.hass.client.call("automation.trigger", {"entity_id": entity_id})
        (mail,) = await mails(server, 1)
        assert mail.recipients == ("grace@example.test",)
        assert f"cid:{camera}".encode() in mail.content
    finally:
        await forget(house, config)


async def test_from_an_account_to_an_automation_that_begins_with_a_failed_email_in_six_clicks(
    house: House, screens: Screens
) -> None:
    await house.serve()
    account = await house.add_account()
    await house.add_recipient(account, "Family", "grace@example.test")
    ada, clicks = await screens.open(TALL), Clicks()

    await begin(ada, clicks, house, SENDER, "Create as a new trigger")
    await clicks.on(ada.page.get_by_text(TEXTS["triggers"]["failed"]["name"]).first)
    await clicks.on(ada.button("Add action"))
    await search(ada, "Family")
    await clicks.on(ada.text("Family").last)
    await clicks.on(ada.page.get_by_text(SEND).first)
    await expect(ada.page.locator("ha-service-control")).to_be_visible()
    await take(ada.page, Picture.AUTOMATION_FAILED)
    await (await name_it(ada, "Failed mail")).press("Enter")

    config = await saved(house, "automation.failed_mail")
    try:
        assert clicks.count <= MOST_CLICKS
        assert config["triggers"][0]["trigger"] == "email_courier.failed"
        assert config["triggers"][0]["target"]["device_id"]
        assert config["actions"][0]["action"] == "email_courier.send_message"
        assert config["actions"][0]["target"]["device_id"]
    finally:
        await forget(house, config)


@pytest.mark.parametrize("name", ["Family", SENDER])
async def test_action_and_triggers_are_offered_under_recipients_and_accounts(
    house: House, name: str
) -> None:
    await house.serve()
    account = await house.add_account()
    await house.add_recipient(account, "Family", "grace@example.test")
    client, target = house.hass.client, {"device_id": [await house.device(name)]}

    services = await client.command("get_services_for_target", target=target)
    triggers = await client.command("get_triggers_for_target", target=target)

    assert "email_courier.send_message" in services
    assert {f"email_courier.{one}" for one in TEXTS["triggers"]} <= set(triggers)


async def test_the_word_mail_offers_sending_first_and_dropping_last(
    house: House, ada: Visitor
) -> None:
    await house.serve()
    await house.add_account()
    await ada.go("/config/automation/edit/new")
    await ada.button("Add action").click()
    await search(ada, "mail")
    await expect(ada.page.get_by_text(SEND).first).to_be_visible()

    places: dict[str, float] = {}
    for action, texts in TEXTS["services"].items():
        shown = ada.page.get_by_text(f": {texts['name']}").first
        if await shown.count() and (box := await shown.bounding_box()):
            places[action] = box["y"]
    in_order = sorted(places, key=lambda action: places[action])
    assert in_order[0] == "send_message"
    assert "drop_waiting" not in places or in_order[-1] == "drop_waiting"


async def test_the_word_email_finds_the_triggers(house: House, ada: Visitor) -> None:
    await house.serve()
    await house.add_account()
    await ada.go("/config/automation/edit/new")
    await ada.button("Add trigger").click()
    await search(ada, "email")
    for trigger in TEXTS["triggers"].values():
        await expect(ada.text(trigger["name"]).first).to_be_visible()

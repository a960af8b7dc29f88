"""Recipients of an account: added, changed and removed on the integration's page."""

from playwright.async_api import expect

from .flow_dialog import FlowDialog
from .house import House, until_async
from .pictures import Picture, take
from .visitor import Visitor

PAGE = "/config/integrations/integration/email_courier"
ENTITY = "notify.family"


async def test_a_recipient_is_added(house: House, ada: Visitor) -> None:
    await house.serve()
    await house.add_account()
    await ada.go(PAGE)
    await ada.page.get_by_role("button", name="Add recipient").first.click()
    dialog = FlowDialog(ada.page)
    await dialog.titled("New recipient")
    await dialog.fill("Name", "Family")
    await dialog.add("Address (To)", "Grace <grace@example.test>", "alan@example.test")
    await dialog.add("Blind copy (Bcc)", "archive@example.test")
    await dialog.submit()
    await house.hass.client.until_state(ENTITY)
    await ada.go(PAGE)
    await expect(ada.page.locator("ha-config-sub-entry-row")).to_contain_text("Family")
    await ada.sees_pictures("email_courier")
    await take(ada.page, Picture.INTEGRATION)


async def test_an_address_that_is_none_is_named(house: House, ada: Visitor) -> None:
    await house.serve()
    await house.add_account()
    await ada.go(PAGE)
    await ada.page.get_by_role("button", name="Add recipient").first.click()
    dialog = FlowDialog(ada.page)
    await dialog.titled("New recipient")
    await dialog.fill("Name", "Family")
    await dialog.add("Address (To)", "grace at example.test")
    await dialog.submit()
    await dialog.says("This is not a valid email address", "grace at example.test")
    await dialog.titled("New recipient")


async def test_a_recipient_is_changed_and_keeps_its_entity(house: House, ada: Visitor) -> None:
    server = await house.serve()
    account = await house.add_account()
    await house.add_recipient(account, "Family", "grace@example.test")
    await ada.go(PAGE)
    await ada.button("Change recipient").click()
    dialog = FlowDialog(ada.page)
    await dialog.titled("Change recipient")
    await dialog.holds("Address (To)", "grace@example.test")
    await dialog.fill("Address (To)", "ada@example.test")
    await dialog.submit()
    await dialog.says("Reconfiguration was successful")
    await house.hass.client.until_state(ENTITY)
    await house.hass.client.call(
        "notify.send_message", {"message": "Hello"}, target={"entity_id": ENTITY}
    )
    assert [mail.recipients for mail in server.record.mails] == [("ada@example.test",)]


async def test_a_recipient_is_removed_with_its_entity(house: House, ada: Visitor) -> None:
    await house.serve()
    account = await house.add_account()
    await house.add_recipient(account, "Family", "grace@example.test")
    await house.hass.client.until_state(ENTITY)
    await ada.go(PAGE)
    row = ada.page.locator("ha-config-sub-entry-row")
    await row.get_by_role("button", name="Menu").first.click()
    await row.locator("ha-dropdown-item", has_text="Delete").click()
    await ada.button("Delete").click()
    await expect(row).to_have_count(0)

    async def is_gone() -> bool:
        return ENTITY not in await house.hass.client.states("notify")

    await until_async(is_gone)

"""A report: from the account's page to a saved weekly one in one dialog."""

from playwright.async_api import expect

from .flow_dialog import FlowDialog
from .house import House
from .pictures import Picture, take
from .visitor import Visitor

PAGE = "/config/integrations/integration/email_courier"
BUTTON = "button.weekly_report_send_now"


async def test_a_weekly_report_is_saved_in_one_dialog_and_sent_by_its_button(
    house: House, ada: Visitor
) -> None:
    server = await house.serve()
    account = await house.add_account()
    await house.add_recipient(account, "Family", "grace@example.test")
    await ada.go(PAGE)
    await ada.page.get_by_role("button", name="Add report").first.click()
    dialog = FlowDialog(ada.page)
    await dialog.titled("New report")
    await dialog.holds("Name", "Weekly report")
    await dialog.says("Family", "Every week", "Climate by room", "Doors and windows")
    await take(ada.page, Picture.REPORT)
    await dialog.submit()
    await dialog.titled("When")
    await dialog.says("Monday")
    await dialog.submit()
    await house.hass.client.until_state(BUTTON)
    await ada.go(PAGE)
    rows = ada.page.locator("ha-config-sub-entry-row")
    await expect(rows.filter(has_text="Weekly report")).to_have_count(1)
    await house.hass.client.call("button.press", {}, target={"entity_id": BUTTON})
    (mail,) = server.record.mails
    assert mail.recipients == ("grace@example.test",)
    assert b"Weekly report" in mail.content

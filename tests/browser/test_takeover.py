"""An account of Home Assistant's own integration is taken over with its recipients."""

from tests.support.script import PASSWORD

from .flow_dialog import FlowDialog
from .house import CORE_DOMAIN, SENDER, House
from .pictures import Picture, take
from .visitor import Visitor


async def test_an_account_is_taken_over_without_typing_anything(house: House, ada: Visitor) -> None:
    server = await house.serve()
    await house.add_core_account("grace@example.test")
    await ada.go("/config/integrations/dashboard")
    await ada.button("Add integration").click()
    await ada.page.get_by_placeholder("Search for a brand name").fill("email courier")
    await ada.text("Email Courier (SMTP)").click()
    dialog = FlowDialog(ada.page)
    await dialog.titled("Email Courier")
    await dialog.says("You already send mail with Home Assistant's own SMTP integration.")
    await take(ada.page, Picture.TAKE_OVER)
    await dialog.pick("Take over an account")
    await dialog.titled("Take over an account")
    await dialog.says("An account of Home Assistant's own SMTP integration.")
    await dialog.submit("Test login")
    await dialog.titled("It works")
    await dialog.holds("Sender's name", "Our home")
    await dialog.submit("Save")
    await dialog.says("From now on automations can send mail.")
    assert (dialog.pages, dialog.typed) == (3, 0)
    await house.hass.client.until_state("notify.grace_example_test")
    (entry,) = await house.entries()
    assert entry["title"] == SENDER
    assert len(await house.entries(CORE_DOMAIN)) == 1
    assert server.record.secrets_in_clear([PASSWORD]) == []

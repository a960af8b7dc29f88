"""A password that was changed at the provider: asked for again, and the waiting mail goes out."""

from playwright.async_api import expect
import pytest

from tests.live.client import HassError
from tests.support.script import HEALTHY, PASSWORD, USERNAME

from .flow_dialog import FlowDialog
from .house import House, mails
from .pictures import Picture, take
from .visitor import Visitor

NEW_PASSWORD = "Close-Sesame-1247"


async def test_after_a_changed_password_the_waiting_mail_goes_out(
    house: House, ada: Visitor
) -> None:
    server = await house.serve()
    account = await house.add_account()
    await house.add_recipient(account, "Family", "grace@example.test")
    client = house.hass.client
    await client.until_state("notify.family")
    server.script = HEALTHY.but(users={USERNAME: NEW_PASSWORD})
    family = {"entity_id": "notify.family"}
    with pytest.raises(HassError, match=r"535 5\.7\.8"):
        await client.call("notify.send_message", {"message": "refused"}, target=family)
    await client.call("notify.send_message", {"message": "waiting"}, target=family)
    assert server.record.auth_commands == 2
    await ada.go("/config/integrations/dashboard")
    await ada.button("Reconfigure").click()
    dialog = FlowDialog(ada.page)
    await dialog.titled("Login")
    await dialog.holds("Username", USERNAME)
    await dialog.holds("Password", "")
    await dialog.says("535 5.7.8")
    await take(ada.page, Picture.SIGN_IN_AGAIN)
    await dialog.fill("Password", NEW_PASSWORD)
    await dialog.submit()
    await dialog.titled("It works")
    await dialog.submit()
    (mail,) = await mails(server, 1)
    assert b"waiting" in mail.content
    await ada.go("/config/integrations/dashboard")
    await expect(ada.text("Configured")).to_be_visible()
    await expect(ada.button("Reconfigure")).to_have_count(0)
    assert server.record.secrets_in_clear([PASSWORD, NEW_PASSWORD]) == []

"""A server that shows another certificate than the trusted one: both are shown, mail waits."""

from playwright.async_api import expect

from tests.support.certificates import Certificates, ServerTls
from tests.support.script import HEALTHY, Step, drip

from .house import House, mails
from .pictures import Picture, take
from .visitor import Visitor

SELF_SIGNED = HEALTHY.but(tls_kind=ServerTls.SELF_SIGNED)


def shown(certificates: Certificates) -> str:
    """Return the fingerprint of a self-signed certificate as people read it."""
    digits = certificates.fingerprint(ServerTls.SELF_SIGNED).upper()
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))


async def test_a_changed_certificate_is_compared_and_trusted(house: House, ada: Visitor) -> None:
    before = await house.serve(SELF_SIGNED)
    account = await house.add_account()
    await house.add_recipient(account, "Family", "grace@example.test")
    client = house.hass.client
    await client.until_state("notify.family")
    await before.stop()
    renewed = Certificates()
    after = await house.serve(SELF_SIGNED, certificates=renewed)
    await client.call(
        "notify.send_message", {"message": "waiting"}, target={"entity_id": "notify.family"}
    )
    await ada.go("/config/repairs")
    await ada.page.get_by_text("shows another certificate").click()
    dialog = ada.page.locator("dialog-data-entry-flow")
    await expect(dialog).to_contain_text(shown(house.certificates))
    await expect(dialog).to_contain_text(shown(renewed))
    await take(ada.page, Picture.CERTIFICATE_CHANGED)
    assert after.record.auth_commands == 0
    after.script = SELF_SIGNED.but(answers={Step.GREETING: drip(0.05)})
    await dialog.get_by_text("Trust the new certificate", exact=True).click()
    await expect(dialog).to_contain_text("Waiting for the server to answer…")
    (mail,) = await mails(after, 1)
    assert b"waiting" in mail.content

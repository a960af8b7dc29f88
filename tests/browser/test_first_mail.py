"""The README's steps, done as they are written, end with a mail in the inbox."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
import re
import ssl
from typing import Any

from playwright.async_api import expect
import yaml

from tests.support.certificates import Certificates, ServerTls
from tests.support.script import HEALTHY_TLS

from .flow_dialog import FlowDialog
from .house import GMAIL, TLS_PORT, House, mails
from .pictures import PROJECT, Picture, take
from .visitor import Visitor

ADDRESS = "ada.and.grace@gmail.com"
APP_PASSWORD = "abcdefghijklmnop"
WITH_A_PASSWORD = "With a password or an app password"
NAMED = (
    *("Settings → Devices & services → Add integration", "Email Courier (SMTP)", "Submit"),
    *(f"`{GMAIL}`, port {TLS_PORT}, TLS", WITH_A_PASSWORD, "test mail", "Family", "notify.family"),
)
"""What the README calls by its name, and what is looked for by that name below."""


class GmailCertificates(Certificates):
    """A certificate for Gmail's server, from an authority that Home Assistant trusts."""

    def __init__(self, trusted: Certificates) -> None:
        super().__init__()
        self.authority = trusted.authority

    def server_context(self, kind: ServerTls) -> ssl.SSLContext:
        if kind is not ServerTls.VALID:
            return super().server_context(kind)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        end = datetime.now(UTC) + timedelta(days=60)
        leaf = self.authority.issue_cert(GMAIL, common_name=GMAIL, not_after=end)
        leaf.configure_cert(context)
        return context


def readme(heading: str) -> str:
    """Return a chapter of the README, its lines joined."""
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    _, _, rest = text.partition(f"\n## {heading}")
    return rest.partition("\n## ")[0]


def first_automation() -> dict[str, Any]:
    """Return the README's first action."""
    block = re.search(r"```yaml\n(.*?)```", readme("Your first automation"), re.DOTALL)
    assert block is not None
    automation = yaml.safe_load(block[1])
    action: dict[str, Any]
    (action,) = automation["actions"]
    return action


async def test_the_steps_of_the_readme_end_with_a_mail_in_the_inbox(
    house: House, ada: Visitor
) -> None:
    server = await house.serve(
        HEALTHY_TLS.but(name=GMAIL, users={ADDRESS: APP_PASSWORD}, size_limit=35_882_577),
        TLS_PORT,
        GmailCertificates(house.certificates),
    )
    steps = re.sub(r"\s+", " ", readme("Set up"))
    assert [words for words in NAMED if words not in steps] == []

    await ada.go("/")
    await ada.page.get_by_role("link", name="Settings").click()
    await ada.page.get_by_text("Devices & services", exact=True).first.click()
    await ada.button("Add integration").click()
    await ada.page.get_by_placeholder("Search for a brand name").fill("Email")
    await ada.text("Email Courier (SMTP)").click()

    dialog = FlowDialog(ada.page)
    await dialog.titled("Your email address")
    await dialog.fill("Email address", ADDRESS)
    await dialog.submit()
    await dialog.titled("Mail server")
    await dialog.says("Gmail")
    await dialog.holds("Server", GMAIL)
    await dialog.holds("Port", TLS_PORT)
    await expect(dialog.field("Encryption")).to_contain_text("TLS from the first moment (465)")
    await take(ada.page, Picture.FILLED_IN)
    await dialog.submit()
    await dialog.titled("How to log in")
    await dialog.pick(WITH_A_PASSWORD)
    await dialog.titled("Login")
    await dialog.holds("Username", ADDRESS)
    await dialog.says("app password")
    await take(ada.page, Picture.APP_PASSWORD)
    await dialog.fill("Password", APP_PASSWORD)
    await dialog.submit()
    await dialog.titled("It works")
    await dialog.fill("Send a test mail to (optional)", ADDRESS)
    await take(ada.page, Picture.PROVEN)
    await dialog.submit()

    await dialog.titled("New recipient")
    await dialog.fill("Name", "Family")
    await dialog.add("Address (To)", ADDRESS, "alan@example.test")
    await dialog.submit()
    client = house.hass.client
    await client.until_state("notify.family")

    action = first_automation()
    await client.call(action["action"], action["data"], target=action["target"])
    _, mail = await mails(server, 2)
    assert mail.recipients == (ADDRESS, "alan@example.test")
    message = message_from_bytes(mail.content, policy=default)
    assert message["Subject"] == action["data"]["title"]

"""The README's steps, done as they are written, end with a mail in the inbox."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
import re
import ssl
from typing import Any

import yaml

from tests.support.certificates import Certificates, ServerTls
from tests.support.script import HEALTHY, HEALTHY_TLS

from .flow_dialog import FlowDialog
from .house import GMAIL, OWN_DOMAIN, STARTTLS_PORT, TLS_PORT, House, mails
from .pictures import PROJECT, Picture, take
from .test_setup import begin
from .visitor import Visitor

ADDRESS = "ada.and.grace@gmail.com"
APP_PASSWORD = "abcdefghijklmnop"
NAMED = (
    *("Settings → Devices & services → Add integration", "Email Courier (SMTP)", "**Next**"),
    *("**Test login**", "**Save**", f"`{GMAIL}`, port {TLS_PORT}, TLS", "test mail"),
    *("Family", "notify.family"),
)
"""What the README calls by its name, and what is looked for by that name below."""


class CertificatesFor(Certificates):
    """A certificate for one server, from an authority that Home Assistant trusts."""

    def __init__(self, trusted: Certificates, host: str = GMAIL) -> None:
        super().__init__()
        self.authority = trusted.authority
        self._host = host

    def server_context(self, kind: ServerTls) -> ssl.SSLContext:
        if kind is not ServerTls.VALID:
            return super().server_context(kind)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        end = datetime.now(UTC) + timedelta(days=60)
        leaf = self.authority.issue_cert(self._host, common_name=self._host, not_after=end)
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


async def test_gmail_takes_three_pages_and_two_fields_to_type(house: House, ada: Visitor) -> None:
    server = await house.serve(
        HEALTHY_TLS.but(name=GMAIL, users={ADDRESS: APP_PASSWORD}),
        TLS_PORT,
        CertificatesFor(house.certificates),
    )
    dialog = await begin(ada)
    await dialog.fill("Email address", ADDRESS)
    await dialog.submit("Next")
    await dialog.titled("Login")
    await dialog.fill("Password", APP_PASSWORD)
    await dialog.submit("Test login")
    await dialog.titled("It works")
    assert await house.entries() == []
    await dialog.submit("Save")
    await dialog.titled("New recipient")
    assert (dialog.pages, dialog.typed) == (3, 2)
    await dialog.close()
    assert [entry["title"] for entry in await house.entries()] == [ADDRESS]
    assert server.record.auth_commands == 1


async def test_a_domain_of_ones_own_takes_no_more_where_its_server_is_found(
    house: House, ada: Visitor
) -> None:
    host = f"mail.{OWN_DOMAIN}"
    address = f"ada@{OWN_DOMAIN}"
    await house.serve(
        HEALTHY.but(name=host, users={address: APP_PASSWORD}),
        STARTTLS_PORT,
        CertificatesFor(house.certificates, host),
    )
    dialog = await begin(ada)
    await dialog.fill("Email address", address)
    await dialog.submit("Next")
    await dialog.titled("Login")
    await dialog.says("this server answers there", f"Server: {host}, port 587, STARTTLS.")
    await dialog.holds("Username", address)
    await dialog.fill("Password", APP_PASSWORD)
    await dialog.submit("Test login")
    await dialog.titled("It works")
    await dialog.submit("Save")
    await dialog.titled("New recipient")
    assert (dialog.pages, dialog.typed) == (3, 2)
    assert [entry["title"] for entry in await house.entries()] == [address]


async def test_the_steps_of_the_readme_end_with_a_mail_in_the_inbox(
    house: House, ada: Visitor
) -> None:
    server = await house.serve(
        HEALTHY_TLS.but(name=GMAIL, users={ADDRESS: APP_PASSWORD}, size_limit=35_882_577),
        TLS_PORT,
        CertificatesFor(house.certificates),
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
    await dialog.submit("Next")
    await dialog.titled("Login")
    await dialog.says(f"These are the settings of Gmail. Server: {GMAIL}, port {TLS_PORT}, TLS.")
    await dialog.holds("Username", ADDRESS)
    await dialog.says("app password")
    await take(ada.page, Picture.APP_PASSWORD)
    await dialog.fill("Password", APP_PASSWORD)
    await dialog.submit("Test login")
    await dialog.titled("It works")
    await dialog.fill("Send a test mail to (optional)", ADDRESS)
    await take(ada.page, Picture.PROVEN)
    await dialog.submit("Save")
    await dialog.titled("The server took the test mail")
    await dialog.submit("Save")

    await dialog.titled("New recipient")
    await dialog.holds("Address (To)", ADDRESS)
    await dialog.fill("Name", "Family")
    await dialog.add("Address (To)", "alan@example.test")
    await dialog.submit("Save")
    client = house.hass.client
    await client.until_state("notify.family")

    action = first_automation()
    await client.call(action["action"], action["data"], target=action["target"])
    _, mail = await mails(server, 2)
    assert mail.recipients == (ADDRESS, "alan@example.test")
    message = message_from_bytes(mail.content, policy=default)
    assert message["Subject"] == action["data"]["title"]

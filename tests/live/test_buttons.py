"""A script that asks by mail: through a real Postfix, a Maildir, a browser and a proxy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import re
import shutil

import aiohttp
from playwright.async_api import Page, async_playwright, expect
import pytest

from tests.servers.fixtures import fleet
from tests.servers.fleet import Fleet
from tests.servers.mailbox import ReceivedMail
from tests.servers.people import RECIPIENTS
from tests.servers.server import RunningServer
from tests.support.certificates import Certificates

from .account import add_account
from .dialog import SUBENTRY, Dialog
from .hass_runner import HomeAssistant, home_assistant

__all__ = ["fleet"]

_GATE = """\
input_boolean:
  gate:
    name: Gate
script:
  gate:
    sequence:
      - action: email_courier.ask
        data:
          to: {recipient}
          title: Open the gate?
          message: Somebody is at the gate.
          layout: card
          actions:
            - action: OPEN
              title: Open the gate
            - action: IGNORE
              title: Ignore
        response_variable: answer
      - if: "{{{{ answer.action == 'OPEN' }}}}"
        then:
          - action: input_boolean.turn_on
            target:
              entity_id: input_boolean.gate
"""
_BUTTON = "Open the gate"


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    """The authority that Home Assistant trusts."""
    return Certificates()


@pytest.fixture
def postfix(fleet: Fleet) -> RunningServer:
    """The mail server, with empty mailboxes."""
    postfix = fleet.standing("postfix")
    postfix.clear()
    return postfix


@pytest.fixture
async def hass(
    postfix: RunningServer, certificates: Certificates, tmp_path: Path
) -> AsyncIterator[HomeAssistant]:
    """A Home Assistant with an account at the server and a script that asks."""
    async with home_assistant(
        tmp_path / "config",
        authority_pem=certificates.authority_pem,
        configuration=_GATE.format(recipient=RECIPIENTS[0]),
    ) as hass:
        account = await add_account(hass, postfix)
        await Dialog(hass.client, SUBENTRY).close(account["next_flow"][1])
        yield hass


@asynccontextmanager
async def telephone() -> AsyncIterator[Page]:
    """Open a browser of the size of a telephone, in which nobody is logged in."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium-headless-shell"),
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        try:
            context = await browser.new_context(
                viewport={"width": 390, "height": 844}, ignore_https_errors=True
            )
            yield await context.new_page()
        finally:
            await browser.close()


def page_of(mail: ReceivedMail) -> str:
    """Return the page of a mail."""
    part = mail.message.get_body(("html",))
    assert part is not None
    html: str = part.get_content()
    return html


async def asked(hass: HomeAssistant, postfix: RunningServer, address: str) -> ReceivedMail:
    """Run the script until its mail lies in the mailbox."""
    await hass.client.command("config/core/update", external_url=address)
    await hass.client.call("script.turn_on", {"entity_id": "script.gate"})
    [mail] = await asyncio.to_thread(lambda: postfix.mails(1, within=30))
    return mail


async def test_a_press_in_a_mail_from_the_mailbox_opens_the_gate(
    hass: HomeAssistant, postfix: RunningServer
) -> None:
    mail = await asked(hass, postfix, hass.url)
    assert (await hass.client.states("input_boolean"))["input_boolean.gate"]["state"] == "off"

    async with telephone() as page:
        await page.set_content(page_of(mail))
        await page.get_by_role("link", name=_BUTTON).click()
        await page.get_by_role("button", name=_BUTTON).click()
        await expect(page.get_by_role("heading", name="Your answer has arrived")).to_be_visible()

    await hass.client.until_state("input_boolean.gate", "on")
    await hass.client.until_state("script.gate", "off")


@pytest.mark.parametrize("is_trusted", [True, False], ids=["forwarded-for", "hidden"])
async def test_a_press_comes_through_a_proxy_with_tls(
    hass: HomeAssistant, postfix: RunningServer, fleet: Fleet, *, is_trusted: bool
) -> None:
    if is_trusted:
        await _trust_proxies(hass)
    port = int(hass.url.rpartition(":")[2])
    proxy = fleet.start("nginx", port=port, tells_client=is_trusted)
    address = f"https://{proxy.host}:{proxy.ports['https']}"
    try:
        mail = await asked(hass, postfix, address)
        assert f"{address}/api/email_courier/answer?t=" in page_of(mail)
        async with telephone() as page:
            await page.set_content(page_of(mail))
            await page.get_by_role("link", name=_BUTTON).click()
            await expect(page).to_have_url(re.compile(re.escape(address)))
            await page.get_by_role("button", name=_BUTTON).click()
            done = page.get_by_role("heading", name="Your answer has arrived")
            await expect(done).to_be_visible()
        await hass.client.until_state("input_boolean.gate", "on")
    finally:
        proxy.stop()


async def test_a_proxy_that_is_not_trusted_gets_no_further_than_home_assistant_lets_it(
    hass: HomeAssistant, postfix: RunningServer, fleet: Fleet
) -> None:
    port = int(hass.url.rpartition(":")[2])
    proxy = fleet.start("nginx", port=port, tells_client=True)
    address = f"https://{proxy.host}:{proxy.ports['https']}"
    try:
        mail = await asked(hass, postfix, address)
        found = re.search(r'href="(https://[^"]+)"', page_of(mail))
        assert found is not None
        async with aiohttp.ClientSession() as session:
            for method in ("GET", "POST"):
                async with session.request(method, found[1], ssl=False) as response:
                    assert response.status == 400
    finally:
        proxy.stop()
    assert (await hass.client.states("input_boolean"))["input_boolean.gate"]["state"] == "off"


async def _trust_proxies(hass: HomeAssistant) -> None:
    """Let Home Assistant believe its proxy who has asked."""
    await hass.stop()
    file = hass.folder / ".storage" / "http"
    settings = json.loads(await asyncio.to_thread(file.read_text))
    settings["data"]["stable"] |= {
        "use_x_forwarded_for": True,
        "trusted_proxies": ["127.0.0.1"],
    }
    await asyncio.to_thread(file.write_text, json.dumps(settings))
    await hass.start()

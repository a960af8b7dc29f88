"""Buttons of mails, pressed the way a browser does."""

from email.message import EmailMessage
from html.parser import HTMLParser
import re
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant

from tests.support.accounts import load_account
from tests.support.fixtures import Bed
from tests.support.mails import only_mail, send, text_of

OUTSIDE = "https://home.example"
OPEN = {"action": "OPEN", "title": "Open the gate"}
IGNORE = {"action": "IGNORE", "title": "Ignore"}
GATE = [OPEN, IGNORE]

type Client = TestClient[Any, Any]


async def be_reachable(hass: HomeAssistant) -> None:
    """Let this Home Assistant have an address outside."""
    await hass.config.async_update(external_url=OUTSIDE)


def links_of(mail: EmailMessage) -> dict[str, str]:
    """Return where the buttons of a mail lead, by what they say, without the address outside."""
    found = re.findall(rf"^(.+): {re.escape(OUTSIDE)}(/api/\S+)$", text_of(mail), re.MULTILINE)
    return dict(found)


def token_of(link: str) -> str:
    """Return the token in a link."""
    return urlsplit(link).query.removeprefix("t=")


async def ask(hass: HomeAssistant, bed: Bed, **fields: Any) -> dict[str, str]:
    """Send a mail with buttons from an account of its own, and return where they lead."""
    server = await bed.serve()
    await load_account(hass, server)
    given = {"to": "anna@example.test", "title": "Open the gate?", "actions": GATE, **fields}
    await send(hass, **given)
    return links_of(only_mail(server))


class Page(HTMLParser):
    """A page as a reader's program sees it: its text, and the one form on it."""

    def __init__(self, text: str) -> None:
        """Read a page."""
        super().__init__()
        self.words: list[str] = []
        self.fields: dict[str, str] = {}
        self.form: dict[str, str | None] | None = None
        self.tags: list[str] = []
        self._is_style = False
        self.feed(text)

    @property
    def text(self) -> str:
        """What can be read on it."""
        return "\n".join(self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form and its fields."""
        self.tags.append(tag)
        given = dict(attrs)
        self._is_style = tag in ("style", "title")
        if tag == "form":
            self.form = given
        if tag == "input" and given.get("name"):
            self.fields[str(given["name"])] = str(given.get("value"))

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the name is given
        """Go on reading after a style sheet."""
        self._is_style = False

    def handle_data(self, data: str) -> None:
        """Note what can be read."""
        if data.strip() and not self._is_style:
            self.words.append(data.strip())


async def page_at(client: Client, link: str) -> Page:
    """Open a page."""
    response = await client.get(link)
    return Page(await response.text())


async def press(client: Client, link: str, **fields: str) -> ClientResponse:
    """Open the page of a link and press its button."""
    page = await page_at(client, link)
    return await client.post(link, data={**page.fields, **fields})

"""A person at a screen: a browser's window, logged in to one Home Assistant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
import json
from typing import Literal, NamedTuple

from playwright.async_api import Browser, Locator, Page, expect

from tests.live.hass_runner import HomeAssistant

LONGEST_WAIT = 15_000
"""Milliseconds; only a test that fails waits as long."""
_FOREVER = 4_102_444_800_000


class Screen(NamedTuple):
    """A window's size in pixels."""

    width: int
    height: int


DESKTOP = Screen(1000, 900)
PHONE = Screen(390, 844)
TALL = Screen(1000, 1300)
"""A desktop on which the longest pages are seen whole."""
VERY_TALL = Screen(1000, 2600)


class Theme(StrEnum):
    """What the person's system asks for."""

    LIGHT = "light"
    DARK = "dark"

    @property
    def color_scheme(self) -> Literal["light", "dark"]:
        """The same, as the browser is told."""
        return "dark" if self is Theme.DARK else "light"


@dataclass(frozen=True)
class Visitor:
    """A window of a logged-in person."""

    page: Page
    url: str

    async def go(self, path: str) -> None:
        """Open a page of Home Assistant such as `/config/repairs`."""
        await self.page.goto(self.url + path)

    def button(self, name: str) -> Locator:
        """The button of this name, wherever it is on the page."""
        return self.page.get_by_role("button", name=name, exact=True)

    def text(self, words: str) -> Locator:
        """The element that says exactly this."""
        return self.page.get_by_text(words, exact=True)

    async def sees_pictures(self, name: str) -> None:
        """Expect that the pictures whose addresses hold this name are there and loaded."""
        picture = self.page.locator(f"img[src*='{name}']").first
        await expect(picture).to_be_visible()
        await expect(picture).to_have_js_property("complete", value=True)
        assert await picture.evaluate("image => image.naturalWidth") > 0


_AS_BROWSERS_SAY = {"zh-Hans": "zh-CN", "zh-Hant": "zh-TW"}
"""Languages that a browser names otherwise than Home Assistant."""


@asynccontextmanager
async def visitor(
    browser: Browser,
    hass: HomeAssistant,
    *,
    screen: Screen = DESKTOP,
    theme: Theme = Theme.LIGHT,
    language: str = "en",
) -> AsyncIterator[Visitor]:
    """Open a window for the length of the context; the owner is logged in."""
    tokens = {
        "hassUrl": hass.url,
        "clientId": f"{hass.url}/",
        "expires": _FOREVER,
        "refresh_token": "",
        "access_token": hass.client.token,
        "expires_in": _FOREVER,
        "token_type": "Bearer",
    }
    context = await browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        color_scheme=theme.color_scheme,
        reduced_motion="reduce",
        locale=_AS_BROWSERS_SAY.get(language, language),
        timezone_id="Europe/Berlin",
    )
    context.set_default_timeout(LONGEST_WAIT)
    for name, value in (("hassTokens", tokens), ("selectedLanguage", language)):
        stored = json.dumps(json.dumps(value))
        await context.add_init_script(f"localStorage.setItem('{name}', {stored})")
    try:
        yield Visitor(await context.new_page(), hass.url)
    finally:
        await context.close()

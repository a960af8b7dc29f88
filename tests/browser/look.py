"""What every page has to be: finished, and no wider than the window."""

import re

from playwright.async_api import Locator, Page, expect

from .pictures import Picture, take
from .visitor import Theme

_LOOKS_UNFINISHED = re.compile(r"\{\w+\}|component\.\w+|\bundefined\b|\[object|%key:|\[%")
_PIXELS_TOO_WIDE = """element => {
    let widest = document.scrollingElement.scrollWidth - window.innerWidth;
    let box = element;
    while (box) {
        widest = Math.max(widest, box.scrollWidth - box.clientWidth);
        box = box.parentElement ?? box.assignedSlot ?? box.getRootNode().host;
    }
    return widest;
}"""


async def is_finished(what: Locator) -> None:
    """Expect no key, value or object where there should be words."""
    await expect(what).not_to_contain_text(_LOOKS_UNFINISHED)


async def fits(what: Locator) -> None:
    """Expect that nothing has to be scrolled sideways, in the window or around this element."""
    for theme in (Theme.DARK, Theme.LIGHT):
        await show_in(theme, what.page)
        widest = await what.evaluate(_PIXELS_TOO_WIDE)
        assert widest <= 0, f"{widest} pixels too wide"


async def show_in(theme: Theme, page: Page) -> None:
    """Let a person's system ask for another theme, as it does in the evening."""
    await page.emulate_media(color_scheme=theme.color_scheme)


async def take_in(theme: Theme, page: Page, picture: Picture) -> None:
    """Take a picture of a window in a theme."""
    await show_in(theme, page)
    await take(page, picture)
    await show_in(Theme.LIGHT, page)

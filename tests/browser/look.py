"""What every page has to be: finished, and no wider than the window."""

import re

from playwright.async_api import Locator, expect

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
    widest = await what.evaluate(_PIXELS_TOO_WIDE)
    assert widest <= 0, f"{widest} pixels too wide"

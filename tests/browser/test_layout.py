"""Mails as a mail program's browser shows them: every kind, on every screen, light and dark."""

import re
from typing import Any

from playwright.async_api import Browser, Page, Route
import pytest

from tests.mail.compose import cases
from tests.mail.compose.cards import CARDS

from .mails import composed, page_of
from .pictures import Picture, take
from .visitor import Screen, Theme

READABLE = 4.5
"""The least contrast of text that people with moderately low vision can read (WCAG 2, AA)."""

WIDE = Screen(1280, 800)
PHONE = Screen(360, 740)
COLUMN = 700
"""Pixels that a picture for the documentation shows: the card and a little around it."""

PICTURES = {
    ("doorbell", WIDE, Theme.LIGHT): Picture.MAIL,
    ("doorbell", WIDE, Theme.DARK): Picture.MAIL_DARK,
    ("doorbell", PHONE, Theme.LIGHT): Picture.MAIL_PHONE,
    ("doorbell", PHONE, Theme.DARK): Picture.MAIL_PHONE_DARK,
    ("missing", WIDE, Theme.LIGHT): Picture.MAIL_MISSING,
    ("alarm", WIDE, Theme.LIGHT): Picture.MAIL_ALARM,
    ("report", WIDE, Theme.LIGHT): Picture.MAIL_REPORT,
    ("charts", WIDE, Theme.LIGHT): Picture.MAIL_CHARTS,
    ("charts", PHONE, Theme.DARK): Picture.MAIL_CHARTS_PHONE_DARK,
    ("digest", WIDE, Theme.LIGHT): Picture.MAIL_DIGEST,
    ("test_mail", WIDE, Theme.LIGHT): Picture.MAIL_TEST,
    ("plain", WIDE, Theme.LIGHT): Picture.MAIL_TEXT,
    ("german", PHONE, Theme.LIGHT): Picture.MAIL_GERMAN,
    ("japanese", PHONE, Theme.LIGHT): Picture.MAIL_JAPANESE,
    ("arabic", PHONE, Theme.DARK): Picture.MAIL_ARABIC,
}

CONTRASTS = """() => {
    const luminance = (colour) => {
        const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map((value) => {
            const part = value / 255;
            return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const background = (element) => {
        for (let box = element; box; box = box.parentElement) {
            const colour = getComputedStyle(box).backgroundColor;
            if (colour !== "rgba(0, 0, 0, 0)") return colour;
        }
        return "rgb(255, 255, 255)";
    };
    const found = {};
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.data.trim();
        if (!text) continue;
        const element = walker.currentNode.parentElement;
        const [high, low] = [getComputedStyle(element).color, background(element)]
            .map(luminance).sort((a, b) => b - a);
        found[text] = (high + 0.05) / (low + 0.05);
    }
    return found;
}"""


async def show(browser: Browser, data: bytes, screen: Screen, theme: Theme) -> Any:
    """Open a mail and return the page and what it asked the network for."""
    context = await browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        color_scheme=theme.color_scheme,
    )
    asked: list[str] = []

    async def refuse(route: Route) -> None:
        asked.append(route.request.url)
        await route.abort()

    await context.route(re.compile(r"^(?!data:|about:)"), refuse)
    page = await context.new_page()
    await page.set_content(page_of(data), wait_until="load")
    return page, asked


async def too_wide(page: Page) -> int:
    """Return by how many pixels a page has to be scrolled sideways."""
    width: int = await page.evaluate(
        "() => document.documentElement.scrollWidth - window.innerWidth"
    )
    return width


async def photograph(page: Page, screen: Screen, picture: Picture) -> None:
    """Take the whole mail, and no more of the page beside it than belongs there."""
    width = min(screen.width, COLUMN)
    height: int = await page.evaluate("() => document.body.scrollHeight")
    await page.set_viewport_size({"width": width, "height": height})
    await take(page, picture)


@pytest.mark.parametrize("theme", [*Theme])
@pytest.mark.parametrize("screen", [WIDE, PHONE], ids=["1280", "360"])
@pytest.mark.parametrize("name", CARDS)
async def test_a_mail_fits_is_readable_and_loads_nothing(
    browser: Browser, name: str, screen: Screen, theme: Theme
) -> None:
    page, asked = await show(browser, bytes(composed(name).data), screen, theme)
    assert await too_wide(page) <= 0
    contrasts = await page.evaluate(CONTRASTS)
    assert contrasts
    assert {text: ratio for text, ratio in contrasts.items() if ratio < READABLE} == {}
    broken = "images => images.filter((image) => !image.complete || !image.naturalWidth).length"
    assert await page.locator("img").evaluate_all(broken) == 0
    if picture := PICTURES.get((name, screen, theme)):
        await photograph(page, screen, picture)
    assert asked == []
    await page.context.close()


async def test_cells_stand_below_one_another_on_a_phone(browser: Browser) -> None:
    page, _ = await show(browser, bytes(composed("doorbell").data), PHONE, Theme.LIGHT)
    left = await page.locator(".cell").evaluate_all("cells => cells.map((cell) => cell.offsetLeft)")
    assert len(left) == 2
    assert len(set(left)) == 1
    await page.context.close()


async def test_an_arabic_mail_begins_at_the_right(browser: Browser) -> None:
    page, _ = await show(browser, bytes(composed("arabic").data), WIDE, Theme.LIGHT)
    heading = await page.locator("h1").evaluate(
        "h1 => { const all = document.createRange(); all.selectNodeContents(h1);"
        " return [all.getBoundingClientRect().right, h1.getBoundingClientRect().right]; }"
    )
    assert abs(heading[0] - heading[1]) < 2
    await page.context.close()


async def test_pictures_from_elsewhere_are_not_loaded(browser: Browser) -> None:
    page, asked = await show(browser, bytes(cases.composed("markdown").data), WIDE, Theme.LIGHT)
    assert "tracker.example" not in await page.locator("img").evaluate_all(
        "images => images.map((image) => image.src).join()"
    )
    assert asked == []
    await page.context.close()

"""The page that markdown is sent in, as a mail program's browser shows it."""

import base64
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import BytesIO
import re
from typing import Any

from PIL import Image, ImageDraw
from playwright.async_api import Browser, Page, Route
import pytest

from custom_components.email_courier.mail.address import parse_mailbox
from custom_components.email_courier.mail.compose.content import Attachment, Button, Content
from custom_components.email_courier.mail.compose.message import ComposedMail, compose
from tests.mail.compose.cases import composed

from .pictures import Picture, take
from .visitor import DESKTOP, PHONE, Screen, Theme

READABLE = 4.5
"""The least contrast of text that people with moderately low vision can read (WCAG 2, AA)."""

PICTURES = {
    (DESKTOP, Theme.LIGHT): Picture.MAIL,
    (DESKTOP, Theme.DARK): Picture.MAIL_DARK,
    (PHONE, Theme.LIGHT): Picture.MAIL_PHONE,
    (PHONE, Theme.DARK): Picture.MAIL_PHONE_DARK,
}

MARKDOWN = """\
The bell rang at **21:04**, and nobody has opened yet.

![Front door](cid:door)

| Today | Rings | Opened |
|:------|------:|-------:|
| Front door | 3 | 2 |
| Garden gate | 1 | 1 |

- The light on the porch is *on*.
- The last person left at 18:40: see [the history](/history).
"""

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


def snapshot() -> bytes:
    """Return a picture as a camera at the door might take it at night."""
    image = Image.new("RGB", (640, 360), "#1d2733")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 270, 640, 360), fill="#2c3a3f")
    draw.rectangle((250, 60, 390, 300), fill="#6d4c33", outline="#3c2a1c", width=6)
    draw.ellipse((365, 180, 379, 194), fill="#d9b45b")
    draw.polygon(((470, 40), (540, 40), (620, 360), (400, 360)), fill="#4a4a32")
    draw.ellipse((485, 20, 525, 60), fill="#ffe9a8")
    draw.text((12, 12), "Front door  2026-11-21 21:04:13", fill="#ffffff", font_size=18)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def doorbell() -> ComposedMail:
    """Compose a mail that shows what the layout has."""
    content = Content(
        sender=parse_mailbox("Our home <home@example.test>"),
        to=(parse_mailbox("ada@example.test"),),
        subject="Somebody is at the front door",
        markdown=MARKDOWN,
        attachments=(Attachment("front door.png", snapshot(), "image/png", "door"),),
        button=Button("Open the camera", "/lovelace/cameras"),
        base_url="https://home.example.test",
        home_name="Our home",
        language="en",
    )
    return compose(content, now=datetime(2026, 11, 21, 21, 4, tzinfo=UTC))


def page_of(mail: ComposedMail) -> str:
    """Return the HTML part with its pictures in place, as a mail program shows it."""
    message = message_from_bytes(bytes(mail.data), _class=EmailMessage, policy=default)
    part = message.get_body(("html",))
    assert part is not None
    html: str = part.get_content()
    pictures: dict[str, str] = {}
    for attached in message.walk():
        if content_id := attached.get("Content-ID"):
            data = base64.b64encode(attached.get_content()).decode()
            pictures[content_id.strip("<>")] = f"data:{attached.get_content_type()};base64,{data}"
    return re.sub(r"cid:([^\"]+)", lambda found: pictures[found[1]], html)


async def show(browser: Browser, mail: ComposedMail, screen: Screen, theme: Theme) -> Any:
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
    await page.set_content(page_of(mail), wait_until="load")
    return page, asked


async def too_wide(page: Page) -> int:
    """Return by how many pixels a page has to be scrolled sideways."""
    width: int = await page.evaluate(
        "() => document.documentElement.scrollWidth - window.innerWidth"
    )
    return width


@pytest.mark.parametrize("theme", [*Theme])
@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_a_mail_fits_is_readable_and_loads_nothing(
    browser: Browser, screen: Screen, theme: Theme
) -> None:
    page, asked = await show(browser, doorbell(), screen, theme)
    assert await too_wide(page) <= 0
    contrasts = await page.evaluate(CONTRASTS)
    assert {"Somebody is at the front door", "Open the camera", "Our home"} <= contrasts.keys()
    assert {text: ratio for text, ratio in contrasts.items() if ratio < READABLE} == {}
    picture = page.locator("img")
    assert await picture.evaluate("image => image.complete && image.naturalWidth") == 640
    await take(page, PICTURES[screen, theme])
    assert asked == []
    await page.context.close()


async def test_pictures_from_elsewhere_are_not_loaded(browser: Browser) -> None:
    page, asked = await show(browser, composed("markdown"), DESKTOP, Theme.LIGHT)
    assert "tracker.example" not in await page.locator("img").evaluate_all(
        "images => images.map((image) => image.src).join()"
    )
    assert asked == []
    await page.context.close()

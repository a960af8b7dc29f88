"""Buttons of mails, pressed in a real browser."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
import re

from playwright.async_api import Browser, Page, expect
import pytest

from tests.live.client import Json
from tests.support.scripted_server import ScriptedServer

from .conftest import fixture
from .house import SENDER, House, until_async
from .pictures import Picture, take
from .visitor import PHONE, Screen, Theme

ANNA = "anna@example.test"
SMALL_DESK = Screen(760, 520)
OPEN, IGNORE = "Open the gate", "Ignore"
GATE = [{"action": "OPEN", "title": OPEN}, {"action": "IGNORE", "title": IGNORE}]


@fixture()
async def server(house: House) -> AsyncIterator[ScriptedServer]:
    """The server of an account whose home can be reached from outside."""
    server = await house.serve()
    await house.add_account()
    await house.hass.client.command("config/core/update", external_url=house.hass.url)
    yield server
    # another client once it was restarted
    await house.hass.client.command("config/core/update", external_url=None)


@asynccontextmanager
async def window(
    browser: Browser,
    screen: Screen = PHONE,
    theme: Theme = Theme.LIGHT,
    *,
    has_scripts: bool = True,
) -> AsyncIterator[Page]:
    """Open a browser in which nobody is logged in."""
    context = await browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        color_scheme=theme.color_scheme,
        java_script_enabled=has_scripts,
    )
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def mailed(
    house: House, server: ScriptedServer, **fields: object
) -> tuple[str, dict[str, str]]:
    """Send a mail with buttons; return its page, and where the buttons lead."""
    before = len(server.record.mails)
    await house.hass.client.call(
        "email_courier.send_message",
        {
            "to": ANNA,
            "title": "Open the gate?",
            "message": "Somebody is at the gate.",
            "actions": GATE,
            **fields,
        },
    )
    return read(server.record.mails[before].content)


def read(content: bytes) -> tuple[str, dict[str, str]]:
    """Return the page of a mail, and where its buttons lead."""
    mail = message_from_bytes(content, policy=policy.default)
    bodies = [mail.get_body((kind,)) for kind in ("plain", "html")]
    plain, page = (body.get_content() if body is not None else "" for body in bodies)
    links = re.findall(r"^(.+): (http\S+/api/email_courier/answer\S+)\s*$", plain, re.MULTILINE)
    return page, dict(links)


async def answers(house: House) -> list[Json]:
    """Return what the event of the account says, once it was answered."""
    state = (await house.hass.client.states("event")).get("event.home_example_test_mail")
    return (
        [state["attributes"]] if state and state["attributes"]["event_type"] == "answered" else []
    )


async def until_answered(house: House) -> Json:
    """Wait for the answer."""

    async def is_there() -> bool:
        return bool(await answers(house))

    await until_async(is_there)
    return (await answers(house))[0]


async def test_a_button_of_the_mail_leads_to_its_page_and_a_press_there_acts(
    house: House, server: ScriptedServer, browser: Browser
) -> None:
    html, _ = await mailed(house, server)
    async with window(browser) as page:
        await page.set_content(html)
        await page.get_by_role("link", name=OPEN).click()
        await expect(page.get_by_role("heading", name="Open the gate?")).to_be_visible()
        button = page.get_by_role("button", name=OPEN)
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= 44  # what a finger hits
        assert await answers(house) == []
        await button.click()
        await expect(page.get_by_role("heading", name="Your answer has arrived")).to_be_visible()
    assert (await until_answered(house))["action"] == "OPEN"


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("screen", [PHONE, SMALL_DESK], ids=["phone", "desktop"])
async def test_mail_and_page_fit_every_screen_light_and_dark(
    house: House, server: ScriptedServer, browser: Browser, screen: Screen, theme: Theme
) -> None:
    html, links = await mailed(house, server)
    shots = {
        (SMALL_DESK, Theme.LIGHT): (Picture.BUTTON_MAIL, Picture.BUTTON_PAGE),
        (PHONE, Theme.DARK): (Picture.BUTTON_MAIL_PHONE, Picture.BUTTON_PAGE_PHONE),
    }.get((screen, theme))
    async with window(browser, screen, theme) as page:
        await page.set_content(html)
        assert await page.evaluate("document.documentElement.scrollWidth") <= screen.width
        if shots:
            await take(page, shots[0])
        await page.goto(links[OPEN])
        assert await page.evaluate("document.documentElement.scrollWidth") <= screen.width
        if shots:
            await take(page, shots[1])


async def test_a_press_acts_without_javascript(
    house: House, server: ScriptedServer, browser: Browser
) -> None:
    _, links = await mailed(house, server)
    async with window(browser, has_scripts=False) as page:
        await page.goto(links[IGNORE])
        await page.get_by_role("button", name=IGNORE).click()
        await expect(page.get_by_role("heading", name="Your answer has arrived")).to_be_visible()
    assert (await until_answered(house))["action"] == "IGNORE"


async def test_whoever_presses_again_or_goes_back_reads_when_it_was_answered(
    house: House, server: ScriptedServer, browser: Browser
) -> None:
    _, links = await mailed(house, server)
    async with window(browser) as page, window(browser) as other:
        await other.goto(links[IGNORE])
        await page.goto(links[OPEN])
        await page.get_by_role("button", name=OPEN).click()
        await page.goto(links[OPEN])
        await expect(page.get_by_text("Answered on ")).to_be_visible()
        await other.get_by_role("button", name=IGNORE).click()
        await expect(other.get_by_role("heading")).to_have_text("This has already been answered")
    assert (await until_answered(house))["action"] == "OPEN"


async def test_of_two_people_at_once_one_acts(
    house: House, server: ScriptedServer, browser: Browser
) -> None:
    _, links = await mailed(house, server)
    async with window(browser) as one, window(browser) as other:
        pages = (one, other)
        for page in pages:
            await page.goto(links[OPEN])
        await asyncio.gather(*(page.get_by_role("button", name=OPEN).click() for page in pages))
        said = [await page.get_by_role("heading").inner_text() for page in pages]
    assert sorted(said) == ["This has already been answered", "Your answer has arrived"]


async def test_a_text_is_typed_on_the_page(
    house: House, server: ScriptedServer, browser: Browser
) -> None:
    _, links = await mailed(house, server, actions=[{"action": "REPLY", "title": "Answer"}])
    async with window(browser) as page:
        await page.goto(links["Answer"])
        await page.get_by_label("Your answer").fill("In ten minutes")
        await page.get_by_role("button", name="Answer").click()
        await expect(page.get_by_role("heading", name="Your answer has arrived")).to_be_visible()
    assert (await until_answered(house))["reply_text"] == "In ten minutes"


async def test_a_link_works_after_a_restart(
    house: House, server: ScriptedServer, browser: Browser
) -> None:
    _, links = await mailed(house, server)
    await house.hass.stop()
    await house.hass.start()
    async with window(browser) as page:
        await page.goto(links[OPEN])
        await page.get_by_role("button", name=OPEN).click()
        await expect(page.get_by_role("heading", name="Your answer has arrived")).to_be_visible()


async def test_who_has_to_sign_in_is_named_and_keeps_no_login(
    house: House, server: ScriptedServer, browser: Browser
) -> None:
    _, links = await mailed(house, server, actions_sign_in=True)
    client, person = house.hass.client, house.hass.person
    before = await client.command("auth/refresh_tokens")
    async with window(browser) as page:
        await page.goto(links[OPEN])
        await page.get_by_role("button", name="Sign in to answer").click()
        await page.locator("input[name=username]").fill(person.username)
        await page.locator("input[name=password]").fill(person.password)
        await page.keyboard.press("Enter")
        await expect(page.get_by_text(f"Signed in as {person.name}")).to_be_visible()
        assert await answers(house) == []
        await page.get_by_role("button", name=OPEN).click()
        await expect(page.get_by_role("heading", name="Your answer has arrived")).to_be_visible()
    assert (await until_answered(house))["user"] == person.name
    assert len(await client.command("auth/refresh_tokens")) == len(before)
    assert SENDER in str(await client.states("event"))

"""One Home Assistant and one browser for all tests; each test leaves it without accounts."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
import shutil

from playwright.async_api import Browser, async_playwright, expect
import pytest
import pytest_asyncio

from tests.live.hass_runner import HomeAssistant, home_assistant
from tests.support.certificates import Certificates

from .house import HOST_NAMES, House
from .names import point_to_loopback
from .visitor import DESKTOP, LONGEST_WAIT, Screen, Theme, Visitor, visitor

fixture = partial(pytest_asyncio.fixture, loop_scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests here share one event loop, on which Home Assistant's client lives."""
    for item in items:
        if Path(__file__).parent in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    """The authority that Home Assistant trusts."""
    return Certificates()


@fixture(scope="session")
async def hass(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[HomeAssistant]:
    """The one Home Assistant."""
    folder = tmp_path_factory.mktemp("browser")
    point_to_loopback(HOST_NAMES, folder / "hosts")
    async with home_assistant(
        folder / "config", authority_pem=certificates.authority_pem
    ) as running:
        yield running


@fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The one browser: the system's own."""
    expect.set_options(timeout=LONGEST_WAIT)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium-headless-shell"),
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        yield browser
        await browser.close()


@fixture()
async def house(hass: HomeAssistant, certificates: Certificates) -> AsyncIterator[House]:
    """Home Assistant and mail servers for one test, which are gone after it."""
    async with AsyncExitStack() as stack:
        house = House(hass, certificates, stack)
        yield house
        await house.remove_accounts()


class Screens:
    """Opens windows for one test."""

    def __init__(self, browser: Browser, hass: HomeAssistant, stack: AsyncExitStack) -> None:
        """Close what was opened as the stack unwinds."""
        self._browser = browser
        self._hass = hass
        self._stack = stack

    async def open(
        self, screen: Screen = DESKTOP, theme: Theme = Theme.LIGHT, language: str = "en"
    ) -> Visitor:
        """Open one more window."""
        window = visitor(self._browser, self._hass, screen=screen, theme=theme, language=language)
        return await self._stack.enter_async_context(window)


@fixture()
async def screens(browser: Browser, hass: HomeAssistant) -> AsyncIterator[Screens]:
    """Windows of any size and theme."""
    async with AsyncExitStack() as stack:
        yield Screens(browser, hass, stack)


@fixture()
async def ada(screens: Screens) -> Visitor:
    """The owner at her desk, by day."""
    return await screens.open()

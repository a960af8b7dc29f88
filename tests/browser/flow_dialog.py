"""Home Assistant's dialog for config flows and subentries, as a person sees it: by its labels."""

import re

from playwright.async_api import Locator, Page, expect

from .look import fits, is_finished

_STEPS = "step-flow-form, step-flow-menu, step-flow-progress, step-flow-create-entry"


class FlowDialog:
    """The open dialog of a window."""

    def __init__(self, page: Page) -> None:
        """Be about whichever dialog is open; what has been done in it is counted."""
        self.page = page
        self.pages = 0
        self.typed = 0
        self.root = page.locator("dialog-data-entry-flow")
        self._form = self.root.locator("step-flow-form")
        self._step = self.root.locator(_STEPS)
        self._button = self.root.locator("ha-dialog-footer ha-button[slot='primaryAction']")

    def field(self, label: str) -> Locator:
        """The field with this label."""
        words = re.compile(rf"^\s*(Add )?{re.escape(label)}\s*\*?\s*$")
        return self._form.locator("ha-selector").filter(has=self.page.get_by_text(words))

    async def titled(self, title: str) -> None:
        """Wait for the page with this title, and expect nothing unfinished on it."""
        await expect(self.root.get_by_text(title, exact=True).first).to_be_visible()
        # Texts with marks come later than the rest.
        unwritten = self.root.locator("ha-markdown").filter(has_not_text=re.compile(r"\S"))
        await expect(unwritten).to_have_count(0)
        await is_finished(self.root)

    async def says(self, *words: str) -> None:
        """Expect each of these texts somewhere in the dialog."""
        for text in words:
            await expect(self.root).to_contain_text(text)

    async def shows(self, label: str) -> None:
        """Expect a field to be seen."""
        await expect(self.field(label)).to_be_visible()

    async def unfold(self, section: str) -> None:
        """Open a section of the form."""
        await self._form.get_by_text(section, exact=True).click()

    async def fill(self, label: str, value: str | int) -> None:
        """Type into a field."""
        await self.field(label).locator("input").first.fill(str(value))
        self.typed += 1

    async def holds(self, label: str, value: str | int) -> None:
        """Expect a value in a field."""
        await expect(self.field(label).locator("input").first).to_have_value(str(value))

    async def add(self, label: str, *values: str) -> None:
        """Add entries to a field that takes several."""
        field = self.field(label)
        for value in values:
            await field.get_by_role("button", name=f"Add {label}").click()
            await field.locator("input").last.fill(value)

    async def switch(self, label: str) -> None:
        """Turn a switch over."""
        await self.field(label).locator("ha-switch").click()

    async def choose(self, label: str, option: str) -> None:
        """Pick an option of a list."""
        field = self.field(label)
        await field.get_by_role("button").click()
        await field.get_by_text(option, exact=True).last.click()
        await expect(field).to_contain_text(option)

    async def pick(self, option: str) -> None:
        """Pick an option of a menu."""
        self.pages += 1
        await self.root.locator("step-flow-menu").get_by_text(option, exact=True).click()

    async def press(self, name: str) -> None:
        """Press a button at the bottom."""
        await self.root.get_by_role("button", name=name, exact=True).click()

    async def submit(self, name: str | None = None) -> None:
        """Send the page off, with the button of this name where it matters."""
        if name is not None:
            await expect(self._button).to_have_text(name)
        self.pages += 1
        await self._button.click()

    async def fits(self) -> None:
        """Expect that nothing has to be scrolled sideways, in the window or in the dialog."""
        await fits(self._step)

    async def close(self) -> None:
        """Close the dialog by its cross."""
        await self.root.get_by_role("button", name="Close").first.click()
        await expect(self.root.get_by_role("dialog")).to_have_count(0)

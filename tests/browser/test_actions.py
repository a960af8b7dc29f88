"""The action's editor, as it comes up in the tools and in automations."""

import re

from playwright.async_api import Locator, expect

from .conftest import Screens
from .house import SENDER, House, mails
from .pictures import Picture, take
from .translations import english
from .visitor import Screen, Visitor

ACTION = "email_courier.send_message"
WHOLE = Screen(1000, 3600)
"""A window in which every field of the action is seen at once."""


async def open_editor(person: Visitor) -> Locator:
    """Choose the action in the tools, with every section open."""
    await person.go("/config/tools/action")
    await person.page.locator("ha-service-picker").click()
    await person.page.keyboard.type(ACTION)
    await person.text(ACTION).click()
    editor = person.page.locator("ha-service-control")
    for section in await editor.locator("ha-expansion-panel").all():
        await section.get_by_role("button").first.click()
    return editor


def row(editor: Locator, name: str) -> Locator:
    """The row of a field."""
    heading = editor.page.get_by_text(re.compile(rf"^\s*{re.escape(name)}\s*$"))
    return editor.locator("ha-settings-row").filter(has=heading)


async def test_every_field_is_there_by_its_name_and_explained(
    house: House, screens: Screens
) -> None:
    await house.serve()
    await house.add_account()
    ada = await screens.open(WHOLE)
    editor = await open_editor(ada)
    fields = english()["services"]["send_message"]["fields"]
    await expect(editor.locator("ha-settings-row")).to_have_count(len(fields))
    for field in fields.values():
        shown = row(editor, field["name"])
        await expect(shown).to_be_visible()
        await expect(shown.locator("ha-markdown").first).to_have_text(re.compile(r"\w"))
        await expect(shown.locator("ha-selector")).to_be_visible()
    await take(editor, Picture.ACTION)


async def test_a_mail_is_sent_from_the_editor_and_its_response_is_shown(
    house: House, ada: Visitor
) -> None:
    server = await house.serve()
    await house.add_account()
    editor = await open_editor(ada)
    await ada.button("Add target").click()
    await ada.page.keyboard.type(SENDER)
    await ada.text(SENDER).last.click()
    for name, value in (("To", "ada@example.test"), ("Title", "Doorbell"), ("Message", "Ding")):
        field = row(editor, name)
        if name == "To":
            await field.locator("ha-checkbox").click()
            await field.get_by_role("button", name="Add").click()
        await field.locator("input:not([type=checkbox]), textarea").first.fill(value)
    await ada.button("Perform action").click()
    (mail,) = await mails(server, 1)
    assert mail.recipients == ("ada@example.test",)
    assert b"Subject: Doorbell\r\n" in mail.content
    await expect(ada.page.locator("tools-action")).to_contain_text("status: sent")

"""An account's own page: its entities, its test mail, its diagnostics."""

import asyncio
import json
from pathlib import Path

from playwright.async_api import expect

from tests.support.script import HEALTHY, PASSWORD, USERNAME, Step, say

from .house import DOMAIN, SENDER, House, mails
from .pictures import Picture, take
from .translations import english
from .visitor import Visitor


async def open_device(house: House, person: Visitor) -> None:
    """Open the page of the account's device."""
    devices = await house.hass.client.command("config/device_registry/list")
    (device,) = (device for device in devices if device["name"] == SENDER)
    await person.go(f"/config/devices/device/{device['id']}")
    await expect(person.text("Service info")).to_be_visible()


_ELSEWHERE = {"addresses", "send_now", "next_report", "last_report"}
"""Entities of the devices of recipients and reports."""


async def test_the_device_lists_every_entity_by_its_name(house: House, ada: Visitor) -> None:
    await house.serve()
    account = await house.add_account()
    await house.add_recipient(account, "Family", "grace@example.test")
    await open_device(house, ada)
    for domain, entities in english()["entity"].items():
        for key, entity in entities.items():
            if key not in _ELSEWHERE and (name := entity.get("name")):
                await expect(ada.text(name).first, f"{domain} {name}").to_be_visible()
    await expect(ada.page.get_by_role("link", name="Family")).to_be_visible()


async def test_the_button_sends_a_test_mail(house: House, ada: Visitor) -> None:
    server = await house.serve()
    await house.add_account()
    await open_device(house, ada)
    await ada.button("Press").last.click()
    (mail,) = await mails(server, 1)
    assert mail.recipients == (SENDER,)
    await expect(ada.page.locator("ha-device-entities-card").last).to_contain_text("Connected")
    await take(ada.page, Picture.DEVICE)


async def test_a_test_mail_that_fails_shows_the_servers_words(house: House, ada: Visitor) -> None:
    await house.serve(HEALTHY.but(answers={Step.DATA: say("554 5.7.1 Not today")}))
    await house.add_account()
    await open_device(house, ada)
    await ada.button("Press").last.click()
    await expect(ada.page.locator("notification-manager")).to_contain_text("554 5.7.1 Not today")


async def test_diagnostics_are_downloaded_without_a_secret(house: House, ada: Visitor) -> None:
    await house.serve()
    await house.add_account()
    await open_device(house, ada)
    async with ada.page.expect_download() as started:
        await ada.page.get_by_text("Download diagnostics").click()
    download = await started.value
    text = await asyncio.to_thread(Path(await download.path()).read_text, encoding="utf-8")
    content = json.loads(text)
    assert content["home_assistant"]["version"]
    assert content["integration_manifest"]["domain"] == DOMAIN
    assert content["data"]["settings"]["port"] == 587
    assert PASSWORD not in text
    assert USERNAME not in text

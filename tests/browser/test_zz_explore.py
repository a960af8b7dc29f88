"""Explore."""
import asyncio
from pathlib import Path
import shutil
from PIL import Image
from tests.live.client import Json
from tests.live.dialog import Dialog
from .house import House, mails
from .visitor import Visitor, Screen

OUT = Path("/tmp/wact")

async def add_camera(house: House) -> None:
    folder = house.hass.folder / "www"
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (640, 360), "steelblue").save(folder / "front_door.jpg")
    dialog = Dialog(house.hass.client)
    step = await dialog.begin("local_file")
    await dialog.complete(step, {"file_path": str(folder / "front_door.jpg")})
    await house.hass.client.until_state("camera.front_door")

async def test_explore(house: House, screens) -> None:
    await house.serve()
    account = await house.add_account()
    await house.add_recipient(account, "Family", "grace@example.test")
    await add_camera(house)
    ada = await screens.open(Screen(1000, 1000))
    page = ada.page
    devices = await house.hass.client.command("config/device_registry/list")
    (device,) = (d for d in devices if d["name"] == "Family")
    acc = [d for d in devices if (("email_courier", account) in [tuple(i) for i in d["identifiers"]])][0]
    print(await house.hass.client.command("get_services_for_target", target={"device_id": [device["id"]]}))
    print(await house.hass.client.command("get_triggers_for_target", target={"device_id": [device["id"]]}))
    print(await house.hass.client.command("get_services_for_target", target={"device_id": [acc["id"]]}))
    print(await house.hass.client.command("get_triggers_for_target", target={"device_id": [acc["id"]]}))
    await ada.go(f"/config/devices/device/{device['id']}")
    await asyncio.sleep(3)
    await page.screenshot(path=OUT/"1.png")
    for name in ("Add to automation", "Create automation with device", "Add automation", "Add"):
        print(name, await page.get_by_role("button", name=name).count())
    card = page.locator("ha-card").filter(has_text="Automations")
    print(await page.locator("ha-config-device-page").inner_text())
    buttons = card.locator("ha-icon-button, ha-button, mwc-icon-button")
    print("buttons", await buttons.count())
    await buttons.first.click()
    await asyncio.sleep(3)
    await page.screenshot(path=OUT/"2.png")
    await ada.go("/config/automation/edit/new")
    await asyncio.sleep(3)
    await page.screenshot(path=OUT/"3.png")

"""Large attachments: how long the event loop stands still, and how much memory they take."""

from __future__ import annotations

import asyncio
from io import BytesIO
import os

from PIL import Image

from tests.live.client import Json

from .bench import Bench, say
from .figures import CORE, COURIER, Measurement
from .house import Account, Taken
from .servers import endpoints_of, settle

FILE, BYTES = "file", "bytes of a camera"
SNAPSHOTS = "three snapshots of 3840 x 2160 in the card"


async def measure(bench: Bench) -> None:
    """Send each size as a file and as bytes; also look at the loop while nothing happens."""
    endpoint = endpoints_of(bench.postfix)[0]
    accounts = {who: await bench.house.add(who, endpoint) for who in (COURIER, CORE)}
    for _ in range(bench.rounds):
        idle = await bench.house.perform("homeassistant.save_persistent_states", {}, watch=True)
        bench.figures.add(Measurement("idle: longest stall", "ms"), COURIER, 1000 * idle.stall)
    await _snapshots(bench, accounts[COURIER])
    for size in bench.megabytes:
        await asyncio.to_thread(bench.house.add_file, _name(size), os.urandom(size * 1_000_000))
        for _ in range(bench.rounds):
            look: Json = {"entity_id": f"camera.bench_{size}"}
            taken = await bench.house.perform("courier_bench.look", look, watch=True)
            name = f"{size} MB, {BYTES}, which alone makes them: longest stall"
            bench.figures.add(Measurement(name, "ms"), COURIER, 1000 * taken.stall)
        for form in (FILE, BYTES):
            say(f"{size} MB as {form}")
            for _ in range(bench.rounds):
                for who, account in accounts.items():
                    taken = await _send(bench, who, account, form, size)
                    name = f"{size} MB, {form}"
                    add = bench.figures.add
                    add(Measurement(f"{name}: time", "ms"), who, 1000 * taken.seconds)
                    add(Measurement(f"{name}: longest stall", "ms"), who, 1000 * taken.stall)
                    add(Measurement(f"{name}: extra memory", "MB"), who, taken.memory / 1_000_000)
                    await settle(bench.postfix)


async def _snapshots(bench: Bench, account: Account) -> None:
    """Send what a doorbell sends: pictures that are made smaller and shown."""
    say(SNAPSHOTS)
    file = await asyncio.to_thread(bench.house.add_file, "snapshot.jpg", snapshot())
    data: Json = {
        "entity_id": account.entities,
        "title": "Somebody is at the door",
        "message": "The bell rang.",
        "layout": "card",
        "max_width": 1280,
        "attachments": [{"path": str(file)}] * 3,
    }
    add = bench.figures.add
    for _ in range(bench.rounds):
        taken = await bench.house.perform("email_courier.send_message", data, watch=True)
        add(Measurement(f"{SNAPSHOTS}: time", "ms"), COURIER, 1000 * taken.seconds)
        add(Measurement(f"{SNAPSHOTS}: longest stall", "ms"), COURIER, 1000 * taken.stall)
        add(Measurement(f"{SNAPSHOTS}: extra memory", "MB"), COURIER, taken.memory / 1_000_000)
        await settle(bench.postfix)


def snapshot(width: int = 3840, height: int = 2160) -> bytes:
    """Return a JPEG with as much detail as a camera's."""
    red, green, blue = (Image.effect_noise((width // 4, height // 4), 60) for _ in range(3))
    coarse = Image.merge("RGB", (red, green, blue))
    out = BytesIO()
    coarse.resize((width, height), Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    return out.getvalue()


async def _send(bench: Bench, who: str, account: Account, form: str, size: int) -> Taken:
    data: Json = {"message": "The recording of the door.", "entity_id": account.entities}
    wanted: Json
    if who == COURIER:
        wanted = (
            {"path": str(bench.house.hass.folder / "media" / _name(size))}
            if form == FILE
            else {"entity_id": f"camera.bench_{size}"}
        )
        action = "email_courier.send_message"
    else:
        media = (
            f"media_source/local/{_name(size)}" if form == FILE else f"camera/camera.bench_{size}"
        )
        wanted = {
            "media_source": {
                "media_content_id": f"media-source://{media}",
                "media_content_type": "image/jpeg",
            },
            "filename": f"{size}.jpg",
        }
        action = "smtp.send_message"
    return await bench.house.perform(action, {**data, "attachments": [wanted]}, watch=True)


def _name(size: int) -> str:
    return f"{size}.bin"

"""What an outbox makes of a real disk that is too small, and of one that cannot be written.

A program for a mount namespace of its own: it mounts what it needs, and prints what it saw.
"""

import json
from pathlib import Path
import subprocess
import sys
from typing import Any

from custom_components.email_courier.mail.outbox.submission import OutboxError
from tests.mail.outbox.house import House, mail
from tests.mail.outbox.servers import DOWN

SIZE = 256 * 1024


def mount(options: str, folder: Path) -> None:
    """Mount a disk in memory, or change how it is mounted."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    subprocess.run(command, check=True)


async def fill(house: House) -> dict[str, Any]:
    """Hand in mails until there is no room, and let them go."""
    house.server.failure = DOWN
    kept = []
    error = ""
    while not error:
        sent = mail(text="x" * 20_000)
        try:
            await house.courier.submit(sent)
        except OutboxError as raised:
            error = f"{raised.reason}: {raised.detail}"
        else:
            kept.append(sent.data)
    files = house.files
    await house.restart()
    waiting = house.courier.state.waiting
    house.server.failure = None
    await house.turn(60)
    return {
        "kept": len(kept),
        "error": error,
        "files": files,
        "waiting": waiting,
        "arrived": sorted(data.decode() for _, data in house.server.mails)
        == sorted(bytes(data).decode() for data in kept),
        "left": house.files,
    }


async def protect(house: House, folder: Path) -> dict[str, Any]:
    """Hand in mails while the disk cannot be written."""
    house.server.failure = DOWN
    await house.courier.submit(mail())
    mount(f"remount,ro,size={SIZE}", folder)
    errors = []
    try:
        await house.courier.submit(mail())
    except OutboxError as raised:
        errors.append(f"{raised.reason}: {raised.detail}")
    house.server.failure = None
    await house.courier.submit(mail(queue=False))
    await house.restart()
    mount(f"remount,rw,size={SIZE}", folder)
    await house.restart()
    await house.turn(3600)
    return {"errors": errors, "arrivals": len(house.server.mails), "left": house.files}


async def run(folder: Path) -> None:
    """Print what was seen, as JSON."""
    mount(f"size={SIZE}", folder)
    seen: dict[str, Any] = {}
    seen["full"] = await fill(House(folder / "full"))
    seen["read_only"] = await protect(House(folder / "protected"), folder)
    sys.stdout.write(json.dumps(seen))

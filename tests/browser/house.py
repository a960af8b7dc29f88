"""What stands behind the screen: mail servers, and the accounts that a test begins with."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from PIL import Image

from tests.live.client import Json
from tests.live.dialog import SUBENTRY, Dialog, DialogError, fill
from tests.live.hass_runner import HomeAssistant
from tests.support.certificates import Certificates
from tests.support.record import Mail
from tests.support.script import HEALTHY, PASSWORD, USERNAME, Script
from tests.support.scripted_server import ScriptedServer

DOMAIN = "email_courier"
CORE_DOMAIN = "smtp"
CAMERA_DOMAIN = "local_file"
SENDER = "home@example.test"
HOST = "mail.example.test"
GMAIL = "smtp.gmail.com"
OWN_DOMAIN = "stand-in.email"
"""A domain of public DNS that no provider owns, with a mail server where most have it."""
HOST_NAMES = (HOST, GMAIL, f"mail.{OWN_DOMAIN}")
"""What the machine's resolver finds at 127.0.0.1."""
STARTTLS_PORT = 587
TLS_PORT = 465

_ACCOUNT: Json = {
    "sender": SENDER,
    "port": STARTTLS_PORT,
    "encryption": "starttls",
    "username": USERNAME,
    "password": PASSWORD,
}
_POLL = 0.1


class House:
    """One Home Assistant without an account, and a network with whatever servers are started."""

    def __init__(
        self, hass: HomeAssistant, certificates: Certificates, stack: AsyncExitStack
    ) -> None:
        """Stop what was started as the stack unwinds."""
        self.hass = hass
        self.certificates = certificates
        self._stack = stack

    async def serve(
        self,
        script: Script = HEALTHY,
        port: int = STARTTLS_PORT,
        certificates: Certificates | None = None,
    ) -> ScriptedServer:
        """Start a mail server at `HOST`, on the port that a person would expect it on.

        Its certificates come from the authority that Home Assistant trusts, or from another one.
        """
        server = ScriptedServer(script, certificates or self.certificates)
        server.port = port
        return await self._stack.enter_async_context(server)

    async def add_account(self, sender: str = SENDER) -> str:
        """Set up an account at the server on `STARTTLS_PORT` and return its entry's id.

        A certificate that has to be trusted by hand is trusted.
        """
        values = {"sender": sender, "enter_manually": True, "host": HOST}
        return await self._set_up(DOMAIN, values)

    async def add_core_account(self, recipient: str) -> str:
        """Set up the same account in Home Assistant's own integration, with one recipient."""
        entry_id = await self._set_up(CORE_DOMAIN, {"server": HOST, "sender_name": "Our home"})
        await self._add_subentry(entry_id, {"name": recipient, "recipient": recipient})
        return entry_id

    async def add_recipient(self, entry_id: str, name: str, *addresses: str) -> None:
        """Add a recipient to an account."""
        await self._add_subentry(entry_id, {"name": name, "to": list(addresses)})

    async def add_camera(self) -> str:
        """Set up a camera that always sees the same, and return its entity."""
        folder = self.hass.folder / "www"
        await asyncio.to_thread(_draw, folder / "front_door.jpg")
        dialog = Dialog(self.hass.client)
        await dialog.complete(
            await dialog.begin(CAMERA_DOMAIN), {"file_path": str(folder / "front_door.jpg")}
        )
        await self.hass.client.until_state("camera.front_door")
        return "camera.front_door"

    async def device(self, name: str) -> str:
        """Return the id of the device of this name."""
        found: list[str] = []

        async def is_there() -> bool:
            devices = await self.hass.client.command("config/device_registry/list")
            found[:] = [device["id"] for device in devices if device["name"] == name]
            return bool(found)

        await until_async(is_there)
        return found[0]

    async def entries(self, domain: str = DOMAIN) -> list[Json]:
        """Return the config entries of an integration."""
        found: list[Json] = await self.hass.client.command("config_entries/get", domain=domain)
        return found

    async def remove_accounts(self) -> None:
        """Leave nothing for the next test: no account, and no dialog of one."""
        client = self.hass.client
        for domain in (DOMAIN, CORE_DOMAIN, CAMERA_DOMAIN):
            for entry in await self.entries(domain):
                await client.delete(f"/api/config/config_entries/entry/{entry['entry_id']}")
        for flow in await client.command("config_entries/flow/progress"):
            if flow["handler"] in (DOMAIN, CORE_DOMAIN):
                await Dialog(client).close(flow["flow_id"])

    async def _set_up(self, domain: str, values: Json) -> str:
        dialog = Dialog(self.hass.client)
        values = {**_ACCOUNT, **values}
        step = await dialog.begin(domain)
        try:
            step = await dialog.complete(step, values)
        except DialogError as error:
            if error.step.get("errors") != {"base": "certificate_untrusted"}:
                raise
            trusting = fill(error.step["data_schema"], {**values, "trust_certificate": True})
            step = await dialog.complete(await dialog.answer(error.step, trusting), values)
        if following := step.get("next_flow"):
            await Dialog(self.hass.client, SUBENTRY).close(following[1])
        entry_id: str = step["result"]["entry_id"]
        return entry_id

    async def _add_subentry(self, entry_id: str, values: Json) -> None:
        dialog = Dialog(self.hass.client, SUBENTRY)
        await dialog.complete(await dialog.begin((entry_id, "recipient")), values)


def _draw(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (640, 360), "steelblue").save(path)


async def mails(server: ScriptedServer, count: int, timeout: float = 30) -> list[Mail]:
    """Return all mails that a server took, as soon as there are at least `count`."""
    await until(lambda: len(server.record.mails) >= count, timeout)
    return server.record.mails


async def until(condition: Callable[[], bool], timeout: float = 30) -> None:
    """Wait until something has come about. Raises TimeoutError after `timeout` seconds."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(_POLL)


async def until_async(condition: Callable[[], Awaitable[bool]], timeout: float = 30) -> None:
    """Wait until something that has to be asked for has come about, as `until` does."""
    async with asyncio.timeout(timeout):
        while not await condition():
            await asyncio.sleep(_POLL)

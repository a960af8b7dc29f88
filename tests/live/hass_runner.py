"""Starts a whole Home Assistant in a folder of its own, with this project's integration in it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
import json
import os
from pathlib import Path
import secrets
import signal
import socket
import sys

import aiohttp
import certifi

from .client import Client, Json

LOOPBACK = "127.0.0.1"
INTEGRATION = Path(__file__).resolve().parents[2] / "custom_components" / "email_courier"

_CLIENT_NAME = "Email Courier tests"
_START_TIMEOUT = 120
_STOP_TIMEOUT = 60

# A country, or Home Assistant asks for one. No `http:`, which would be taken for a trial.
_CONFIGURATION = """\
homeassistant:
  name: Email Courier
  country: DE
  language: en
  time_zone: Europe/Berlin
frontend:
automation: !include automations.yaml
"""


class StartError(Exception):
    """Home Assistant did not come up; the text ends with what it last logged."""


@dataclass(frozen=True)
class Person:
    """The owner of a Home Assistant."""

    name: str
    username: str
    password: str


class HomeAssistant:
    """One installation: a folder, a port, an owner, and the process while it runs.

    It can be stopped, killed and started again; the folder, the port and the owner stay.
    """

    def __init__(
        self,
        folder: Path,
        *,
        authority_pem: str = "",
        configuration: str = "",
        debug: bool = False,
        components: tuple[Path, ...] = (INTEGRATION,),
    ) -> None:
        """Lay out the folder; nothing is started yet.

        Args:
            folder: An empty or new folder for the configuration.
            authority_pem: A certificate authority to trust beside the usual ones.
            configuration: YAML to add to `configuration.yaml`.
            debug: Whether its event loop runs in asyncio's debug mode.
            components: Folders of the custom integrations that are in it.
        """
        self.folder = folder
        self.url = f"http://{LOOPBACK}:{_free_port()}"
        self.person = Person("Ada", "ada", secrets.token_urlsafe(12))
        self._debug = ["--debug"] if debug else []
        self._token = ""
        self._process: asyncio.subprocess.Process | None = None
        self._client: Client | None = None
        self._lay_out(authority_pem, configuration, components)

    @property
    def client(self) -> Client:
        """The owner's client; there is one while Home Assistant runs."""
        if self._client is None:
            raise RuntimeError("Home Assistant is not running")
        return self._client

    @property
    def log_file(self) -> Path:
        """Where all that Home Assistant prints goes, through every restart."""
        return self.folder / "output.log"

    def log(self) -> str:
        """Return what was logged so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    async def start(self) -> None:
        """Start it, make its owner the first time, and wait until everything is set up.

        Raises:
            StartError: it ended, or was not ready in time.
        """
        with self.log_file.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "homeassistant", "--skip-pip", "--log-no-color"),
                *("--config", str(self.folder), *self._debug),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # It looks for components in the folder it is started from, too, and there first.
                cwd=self.folder,
                env=self._environment(),
                # Ctrl-C is for whoever started this; Home Assistant is stopped in order.
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                await self._until_served()
                if not self._token:
                    self._token = await self._make_owner()
                self._client = Client(self.url, self._token)
                while (await self._client.get("/api/config"))["state"] != "RUNNING":
                    await asyncio.sleep(0.1)
        except TimeoutError:
            await self.kill()
            raise StartError(f"not ready after {_START_TIMEOUT} s\n{self._log_end()}") from None
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """Stop it as a person would; what it has to save it saves."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it without a warning, as a power cut would."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Stop it and start it again on the same folder."""
        await self.stop()
        await self.start()

    async def _end(self, how: signal.Signals) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.send_signal(how)
        try:
            async with asyncio.timeout(_STOP_TIMEOUT):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    def _lay_out(
        self, authority_pem: str, configuration: str, components: tuple[Path, ...]
    ) -> None:
        storage = self.folder / ".storage"
        storage.mkdir(parents=True)
        (self.folder / "configuration.yaml").write_text(_CONFIGURATION + configuration)
        (self.folder / "automations.yaml").write_text("[]\n")
        (self.folder / "custom_components").mkdir()
        for component in components:
            (self.folder / "custom_components" / component.name).symlink_to(component)
        bundle = Path(certifi.where()).read_text(encoding="utf-8") + authority_pem
        (self.folder / "authorities.pem").write_text(bundle, encoding="utf-8")
        port = int(self.url.rpartition(":")[2])
        for key, version, minor_version, data in (
            ("http", 2, 2, _http_settings(port)),
            # All but the owner. The step "core_config" would set up things that call the internet.
            ("onboarding", 4, 1, {"done": ["core_config", "analytics", "integration"]}),
        ):
            content = {"key": key, "version": version, "minor_version": minor_version, "data": data}
            (storage / key).write_text(json.dumps(content))

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ)
        # Home Assistant's own contexts read the one, Python's defaults the other.
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            environment[name] = str(self.folder / "authorities.pem")
        return environment

    async def _until_served(self) -> None:
        assert self._process
        async with aiohttp.ClientSession() as session:
            while self._process.returncode is None:
                try:
                    async with session.get(f"{self.url}/manifest.json"):
                        return
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.1)
        raise StartError(f"it ended with {self._process.returncode}\n{self._log_end()}")

    async def _make_owner(self) -> str:
        """Do the one step of onboarding that is left, and return a lasting access token."""
        client_id = f"{self.url}/"
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            owner = {
                "name": self.person.name,
                "username": self.person.username,
                "password": self.person.password,
                "client_id": client_id,
                "language": "en",
            }
            async with session.post(f"{self.url}/api/onboarding/users", json=owner) as response:
                code = (await response.json())["auth_code"]
            grant = {"grant_type": "authorization_code", "code": code, "client_id": client_id}
            async with session.post(f"{self.url}/auth/token", data=grant) as response:
                access_token = (await response.json())["access_token"]
        async with Client(self.url, access_token) as client:
            token: str = await client.command(
                "auth/long_lived_access_token", client_name=_CLIENT_NAME, lifespan=1
            )
        return token

    def _log_end(self) -> str:
        return "\n".join(self.log().splitlines()[-30:])


@asynccontextmanager
async def home_assistant(
    folder: Path,
    *,
    authority_pem: str = "",
    configuration: str = "",
    debug: bool = False,
    components: tuple[Path, ...] = (INTEGRATION,),
) -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant for the length of the context; see `HomeAssistant` for the arguments."""
    hass = await asyncio.to_thread(
        lambda: HomeAssistant(
            folder,
            authority_pem=authority_pem,
            configuration=configuration,
            debug=debug,
            components=components,
        )
    )
    await hass.start()
    try:
        yield hass
    finally:
        await hass.stop()


def _http_settings(port: int) -> Json:
    stable = {
        "server_host": [LOOPBACK],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "use_x_frame_options": True,
        "ssl_profile": "modern",
        "created_at": datetime.now(UTC).isoformat(),
        "error": None,
        "error_message": None,
    }
    return {"stable": stable, "pending": None, "yaml_migration_done": True}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port

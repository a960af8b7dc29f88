"""A real Home Assistant with both integrations in it, measured from inside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live.client import Json
from tests.live.hass_runner import INTEGRATION, HomeAssistant
from tests.servers.people import PASSWORD, RECIPIENT, SENDER, USERNAME

from .endpoint import HOST, Endpoint
from .figures import CORE, COURIER

_COMPONENT = Path(__file__).with_name("component")
_DOMAIN = "courier_bench"
TEXT = "The door of the garage has been open for ten minutes."
"""What every client sends."""
DOMAINS = {COURIER: "email_courier", CORE: "smtp"}


@dataclass(frozen=True)
class Account:
    """A loaded config entry and its notify entities."""

    entry_id: str
    entities: Sequence[str]


@dataclass(frozen=True)
class Taken:
    """What an action took.

    seconds: of the clock; processor: of the processor, in all threads of Home Assistant.
    stall: seconds; memory: bytes, both only where watched.
    """

    seconds: float
    processor: float
    stall: float = 0.0
    memory: float = 0.0


class House:
    """Accounts of both integrations in one Home Assistant."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Belong to a Home Assistant that runs."""
        self.hass = hass

    def add_file(self, name: str, data: bytes) -> Path:
        """Write a file that both may attach, the one by its path, the other as local media."""
        file = self.hass.folder / "media" / name
        file.write_bytes(data)
        return file

    async def add(
        self,
        who: str,
        endpoint: Endpoint,
        recipients: Sequence[str] = (RECIPIENT,),
        *,
        layout: str = "plain",
        **options: Any,
    ) -> Account:
        """Add an account of one of the two integrations, one recipient for each address.

        layout: that of mail which asks for none. options: further ones; core's has none at all.
        """
        answer = await self._ask(
            "add_account",
            domain=DOMAINS[who],
            title=f"{who} {endpoint.name} {len(recipients)}",
            data=_data(who, endpoint),
            options={"layout": layout, **options} if who == COURIER else {},
            subentries=[_subentry(who, address) for address in recipients],
        )
        if answer["state"] != "loaded" or len(answer["entities"]) != len(recipients):
            raise RuntimeError(f"{who} at {endpoint.name}: {answer}")
        return Account(answer["entry_id"], answer["entities"])

    async def remember(self, days: int, years: int) -> float:
        """Have thermometers and meters with a past; return the seconds that it took to write."""
        answer = await self._ask("remember", days=days, years=years)
        return float(answer["seconds"])

    async def reload(self, account: Account) -> float:
        """Set an account up again; return the seconds that it took."""
        return float((await self._ask("reload", entry_id=account.entry_id))["seconds"])

    async def reload_all(self, accounts: Sequence[Account]) -> float:
        """Set accounts up again, all at once; return the seconds that it took."""
        entry_ids = [account.entry_id for account in accounts]
        return float((await self._ask("reload_all", entry_ids=entry_ids))["seconds"])

    async def remove(self, account: Account) -> None:
        """Take an account out."""
        await self.hass.client.delete(f"/api/config/config_entries/entry/{account.entry_id}")

    async def footprint(self) -> float:
        """Return the bytes of memory that Home Assistant takes while nothing happens."""
        return float((await self._ask("footprint"))["bytes"])

    async def imported_at_start(self) -> list[str]:
        """Return what was imported when the last start had set everything up, in that order."""
        return [*(await self._ask("imported_at_start"))["modules"]]

    async def send(self, account: Account, times: int, *, parallel: bool) -> Taken:
        """Call notify.send_message on all entities of an account."""
        return await self.perform(
            "notify.send_message",
            {"message": TEXT},
            {"entity_id": list(account.entities)},
            times=times,
            parallel=parallel,
        )

    async def perform(
        self,
        action: str,
        data: Json,
        target: Json | None = None,
        *,
        times: int = 1,
        parallel: bool = False,
        watch: bool = False,
        response: bool = False,
    ) -> Taken:
        """Perform an action so many times, all at once or in turn.

        response: whether it is one that answers.
        """
        return Taken(
            **await self._ask(
                "measure",
                action=action,
                data=data,
                target=target,
                times=times,
                parallel=parallel,
                watch=watch,
                response=response,
            )
        )

    async def _ask(self, service: str, **data: Any) -> Json:
        answer: Json = await self.hass.client.call(f"{_DOMAIN}.{service}", data, response=True)
        return answer


@asynccontextmanager
async def house(
    folder: Path,
    authority_pem: str,
    configuration_more: str = "",
    integration: Path = INTEGRATION,
) -> AsyncIterator[House]:
    """Run a Home Assistant for the length of the context.

    configuration_more: YAML. integration: the folder of this integration, in whatever state.
    """
    hass = HomeAssistant(
        folder,
        authority_pem=authority_pem,
        configuration=f"{_DOMAIN}:\nmedia_source:\n{configuration_more}",
        components=(integration,),
    )
    media = folder / "media"
    media.mkdir()
    configuration = folder / "configuration.yaml"
    configuration.write_text(
        configuration.read_text().replace(
            "homeassistant:\n",
            f"homeassistant:\n  media_dirs: {{local: {media}}}\n"
            f"  allowlist_external_dirs: [{media}]\n",
        )
    )
    _add_component(folder / "custom_components" / _DOMAIN)
    await hass.start()
    try:
        yield House(hass)
    except Exception as error:
        error.add_note(
            "\n".join(it for it in hass.log().splitlines() if "WARN" in it or "ERROR" in it)
        )
        raise
    finally:
        await hass.stop()


def _add_component(folder: Path) -> None:
    """Put the component into a folder, where it becomes a package."""
    folder.mkdir()
    for file in _COMPONENT.iterdir():
        if file.is_file():
            (folder / file.name).symlink_to(file)
    (folder / "__init__.py").write_text("from .actions import CONFIG_SCHEMA, async_setup\n")


def _data(who: str, endpoint: Endpoint) -> Json:
    login = {"username": USERNAME, "password": PASSWORD} if endpoint.login else {}
    return {
        "sender": SENDER,
        "host" if who == COURIER else "server": HOST,
        "port": endpoint.port,
        "encryption": endpoint.encryption,
        "verify_ssl": True,
        **login,
    }


def _subentry(who: str, address: str) -> Json:
    if who == COURIER:
        return {
            "subentry_type": "recipient",
            "title": address,
            "unique_id": None,
            "data": {"to": [address]},
        }
    return {"subentry_type": "recipient", "title": address, "unique_id": address, "data": {}}

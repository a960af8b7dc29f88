"""A Home Assistant whose `smtp` lives in a small internet on loopback."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
import os
from pathlib import Path
import tempfile
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from pytest_homeassistant_custom_component.common import async_test_home_assistant

from custom_components.email_courier.mail.settings import Encryption
from tests.support.certificates import Certificates
from tests.support.listener import Listener
from tests.support.network import Network, small_internet
from tests.support.other_protocols import OtherProtocol, OtherProtocolServer
from tests.support.script import Script
from tests.support.scripted_server import ScriptedServer

DOMAIN = "smtp"
SAVED = "saved"
"""What the dialog has done with settings that it took."""

type Form = Mapping[str, Any]


def trust(certificates: Certificates, folder: Path) -> None:
    """Have Home Assistant trust the test servers' authority alone, from its next context on."""
    bundle = folder / "authority.pem"
    bundle.write_text(certificates.authority_pem)
    os.environ["REQUESTS_CA_BUNDLE"] = str(bundle)


def filled_in(
    *, host: str, port: int, encryption: Encryption, sender: str, login: tuple[str, str] | None
) -> dict[str, Any]:
    """Return what is typed on the one page of its dialog."""
    form = {
        "sender": sender,
        "server": host,
        "port": port,
        "encryption": encryption.value,
        "verify_ssl": True,
    }
    if login is not None:
        form |= {"username": login[0], "password": login[1]}
    return form


class Home:
    """Where accounts of `smtp` are added, and mail is sent from them."""

    def __init__(
        self, hass: HomeAssistant, network: Network, certificates: Certificates, limit: int
    ) -> None:
        """Give every account a time limit in seconds."""
        self._hass = hass
        self.network = network
        self._certificates = certificates
        self._limit = limit

    @asynccontextmanager
    async def serving[K](
        self, servers: Mapping[K, Script | OtherProtocol]
    ) -> AsyncIterator[dict[K, Listener]]:
        """Run servers for the length of the context."""
        async with AsyncExitStack() as stack:
            yield {
                key: await stack.enter_async_context(self._server(behaviour))
                for key, behaviour in servers.items()
            }

    async def ask(self, form: Form) -> str:
        """Fill its dialog in; return the key of the error that it shows, or SAVED."""
        flow = await self._hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})
        try:
            result = await self._hass.config_entries.flow.async_configure(
                flow["flow_id"], {**form, "options": {"timeout": self._limit}}
            )
        except InvalidData as error:
            self._hass.config_entries.flow.async_abort(flow["flow_id"])
            return ", ".join(error.schema_errors)
        if result["type"] is FlowResultType.CREATE_ENTRY:
            await self._remove(result["result"])
            return SAVED
        self._hass.config_entries.flow.async_abort(flow["flow_id"])
        return (result["errors"] or {})["base"]

    @asynccontextmanager
    async def account(self, form: Form, recipients: Iterable[str]) -> AsyncIterator[list[str]]:
        """Have an account with one entity for each recipient, as it wants them."""
        entry = ConfigEntry(
            version=1,
            minor_version=1,
            domain=DOMAIN,
            title="Home",
            data=dict(form),
            options={"timeout": self._limit},
            source="user",
            unique_id=None,
            discovery_keys={},  # type: ignore[arg-type]
            subentries_data=[
                ConfigSubentryData(
                    subentry_type="recipient", title=address, unique_id=address, data={}
                )
                for address in recipients
            ],
        )
        await self._hass.config_entries.async_add(entry)
        await self._hass.async_block_till_done()
        try:
            yield self._hass.states.async_entity_ids("notify")
        finally:
            await self._remove(entry)

    async def send(self, entity_id: str, text: str) -> None:
        """Send a mail. Raises HomeAssistantError."""
        await self._hass.services.async_call(
            "notify", "send_message", {"entity_id": entity_id, "message": text}, blocking=True
        )

    async def _remove(self, entry: ConfigEntry) -> None:
        await self._hass.async_block_till_done()
        for progress in self._hass.config_entries.subentries.async_progress():
            self._hass.config_entries.subentries.async_abort(progress["flow_id"])
        await self._hass.config_entries.async_remove(entry.entry_id)
        await self._hass.async_block_till_done()

    def _server(self, behaviour: Script | OtherProtocol) -> Listener:
        if isinstance(behaviour, Script):
            return ScriptedServer(behaviour, self._certificates)
        return OtherProtocolServer(behaviour, self._certificates)


@asynccontextmanager
async def home(limit: int) -> AsyncIterator[Home]:
    """Run a Home Assistant; its accounts wait so many seconds for each reply."""
    certificates = Certificates()
    with tempfile.TemporaryDirectory() as folder, small_internet() as network:
        trust(certificates, Path(folder))
        async with async_test_home_assistant(config_dir=folder) as hass:
            try:
                yield Home(hass, network, certificates, limit)
            finally:
                await hass.async_stop(force=True)

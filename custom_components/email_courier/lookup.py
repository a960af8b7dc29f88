"""Discovery with Home Assistant's resolver and HTTP session."""

from __future__ import annotations

from aiohttp import ClientError
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.ssl import client_context

from .mail.address import parse_mailbox
from .mail.discovery.discover import discover
from .mail.discovery.dns import SystemResolver
from .mail.discovery.model import Discovery, Origin
from .mail.discovery.providers import load
from .mail.discovery.web import SessionFetch
from .mail.failure import FailureKind, MailError
from .mail.handshake import encryption_at
from .mail.settings import Deadlines, Encryption, ServerSettings

_LISTENING = Deadlines(handshake=4.0, connect=3.0, greeting=3.0)


async def async_discover(hass: HomeAssistant, sender: str) -> Discovery:
    """Find the server for a sender within a few seconds. Raises MailError for no address."""
    providers = await hass.async_add_executor_job(load)
    async with SystemResolver() as resolver:
        return await discover(
            sender,
            resolver=resolver,
            fetch=SessionFetch(async_get_clientsession(hass), (ClientError,)),
            listen=_listen,
            providers=providers,
        )


async def async_provider_of(hass: HomeAssistant, host: str, sender: str) -> Discovery | None:
    """Return what the table knows about a server that was typed, such as its fixed username."""
    providers = await hass.async_add_executor_job(load)
    provider = providers.by_server(host.rstrip(".").lower())
    if provider is None:
        return None
    mailbox = parse_mailbox(sender, FailureKind.INVALID_SENDER)
    return Discovery.of_provider(Origin.TABLE, provider, mailbox)


async def _listen(host: str, port: int) -> Encryption | None:
    settings = ServerSettings(host, port, Encryption.NONE, deadlines=_LISTENING)
    try:
        return await encryption_at(settings, client_context())
    except MailError:
        return None

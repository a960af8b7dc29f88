"""Will mail arrive? What the sender's domain says of the server, in plain words."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.importlib import async_import_module

from ..const import DOCUMENTATION
from ..mail.address import parse_mailbox
from ..phrases import Phrases, as_code

if TYPE_CHECKING:
    from ..mail.arrival.judge import Arrival

_LOGGER: Final = logging.getLogger(__name__)
_JUDGE: Final = f"{__package__.rpartition('.')[0]}.mail.arrival.judge"
_HELP: Final = f"{DOCUMENTATION}/spam.md"


async def async_judge(hass: HomeAssistant, sender: str, host: str, username: str | None) -> Arrival:
    """Ask the DNS, for three seconds at most, whether a server may send for a sender's domain.

    Raises MailError for a sender that is no address.
    """
    await async_import_module(hass, _JUDGE)
    from ..mail.arrival.judge import judge  # noqa: PLC0415 - a start goes without
    from ..mail.discovery.dns import SystemResolver  # noqa: PLC0415
    from ..mail.discovery.providers import load  # noqa: PLC0415

    providers = await hass.async_add_executor_job(load)
    mailbox = parse_mailbox(sender)
    async with SystemResolver() as resolver:
        return await judge(mailbox, host, username, resolver=resolver, providers=providers)


async def async_judge_softly(
    hass: HomeAssistant, sender: str, host: str, username: str | None
) -> Arrival | None:
    """Ask the same; an answer that cannot be had hinders nobody who sets up an account."""
    try:
        return await async_judge(hass, sender, host, username)
    except Exception:
        _LOGGER.exception("Whether mail will arrive could not be found out")
        return None


def arrival_text(arrival: Arrival | None, sender: str, host: str, phrases: Phrases) -> str:
    """Say what may keep mail from arriving and what to do about it; nothing where all is well."""
    if arrival is None or arrival.concern is None:
        return ""
    sentence = phrases.say(
        f"arrival_{arrival.concern.value}",
        domain=as_code(sender.rpartition("@")[2]),
        host=as_code(host),
        provider=arrival.provider or "",
    )
    return f"{sentence} {phrases.say('arrival_more', url=_HELP)}"

"""Accounts in Home Assistant at scripted servers, made without the set-up dialog."""

from collections.abc import Mapping, Sequence
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigSubentryData
from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
)
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import (
    CONF_BCC,
    CONF_CC,
    CONF_ENCRYPTION,
    CONF_SENDER,
    CONF_TO,
    DOMAIN,
    SUBENTRY_RECIPIENT,
    SUBENTRY_REPORT,
)
from custom_components.email_courier.mail.settings import Encryption
from tests.support.script import PASSWORD, USERNAME, Tls
from tests.support.scripted_server import ScriptedServer

_ENCRYPTION = {
    Tls.NEVER: Encryption.NONE,
    Tls.OFFERED: Encryption.STARTTLS,
    Tls.AT_ONCE: Encryption.TLS,
}


def recipient(
    name: str, to: Sequence[str], cc: Sequence[str] = (), bcc: Sequence[str] = ()
) -> ConfigSubentryData:
    """Return a recipient as its dialog stores it; without a name in front, `to` is the name."""
    fields = {CONF_TO: to, CONF_CC: cc, CONF_BCC: bcc}
    return ConfigSubentryData(
        data={field: list(addresses) for field, addresses in fields.items() if addresses},
        subentry_type=SUBENTRY_RECIPIENT,
        title=name,
        unique_id=None,
    )


def report(
    name: str, *recipients: str, frequency: str = "daily", **data: Any
) -> ConfigSubentryData:
    """Return a report as its dialog stores it: ids of recipients, or addresses."""
    return ConfigSubentryData(
        data={"recipients": list(recipients), "frequency": frequency, "time": "07:00:00", **data},
        subentry_type=SUBENTRY_REPORT,
        title=name,
        unique_id=None,
    )


def account_entry(
    server: ScriptedServer,
    *recipients: ConfigSubentryData,
    title: str = "Home",
    options: Mapping[str, Any] | None = None,
    **changes: Any,
) -> MockConfigEntry:
    """Return the config entry of an account that fits a server, with some of its data changed."""
    return MockConfigEntry(
        domain=DOMAIN,
        title=title,
        data={
            CONF_SENDER: USERNAME,
            CONF_HOST: server.host,
            CONF_PORT: server.port,
            CONF_ENCRYPTION: _ENCRYPTION[server.script.tls].value,
            CONF_VERIFY_SSL: True,
            CONF_USERNAME: USERNAME,
            CONF_PASSWORD: PASSWORD,
            **changes,
        },
        options=dict(options or {}),
        subentries_data=recipients,
    )


async def load(hass: HomeAssistant, entry: MockConfigEntry) -> Account:
    """Add an entry to Home Assistant and load it."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    account: Account = entry.runtime_data
    return account


async def load_account(
    hass: HomeAssistant,
    server: ScriptedServer,
    *recipients: ConfigSubentryData,
    **changes: Any,
) -> Account:
    """Load an account at a server."""
    return await load(hass, account_entry(server, *recipients, **changes))


def load_state(entry: ConfigEntry) -> ConfigEntryState:
    """Return how far an entry is loaded, which may be another the next time."""
    return entry.state

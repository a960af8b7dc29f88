"""An account at a real mail server, set up in the dialog."""

from tests.servers.people import PASSWORD, SENDER, USERNAME
from tests.servers.server import RunningServer

from .client import Json
from .demo import DOMAIN
from .dialog import Dialog
from .hass_runner import HomeAssistant


async def add_account(hass: HomeAssistant, server: RunningServer) -> Json:
    """Set an account up as a person would, with STARTTLS and a login; return the last step."""
    dialog = Dialog(hass.client)
    return await dialog.complete(
        await dialog.begin(DOMAIN),
        {
            "sender": SENDER,
            "host": server.host,
            "port": server.ports["starttls"],
            "encryption": "starttls",
            "verify_ssl": True,
            "username": USERNAME,
            "password": PASSWORD,
        },
    )

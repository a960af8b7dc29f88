"""Mail that has come to every state in which it can be stored, by public actions alone."""

from email import message_from_bytes, policy
import re
from typing import Any, Final

from homeassistant.core import HomeAssistant

from tests.upgrade.house import act, pass_time
from tests.upgrade.servers import Mail, Servers

LARGE: Final = "The camera saw nothing.\n" * 60_000
"""More than a mail may have to be kept in memory."""
_LONE: Final = ("Office", "Relay", "Plain", "Pinned", "Company", "Token", "Backed")
_REPLIES: Final = {
    "slow@example.test": "450 4.2.0 Greylisted",
    "gone@example.test": "550 5.1.1 No such user here",
}


async def send(hass: HomeAssistant, title: str, subject: str, *to: str, **fields: Any) -> str:
    """Send a mail from an account; return what became of it."""
    fields = {"message": f"{subject} since noon.", **fields}
    response = await act(
        hass, "send_message", config_entry_id=title.lower(), title=subject, to=[*to], **fields
    )
    return str(response["status"])


async def leave_past(hass: HomeAssistant, servers: Servers) -> None:
    """Have mail delivered, refused for good, and put off as long as the server stays so."""
    home = servers["Home"]
    home.script = home.script.but(recipient_replies=_REPLIES)
    for title in servers:
        assert await send(hass, title, "Delivered", "bea@example.test") == "sent"
    assert await send(hass, "Home", "Refused", "gone@example.test", "bea@example.test") == "partial"
    assert await send(hass, "Home", "Put off", "slow@example.test") == "queued"
    await pass_time(hass, minutes=1)
    await pass_time(hass, minutes=5)
    await send(hass, "Home", "In part", "carl@example.test", "slow@example.test")


async def come_too_fast(hass: HomeAssistant) -> None:
    """Have the flood guard hold mail back from one recipient."""
    for number in range(1, 4):
        await send(hass, "Guarded", f"Gate {number}", "bea@example.test")


async def come_too_fast_for_all(hass: HomeAssistant) -> None:
    """Have it hold back mail from three more, of whom one gets a single mail."""
    for number in range(1, 4):
        await send(hass, "Guarded", f"Door {number}", "carl@example.test", "dora@example.test")
    for number in range(1, 3):
        await send(hass, "Guarded", f"Roof {number}", "eva@example.test")


async def leave_waiting(hass: HomeAssistant) -> None:
    """Have mail wait for servers that are gone."""
    for title in _LONE:
        assert await send(hass, title, f"From {title}", "bea@example.test") == "queued"
    await send(hass, "Home", "Small", "bea@example.test", markdown="**Grüße** 🏠")
    await send(hass, "Home", "Large", "bea@example.test", message=LARGE)
    await send(hass, "Home", "At the dot", "bea@example.test", "carl@example.test")
    await send(hass, "Home", "Urgent", "dora@example.test", priority="highest")
    data = {"entity_id": "notify.family", "title": "Family", "message": "Dinner."}
    await hass.services.async_call("notify", "send_message", data, blocking=True)


def texts_in(mail: Mail) -> list[str]:
    """Return which of the texts written here a mail holds, in their order."""
    return re.findall(r"(\w+ \d) since noon\.", mail.content.decode())


def message_of(content: bytes) -> Any:
    """Parse a message."""
    return message_from_bytes(content, policy=policy.default)

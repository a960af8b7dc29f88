"""Mails as a reader's program sees them, and the actions that send them."""

from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from typing import Any

from homeassistant.core import HomeAssistant

from custom_components.email_courier.const import DOMAIN
from tests.support.scripted_server import ScriptedServer


async def send(hass: HomeAssistant, **fields: Any) -> dict[str, Any]:
    """Call the action and return its response."""
    response = await hass.services.async_call(
        DOMAIN, "send_message", {"message": "Hello", **fields}, blocking=True, return_response=True
    )
    assert isinstance(response, dict)
    return response


async def send_unasked(hass: HomeAssistant, **fields: Any) -> None:
    """Call the action without asking for a response, as most automations do."""
    await hass.services.async_call(
        DOMAIN, "send_message", {"message": "Hello", **fields}, blocking=True
    )


def read(content: bytes) -> EmailMessage:
    """Parse a message."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def only_mail(server: ScriptedServer) -> EmailMessage:
    """Return the one mail that a server took."""
    (mail,) = server.record.mails
    return read(mail.content)


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    """Return the plain or the html body, its lines ending as Python has them."""
    body = message.get_body((kind,))
    assert body is not None
    text = body.get_content()
    assert isinstance(text, str)
    return text.replace("\r\n", "\n")


def attached(message: EmailMessage) -> list[MIMEPart]:
    """Return the parts that are no bodies: attachments and inline pictures, in their order."""
    return [part for part in message.walk() if part.get_filename() is not None]

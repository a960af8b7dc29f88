"""Application credentials: the clients that people register with Google and Microsoft."""

from __future__ import annotations

from copy import replace
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant
from homeassistant.helpers.network import NoURLAvailableError

from .oauth.client import MailOAuth2Implementation, redirect_uri
from .oauth.provider import SignIn

if TYPE_CHECKING:
    from homeassistant.components.application_credentials import ClientCredential
    from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2Implementation


async def async_get_auth_implementation(
    hass: HomeAssistant, auth_domain: str, credential: ClientCredential
) -> AbstractOAuth2Implementation:
    """Return the client for these credentials."""
    sign_in = replace(
        SignIn.of_client(credential.client_id),
        credential=auth_domain,
        client_id=credential.client_id,
        client_secret=credential.client_secret,
    )
    return MailOAuth2Implementation(hass, sign_in, name=credential.name or "")


async def async_get_description_placeholders(hass: HomeAssistant) -> dict[str, str]:
    """Return what the dialog for new credentials names."""
    try:
        address = redirect_uri(hass)
    except NoURLAvailableError:
        address = "-"
    return {"redirect_uri": address}

"""Home Assistant's own TLS contexts for an account's trust."""

from __future__ import annotations

import os
import ssl

from homeassistant.core import HomeAssistant
from homeassistant.util.ssl import (
    client_context,
    client_context_no_verify,
    create_client_context,
)

from .mail.settings import Trust
from .mail.smtp.tls import add_authorities


async def async_context_for(hass: HomeAssistant, trust: Trust) -> ssl.SSLContext:
    """Return the context for a trust: a shared one, unless there are further authorities.

    Raises OSError when a CA file cannot be read.
    """
    if not trust.checks_chain:
        return client_context_no_verify()
    # The shared context was made when Home Assistant was imported; authorities that this
    # variable has named since then are only in a new one.
    if trust.ca_file is None and "REQUESTS_CA_BUNDLE" not in os.environ:
        return client_context()
    return await hass.async_add_executor_job(_with_authorities, trust.ca_file)


def _with_authorities(ca_file: str | None) -> ssl.SSLContext:
    context = create_client_context()
    if ca_file is not None:
        add_authorities(context, ca_file)
    return context

"""Right settings for the servers' services, and sessions with them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from custom_components.email_courier.mail.settings import Encryption, Login, ServerSettings, Trust
from custom_components.email_courier.mail.smtp.session import Session
from custom_components.email_courier.mail.smtp.tls import build_context

from .server import RunningServer


def settings_for(server: RunningServer, service: str, trust: Trust) -> ServerSettings:
    """Return the right settings for a service, with the login where there is one."""
    encryption = Encryption.NONE if service == "open" else Encryption(service)
    login = Login(server.username, server.password) if server.has_login(service) else None
    return ServerSettings(server.host, server.ports[service], encryption, trust, login)


@asynccontextmanager
async def session_with(
    server: RunningServer, trust: Trust, service: str = "tls"
) -> AsyncIterator[Session]:
    """Open a session with a service of a server, logged in where that is wanted."""
    session = Session(settings_for(server, service, trust), build_context(trust))
    await session.open()
    try:
        yield session
    finally:
        session.quit()

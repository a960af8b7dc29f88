"""Accounts at scripted servers, as the tests of the session set them up."""

from copy import replace
import ssl
from typing import Any

from custom_components.email_courier.mail.failure import Failure, MailError
from custom_components.email_courier.mail.settings import (
    Deadlines,
    Encryption,
    Login,
    ServerSettings,
    Trust,
)
from custom_components.email_courier.mail.smtp.session import Session
from custom_components.email_courier.mail.smtp.tls import without_checks
from tests.support.fixtures import Bed
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_LOGIN,
    USERNAME,
    Script,
    Step,
    Tls,
)
from tests.support.scripted_server import ScriptedServer

LOGIN = Login(USERNAME, PASSWORD)
SENDER = USERNAME
QUICK = Deadlines(
    handshake=0.7, connect=0.5, greeting=0.7, transaction=0.7, stall=0.5, final_reply=0.7
)
"""Seconds that no healthy exchange on loopback needs, and that a test can wait."""
PATIENT = Deadlines(handshake=10, connect=5, greeting=10, transaction=10, stall=5, final_reply=10)

SCRIPTS = {
    Encryption.STARTTLS: HEALTHY,
    Encryption.TLS: HEALTHY_TLS,
    Encryption.NONE: PLAIN_LOGIN,
}
"""A healthy server for each encryption."""
STEPS = {
    Encryption.STARTTLS: (
        Step.GREETING,
        Step.EHLO,
        Step.STARTTLS,
        Step.TLS,
        Step.EHLO_TLS,
        Step.AUTH_VERDICT,
        Step.MAIL,
    ),
    Encryption.TLS: (
        Step.TLS,
        Step.GREETING,
        Step.EHLO,
        Step.AUTH_VERDICT,
        Step.MAIL,
    ),
    Encryption.NONE: (Step.GREETING, Step.EHLO, Step.AUTH_VERDICT, Step.MAIL),
}
"""Where the server speaks in a whole handshake, and what it says there counts."""
ALL_STEPS = [(encryption, step) for encryption, steps in STEPS.items() for step in steps]
SPOKEN = [(encryption, step) for encryption, step in ALL_STEPS if step is not Step.TLS]
"""Those where it speaks SMTP."""

_ENCRYPTION = {
    Tls.NEVER: Encryption.NONE,
    Tls.OFFERED: Encryption.STARTTLS,
    Tls.AT_ONCE: Encryption.TLS,
}


def settings_for(server: ScriptedServer, **changes: Any) -> ServerSettings:
    """Return the settings that fit a server, with a login, and with some of them changed."""
    fitting = ServerSettings(
        host=server.host,
        port=server.port,
        encryption=_ENCRYPTION[server.script.tls],
        login=LOGIN,
        deadlines=PATIENT,
    )
    return replace(fitting, **changes)


def context_for(bed: Bed, trust: Trust | None = None) -> ssl.SSLContext:
    """Return a context that trusts the bed's authority, unless the trust asks for another one."""
    context = bed.certificates.client_context()
    return context if trust is None or trust.checks_chain else without_checks(context)


def session_for(bed: Bed, server: ScriptedServer, **changes: Any) -> Session:
    """Return a session with the settings that fit a server, some of them changed."""
    settings = settings_for(server, **changes)
    return Session(settings, context_for(bed, settings.trust))


async def failure_of(bed: Bed, server: ScriptedServer, **changes: Any) -> Failure:
    """Return what stops a handshake that is bound to fail."""
    session = session_for(bed, server, **changes)
    try:
        await session.open(sender=SENDER)
    except MailError as error:
        assert not session.is_open
        return error.failure
    session.abort()
    raise AssertionError("the handshake passed")


def broken(encryption: Encryption, **changes: Any) -> Script:
    """Return the healthy server of an encryption with some things changed."""
    return SCRIPTS[encryption].but(**changes)

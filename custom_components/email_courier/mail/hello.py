"""The first words: the greeting, EHLO or HELO, and STARTTLS (RFC 5321 sections 3.1 and 3.2)."""

from __future__ import annotations

import ssl

from .capabilities import NOTHING, USED_EXTENSIONS, Capabilities
from .classify import refusal
from .engine import parse_extensions
from .exchange import Mechanism
from .failure import Failure, FailureKind, MailError, Permanence, Stage
from .protocols import name_in_greeting
from .reply import Reply
from .wire import Wire

_NOT_IMPLEMENTED = (500, 502)


def check_greeting(greeting: Reply, *, encrypted: bool) -> None:
    """Raise MailError for a greeting that turns us away, or of another protocol."""
    if greeting.code == 220:
        return
    if not greeting.is_permanent and (name := name_in_greeting(greeting.text)):
        raise MailError(_other_protocol(name, greeting))
    raise _refused(Stage.GREETING, greeting, encrypted=encrypted)


async def say_hello(
    wire: Wire, name: bytes, greeting: Reply, *, needs_extensions: bool, encrypted: bool
) -> Capabilities:
    """Greet with EHLO, else with HELO, and return what the server offers.

    name: who we say we are. needs_extensions: whether a server that knows only HELO will not do.
    Raises MailError.
    """
    reply, said = await wire.ask_openly(b"EHLO", name)
    if reply.is_positive:
        return _capabilities(reply, said)
    refused = _refused(Stage.HELLO, reply, encrypted=encrypted)
    if reply.code == 421:
        raise refused
    fallback = await wire.command(b"HELO", name)
    is_unknown = reply.code in _NOT_IMPLEMENTED
    if fallback.is_positive:
        if needs_extensions and not is_unknown:
            raise refused
        return NOTHING
    if protocol := name_in_greeting(greeting.text):
        raise MailError(_other_protocol(protocol, greeting))
    raise _refused(Stage.HELLO, fallback, encrypted=encrypted) if is_unknown else refused


async def start_tls(
    wire: Wire, offered: Capabilities, context: ssl.SSLContext, server_name: str
) -> None:
    """Go over to TLS (RFC 3207). Raises MailError where the server does not."""
    if not offered.has("starttls"):
        raise MailError(Failure(FailureKind.STARTTLS_NOT_OFFERED, Stage.TLS, Permanence.TEMPORARY))
    reply = await wire.start_tls(context, server_name)
    if reply.code != 220:
        raise _refused(Stage.TLS, reply, encrypted=False)


def _capabilities(reply: Reply, said: Reply) -> Capabilities:
    """Read what is offered; only names that are known are taken from what was really said."""
    shown, shown_mechanisms = parse_extensions(reply)
    extensions, mechanisms = parse_extensions(said)
    known = {name: shown.get(name, "") for name in extensions if name in USED_EXTENSIONS}
    return Capabilities({**shown, **known}, shown_mechanisms | (mechanisms & set(Mechanism)))


def _refused(stage: Stage, reply: Reply, *, encrypted: bool) -> MailError:
    return MailError(refusal(stage, reply, encrypted=encrypted, logged_in=False))


def _other_protocol(name: str, greeting: Reply) -> Failure:
    return Failure(
        FailureKind.NOT_SMTP,
        Stage.GREETING,
        Permanence.TEMPORARY,
        greeting,
        facts={"protocol": name},
    )

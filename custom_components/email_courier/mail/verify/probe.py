"""Who speaks at a port, found out on a connection of its own.

Nothing but a TLS greeting is ever sent, and no name, address or secret.
"""

from __future__ import annotations

import asyncio
import contextlib
from enum import StrEnum
import ssl
from typing import NamedTuple

from ..failure import MailError, Stage
from ..hostname import host_to_ascii
from ..redaction import NOTHING_HIDDEN, Redactor
from ..settings import Encryption
from ..smtp.connection import open_socket
from ..smtp.errors import FOREIGN_ERRORS, SessionProgress, map_errors
from ..smtp.protocol import first_line, is_tls, name_in_greeting, name_protocol

_SPEAKS_FIRST = 1.0
"""Seconds that a server which speaks first is given to begin."""
_ANSWERS = 2.5
"""Seconds that a server is given to answer a TLS greeting."""
_ENOUGH = 512
"""Octets that tell who speaks, even without a line end."""


class Speaker(StrEnum):
    """Who answers at a port."""

    SMTP = "smtp"
    TLS = "tls"
    OTHER = "other"
    SILENT = "silent"
    CLOSED = "closed"


class Heard(NamedTuple):
    """What was heard at a port. protocol and text only where another protocol spoke."""

    speaker: Speaker
    protocol: str = ""
    text: str = ""


async def listen(
    host: str,
    port: int,
    *,
    connect: float = 5.0,
    redactor: Redactor = NOTHING_HIDDEN,
) -> Heard:
    """Connect and find out who speaks. Raises MailError when nobody answers.

    connect: seconds. After a moment of silence a TLS greeting is said; a server that greets late
    may turn away who does that, so the connection is used for nothing else.
    redactor: what the words that are heard go through.
    """
    progress = SessionProgress(host, Encryption.AUTO)

    def resolved() -> None:
        nonlocal progress
        progress = progress._replace(stage=Stage.CONNECT)

    try:
        sock = await open_socket(host, port, limit=connect, resolved=resolved)
        reader, writer = await asyncio.open_connection(sock=sock)
        try:
            raw = await _read(reader, _SPEAKS_FIRST)
            if not raw and not reader.at_eof():
                writer.write(_client_hello(host_to_ascii(host).partition("%")[0]))
                raw = await _read(reader, _ANSWERS)
            if raw:
                return identify(raw, redactor)
            return Heard(Speaker.CLOSED if reader.at_eof() else Speaker.SILENT)
        except ConnectionError:
            return Heard(Speaker.CLOSED)
        finally:
            writer.transport.abort()
    except FOREIGN_ERRORS as error:
        raise MailError(map_errors(error, progress)) from error


def identify(raw: bytes, redactor: Redactor = NOTHING_HIDDEN) -> Heard:
    """Tell who speaks by the first bytes."""
    if is_tls(raw):
        return Heard(Speaker.TLS)
    text = first_line(raw, redactor)
    if name := name_protocol(raw):
        return Heard(Speaker.OTHER, name, text)
    if raw[:3].isdigit():
        if name := name_in_greeting(text):
            return Heard(Speaker.OTHER, name, text)
        return Heard(Speaker.SMTP, text=text)
    return Heard(Speaker.OTHER, "?", text)


async def _read(reader: asyncio.StreamReader, limit: float) -> bytes:
    """Read a first line or the begin of a TLS record, or what of it comes within the limit."""
    heard = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit):
            while not (is_tls(heard) or b"\n" in heard or len(heard) >= _ENOUGH):
                if not (more := await reader.read(_ENOUGH)):
                    break
                heard += more
    return heard


def _client_hello(server_name: str) -> bytes:
    """Make the first flight of a TLS handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outgoing = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=server_name)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()

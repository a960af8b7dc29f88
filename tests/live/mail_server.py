"""A small mail server on loopback: STARTTLS on one port, TLS on another, a login on both.

It takes every mail of whoever logs in, keeps it in memory, and writes it into a folder where a
person can open it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
import hmac
from pathlib import Path
import socket
import ssl
from typing import Any

from aiosmtpd import smtp

LOOPBACK = "127.0.0.1"
HOST = "localhost"
"""The name that the server's certificate is for."""


@dataclass(frozen=True)
class Login:
    """Whom the server lets in."""

    username: str
    password: str


@dataclass(frozen=True)
class ReceivedMail:
    """One mail as it came off the wire."""

    sender: str
    """The address that MAIL FROM named."""
    recipients: tuple[str, ...]
    """The addresses that RCPT TO named, in their order."""
    content: bytes
    """The message with its dots unstuffed, line ends as sent."""
    username: str
    """Who had logged in."""
    file: Path
    """Where the message was written to."""

    @property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        return BytesParser(policy=policy.default).parsebytes(self.content)

    @property
    def text(self) -> str:
        """The plain part, its lines ended by line feeds, without empty ones at its end."""
        part = self.message.get_body(preferencelist=("plain",))
        text: str = part.get_content() if part else ""
        return text.replace("\r\n", "\n").rstrip("\n")


class Inbox:
    """The mails that arrived, and the server's answers to them."""

    def __init__(self, folder: Path) -> None:
        """Keep the mails in `folder` too, which is made where it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.mails: list[ReceivedMail] = []
        self._arrived = asyncio.Condition()

    async def wait_for(self, count: int, timeout: float = 30) -> list[ReceivedMail]:
        """Return all mails as soon as there are at least `count`.

        Raises:
            TimeoutError: fewer had come after `timeout` seconds.
        """
        async with asyncio.timeout(timeout), self._arrived:
            await self._arrived.wait_for(lambda: len(self.mails) >= count)
        return list(self.mails)

    # The name is aiosmtpd's.
    async def handle_DATA(  # noqa: N802
        self, _server: smtp.SMTP, session: smtp.Session, envelope: smtp.Envelope
    ) -> str:
        """Take the mail."""
        content = envelope.original_content or b""
        file = self.folder / f"{len(self.mails) + 1:04}.eml"
        await asyncio.to_thread(file.write_bytes, content)
        async with self._arrived:
            self.mails.append(
                ReceivedMail(
                    sender=envelope.mail_from or "",
                    recipients=tuple(envelope.rcpt_tos),
                    content=content,
                    username=str(session.auth_data),
                    file=file,
                )
            )
            self._arrived.notify_all()
        return f"250 2.0.0 Ok: queued as {file.stem}"


@dataclass(frozen=True)
class MailServer:
    """A running server."""

    host: str
    starttls_port: int
    tls_port: int
    login: Login
    inbox: Inbox


class _SmtpOverTls(smtp.SMTP):
    """aiosmtpd offers a login only after STARTTLS; this session has had TLS from its start."""

    def __init__(self, handler: Inbox, **options: Any) -> None:
        super().__init__(handler, auth_require_tls=False, **options)


@asynccontextmanager
async def mail_server(
    login: Login, context: ssl.SSLContext, folder: Path
) -> AsyncIterator[MailServer]:
    """Run a server for the length of the context, on two free ports of loopback.

    Args:
        login: The one login that is accepted.
        context: TLS with a certificate for `HOST`.
        folder: Where the mails are written to, one file each.
    """
    loop = asyncio.get_running_loop()
    inbox = Inbox(folder)

    def authenticate(
        _server: smtp.SMTP,
        _session: smtp.Session,
        _envelope: smtp.Envelope,
        _mechanism: str,
        offered: smtp.LoginPassword,
    ) -> smtp.AuthResult:
        right = hmac.compare_digest(offered.login, login.username.encode()) and (
            hmac.compare_digest(offered.password, login.password.encode())
        )
        # Not `handled`, so that aiosmtpd words the refusal itself.
        return smtp.AuthResult(success=right, handled=False, auth_data=login.username)

    options: dict[str, Any] = {
        "hostname": HOST,
        "ident": "Demo mail server",
        "enable_SMTPUTF8": True,
        "auth_required": True,
        "authenticator": authenticate,
        "loop": loop,
    }
    starttls = await loop.create_server(
        lambda: smtp.SMTP(inbox, tls_context=context, require_starttls=True, **options),
        LOOPBACK,
        0,
    )
    tls = await loop.create_server(lambda: _SmtpOverTls(inbox, **options), LOOPBACK, 0, ssl=context)
    try:
        yield MailServer(HOST, _port(starttls), _port(tls), login, inbox)
    finally:
        for server in (starttls, tls):
            server.close()
            server.close_clients()


def _port(server: asyncio.Server) -> int:
    listening: socket.socket = server.sockets[0]
    port: int = listening.getsockname()[1]
    return port

"""A client that computes nothing: what the server alone would allow on this machine.

It logs in with smtplib and then sends bytes that were made beforehand, the same for each mail.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
import smtplib
import ssl
import time

from tests.servers.people import PASSWORD, RECIPIENT, SENDER, USERNAME

from .endpoint import HOST, Endpoint
from .house import TEXT

_MESSAGE = (
    f"From: {SENDER}\r\nTo: {RECIPIENT}\r\nSubject: Mail\r\n"
    "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <prepared@bench.example.test>\r\n\r\n"
    f"{TEXT}\r\n"
).encode("ascii")
_ENVELOPE = f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode("ascii")
_DOT = b".\r\n"


class Prepared:
    """Sends over one connection, with the envelope in one flight (RFC 2920)."""

    def __init__(self, authority: Path) -> None:
        """Trust the servers of an authority, which is in a file."""
        self._context = ssl.create_default_context(cafile=authority)

    async def two_flights(self, endpoint: Endpoint, count: int) -> float:
        """Send an envelope, wait, send a message, wait."""
        return await asyncio.to_thread(self._run, endpoint, count, ahead=False)

    async def one_flight(self, endpoint: Endpoint, count: int) -> float:
        """Send each message together with the envelope of the next mail."""
        return await asyncio.to_thread(self._run, endpoint, count, ahead=True)

    def _run(self, endpoint: Endpoint, count: int, *, ahead: bool) -> float:
        with self._connected(endpoint) as server:
            start = time.perf_counter()
            if ahead:
                server.send(_ENVELOPE)
            for number in range(count):
                is_last = number == count - 1
                if not ahead:
                    server.send(_ENVELOPE)
                _expect(server, 250, 250, 354)
                server.send(_MESSAGE + _DOT + (_ENVELOPE if ahead and not is_last else b""))
                _expect(server, 250)
            return time.perf_counter() - start

    def _connected(self, endpoint: Endpoint) -> smtplib.SMTP:
        if endpoint.encryption == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(HOST, endpoint.port, context=self._context)
        else:
            server = smtplib.SMTP(HOST, endpoint.port)
            if endpoint.encryption == "starttls":
                server.starttls(context=self._context)
        if endpoint.login:
            server.login(USERNAME, PASSWORD)
        else:
            server.ehlo()
        return server


def _expect(server: smtplib.SMTP, *codes: int) -> None:
    for code in codes:
        reply = server.getreply()
        if reply[0] != code:
            raise RuntimeError(f"expected {code}: {reply}")

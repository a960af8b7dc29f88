"""The servers of one test run."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.certificates import Certificates, ServerTls

from .dovecot import Dovecot
from .dovecot_oauth import OAuthDovecot
from .exim import Exim
from .nginx import Nginx
from .opensmtpd import OpenSmtpd
from .postfix import Postfix
from .server import RunningServer

NAMES = (Postfix.name, Dovecot.name, Exim.name, OpenSmtpd.name)
ENCRYPTIONS = RunningServer.services


class Fleet:
    """Starts servers by name, each in a folder of its own, and stops all of them in the end."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        """Keep the servers' folders below a folder that exists."""
        self.certificates = certificates
        self.standing = cache(self._start_standing)
        """The server of a name that all tests share, started when it is first asked for."""
        self._folder = folder
        self._started: list[RunningServer] = []

    def start(
        self,
        name: str,
        tls: ServerTls = ServerTls.VALID,
        ports: Mapping[str, int] | None = None,
        **options: Any,
    ) -> RunningServer:
        """Start a server of one's own.

        tls: the certificate that it shows.
        ports: for services that are to be at a certain port.
        options: as the server's class takes them. A Dovecot relays to the standing Postfix
            unless another one is given.
        """
        folder = self._folder / f"{name}-{len(self._started)}"
        pem = self.certificates.pem(tls)
        server: RunningServer
        if name == Postfix.name:
            server = Postfix(folder, pem, **options)
        elif name == Dovecot.name:
            options.setdefault("relay", self.postfix())
            server = Dovecot(folder, pem, **options)
        elif name == OAuthDovecot.name:
            server = OAuthDovecot(folder, pem, relay=self.postfix(), **options)
        elif name == Nginx.name:
            server = Nginx(folder, pem, **options)
        elif name == Exim.name:
            server = Exim(folder, pem, **options)
        else:
            server = OpenSmtpd(folder, pem, **options)
        server.ports = {**server.ports, **(ports or {})}
        self._started.append(server)
        server.start()
        return server

    def postfix(self) -> Postfix:
        """Return the Postfix that all tests share."""
        server = self.standing(Postfix.name)
        assert isinstance(server, Postfix)
        return server

    def stop(self) -> None:
        """Stop all servers, those first that need others."""
        for server in reversed(self._started):
            server.stop()

    def _start_standing(self, name: str, tls: ServerTls = ServerTls.VALID) -> RunningServer:
        return self.start(name, tls)

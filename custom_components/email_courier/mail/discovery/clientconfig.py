"""Reading the outgoing servers out of a clientConfig document, which anybody may have written."""

from __future__ import annotations

from typing import NoReturn

# Expat by itself, because its handlers can refuse a document before anything in it is expanded.
from xml.parsers import expat

from ..address import Mailbox
from .model import LookupFailed

_SERVER_PATH = ["clientConfig", "emailProvider", "outgoingServer"]
_MAX_DEPTH = 20
_MAX_SERVERS = 20
_OAUTH = "OAuth2"
_NO_LOGIN = frozenset({"none", "client-IP-address"})


class OutgoingServer:
    """One outgoingServer element, its texts as they stand there."""

    __slots__ = ("authentication", "hostname", "port", "socket_type", "username")

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.hostname = ""
        self.port = 0
        self.socket_type = ""
        self.username = ""
        self.authentication: list[str] = []

    @property
    def wants_oauth_only(self) -> bool:
        """Whether no way in is named but OAuth."""
        return bool(self.authentication) and all(a == _OAUTH for a in self.authentication)

    @property
    def wants_no_login(self) -> bool:
        """Whether the server knows its clients without a login."""
        return bool(self.authentication) and all(a in _NO_LOGIN for a in self.authentication)

    def fill_in(self, mailbox: Mailbox) -> OutgoingServer:
        """Return it with the placeholders replaced."""
        self.hostname = _fill_in(self.hostname, mailbox).lower()
        self.username = _fill_in(self.username, mailbox)
        return self


def read_outgoing_servers(document: bytes) -> list[OutgoingServer]:
    """Return the SMTP servers in the order of the document.

    Raises LookupFailed for anything but well-formed XML without a document type: entities,
    the material of bombs and of peeping at files, can be declared nowhere else.
    """
    return _Reader().read(document)


class _Reader:
    """Collects the servers while expat goes through a document."""

    def __init__(self) -> None:
        self._servers: list[OutgoingServer] = []
        self._server: OutgoingServer | None = None
        self._path: list[str] = []
        self._text: list[str] = []

    def read(self, document: bytes) -> list[OutgoingServer]:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_document_type
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        try:
            parser.Parse(document, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            # The latter two come from encodings that Python has, but not for text.
            raise LookupFailed(f"configuration file is no XML: {error}") from error
        return self._servers

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        self._text.clear()
        if len(self._path) > _MAX_DEPTH:
            raise LookupFailed("configuration file is nested too deeply")
        if self._path == _SERVER_PATH and attributes.get("type") == "smtp":
            self._server = OutgoingServer()

    def _end(self, _name: str) -> None:
        if self._server is not None:
            if self._path == _SERVER_PATH:
                if len(self._servers) < _MAX_SERVERS:
                    self._servers.append(self._server)
                self._server = None
            elif self._path[:-1] == _SERVER_PATH:
                _take(self._server, self._path[-1], "".join(self._text).strip())
        self._path.pop()
        self._text.clear()


def _refuse_document_type(*_: object) -> NoReturn:
    raise LookupFailed("configuration file declares a document type")


def _take(server: OutgoingServer, element: str, text: str) -> None:
    """Put the text of a child element where it belongs; the first one of a kind counts."""
    match element:
        case "hostname":
            server.hostname = server.hostname or text
        case "port":
            if text.isascii() and text.isdigit() and len(text) <= 5:
                server.port = server.port or int(text)
        case "socketType":
            server.socket_type = server.socket_type or text
        case "username":
            server.username = server.username or text
        case "authentication":
            server.authentication.append(text)
        case _:
            pass


def _fill_in(text: str, mailbox: Mailbox) -> str:
    """Replace the placeholders of the format."""
    for placeholder, value in (
        ("%EMAILADDRESS%", mailbox.address),
        ("%EMAILLOCALPART%", mailbox.local_part),
        ("%EMAILDOMAIN%", mailbox.domain),
    ):
        text = text.replace(placeholder, value)
    return text

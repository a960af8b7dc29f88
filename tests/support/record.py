"""What a test server saw: every line, every mail, and everything that came in clear."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
import re

from tests.support.script import Step

_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/]{4,}")
_LINE_ENDS = re.compile(rb"\r?\n")


class Direction(StrEnum):
    """Who said it."""

    CLIENT = "C"
    SERVER = "S"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a conversation, or of a server one whole reply."""

    connection: int
    """1 for the server's first connection."""
    direction: Direction
    encrypted: bool
    text: bytes
    """As it was on the wire, with its line end."""
    at: float
    """The event loop's time in seconds."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that the server took responsibility for."""

    connection: int
    sender: str
    parameters: tuple[str, ...]
    """What followed the address in MAIL, such as `SIZE=120`."""
    recipients: tuple[str, ...]
    """Those that were accepted, in their order."""
    content: bytes
    """The message as sent, without dot-stuffing and without the final dot."""
    encrypted: bool
    username: str | None
    """Who had logged in."""


@dataclass(slots=True)
class Record:
    """The memory of one server over all its connections."""

    lines: list[Line] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    """Where the server came to speak, over all connections."""
    violations: list[str] = field(default_factory=list)
    """What a client must not do, whatever the server makes of it; each names the rule."""
    tls_failures: list[str] = field(default_factory=list)
    """OpenSSL's words for each handshake that failed on the server's side."""
    connections: int = 0
    open_connections: int = 0
    """How many the server is serving now."""
    tls_sessions: int = 0
    """How many TLS handshakes were completed."""
    auth_commands: int = 0
    auth_commands_in_clear: int = 0
    clear: dict[int, bytearray] = field(default_factory=dict)
    """All bytes received outside TLS, by connection."""

    def commands(self, verb: str = "") -> list[str]:
        """Return the lines that clients sent, without line ends, that begin with `verb`.

        Lines of a message and of a login are not commands, but stand in the record all the same.
        """
        sent = (line.text for line in self.lines if line.direction is Direction.CLIENT)
        texts = (text.rstrip(b"\r\n").decode("utf-8", "replace") for text in sent)
        return [text for text in texts if text.upper().startswith(verb.upper())]

    def secrets_in_clear(self, secrets: Iterable[str]) -> list[str]:
        """Return those secrets that came in outside TLS, plainly or in base64 (SASL)."""
        searched = [*self._searched()]
        return [secret for secret in secrets if any(secret.encode() in text for text in searched)]

    def _searched(self) -> Iterator[bytes]:
        for data in self.clear.values():
            yield bytes(data)
            # Base64 may be folded over several lines, and a run of its letters need not begin
            # where the encoded text does.
            for text in (bytes(data), _LINE_ENDS.sub(b"", data)):
                for run in _BASE64_RUN.findall(text):
                    for start in range(4):
                        yield _decode(run[start:])

    def transcript(self) -> str:
        """Return the conversations as text for a person to read, `*` marking encrypted lines."""
        return "\n".join(
            f"{line.connection} {'*' if line.encrypted else ' '}{line.direction}: "
            f"{line.text.decode('utf-8', 'backslashreplace').rstrip()}"
            for line in self.lines
        )


def _decode(run: bytes) -> bytes:
    whole = run[: len(run) - len(run) % 4] if len(run) % 4 == 1 else run
    try:
        return base64.b64decode(whole + b"=" * (-len(whole) % 4))
    except binascii.Error:
        return b""

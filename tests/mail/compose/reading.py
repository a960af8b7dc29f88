"""Reading a finished mail back with the standard library, which shares no code with composing."""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes, message_from_string, policy
from email.errors import NonASCIILocalPartDefect
from email.message import EmailMessage, MIMEPart
import re

from custom_components.email_courier.mail.compose.message import ComposedMail

_HEADER_LINE = re.compile(rb"[!-9;-~]+:(?: .*)?|[ \t]+\S.*", re.DOTALL)


@dataclass
class ReadPart:
    """One part that is not itself made of parts."""

    content_type: str
    content: bytes
    filename: str | None
    disposition: str | None
    content_id: str | None


@dataclass
class ReadMail:
    """A mail as a reader sees it."""

    message: EmailMessage
    names: list[str]
    structure: str
    parts: list[ReadPart] = field(default_factory=list)

    def text(self, content_type: str) -> str:
        """Return the first text of a type, lines ending in a newline alone."""
        found = next(part for part in self.parts if part.content_type == content_type)
        return found.content.decode().replace("\r\n", "\n")

    def addresses(self, name: str) -> list[str]:
        """Return the bare addresses of a field."""
        return [a.addr_spec for header in self.message.get_all(name, []) for a in header.addresses]


def read(mail: ComposedMail) -> ReadMail:
    """Parse a mail; fails where it is not fit for the wire or not understood without defects."""
    data = bytes(mail.data)
    check_wire(data, utf8_header=mail.envelope.smtputf8)
    assert mail.size == len(mail.data)
    if mail.envelope.smtputf8:
        # The parser of bytes knows nothing of RFC 6532.
        message = message_from_string(data.decode(), policy=policy.default)
    else:
        message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    parts = [_part(part) for part in message.walk() if not part.is_multipart()]
    return ReadMail(message, message.keys(), _structure(message), parts)


def check_wire(data: bytes, *, utf8_header: bool = False) -> None:
    """Check what RFC 5321 and 5322 ask of the bytes of any message that needs no extension."""
    assert data.endswith(b"\r\n")
    lines = data[:-2].split(b"\r\n")
    assert all(len(line) <= 998 for line in lines)
    assert not any(control in line for line in lines for control in (b"\r", b"\n", b"\0"))
    header, _, body = data.partition(b"\r\n\r\n")
    assert utf8_header or header.isascii()
    assert body.isascii()
    assert all(_HEADER_LINE.fullmatch(line) for line in header.split(b"\r\n"))
    for line in header.split(b"\r\n"):
        assert b"=?" not in line or len(line) <= 76


def _part(part: EmailMessage) -> ReadPart:
    assert not part.defects
    for name, value in part.items():
        for defect in value.defects:
            # What RFC 6532 allows is a defect in the eyes of the standard library, and so are
            # encoded words in the name of a Content-Type, which many readers need.
            assert isinstance(defect, NonASCIILocalPartDefect) or (
                name == "Content-Type" and "encoded" in str(defect)
            )
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return ReadPart(
        part.get_content_type(),
        content,
        part.get_filename(),
        part.get_content_disposition(),
        part["Content-ID"] and str(part["Content-ID"]),
    )


def _structure(part: MIMEPart) -> str:
    if not part.is_multipart():
        return part.get_content_type()
    inner = ", ".join(_structure(child) for child in part.iter_parts())
    return f"{part.get_content_subtype()}({inner})"

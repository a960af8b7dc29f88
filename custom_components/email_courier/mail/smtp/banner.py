"""Which protocol speaks, by its first bytes."""

from __future__ import annotations

from ..charset import decode
from ..redaction import NOTHING_HIDDEN, Redactor
from ..reply import clean_text

TLS_RECORD = (b"\x14\x03", b"\x15\x03", b"\x16\x03", b"\x17\x03")
"""First octets of a TLS record (RFC 8446 section 5.1)."""

_LONGEST_LINE = 200

_BANNERS = (
    (b"HTTP/", "HTTP"),
    (b"HTTP", "HTTP"),
    (b"* OK", "IMAP"),
    (b"* PREAUTH", "IMAP"),
    (b"* PR", "IMAP"),
    (b"* BY", "IMAP"),
    (b"+OK", "POP3"),
    (b"-ERR", "POP3"),
    (b"SSH-", "SSH"),
    (b"RFB ", "VNC"),
    (b"<!DO", "HTTP"),
    (b"<htm", "HTTP"),
)
_GREETING_WORDS = {
    "ftp": "FTP",
    "ftpd": "FTP",
    "proftpd": "FTP",
    "pure-ftpd": "FTP",
    "vsftpd": "FTP",
    "nntp": "NNTP",
    "usenet": "NNTP",
}
_AROUND_WORDS = "()[]<>{},;:!\"'*-"


def is_tls(raw: bytes) -> bool:
    """Tell whether these bytes begin a TLS record."""
    return raw.startswith(TLS_RECORD)


def name_protocol(raw: bytes) -> str | None:
    """Name a protocol other than SMTP by the first bytes that a server sent."""
    for prefix, name in _BANNERS:
        if raw.startswith(prefix):
            return name
    return None


def name_in_greeting(text: str) -> str | None:
    """Name a protocol that greets with a number as SMTP does, but says what it is.

    Only whole words count: a part of a host's name says nothing.
    """
    words = text.lower()
    if "smtp" in words:
        return None
    names = (_GREETING_WORDS.get(word.strip(_AROUND_WORDS)) for word in words.split())
    return next(filter(None, names), None)


def first_line(raw: bytes, redactor: Redactor = NOTHING_HIDDEN) -> str:
    """Return the first line of what was heard, fit to be shown."""
    text = redactor.text(decode(raw))
    return clean_text(text.split("\n", 1)[0][:_LONGEST_LINE])

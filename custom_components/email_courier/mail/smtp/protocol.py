"""SMTP without input or output: what a server offers, commands, replies and dot-stuffing.

Also which other protocol a server speaks, by the first that it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set as AbstractSet
from enum import StrEnum
import re
from typing import NamedTuple

from ..charset import decode
from ..failure import Cause, Failure, FailureKind, MailError, Permanence, Stage
from ..payload import Payload, pieces_of
from ..redaction import NOTHING_HIDDEN, Redactor
from ..reply import clean_text

_USED_EXTENSIONS = frozenset({"8bitmime", "auth", "pipelining", "size", "smtputf8", "starttls"})
_PATH = re.compile(
    r"""(?:"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"|[^\s<>()\[\],;:\\"@\x00-\x1f\x7f]+)"""
    r"""@(?:[^\s<>()\[\],;:\\"@\x00-\x1f\x7f]+|\[[0-9A-Za-z.:]+\])"""
)

MAX_LINE = 4096
"""Octets of one line; RFC 5321 section 4.5.3.1.5 asks for 512 only."""
MAX_REPLY = 65_536
"""Octets of a whole reply."""
_TELLING = 4
"""Octets that tell which protocol speaks, when it is not SMTP."""
_SIZE = re.compile(r"[0-9]{1,20}")
_NO_LIMIT = 2**63
"""Octets that no message has."""
_LINE = re.compile(rb"[2-5]\d\d(?:[ -][^\r\n]*)?\r?\n\Z")
_LINE_START = re.compile(rb"(?:[2-5](?:\d(?:\d(?:[ -].*|\r)?)?)?)?\Z", re.DOTALL)


class Mechanism(StrEnum):
    """The login mechanisms that can be used, by their SASL names."""

    SCRAM_SHA_256 = "SCRAM-SHA-256"
    PLAIN = "PLAIN"
    LOGIN = "LOGIN"
    CRAM_MD5 = "CRAM-MD5"
    XOAUTH2 = "XOAUTH2"
    OAUTHBEARER = "OAUTHBEARER"


class Capabilities(NamedTuple):
    """What a server said of itself in its last EHLO reply (RFC 5321 section 4.1.1.1).

    extensions: keywords in lower case with their parameters.
    mechanisms: login mechanisms in upper case.
    """

    extensions: Mapping[str, str]
    mechanisms: AbstractSet[str]

    @classmethod
    def read(
        cls,
        shown: tuple[Mapping[str, str], Iterable[str]],
        said: tuple[Mapping[str, str], Iterable[str]],
    ) -> Capabilities:
        """Put together what may be shown, and the known words of what was really said."""
        known = {name: shown[0].get(name, "") for name in said[0] if name in _USED_EXTENSIONS}
        return cls(
            {**shown[0], **known},
            {name.upper() for name in shown[1]}
            | {name.upper() for name in said[1]}.intersection(Mechanism),
        )

    @property
    def size_limit(self) -> int | None:
        """Octets of the largest message, None when no limit below 2**63 is stated.

        RFC 1870 section 4 gives it up to 20 digits, and 0 for no limit.
        """
        value = self.extensions.get("size")
        if not value or not _SIZE.fullmatch(value := value.strip()):
            return None
        limit = int(value)
        return limit if 0 < limit < _NO_LIMIT else None


NOTHING = Capabilities({}, frozenset())
"""Of a server that has not spoken yet, or of one that only knows HELO."""


def mail_command(
    sender: str,
    offered: Capabilities,
    *,
    size: int | None = None,
    smtputf8: bool = False,
) -> bytes:
    """Write MAIL with what the server offers of SIZE, SMTPUTF8 and 8BITMIME.

    size: octets of the message (RFC 1870). smtputf8: whether the mail needs RFC 6531.
    Raises MailError.
    """
    parts = [b"MAIL FROM:" + _path(sender, FailureKind.INVALID_SENDER, Stage.SENDER)]
    if size is not None and "size" in offered.extensions:
        parts.append(b"SIZE=%d" % size)
    if smtputf8:
        if "smtputf8" not in offered.extensions:
            raise MailError(no_smtputf8(sender, FailureKind.INVALID_SENDER, Stage.SENDER))
        parts.append(b"SMTPUTF8")
        if "8bitmime" in offered.extensions:
            parts.append(b"BODY=8BITMIME")
    return b" ".join(parts)


def rcpt_command(recipient: str, offered: Capabilities) -> bytes:
    """Write RCPT. Raises MailError."""
    if not recipient.isascii() and "smtputf8" not in offered.extensions:
        raise MailError(no_smtputf8(recipient, FailureKind.INVALID_RECIPIENT, Stage.RECIPIENT))
    return b"RCPT TO:" + _path(recipient, FailureKind.INVALID_RECIPIENT, Stage.RECIPIENT)


def check_size(size: int, offered: Capabilities) -> None:
    """Raise MailError for a message of more octets than the server takes."""
    limit = offered.size_limit
    if limit is not None and size > limit:
        raise MailError(
            Failure(
                FailureKind.MESSAGE_TOO_LARGE,
                Stage.SENDER,
                Permanence.PERMANENT,
                detail=f"{size} bytes, and the server takes {limit}",
                facts={"size": str(size), "limit": str(limit)},
            )
        )


def _path(address: str, kind: FailureKind, stage: Stage) -> bytes:
    """Write an address as a path (section 4.1.2), which must end where it says."""
    if _PATH.fullmatch(address) is None:
        raise MailError(
            Failure(
                kind,
                stage,
                Permanence.PERMANENT,
                detail="not an address",
                facts={"address": clean_text(address), "cause": Cause.ADDRESS_LOCAL_PART.value},
            )
        )
    return b"<%b>" % address.encode()


def no_smtputf8(address: str, kind: FailureKind, stage: Stage) -> Failure:
    """Name an address that asks for more than the server can do."""
    return Failure(
        kind,
        stage,
        Permanence.PERMANENT,
        detail=f"{clean_text(address)}: the server takes no addresses with letters outside ASCII",
        facts={"address": address, "cause": Cause.ADDRESS_NOT_ASCII.value},
    )


class MalformedReplyError(ValueError):
    """What arrived can not be, or become, a reply."""

    def __init__(self, reason: str, raw: bytes) -> None:
        """Keep what arrived, whole: half a secret would not be known for one."""
        super().__init__(reason)
        self.raw = raw


class ReplyBuffer:
    """Collects bytes and cuts them into replies."""

    _line = b""
    _reply = b""

    @property
    def pending(self) -> bytes:
        """Bytes of a reply that is not complete yet."""
        return self._reply + self._line

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes and yield the replies that they complete, raw.

        Raises MalformedReplyError as soon as no reply can come of the rest.
        """
        for piece in _lines(data):
            self._line += piece
            if len(self._line) > MAX_LINE or len(self._reply) + len(self._line) > MAX_REPLY:
                raise MalformedReplyError("reply too long", self.pending)
            if not self._line.endswith(b"\n"):
                if len(self._line) >= _TELLING and not _LINE_START.match(self._line):
                    raise MalformedReplyError("not an SMTP reply", self.pending)
                continue
            if not _LINE.match(self._line):
                raise MalformedReplyError("not an SMTP reply", self.pending)
            is_last = self._line[3:4] != b"-"
            self._reply += self._line
            self._line = b""
            if is_last:
                reply, self._reply = self._reply, b""
                yield reply


def split_reply(raw: bytes) -> tuple[int, str]:
    """Return the code of a whole reply and the text of its lines, with LF in between.

    Where lines differ in their codes, the last one decides.
    """
    text = raw.decode("ascii") if raw.isascii() else decode(raw)
    lines = [(line[:3], line[4:].strip()) for line in text.rstrip("\r\n").split("\n")]
    return int(lines[-1][0]), "\n".join([words for _, words in lines])


def _lines(data: bytes) -> list[bytes]:
    """Split after each LF and nowhere else."""
    pieces = data.split(b"\n")
    lines = [piece + b"\n" for piece in pieces[:-1]]
    return [*lines, pieces[-1]] if pieces[-1] else lines


def dot_stuffed(message: Payload) -> Iterator[bytes]:
    """Yield a message with every leading dot doubled (RFC 5321 section 4.5.2), never b"".

    It ends with a line end in any case; the final dot is not part of it. Blocks where the message
    is in a file. Raises OSError.
    """
    end = b"\n"
    for piece in pieces_of(message):
        doubled = piece.replace(b"\n.", b"\n..")
        yield b"." + doubled if end.endswith(b"\n") and piece.startswith(b".") else doubled
        end = (end + piece)[-2:]
    if end != b"\r\n":
        yield b"\r\n"


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

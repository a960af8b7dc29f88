"""Where one reply ends and the next begins (RFC 5321 section 4.2.1).

No networking here: bytes go in as they arrive, split or glued, and whole replies come out.
"""

from __future__ import annotations

from collections.abc import Iterator
import re

MAX_LINE = 4096
"""Octets of one line; RFC 5321 section 4.5.3.1.5 asks for 512 only."""
MAX_REPLY = 65_536
"""Octets of a whole reply."""

_TELLING = 4
"""Octets that tell which protocol speaks, when it is not SMTP."""

_LINE = re.compile(rb"[2-5]\d\d(?:[ -][^\r\n]*)?\r?\n\Z")
_LINE_START = re.compile(rb"(?:[2-5](?:\d(?:\d(?:[ -].*|\r)?)?)?)?\Z", re.DOTALL)


class MalformedReplyError(ValueError):
    """What arrived can not be, or become, a reply."""

    def __init__(self, reason: str, raw: bytes) -> None:
        """Keep the first bytes, for the text of the failure."""
        super().__init__(reason)
        self.raw = raw[:512]


class ReplyBuffer:
    """Collects bytes and cuts them into replies."""

    def __init__(self) -> None:
        """Start empty."""
        self._line = bytearray()
        self._reply = bytearray()

    @property
    def pending(self) -> bytes:
        """Bytes of a reply that is not complete yet."""
        return bytes(self._reply + self._line)

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
            if self._reply and self._line[:3] != self._reply[:3]:
                raise MalformedReplyError("the code changes within a reply", self.pending)
            is_last = self._line[3:4] != b"-"
            self._reply += self._line
            self._line.clear()
            if is_last:
                reply = bytes(self._reply)
                self._reply.clear()
                yield reply


def split_reply(raw: bytes) -> tuple[int, str]:
    """Return the code of a whole reply and the text of its lines, with LF in between."""
    lines = raw.decode("utf-8", "replace").rstrip("\r\n").split("\n")
    return int(raw[:3]), "\n".join(line[4:].strip() for line in lines)


def _lines(data: bytes) -> list[bytes]:
    """Split after each LF and nowhere else."""
    pieces = data.split(b"\n")
    lines = [piece + b"\n" for piece in pieces[:-1]]
    return [*lines, pieces[-1]] if pieces[-1] else lines

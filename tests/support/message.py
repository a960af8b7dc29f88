"""Reading a message off the wire, and what must not be on it."""

from collections.abc import Awaitable, Callable, Iterator

from tests.support.script import Upload
from tests.support.stream import Stream

_END = b"\r\n.\r\n"
_LIMITS = {"command": 512, "mail": 1024, "login": 12288}
"""Octets with the line end: RFC 5321, 4.5.3.1.4; MAIL with its extensions; RFC 4954, section 4."""


async def receive(stream: Stream, upload: Upload, stop: Callable[[], Awaitable[None]]) -> bytes:
    """Return the message with its dots as sent, without the final one; what follows is kept.

    `stop` is called once `upload.stop_after` bytes have come in.
    """
    raw = bytearray()
    stopped = upload.stop_after is None
    while True:
        data = await stream.read_some()
        if upload.rate is not None:
            await stream.stop_reading(len(data) / upload.rate)
        # The end may have come in two parts.
        start = max(0, len(raw) - len(_END))
        raw += data
        if not stopped and upload.stop_after is not None and len(raw) >= upload.stop_after:
            stopped = True
            await stop()
        if raw.startswith(b".\r\n"):
            stream.push_back(bytes(raw[3:]))
            return b""
        if (end := raw.find(_END, start)) >= 0:
            stream.push_back(bytes(raw[end + len(_END) :]))
            return bytes(raw[: end + 2])


def unstuffed(raw: bytes) -> bytes:
    """Return a message without the dots that were added for transport (RFC 5321, 4.5.2)."""
    return raw.removeprefix(b".").replace(b"\r\n.", b"\r\n")


def content_faults(raw: bytes, *, eight_bit: bool) -> Iterator[str]:
    """Name what must not be in a message on the wire; `eight_bit`: BODY=8BITMIME was said."""
    if not raw.count(b"\r\n") == raw.count(b"\r") == raw.count(b"\n"):
        yield "a CR or LF alone in the message (RFC 5321, 2.3.8)"
    if b"\0" in raw:
        yield "a NUL in the message (RFC 5322, 3.5)"
    # The dot that was added for transport does not count.
    if max(map(len, unstuffed(raw).split(b"\r\n"))) > 998:
        yield "a line of more than 998 octets in the message (RFC 5321, 4.5.3.1.6)"
    if not eight_bit and not raw.isascii():
        yield "8-bit text without BODY=8BITMIME (RFC 6152)"


def line_faults(line: bytes, what: str) -> Iterator[str]:
    """Name what must not be in a line that is a `command` or a part of a `login`."""
    if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
        yield f"a CR or LF alone in a {what} (RFC 5321, 2.3.8)"
    if b"\0" in line:
        yield f"a NUL in a {what} (RFC 5321, 4.1.2)"
    kind = "mail" if line[:5].upper() == b"MAIL " else what
    if len(line) > _LIMITS[kind]:
        yield f"a {what} of {len(line)} octets (RFC 5321, 4.5.3.1.4)"

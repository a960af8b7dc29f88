"""The tree of parts that a message is (RFC 2046), written out piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

type Fields = tuple[tuple[str, str], ...]
"""Header fields in their order: names and values, folded with CRLF already."""


class Body(Protocol):
    """What follows the header of a part."""

    @property
    def size(self) -> int:
        """How many bytes the body will be, CRLF included."""

    def pieces(self) -> Iterator[bytes]:
        """Yield the body, 7-bit lines with CRLF. Raises what reading its source raises."""


class Part(NamedTuple):
    """One part: its header fields and its body."""

    fields: Fields
    body: Body

    @property
    def content_type(self) -> str:
        """Its type without parameters."""
        declared = next(value for name, value in self.fields if name == "Content-Type")
        return declared.partition(";")[0]

    @property
    def size(self) -> int:
        """How many bytes the part will be, header included."""
        return len(header_bytes(self.fields)) + self.body.size

    def pieces(self) -> Iterator[bytes]:
        """Yield the part as it goes over the wire, without dot-stuffing."""
        yield header_bytes(self.fields)
        yield from self.body.pieces()

    def with_fields(self, fields: Fields) -> Part:
        """Return the part with more fields in front of its own."""
        return Part(fields + self.fields, self.body)


class Bytes(NamedTuple):
    """A body that is ready."""

    data: bytes

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return len(self.data)

    def pieces(self) -> Iterator[bytes]:
        """Yield it whole."""
        yield self.data


class Parts(NamedTuple):
    """The body of a multipart: other parts between boundary lines (RFC 2046 section 5.1.1)."""

    boundary: str
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """The sum of the parts and the boundary lines, in bytes."""
        line = len(self._line())
        return sum(line + part.size + 2 for part in self.parts) + line + 2

    def pieces(self) -> Iterator[bytes]:
        """Yield part by part."""
        for part in self.parts:
            yield self._line()
            yield from part.pieces()
            yield b"\r\n"
        yield self._line(end="--")

    def _line(self, end: str = "") -> bytes:
        return f"--{self.boundary}{end}\r\n".encode("ascii")


def multipart(subtype: str, parts: Iterable[Part], unique: Callable[[], str]) -> Part:
    """Join parts; a single one stays as it is. Of related parts the first is the root (RFC 2387).

    unique: returns a new token each time, of letters and digits that nobody can guess.
    """
    parts = tuple(parts)
    if len(parts) == 1:
        return parts[0]
    # Neither base64 nor quoted-printable can contain "=_".
    boundary = f"=_{unique()}"
    root = f';\r\n type="{parts[0].content_type}"' if subtype == "related" else ""
    declared = f'multipart/{subtype}{root};\r\n boundary="{boundary}"'
    return Part((("Content-Type", declared),), Parts(boundary, parts))


def header_bytes(fields: Fields) -> bytes:
    """Return fields and the empty line behind them; addresses may need UTF-8 (RFC 6532)."""
    lines = "".join(f"{name}: {value}".rstrip(" ") + "\r\n" for name, value in fields)
    return f"{lines}\r\n".encode()

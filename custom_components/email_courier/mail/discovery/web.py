"""Fetching a small document, and from whom."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from .model import LookupFailed

_UNCOMPRESSED = {"Accept-Encoding": "identity"}
"""A limit of bytes means little for what grows a thousandfold when it is unpacked."""


class Page(NamedTuple):
    """An HTTP response.

    location: where a redirect points to, as the server wrote it.
    body: never longer than was asked for.
    """

    status: int
    location: str | None
    body: bytes


class Fetch(Protocol):
    """One GET over HTTPS with the certificate checked.

    Follows no redirect and stops reading after `limit` bytes. Raises LookupFailed.
    """

    async def __call__(self, url: str, *, limit: int) -> Page:
        """Return the page at a URL."""


class _Content(Protocol):
    async def read(self, n: int, /) -> bytes: ...


class _Response(Protocol):
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> _Content: ...


class Session(Protocol):
    """As much of an aiohttp.ClientSession as is needed here."""

    def get(
        self, url: str, /, *, allow_redirects: bool, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[_Response]:
        """Begin a request."""


class SessionFetch:
    """A Fetch over an aiohttp session, which this layer does not import.

    errors: what the session raises (aiohttp.ClientError), besides OSError and TimeoutError.
    """

    def __init__(self, session: Session, errors: tuple[type[Exception], ...]) -> None:
        """Keep the session, which stays its owner's."""
        self._session = session
        self._errors: tuple[type[Exception], ...] = (*errors, OSError, ValueError)

    async def __call__(self, url: str, *, limit: int) -> Page:
        """Return the page at a URL. Raises LookupFailed."""
        try:
            async with self._session.get(
                url, allow_redirects=False, headers=_UNCOMPRESSED
            ) as response:
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    raise LookupFailed("compressed answer to a request for none")
                return Page(
                    response.status,
                    response.headers.get("Location"),
                    await _read(response.content, limit),
                )
        except self._errors as error:
            raise LookupFailed(str(error) or type(error).__name__) from error


async def _read(content: _Content, limit: int) -> bytes:
    """Read to the end, but no more than a limit of bytes: a single read may return less."""
    body = bytearray()
    while len(body) < limit and (chunk := await content.read(limit - len(body))):
        body += chunk
    return bytes(body)

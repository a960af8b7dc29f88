"""An HTTPS server on loopback that is every host of a made-up internet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import socket
import ssl

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
import trustme


@dataclass(frozen=True)
class Answer:
    """What one URL answers.

    drip: seconds between single bytes of the body, for ever where endless.
    delay: seconds before the first byte.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float | None = None
    endless: bool = False


def redirect(location: str, status: int = 302) -> Answer:
    """Send the client elsewhere."""
    return Answer(status, headers={"Location": location})


@dataclass
class Request:
    """One request as it came in."""

    host: str
    target: str
    headers: dict[str, str]


class WebStandIn:
    """Answers by host and path, and remembers what it was asked."""

    def __init__(self, *names: str) -> None:
        self._authority = trustme.CA()
        self._names = names
        self._answers: dict[str, Answer] = {}
        self.requests: list[Request] = []
        self.open = 0
        self.connections = 0
        self.port = 0

    def on(self, place: str, answer: Answer) -> None:
        """Set the answer of "host/path", whatever the query."""
        self._answers[place] = answer

    def server_context(self) -> ssl.SSLContext:
        """A context with a certificate for all names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*self._names).configure_cert(context)
        return context

    @asynccontextmanager
    async def session(self, *, trusting: bool = True) -> AsyncIterator[aiohttp.ClientSession]:
        """A client for which every host name leads here."""
        context = ssl.create_default_context()
        if trusting:
            self._authority.configure_trust(context)
        connector = aiohttp.TCPConnector(resolver=_AlwaysHere(self.port), ssl=context)
        async with aiohttp.ClientSession(connector=connector) as session:
            yield session

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and hang up."""
        self.open += 1
        self.connections += 1
        try:
            await self._serve(reader, writer)
        except OSError:
            pass  # The client has had enough, which is what some tests are about.
        finally:
            self.open -= 1
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return
        request_line, *lines = head.rstrip().split("\r\n")
        headers = {name.lower(): value for name, value in (li.split(": ", 1) for li in lines)}
        target = request_line.split(" ")[1]
        host = headers["host"].partition(":")[0]
        self.requests.append(Request(host, target, headers))
        answer = self._answers.get(host + target.partition("?")[0], Answer(404))
        await asyncio.sleep(answer.delay)
        sent = {"Connection": "close", **answer.headers}
        if not answer.endless:
            sent["Content-Length"] = str(len(answer.body))
        writer.write(f"HTTP/1.1 {answer.status} -\r\n".encode())
        writer.write("".join(f"{name}: {value}\r\n" for name, value in sent.items()).encode())
        writer.write(b"\r\n")
        await self._send_body(writer, answer)

    @staticmethod
    async def _send_body(writer: asyncio.StreamWriter, answer: Answer) -> None:
        writer.write(answer.body if answer.drip is None else b"")
        await writer.drain()
        while answer.endless and not writer.is_closing():
            writer.write(b" " if answer.drip else b" " * 65536)
            await writer.drain()
            await asyncio.sleep(answer.drip or 0)


class _AlwaysHere(AbstractResolver):
    """Resolves every name to one port of loopback."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self,
        host: str,
        port: int = 0,  # noqa: ARG002
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=self._port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def web_stand_in(*names: str) -> AsyncIterator[WebStandIn]:
    """Run an HTTPS server for these host names on a free port of loopback."""
    stand_in = WebStandIn(*names)
    server = await asyncio.start_server(
        stand_in.serve, "127.0.0.1", 0, ssl=stand_in.server_context()
    )
    stand_in.port = server.sockets[0].getsockname()[1]
    try:
        yield stand_in
    finally:
        server.close()
        server.abort_clients()
        await server.wait_closed()

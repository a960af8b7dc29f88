"""A small internet on loopback: host names with the ports that people type.

A name such as `mail.example.test` and a port such as 465 lead to wherever a test's server
happens to listen. Only the event loop's resolver is replaced: what connects is real.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
import socket
from typing import Any
from unittest import mock

from tests.support.listener import LOOPBACK, LOOPBACK6, Listener
from tests.support.ports import refusing_port, unanswered_port

type _Address = tuple[str, int]


@dataclass(slots=True)
class Host:
    """One name: what listens on each of its ports; the others refuse."""

    ports: dict[int, Listener] = field(default_factory=dict)
    filtered: frozenset[int] = frozenset()
    """Ports where no packet is answered."""
    address: str = LOOPBACK
    """Where the name leads to as far as anyone can tell who asks for no port."""
    dead_first: bool = False
    """Whether an IPv6 address that does not answer comes first."""


class Network:
    """Names and what they lead to; a name that is not known does not resolve."""

    def __init__(self, stack: ExitStack) -> None:
        """Free the ports of the dead ends as the stack unwinds."""
        self.hosts: dict[str, Host] = {}
        self._stack = stack
        self._refusing = stack.enter_context(refusing_port())
        self._unanswered: dict[str, int] = {}

    def add(self, name: str, ports: dict[int, Listener] | None = None, **rest: Any) -> None:
        """Give a name to servers; `rest` are further fields of `Host`."""
        host = self.hosts[name] = Host(ports or {}, **rest)
        # Making sure that nobody answers takes a tenth of a second, so few tests do without need.
        if host.filtered:
            self._dead_end(LOOPBACK)
        if host.dead_first:
            self._dead_end(LOOPBACK6)

    def addresses(self, name: str, port: int | None) -> list[_Address]:
        """Return where a name and a port lead to. Raises socket.gaierror for an unknown name."""
        host = self.hosts.get(name.lower().rstrip("."))
        if host is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if port is None:
            return [(host.address, 0)]
        if port in host.filtered:
            return [(LOOPBACK, self._dead_end(LOOPBACK))]
        if server := host.ports.get(port):
            living = [(address, server.port) for address in server.hosts]
            return [(LOOPBACK6, self._dead_end(LOOPBACK6)), *living] if host.dead_first else living
        return [(LOOPBACK, self._refusing)]

    def _dead_end(self, address: str) -> int:
        if address not in self._unanswered:
            self._unanswered[address] = self._stack.enter_context(unanswered_port(address))
        return self._unanswered[address]


@contextmanager
def small_internet() -> Iterator[Network]:
    """Give the running event loop a network of its own; addresses and `localhost` stay real."""
    loop = asyncio.get_running_loop()
    resolve = loop.getaddrinfo
    with ExitStack() as stack:
        network = Network(stack)

        async def getaddrinfo(host: Any, port: Any, **options: Any) -> list[tuple[Any, ...]]:
            if host == "localhost" or _is_address(host):
                return [*await resolve(host, port, **options)]
            return [
                (
                    socket.AF_INET6 if ":" in address else socket.AF_INET,
                    socket.SOCK_STREAM,
                    socket.IPPROTO_TCP,
                    "",
                    (address, real_port, 0, 0) if ":" in address else (address, real_port),
                )
                for address, real_port in network.addresses(host, port)
            ]

        stack.enter_context(mock.patch.object(loop, "getaddrinfo", getaddrinfo))
        yield network


def _is_address(host: object) -> bool:
    if not isinstance(host, str):
        return True
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False

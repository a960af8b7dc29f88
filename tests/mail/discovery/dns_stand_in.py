"""A name server on loopback that knows one zone, and can be as bad as name servers get."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import Enum, auto
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

TTL = 60


class Fault(Enum):
    """What the name server does instead of answering."""

    SILENCE = auto()
    """The packet is lost, or a firewall eats it."""
    GARBAGE = auto()
    """Bytes that are no DNS message behind the right identifier."""
    SERVER_FAILURE = auto()
    """SERVFAIL, as for a zone whose own servers are down."""
    TRUNCATED = auto()
    """An answer that asks to come again by TCP, where nobody listens."""


class DnsStandIn(asyncio.DatagramProtocol):
    """Answers from its zone; every name in it is complete, without a dot at the end."""

    def __init__(self) -> None:
        self._zone: dict[tuple[str, str], list[str]] = {}
        self._faults: dict[str, Fault] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self.asked: list[tuple[str, str]] = []

    def has(self, name: str, kind: str, *records: str) -> Self:
        """Put records into the zone, as a zone file writes them."""
        self._zone[name, kind] = list(records)
        return self

    def fails(self, name: str, fault: Fault) -> Self:
        """Let every question about a name end in a fault."""
        self._faults[name] = fault
        return self

    @property
    def nameservers(self) -> Sequence[str]:
        """Where to ask."""
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")
        return [f"{host}:{port}"]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        assert self._transport is not None
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        reply = dns.message.make_response(query)
        match self._faults.get(name):
            case Fault.SILENCE:
                return
            case Fault.GARBAGE:
                self._transport.sendto(data[:2] + b"\xff" * 40, addr)
                return
            case Fault.SERVER_FAILURE:
                reply.set_rcode(dns.rcode.SERVFAIL)
            case Fault.TRUNCATED:
                reply.flags |= dns.flags.TC
            case None:
                self._fill(reply, question.name, name, kind)
        self._transport.sendto(reply.to_wire(), addr)

    def _fill(
        self, reply: dns.message.Message, full_name: dns.name.Name, name: str, kind: str
    ) -> None:
        """Answer, following aliases within the zone; NXDOMAIN where the name holds nothing."""
        if not any(known == name for known, _ in self._zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
            return
        if alias := self._zone.get((name, "CNAME")):
            reply.answer.append(dns.rrset.from_text(full_name, TTL, "IN", "CNAME", *alias))
            target = alias[0].rstrip(".")
            self._fill(reply, dns.name.from_text(alias[0]), target, kind)
            return
        if records := self._zone.get((name, kind)):
            reply.answer.append(dns.rrset.from_text(full_name, TTL, "IN", kind, *records))


@asynccontextmanager
async def dns_stand_in() -> AsyncIterator[DnsStandIn]:
    """Run a name server on a free port of loopback."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(DnsStandIn, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()

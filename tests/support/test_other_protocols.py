"""Servers of other protocols, and ports where nobody speaks."""

import asyncio

import pytest

from tests.support.fixtures import Bed
from tests.support.listener import LOOPBACK, LOOPBACK6
from tests.support.other_protocols import (
    CLOSING,
    FTP,
    HTTP,
    IMAP,
    MYSQL,
    POP3,
    RESETTING,
    SILENT,
    SSH,
    OtherProtocol,
)
from tests.support.ports import refusing_port, unanswered_port


@pytest.mark.parametrize("stranger", [IMAP, POP3, SSH, FTP, MYSQL], ids=lambda it: it.name)
async def test_a_stranger_greets_and_answers(bed: Bed, stranger: OtherProtocol) -> None:
    server = await bed.host(stranger)
    reader, writer = await asyncio.open_connection(server.host, server.port)
    assert await reader.read(1024) == stranger.greeting
    writer.write(b"EHLO x\r\n")
    assert await reader.read(1024) == stranger.answer
    writer.close()


@pytest.mark.parametrize("stranger", [HTTP, HTTP.over_tls()])
async def test_http_waits_to_be_spoken_to(bed: Bed, stranger: OtherProtocol) -> None:
    server = await bed.host(stranger)
    context = bed.certificates.client_context() if stranger.tls else None
    reader, writer = await asyncio.open_connection(server.host, server.port, ssl=context)
    writer.write(b"EHLO x\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400")
    writer.close()
    assert server.record.commands() == ["EHLO x"]


async def test_a_silent_port_takes_everything_and_says_nothing(bed: Bed) -> None:
    server = await bed.host(SILENT)
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"EHLO x\r\n")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.2)
    assert bytes(server.record.clear[1]) == b"EHLO x\r\n"
    writer.close()
    assert await server.all_closed()


async def test_a_closing_port_is_at_its_end_at_once(bed: Bed) -> None:
    server = await bed.host(CLOSING)
    reader, writer = await asyncio.open_connection(server.host, server.port)
    assert await reader.read() == b""
    writer.close()


async def test_a_resetting_port_resets(bed: Bed) -> None:
    server = await bed.host(RESETTING)
    reader, writer = await asyncio.open_connection(server.host, server.port)
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


@pytest.mark.parametrize("host", [LOOPBACK, LOOPBACK6])
async def test_a_refusing_port_refuses(host: str) -> None:
    with refusing_port(host) as port, pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, port)


@pytest.mark.parametrize("host", [LOOPBACK, LOOPBACK6])
async def test_an_unanswered_port_neither_connects_nor_refuses(host: str) -> None:
    with unanswered_port(host) as port, pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.open_connection(host, port), 0.3)

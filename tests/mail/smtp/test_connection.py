"""The connection below a session: what it takes to have one, and what may go over it."""

import socket
from typing import Any

import pytest

from custom_components.email_courier.mail.failure import Stage
from custom_components.email_courier.mail.smtp import connection
from custom_components.email_courier.mail.smtp.connection import (
    Connection,
    _SmtpProtocol,
    open_socket,
)
from custom_components.email_courier.mail.smtp.session import Session
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY, Tls
from tests.support.sessions import context_for, session_for, settings_for


async def test_a_socket_that_cannot_be_used_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:

        async def odd(*_arguments: Any, **_options: Any) -> socket.socket:
            return sock

        monkeypatch.setattr(connection, "open_socket", odd)
        with pytest.raises(ValueError, match="Stream"):
            await Connection.open(
                "mail.example.test", 25, limit=1.0, resolved=lambda: None, paused=False
            )
        assert sock.fileno() == -1


async def test_a_command_is_one_line(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    opened = session_for(bed, server)
    await opened.open()
    with pytest.raises(ValueError, match="control character"):
        opened.connection.send(b"MAIL FROM:<a@b.test>", b"RCPT TO:<c@d.test>\r\nDATA")
    opened.abort()
    assert server.record.commands("MAIL") == []


async def test_after_a_breach_of_the_rules_nothing_more_is_heard() -> None:
    engine = _SmtpProtocol(paused=False)
    engine.data_received(b"HTTP/1.1 400 Bad Request\r\n")
    fault = engine.fault
    assert fault is not None
    engine.data_received(b"220 mail.example.test ESMTP\r\n")
    assert engine.heard == b"HTTP/1.1 400 Bad Request\r\n"
    assert engine.fault is fault
    assert not engine.replies


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="only Linux can be asked for it")
@pytest.mark.parametrize("tls", Tls)
async def test_a_server_that_waits_for_an_acknowledgement_gets_it_at_once(
    bed: Bed, tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets: list[socket.socket] = []

    async def noted(*arguments: Any, **options: Any) -> socket.socket:
        sockets.append(await open_socket(*arguments, **options))
        return sockets[-1]

    def is_prompt() -> bool:
        return sockets[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK) == 1

    monkeypatch.setattr(connection, "open_socket", noted)
    server = await bed.serve(HEALTHY.but(tls=tls))
    prompt: dict[Stage, bool] = {}
    opened = Session(
        settings_for(server),
        context_for(bed),
        observer=lambda stage: prompt.update({stage: bool(sockets) and is_prompt()}),
    )
    await opened.open(log_in=False)
    assert prompt[Stage.GREETING]
    assert is_prompt()
    opened.abort()

"""The connection below a session: what it takes to have one, and what may go over it."""

import socket

import pytest

from custom_components.email_courier.mail.engine import Engine
from custom_components.email_courier.mail.wire import Wire
from tests.mail.accounts import session_for
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY


async def test_a_socket_that_cannot_be_used_is_closed() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        with pytest.raises(ValueError, match="Stream"):
            await Wire.connect(sock, paused=False)
        assert sock.fileno() == -1


async def test_a_command_is_one_line(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    session = session_for(bed, server)
    await session.open()
    with pytest.raises(ValueError, match="control character"):
        session.wire.send_ahead([b"MAIL FROM:<a@b.test>", b"RCPT TO:<c@d.test>\r\nDATA"])
    session.abort()
    assert server.record.commands("MAIL") == []


async def test_after_a_breach_of_the_rules_nothing_more_is_heard() -> None:
    engine = Engine(paused=False)
    engine.data_received(b"HTTP/1.1 400 Bad Request\r\n")
    fault = engine.fault
    assert fault is not None
    engine.data_received(b"220 mail.example.test ESMTP\r\n")
    assert engine.heard == b"HTTP/1.1 400 Bad Request\r\n"
    assert engine.fault is fault
    assert not engine.has_reply

"""A message as it goes over the wire: whole, and read where nobody has to wait for it."""

import os
import threading

import pytest

from custom_components.email_courier.mail.envelope import Envelope
from custom_components.email_courier.mail.payload import IN_MEMORY, FilePayload, gather
from custom_components.email_courier.mail.smtp.protocol import dot_stuffed
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY
from tests.support.sessions import SENDER, session_for


async def test_a_file_is_never_read_on_the_event_loop(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = gather([b"line of text\r\n" * (IN_MEMORY // 14 + 1)])
    assert isinstance(message, FilePayload)
    readers: set[threading.Thread] = set()
    read = os.pread

    def note(descriptor: int, size: int, start: int, /) -> bytes:
        readers.add(threading.current_thread())
        return read(descriptor, size, start)

    server = await bed.serve(HEALTHY)
    session = session_for(bed, server)
    await session.open()
    monkeypatch.setattr(os, "pread", note)
    assert (await session.deliver(Envelope(SENDER, ("a@example.test",)), message)).accepted
    monkeypatch.undo()
    session.quit()
    assert readers
    assert threading.current_thread() not in readers
    assert server.record.mails[0].content == bytes(message)


def test_a_message_ends_with_a_line_end_and_no_line_with_a_lone_dot() -> None:
    assert list(dot_stuffed(b"text\r\n")) == [b"text\r\n"]
    assert b"".join(dot_stuffed(b".a\r\n.\r\nb")) == b"..a\r\n..\r\nb\r\n"

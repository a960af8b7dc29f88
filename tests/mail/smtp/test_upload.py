"""A message as it goes over the wire: whole, and read where nobody has to wait for it."""

import os
import threading

import pytest

from custom_components.email_courier.mail.payload import IN_MEMORY, FilePayload, gather
from custom_components.email_courier.mail.smtp.protocol import Upload


async def test_a_file_is_never_read_on_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    message = gather([b"line of text\r\n" * (IN_MEMORY // 14 + 1)])
    assert isinstance(message, FilePayload)
    readers: set[threading.Thread] = set()
    read = os.pread

    def note(descriptor: int, size: int, start: int, /) -> bytes:
        readers.add(threading.current_thread())
        return read(descriptor, size, start)

    monkeypatch.setattr(os, "pread", note)
    uploaded = [piece async for piece in Upload(message)]
    assert readers
    assert threading.current_thread() not in readers
    assert b"".join(uploaded) == bytes(message)


async def test_what_is_in_memory_needs_no_other_thread() -> None:
    before = threading.active_count()
    assert [piece async for piece in Upload(b"text\r\n")] == [b"text\r\n"]
    assert threading.active_count() == before

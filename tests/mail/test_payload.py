"""Messages are kept in memory while they are small, and in files when they are large."""

import asyncio
from collections.abc import Iterator
import gc
import os
from pathlib import Path
import tempfile
import threading
import time
import tracemalloc

import pytest

from custom_components.email_courier.mail.payload import (
    IN_MEMORY,
    FilePayload,
    checksum_of,
    gather,
    pieces_of,
    read,
)
from tests.support.clock import SOON

SMALL = b"Subject: small\r\n\r\nHello\r\n"
LARGE = b"Subject: large\r\n\r\n" + b"line of text\r\n" * (2 * IN_MEMORY // 14)


def _cut(data: bytes, size: int = 50_000) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_nothing_sleeps_on_an_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(_seconds: float) -> None:
        raise AssertionError("slept")

    monkeypatch.setattr(time, "sleep", sleep)
    assert gather(_cut(LARGE[:300_000])) == LARGE[:300_000]


async def test_a_file_that_is_let_go_of_on_an_event_loop_is_closed_a_moment_later() -> None:
    payload = await asyncio.to_thread(gather, _cut(LARGE))
    before = _open_files()
    del payload
    async with asyncio.timeout(SOON):
        while _open_files() >= before:
            await asyncio.sleep(0.01)


def test_a_small_message_is_plain_bytes() -> None:
    assert gather(_cut(SMALL)) == SMALL
    assert gather([]) == b""


def test_a_large_message_goes_into_a_file_and_comes_back_as_it_was() -> None:
    message = gather(_cut(LARGE))
    assert isinstance(message, FilePayload)
    assert len(message) == len(LARGE)
    assert bytes(message) == LARGE
    assert b"".join(pieces_of(message, 70_001)) == LARGE
    assert checksum_of(message) == checksum_of(LARGE)


def test_two_readers_do_not_disturb_each_other() -> None:
    message = gather(_cut(LARGE))
    pairs = zip(pieces_of(message), pieces_of(message), strict=True)
    assert all(one == other for one, other in pairs)


def test_a_file_is_closed_when_nobody_holds_it() -> None:
    before = _open_files()
    message = gather(_cut(LARGE))
    assert _open_files() == before + 1
    del message
    gc.collect()
    assert _open_files() == before


async def test_a_file_that_the_event_loop_drops_is_closed_in_a_worker_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closing: asyncio.Future[int] = asyncio.Future()
    loop, close = asyncio.get_running_loop(), os.close

    def note(descriptor: int) -> None:
        close(descriptor)
        if not closing.done():
            loop.call_soon_threadsafe(closing.set_result, threading.get_ident())

    monkeypatch.setattr(os, "close", note)
    before = _open_files()
    message = await asyncio.to_thread(gather, _cut(LARGE))
    closing = asyncio.Future()
    del message
    gc.collect()
    assert await asyncio.wait_for(closing, SOON) != threading.get_ident()
    assert _open_files() == before


def test_a_loop_that_has_no_worker_threads_any_more_closes_a_file_itself() -> None:
    async def drop_at_the_end() -> None:
        message = gather(_cut(LARGE))
        await asyncio.get_running_loop().shutdown_default_executor()
        del message
        gc.collect()

    before = _open_files()
    asyncio.run(drop_at_the_end())
    assert _open_files() == before


def test_other_threads_have_their_turn_while_a_message_is_put_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    gather(_cut(SMALL))
    assert not pauses
    gather(_cut(LARGE))
    assert len(pauses) >= len(LARGE) // 100_000
    assert sum(pauses) < 0.01


def test_gathering_a_large_message_does_not_take_its_size_in_memory() -> None:
    piece = b"line of text\r\n" * 4096
    tracemalloc.start()
    try:
        message = gather(piece for _ in range(16 * IN_MEMORY // len(piece)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(message) > 15 * IN_MEMORY
    assert peak < 4 * IN_MEMORY


def test_a_source_that_fails_leaves_no_file_open() -> None:
    def failing() -> Iterator[bytes]:
        yield LARGE
        raise OSError("gone")

    before = _open_files()
    with pytest.raises(OSError, match="gone"):
        gather(failing())
    gc.collect()
    assert _open_files() == before


def test_without_a_temporary_folder_a_large_message_stays_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert gather(_cut(LARGE)) == LARGE


def test_a_disk_that_runs_full_moves_a_message_into_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = os.pwrite
    calls = 0

    def run_full(descriptor: int, data: bytes, at: int) -> int:
        nonlocal calls
        calls += 1
        if calls == 3:
            return write(descriptor, data[:100], at)
        if calls > 3:
            raise OSError(28, "No space left on device")
        return write(descriptor, data, at)

    monkeypatch.setattr(os, "pwrite", run_full)
    assert gather(_cut(LARGE)) == LARGE


def test_a_file_is_read_whole_or_opened_by_its_size(tmp_path: Path) -> None:
    for content, kind in ((SMALL, bytes), (LARGE, FilePayload)):
        file = tmp_path / kind.__name__
        file.write_bytes(content)
        message = read(file)
        file.unlink()
        assert isinstance(message, kind)
        assert bytes(message) == content
        assert checksum_of(message) == checksum_of(content)


def test_a_file_that_has_become_shorter_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "message"
    file.write_bytes(LARGE)
    message = read(file)
    os.truncate(file, 100)
    with pytest.raises(OSError, match="shorter"):
        bytes(message)

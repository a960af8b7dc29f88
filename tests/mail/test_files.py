"""A file is opened once, checked by what was opened, and read as long as it was then."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import gc
import os
from pathlib import Path
import socket
import threading
import time
from typing import Any

import pytest

from custom_components.email_courier.mail.files import FileError, FileFault, OpenedFile, open_file
from tests.support.clock import SOON

TRIES = 250


def _below(folder: Path) -> Callable[[Path], bool]:
    return lambda real: real.is_relative_to(folder)


def _fault(path: Path | str, folder: Path | None = None) -> FileFault:
    begun = time.monotonic()
    with pytest.raises(FileError) as raised:
        open_file(path, None if folder is None else _below(folder))
    assert time.monotonic() - begun < SOON
    return raised.value.fault


def _descriptors() -> int:
    gc.collect()
    return sum(1 for _ in Path("/dev/fd").iterdir())


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    """A folder files may be read from, beside one with a secret."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file.txt").write_text("secret")
    (tmp_path / "allowed").mkdir()
    return tmp_path / "allowed"


@pytest.mark.parametrize("size", [0, 1, 65_536, 200_000])
def test_a_file_is_read_whole_in_even_pieces(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "data").write_bytes(content)
    file = open_file(tmp_path / "data")
    pieces = list(file.pieces(57_000))

    assert len(file) == size
    assert file
    assert b"".join(pieces) == bytes(file) == content
    assert file.head(100) == content[:100]
    assert all(len(piece) == 57_000 for piece in pieces[:-1])


def test_a_disk_that_gives_less_than_asked_for_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_bytes(bytes(range(256)))
    file = open_file(tmp_path / "data")
    read = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, at: read(fd, min(size, 7), at))

    assert [len(piece) for piece in file.pieces(100)] == [100, 100, 56]
    assert bytes(file) == bytes(range(256))


def test_a_disk_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").write_bytes(b"x")
    file = open_file(tmp_path / "data")

    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pread", fail)
    with pytest.raises(FileError, match="Input/output error") as raised:
        bytes(file)
    assert raised.value.fault is FileFault.UNREADABLE


def test_links_lead_to_what_they_name(allowed: Path) -> None:
    (allowed / "real.txt").write_text("hello")
    (allowed / "latest.txt").symlink_to("real.txt")
    (allowed / "folder").symlink_to(allowed)

    assert bytes(open_file(allowed / "folder" / "latest.txt", _below(allowed))) == b"hello"


def test_a_link_to_the_outside_is_refused_whether_something_is_there_or_not(
    allowed: Path,
) -> None:
    (allowed / "file").symlink_to(allowed.parent / "outside" / "file.txt")
    (allowed / "folder").symlink_to(allowed.parent / "outside")
    (allowed / "dangling").symlink_to(allowed.parent / "outside" / "nothing")

    for path in ("file", "folder/file.txt", "../outside/file.txt", "dangling"):
        assert _fault(allowed / path, allowed) is FileFault.NOT_ALLOWED


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        # The path of a socket has to be short.
        folder = os.open(path.parent, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


@pytest.mark.parametrize("make", [_pipe, _socket, Path.mkdir])
def test_what_is_no_regular_file_is_refused_without_waiting(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "x")
    (tmp_path / "link").symlink_to("x")
    before = _descriptors()

    assert _fault(tmp_path / "x") is FileFault.NOT_REGULAR
    assert _fault(tmp_path / "link") is FileFault.NOT_REGULAR
    assert _descriptors() == before


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/tty", "/", "/dev"])
def test_devices_and_folders_of_the_system_are_refused(path: str) -> None:
    assert _fault(path) is FileFault.NOT_REGULAR


def test_a_device_is_not_even_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    really_open = os.open

    def note(path: str, flags: int, **options: int) -> int:
        opened.append(path)
        return really_open(path, flags, **options)

    monkeypatch.setattr(os, "open", note)
    assert _fault("/dev/zero") is FileFault.NOT_REGULAR
    assert opened == ["/", "dev"]


def test_what_became_a_pipe_after_it_was_looked_at_is_refused_without_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_text("x")
    look = os.stat

    def look_and_exchange(name: str, **options: Any) -> os.stat_result:
        status = look(name, **options)
        if name == "x":
            path.unlink()
            os.mkfifo(path)
        return status

    before = _descriptors()
    monkeypatch.setattr(os, "stat", look_and_exchange)
    assert _fault(path) is FileFault.NOT_REGULAR
    assert _descriptors() == before


def test_a_path_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")

    assert _fault(tmp_path / "nothing") is FileFault.NOT_FOUND
    assert _fault(tmp_path / "nothing" / "x") is FileFault.NOT_FOUND
    assert _fault(tmp_path / "file" / "x") is FileFault.UNREADABLE
    assert _fault(tmp_path / "loop") is FileFault.UNREADABLE
    assert _fault("a\0b") is FileFault.UNREADABLE
    assert _fault("x" * 300) is FileFault.UNREADABLE


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").touch()
    really_open = os.open

    def refuse(path: str, flags: int, **options: int) -> int:
        if path == "x":
            raise PermissionError(13, "Permission denied")
        return really_open(path, flags, **options)

    monkeypatch.setattr(os, "open", refuse)
    assert _fault(tmp_path / "x") is FileFault.UNREADABLE


def test_a_file_of_the_kernel_that_has_no_size_is_empty() -> None:
    file = open_file("/proc/self/status")
    assert (len(file), bytes(file), file.head(10)) == (0, b"", b"")


def test_of_a_growing_file_no_more_is_read_than_there_was(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 100)
    file = open_file(path, limit=100)
    with path.open("ab") as log:
        log.write(b"y" * 1_000_000)

    assert bytes(file) == file.head(4096) == b"x" * 100


def test_a_file_that_becomes_shorter_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 200_000)
    file = open_file(path)
    os.truncate(path, 150_000)

    with pytest.raises(FileError) as raised:
        bytes(file)
    assert raised.value.fault is FileFault.CHANGED


def test_a_file_that_loses_its_name_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    file = open_file(tmp_path / "x")
    (tmp_path / "x").unlink()

    assert bytes(file) == b"hello"


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * 101)
    before = _descriptors()

    with pytest.raises(FileError, match="101 bytes, at most 100") as raised:
        open_file(tmp_path / "x", limit=100)
    assert raised.value.fault is FileFault.TOO_LARGE
    assert _descriptors() == before


def test_a_file_is_closed_when_nobody_holds_it(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"hello")
    before = _descriptors()
    one, two = open_file(tmp_path / "x"), open_file(tmp_path / "x")
    assert _descriptors() == before + 2
    reading = one.pieces(1)
    assert next(reading) == b"h"
    del one, two
    assert _descriptors() == before + 1
    assert b"".join(reading) == b"ello"
    del reading
    assert _descriptors() == before


def test_a_closed_file_is_not_read_any_more(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"hello")
    before = _descriptors()
    file = open_file(tmp_path / "x")
    reading = file.pieces(1)
    assert next(reading) == b"h"
    file.close()
    file.close()
    assert _descriptors() == before
    with pytest.raises(FileError) as raised:
        next(reading)
    assert raised.value.fault is FileFault.UNREADABLE


def test_a_read_that_is_under_way_comes_to_its_end_before_the_file_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(b"hello")
    before = _descriptors()
    file = open_file(tmp_path / "x")
    read = os.pread

    def close_and_read(descriptor: int, size: int, start: int) -> bytes:
        file.close()
        return read(descriptor, size, start)

    monkeypatch.setattr(os, "pread", close_and_read)
    assert bytes(file) == b"hello"
    assert _descriptors() == before


def test_several_threads_read_the_same_file(tmp_path: Path) -> None:
    content = os.urandom(1_000_000)
    (tmp_path / "x").write_bytes(content)
    file = open_file(tmp_path / "x")
    results: list[bool] = []

    def read() -> None:
        results.append(b"".join(file.pieces(4097)) == content)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 4


@contextmanager
def _going_on(exchange: Callable[[], None]) -> Iterator[None]:
    """Exchange something over and over while the block runs."""
    over = threading.Event()

    def repeat() -> None:
        while not over.is_set():
            exchange()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _contents(path: Path, allowed: Path) -> set[bytes | FileFault]:
    found: set[bytes | FileFault] = set()
    for _ in range(TRIES):
        try:
            found.add(bytes(open_file(path, _below(allowed))))
        except FileError as error:
            found.add(error.fault)
    return found


def _harmless(path: Path) -> None:
    path.write_text("harmless")


def _put(path: Path, make: Callable[[Path], None]) -> None:
    """Put something in the place of a name, so that the name is never free."""
    new = path.with_name("new")
    make(new)
    new.replace(path)


def test_a_link_that_is_exchanged_for_a_file_all_the_time_gives_nothing_away(
    allowed: Path,
) -> None:
    path = allowed / "file.txt"

    def exchange() -> None:
        _put(path, lambda new: new.symlink_to(allowed.parent / "outside" / "file.txt"))
        _put(path, _harmless)

    exchange()
    with _going_on(exchange):
        found = _contents(path, allowed)
    assert found <= {b"harmless", b"", FileFault.NOT_ALLOWED, FileFault.UNREADABLE}


def test_a_folder_that_is_exchanged_for_a_link_all_the_time_gives_nothing_away(
    allowed: Path,
) -> None:
    folder, kept = allowed / "folder", allowed / "kept"
    folder.mkdir()
    (folder / "file.txt").write_text("harmless")

    def exchange() -> None:
        folder.rename(kept)
        folder.symlink_to(allowed.parent / "outside")
        folder.unlink()
        kept.rename(folder)

    with _going_on(exchange):
        found = _contents(folder / "file.txt", allowed)
    assert found <= {
        b"harmless",
        FileFault.NOT_ALLOWED,
        FileFault.NOT_FOUND,
        FileFault.UNREADABLE,
    }


@pytest.mark.parametrize("step", ["folder", "folder/file.txt"])
def test_what_becomes_a_link_right_after_it_was_allowed_is_not_followed(
    allowed: Path, step: str
) -> None:
    (allowed / "folder").mkdir()
    (allowed / "folder" / "file.txt").write_text("harmless")
    outside = allowed.parent / "outside"

    def allow_and_exchange(real: Path) -> bool:
        (allowed / step).rename(allowed / "kept")
        (allowed / step).symlink_to(outside if step == "folder" else outside / "file.txt")
        return real.is_relative_to(allowed)

    with pytest.raises(FileError) as raised:
        open_file(allowed / "folder" / "file.txt", allow_and_exchange)
    assert raised.value.fault is FileFault.UNREADABLE


def test_an_opened_file_says_nothing_of_its_content(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("secret")
    file = open_file(tmp_path / "x")
    assert isinstance(file, OpenedFile)
    assert "secret" not in repr(file)


def test_an_open_file_can_be_read_as_python_reads_its_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    file = open_file(path)
    path.write_bytes(b"0123456789 and more")
    stream = file.stream()
    assert stream.read(3) == b"012"
    assert stream.seek(-4, os.SEEK_END) == 6
    assert stream.read() == b"6789"
    assert stream.read() == b""
    assert stream.seek(1) == 1
    assert stream.seek(1, os.SEEK_CUR) == stream.tell() == 2
    stream.close()
    assert file.head(2) == b"01"


def test_a_file_object_of_a_file_that_became_shorter_says_so(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    file = open_file(path)
    os.truncate(path, 4)
    with pytest.raises(FileError) as caught:
        file.stream().read()
    assert caught.value.fault is FileFault.CHANGED

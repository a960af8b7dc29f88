"""What lies on disk, whatever happens in between."""

from collections.abc import Callable
import errno
import json
import os
from pathlib import Path
import stat
from typing import Any, NoReturn

import pytest

from custom_components.email_courier.mail.outbox.record import MailRecord
from custom_components.email_courier.mail.outbox.store import DAMAGED, Store
from custom_components.email_courier.mail.outbox.submission import DamagedMailError
from tests.mail.outbox.house import START, mail


class Crash(BaseException):
    """The process is gone: nothing cleans up."""


class Disk:
    """Counts every change to the disk, and breaks off at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand in for the system calls that the store makes."""
        self.done: list[str] = []
        self.last: int | None = None
        self.error: BaseException = Crash()
        self._opened: dict[int, str] = {}
        for name in ("open", "fsync", "rename", "unlink", "mkdir"):
            monkeypatch.setattr(os, name, self._wrap(name, getattr(os, name)))

    def _wrap(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(target: Any, *args: Any, **kwargs: Any) -> Any:
            frees_space = name == "unlink" and isinstance(self.error, OSError)
            if self.last is not None and len(self.done) >= self.last and not frees_space:
                raise self.error
            path = self._opened[target] if isinstance(target, int) else str(target)
            self.done.append(f"{name} {Path(path).suffix or 'folder'}")
            result = call(target, *args, **kwargs)
            if name == "open":
                self._opened[result] = path
            return result

        return wrapped


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "account")


def written(store: Store, *to: str, text: str | None = None) -> tuple[MailRecord, bytes]:
    sent = mail(*to, text=text)
    record = MailRecord.new(sent, START)
    assert store.write([(record, sent.data)]) == [None]
    return record, bytes(sent.data)


def names(store: Store) -> list[str]:
    return sorted(path.suffix for path in store.folder.iterdir())


def test_a_mail_is_read_as_it_was_written(store: Store) -> None:
    record, data = written(store, "anna@example.test", "bärbel@example.test")
    assert store.read(record.id) == (record, data)
    assert store.open().mails == (record.id,)


def test_only_the_owner_can_read_mail(store: Store) -> None:
    written(store)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_a_folder_that_is_not_there_holds_nothing(store: Store) -> None:
    assert store.open().mails == ()
    assert not store.folder.exists()


def test_every_file_is_synced_before_it_has_its_name_and_every_name_after(
    store: Store, disk: Disk
) -> None:
    written(store)
    assert disk.done == [
        "mkdir folder",
        "open folder",
        "fsync folder",
        *["open .tmp", "fsync .tmp", "rename .tmp"] * 2,
        "open folder",
        "fsync folder",
    ]


def test_mails_that_are_written_together_share_the_sync_of_the_folder(
    store: Store, disk: Disk
) -> None:
    written(store)
    disk.done.clear()
    mails = [mail() for _ in range(10)]
    store.write([(MailRecord.new(each, START), each.data) for each in mails])
    assert disk.done.count("fsync folder") == 1


def test_the_final_dot_is_marked_with_one_sync_and_without_writing_a_file(
    store: Store, disk: Disk
) -> None:
    record, _ = written(store)
    disk.done.clear()
    store.mark_dot(record.id)
    assert disk.done == ["rename .json", "open folder", "fsync folder"]


@pytest.mark.parametrize("step", range(12))
def test_a_crash_while_writing_leaves_a_whole_mail_or_nothing(
    store: Store, disk: Disk, step: int
) -> None:
    sent = mail()
    record = MailRecord.new(sent, START)
    disk.last = step
    try:
        store.write([(record, sent.data)])
    except Crash:
        pass
    else:
        assert step >= 10
    disk.last = None
    found = Store(store.folder).open()
    assert found.damaged == ()
    if found.mails:
        assert store.read(record.id) == (record, sent.data)
    elif store.folder.exists():
        assert names(store) == []


@pytest.mark.parametrize("step", range(7))
def test_a_crash_while_updating_leaves_the_old_record_or_the_new_one(
    store: Store, disk: Disk, step: int
) -> None:
    old, data = written(store)
    store.mark_dot(old.id)
    new = MailRecord.from_dict(old.id, {**old.as_dict(), "attempts": 7})
    disk.done.clear()
    disk.last = step
    try:
        store.update(new)
    except Crash:
        pass
    else:
        assert step >= 6
    disk.last = None
    assert Store(store.folder).open().mails == (old.id,)
    assert store.read(old.id) in ((new, data), (old.with_lost_reply(), data))


@pytest.mark.parametrize("step", range(5))
def test_a_crash_while_removing_leaves_a_whole_mail_or_nothing(
    store: Store, disk: Disk, step: int
) -> None:
    record, data = written(store)
    disk.done.clear()
    disk.last = step
    try:
        store.remove(record.id)
    except Crash:
        pass
    else:
        assert step >= 4
    disk.last = None
    found = Store(store.folder).open()
    assert found.damaged == ()
    if found.mails:
        assert store.read(record.id) == (record, data)
    else:
        assert names(store) == []


@pytest.mark.parametrize("step", range(9))
def test_a_full_disk_at_any_step_leaves_nothing_half_written(
    store: Store, disk: Disk, step: int
) -> None:
    before, _ = written(store)
    disk.error = OSError(errno.ENOSPC, "No space left on device")
    disk.done.clear()
    sent = mail()
    record = MailRecord.new(sent, START)
    disk.last = step
    try:
        [error] = store.write([(record, sent.data)])
    finally:
        disk.last = None
    if error is None:
        assert step >= 8
        assert store.read(record.id) == (record, sent.data)
        return
    assert error.errno == errno.ENOSPC
    found = Store(store.folder).open()
    assert found.mails == (before.id,)
    assert names(store) == [".eml", ".json"]


def test_a_mail_too_big_for_the_disk_does_not_keep_the_others_from_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, big = mail(), mail(text="x" * 100_000)
    fsync = os.fsync

    def full(descriptor: int) -> None:
        if os.fstat(descriptor).st_size > 50_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    records = [MailRecord.new(each, START) for each in (big, small)]
    first, second = store.write([(records[0], big.data), (records[1], small.data)])
    assert first is not None
    assert second is None
    assert store.open().mails == (records[1].id,)
    assert names(store) == [".eml", ".json"]


def test_a_message_whose_record_cannot_be_written_is_not_left_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(store)
    before = names(store)
    fsync = os.fsync
    calls = iter([False, True])

    def full_at_the_second(descriptor: int) -> None:
        if next(calls, False):
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full_at_the_second)
    sent = mail()
    [error] = store.write([(MailRecord.new(sent, START), sent.data)])
    assert error is not None
    assert names(store) == before


def test_debris_of_a_crash_is_cleared_away(store: Store) -> None:
    record, _ = written(store)
    other = MailRecord.new(mail(), START)
    for name in (f"{other.id}.eml", f"{other.id}.eml.tmp", f"{record.id}.json.tmp"):
        (store.folder / name).write_bytes(b"half")
    assert store.open().mails == (record.id,)
    assert names(store) == [".eml", ".json"]


def test_a_mark_whose_record_has_been_written_again_is_debris(store: Store) -> None:
    record, data = written(store)
    (store.folder / f"{record.id}.dot").write_bytes(b"an older record")
    assert store.open().mails == (record.id,)
    assert names(store) == [".eml", ".json"]
    assert store.read(record.id) == (record, data)


def test_debris_that_cannot_be_cleared_away_holds_up_no_mail(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, _ = written(store)
    (store.folder / f"{MailRecord.new(mail(), START).id}.eml").write_bytes(b"half")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "unlink", refuse)
    assert store.open().mails == (record.id,)


def test_what_cannot_be_set_aside_holds_up_no_mail(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = written(store)[0], written(store)[0]
    (store.folder / f"{bad.id}.eml").unlink()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "rename", refuse)
    found = store.open()
    assert (found.mails, found.damaged) == ((good.id,), (str(bad.id),))


def test_a_folder_that_somebody_makes_in_the_meantime_is_used(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.folder.mkdir()
    answers = iter([False])
    monkeypatch.setattr(Path, "is_dir", lambda _: next(answers, True))
    record, data = written(store)
    assert store.read(record.id) == (record, data)


def test_files_of_others_are_left_alone(store: Store) -> None:
    record, _ = written(store)
    stranger = store.folder / "notes.txt"
    stranger.write_text("mine")
    half = store.folder / "notes.eml.tmp"
    half.write_text("mine too")
    letter = store.folder / "letter.eml"
    letter.write_text("mine as well")
    settings = store.folder / "settings.json"
    settings.write_text("{}")
    copy = store.folder / f"{record.id}.bak"
    copy.write_text("and this")
    found = store.open()
    assert (found.mails, found.damaged) == ((record.id,), ())
    assert settings.exists()
    assert stranger.exists()
    assert half.exists()
    assert letter.exists()
    assert copy.exists()


def test_a_link_is_no_mail(store: Store) -> None:
    record, data = written(store)
    path = store.folder / f"{record.id}.eml"
    elsewhere = store.folder.parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert store.open().mails == ()
    assert elsewhere.read_bytes() == data


def test_a_record_that_cannot_be_opened_is_named_beside_those_that_can(store: Store) -> None:
    good, _ = written(store)
    bad, _ = written(store)
    path = store.folder / f"{bad.id}.json"
    path.unlink()
    path.mkdir()
    records, faults = store.read_records([bad.id, good.id])
    assert records == [good]
    assert [(i, type(f)) for i, f in faults.items()] == [(bad.id, IsADirectoryError)]


def test_a_disk_that_fails_is_no_record_that_is_missing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, _ = written(store)

    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", fail)
        with pytest.raises(OSError, match="Input/output"):
            store.read_record(record.id)
        with pytest.raises(OSError, match="Input/output"):
            store.holds(record.id)
    assert store.read_record(record.id) == record


def test_a_record_without_its_message_is_set_aside_and_reported(store: Store) -> None:
    record, _ = written(store)
    (store.folder / f"{record.id}.eml").unlink()
    found = store.open()
    assert found.mails == ()
    assert found.damaged == (str(record.id),)
    assert (store.folder / DAMAGED / f"{record.id}.json").exists()


def test_a_marked_dot_that_was_never_answered_for_is_a_lost_reply(store: Store) -> None:
    record, _ = written(store)
    store.mark_dot(record.id)
    found = Store(store.folder).open()
    assert found.mails == (record.id,)
    assert [owed.lost_replies for owed in store.read(record.id)[0].owed] == [1]
    assert names(store) == [".eml", ".json"]
    assert [owed.lost_replies for owed in store.read(record.id)[0].owed] == [1]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b"[" * 100_000,
        b'{"version": 99}',
    ],
)
def test_a_record_that_cannot_be_read_is_damaged(store: Store, raw: bytes) -> None:
    record, _ = written(store)
    (store.folder / f"{record.id}.json").write_bytes(raw)
    with pytest.raises(DamagedMailError, match=f"{record.id} has a record that cannot be read"):
        store.read(record.id)
    records, faults = store.read_records([record.id])
    assert records == []
    assert isinstance(faults[record.id], DamagedMailError)


def test_a_record_that_is_gone_is_damaged(store: Store) -> None:
    record, _ = written(store)
    (store.folder / f"{record.id}.json").unlink()
    with pytest.raises(DamagedMailError, match=f"{record.id}.* is missing"):
        store.read(record.id)


@pytest.mark.parametrize(
    "change",
    [
        {"owed": []},
        {"owed": [{"address": "a@b"}]},
        {"owed": [{"address": "a@b", "lost_replies": float("inf"), "failure": None}]},
        {"owed": [{"address": "a@b", "lost_replies": 0, "failure": {"kind": "bad luck"}}]},
        {"attempts": "many"},
        {"passed": 7},
        {"checksum": "0"},
    ],
)
def test_a_record_with_a_field_that_cannot_be_is_damaged(
    store: Store, change: dict[str, Any]
) -> None:
    record, _ = written(store)
    path = store.folder / f"{record.id}.json"
    path.write_text(json.dumps({**record.as_dict(), **change}))
    with pytest.raises(DamagedMailError):
        store.read(record.id)


def test_what_is_set_aside_is_for_its_owner_alone(store: Store) -> None:
    record, _ = written(store)
    store.set_aside(record.id)
    aside = store.folder / DAMAGED
    assert stat.S_IMODE(aside.stat().st_mode) == 0o700
    assert sorted(path.suffix for path in aside.iterdir()) == [".eml", ".json"]
    store.set_aside(written(store)[0].id)
    assert len(list(aside.iterdir())) == 4
    assert not store.holds(record.id)


def test_a_message_that_is_gone_is_damaged(store: Store) -> None:
    record, _ = written(store)
    (store.folder / f"{record.id}.eml").unlink()
    with pytest.raises(DamagedMailError, match="is missing"):
        store.read(record.id)


def test_a_message_of_which_one_bit_has_changed_is_damaged(store: Store) -> None:
    record, data = written(store)
    path = store.folder / f"{record.id}.eml"
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    with pytest.raises(DamagedMailError, match="checksum"):
        store.read(record.id)


def test_a_folder_can_be_removed_with_all_that_is_in_it(store: Store) -> None:
    written(store)
    assert store.erase() == []
    assert not store.folder.exists()
    assert store.erase() == []


def test_what_cannot_be_removed_is_named_with_its_reason_and_the_rest_goes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, _ = written(store)
    stuck = f"{record.id}.eml"
    unlink = os.unlink

    def unlink_others(path: Any, **rest: Any) -> None:
        if Path(path).name == stuck:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        unlink(path, **rest)

    monkeypatch.setattr(os, "unlink", unlink_others)
    [error] = store.erase()
    assert (error.errno, error.strerror) == (errno.EACCES, "Permission denied")
    assert error.filename == str(store.folder / stuck)
    assert [path.name for path in store.folder.iterdir()] == [stuck]

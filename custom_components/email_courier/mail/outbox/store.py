"""The folder of one account: one waiting mail is two files, synced before anything is promised.

`<id>.eml` is the message, written once. `<id>.json` is its record; while the final dot of that
mail is on its way it is named `<id>.dot` instead, so that a crash there is known for what it is.
The record is written last and removed first: without it, a message is debris.

Everything here blocks and belongs into an executor; calls must not overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
import contextlib
import errno
import hashlib
import json
import os
from pathlib import Path
import shutil
from typing import Any, NamedTuple

from ..payload import Payload, checksum_of, pieces_of, read
from .record import MailId, MailRecord
from .submission import DamagedMailError

TEMPORARY = ".tmp"
"""The end of a file's name while it is being written."""
DAMAGED = "damaged"
"""The subfolder of files that are not what was written."""
GIVEN_UP = "given_up"
"""The subfolder of mail that waits no more."""
_SUSPENDED = "suspended"
"""The name of an empty file that is there while nothing is to be sent."""


def write_file(path: Path, data: Payload) -> None:
    """Write a file that is either whole or not there; its name is synced by the caller.

    Blocks. Raises OSError.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            for piece in pieces_of(data):
                view = memoryview(piece)
                while view:
                    view = view[file.write(view) :]
            os.fsync(descriptor)
        temporary.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder safe against a power cut. Blocks. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder with those above it, each name safe against a power cut.

    Blocks. Raises OSError.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        sync_folder(folder.parent)
    except OSError:
        with contextlib.suppress(OSError):
            folder.rmdir()  # so that the next one who needs it tries again
        raise


def set_aside(paths: Iterable[Path]) -> None:
    """Move damaged files into a subfolder, for a person to look at. Blocks. Raises OSError."""
    for path in paths:
        aside = path.parent / DAMAGED
        make_folder(aside)
        with contextlib.suppress(FileNotFoundError):
            path.rename(aside / path.name)


MESSAGE = ".eml"
RECORD = ".json"
AT_DOT = ".dot"
DONE = ".done"
"""Beside a mail that is to be removed as soon as the disk lets it: nobody is owed it any more."""

_CONSEQUENCES = (errno.ENOENT, errno.ENOTEMPTY)
"""What removing a folder fails with only because it is gone, or because of what is left in it."""


class Found(NamedTuple):
    """What a folder holds, in the order of delivery. damaged: names that have been set aside."""

    mails: tuple[MailId, ...] = ()
    damaged: tuple[str, ...] = ()


class Store:
    """The files of one account's waiting mail. Every method but erase() raises OSError."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which is made when the first mail has to wait."""
        self.folder = folder

    def open(self) -> Found:
        """Clear away what a crash has left, and name the mails that wait. Reads no file."""
        stems: dict[str, set[str]] = {suffix: set() for suffix in (MESSAGE, RECORD, AT_DOT, DONE)}
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    self._sort_in(entry, stems)
        except FileNotFoundError:
            return Found()
        done = set(filter(MailId.parse, stems[DONE]))
        for stem in done:
            with contextlib.suppress(OSError):
                self._remove(stem)
        messages = stems[MESSAGE] - done
        records = (stems[RECORD] | stems[AT_DOT]) - done
        for stem in stems[RECORD] & stems[AT_DOT]:
            self._clear(stem, (AT_DOT,))
        for stem in filter(MailId.parse, messages - records):
            self._clear(stem, (MESSAGE,))
        damaged = sorted(filter(MailId.parse, records - messages))
        for stem in damaged:
            with contextlib.suppress(OSError):
                self._set_aside(stem)
        mails = filter(None, map(MailId.parse, messages & records))
        return Found(tuple(sorted(mails)), tuple(damaged))

    def write(self, mails: Sequence[tuple[MailRecord, Payload]]) -> list[OSError | None]:
        """Put mails on disk, synced together; return for each what went wrong.

        Nothing is left of a mail that could not be written.
        """
        make_folder(self.folder)
        results = [self._write_one(record, data) for record, data in mails]
        try:
            self.sync()
        except OSError as error:
            for record, _ in mails:
                self._clear(str(record.id), (RECORD, MESSAGE))
            return [error for _ in mails]
        return results

    def update(self, record: MailRecord) -> None:
        """Replace the record of a mail; it is not at its final dot any more."""
        stem = str(record.id)
        write_file(self.folder / f"{stem}{RECORD}", _encode(record))
        self._unlink(stem, (AT_DOT,))
        self.sync()

    def mark_dot(self, mail_id: MailId) -> None:
        """Say on disk that the final dot is about to be sent."""
        self._rename(str(mail_id), RECORD, AT_DOT)
        self.sync()

    def read_record(self, mail_id: MailId) -> MailRecord:
        """Return a mail's record. Raises DamagedMailError.

        A final dot that was marked and never answered for is counted as a lost reply.
        """
        if self._has(mail_id, RECORD):
            return _decode(mail_id, self._read(mail_id, RECORD))
        return _decode(mail_id, self._read(mail_id, AT_DOT)).with_lost_reply()

    def read(self, mail_id: MailId) -> tuple[MailRecord, Payload]:
        """Return a mail's record and its message, ready for an attempt. Raises DamagedMailError.

        A lost reply is on record before the next attempt can lose another.
        """
        record = self.read_record(mail_id)
        if self._has(mail_id, AT_DOT):
            self.update(record)
        return record, self.read_message(record)

    def read_message(self, record: MailRecord) -> Payload:
        """Return the message of a record. Raises DamagedMailError."""
        try:
            data = read(self._path(record.id, MESSAGE))
        except FileNotFoundError as error:
            raise DamagedMailError(f"{record.id}{MESSAGE} is missing") from error
        if checksum_of(data) != record.checksum:
            raise DamagedMailError(f"{record.id}{MESSAGE} does not match its checksum")
        return data

    def read_records(
        self, mail_ids: Iterable[MailId]
    ) -> tuple[list[MailRecord], dict[MailId, DamagedMailError | OSError]]:
        """Return the records that can be read, and why others cannot; raises neither.

        A mail may have gone meanwhile, and then seems damaged.
        """
        records: list[MailRecord] = []
        faults: dict[MailId, DamagedMailError | OSError] = {}
        for mail_id in mail_ids:
            try:
                records.append(self.read_record(mail_id))
            except (DamagedMailError, OSError) as error:
                faults[mail_id] = error
        return records, faults

    def remove(self, mail_id: MailId) -> None:
        """Forget a mail.

        One that cannot be removed is marked as done with, if at least that can be: then no later
        start takes it for one that waits.
        """
        try:
            self._remove(str(mail_id))
        except OSError:
            with contextlib.suppress(OSError):
                self._path(mail_id, DONE).touch(mode=0o600)
                self.sync()
            raise

    def _remove(self, stem: str) -> None:
        self._unlink(stem, (RECORD, AT_DOT))
        self.sync()
        self._unlink(stem, (MESSAGE, DONE))

    def set_aside(self, mail_id: MailId) -> None:
        """Move a mail's files into a folder of damaged ones, for a person to look at."""
        self._set_aside(str(mail_id))

    def _set_aside(self, stem: str) -> None:
        set_aside(self.folder / f"{stem}{suffix}" for suffix in (RECORD, AT_DOT, MESSAGE))
        self.sync()

    def holds(self, mail_id: MailId) -> bool:
        """Whether a mail is here."""
        return any(self._has(mail_id, suffix) for suffix in (RECORD, AT_DOT))

    def is_suspended(self) -> bool:
        """Whether somebody wants nothing to be sent."""
        try:
            (self.folder / _SUSPENDED).stat()
        except FileNotFoundError:
            return False
        return True

    def suspend(self, is_suspended: bool) -> None:
        """Remember across restarts whether nothing is to be sent."""
        if is_suspended:
            make_folder(self.folder)
            write_file(self.folder / _SUSPENDED, b"")
        elif self.folder.exists():
            (self.folder / _SUSPENDED).unlink(missing_ok=True)
        else:
            return
        self.sync()

    def sync(self) -> None:
        """Make the names in the folder safe against a power cut."""
        sync_folder(self.folder)

    def count(self) -> int:
        """Count the mails that wait or are held here or below, damaged ones left out."""
        messages = self.folder.rglob(f"*{MESSAGE}")
        return sum(
            message.parent.name not in (DAMAGED, GIVEN_UP)
            and not message.with_suffix(DONE).exists()
            for message in messages
        )

    def erase(self) -> list[OSError]:
        """Remove the folder with all that is in it, as far as that can be done.

        Returns what went wrong, each with the name of what is left; raises nothing.
        """
        errors: list[OSError] = []

        def note(_call: Callable[..., Any], path: str | Path, error: BaseException) -> None:
            if isinstance(error, OSError) and error.errno not in _CONSEQUENCES:
                errors.append(OSError(error.errno, error.strerror, str(path)))

        shutil.rmtree(self.folder, onexc=note)
        return errors

    def _sort_in(self, entry: os.DirEntry[str], stems: dict[str, set[str]]) -> None:
        """Note a file of a mail by its kind; remove it if it was never finished."""
        stem, dot, suffix = entry.name.partition(".")
        if not entry.is_file(follow_symlinks=False):
            return
        if dot + suffix in stems:
            stems[dot + suffix].add(stem)
        elif suffix.endswith(TEMPORARY) and MailId.parse(stem):
            self._clear(stem, (dot + suffix,))

    def _write_one(self, record: MailRecord, data: Payload) -> OSError | None:
        stem = str(record.id)
        try:
            write_file(self.folder / f"{stem}{MESSAGE}", data)
            write_file(self.folder / f"{stem}{RECORD}", _encode(record))
        except OSError as error:
            self._clear(stem, (RECORD, MESSAGE))
            return error
        return None

    def _read(self, mail_id: MailId, suffix: str) -> bytes:
        try:
            return self._path(mail_id, suffix).read_bytes()
        except FileNotFoundError as error:
            raise DamagedMailError(f"{mail_id}{suffix} is missing") from error

    def _has(self, mail_id: MailId, suffix: str) -> bool:
        # Path.exists() takes a disk that fails for a file that is not there.
        try:
            self._path(mail_id, suffix).stat()
        except FileNotFoundError:
            return False
        return True

    def _rename(self, stem: str, old: str, new: str) -> None:
        (self.folder / f"{stem}{old}").rename(self.folder / f"{stem}{new}")

    def _unlink(self, stem: str, suffixes: Iterable[str]) -> None:
        for suffix in suffixes:
            with contextlib.suppress(FileNotFoundError):
                (self.folder / f"{stem}{suffix}").unlink()

    def _clear(self, stem: str, suffixes: Iterable[str]) -> None:
        """Remove debris as far as that can be done: it means nothing, and the next start tries."""
        with contextlib.suppress(OSError):
            self._unlink(stem, suffixes)

    def _path(self, mail_id: MailId, suffix: str) -> Path:
        return self.folder / f"{mail_id}{suffix}"


REMEMBERED = 2_000
"""Mails, one for each recipient, that an account remembers to have taken over."""


class TakenMail:
    """What an account has taken over from others, so that it takes nothing twice.

    A file of one line for each mail and recipient, the oldest first. Every method blocks and
    raises OSError.
    """

    def __init__(self, folder: Path) -> None:
        """Use a file in a folder."""
        self._file = folder / "taken"
        self._keys: dict[str, None] | None = None

    def known(self, message_id: str, addresses: Iterable[str]) -> set[str]:
        """Return those recipients for whom the mail has been taken over."""
        keys = self._load()
        return {address for address in addresses if _taken_key(message_id, address) in keys}

    def add(self, message_id: str, addresses: Iterable[str]) -> None:
        """Remember a mail that has been taken over for these recipients."""
        keys = self._load()
        new = {_taken_key(message_id, address): None for address in addresses}
        new = {key: None for key in new if key not in keys}
        if not new:
            return
        make_folder(self._file.parent)
        if len(keys) >= 2 * REMEMBERED:
            keys = dict.fromkeys(tuple(keys)[-REMEMBERED:])
            self._keys = keys | new
            write_file(self._file, _lines(self._keys))
        else:
            self._append(_lines(new))
            keys |= new
        sync_folder(self._file.parent)

    def _append(self, lines: bytes) -> None:
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"\n" + lines)  # what a crash has left of a line stays one by itself
            file.flush()
            os.fsync(descriptor)

    def _load(self) -> dict[str, None]:
        if self._keys is None:
            try:
                text = self._file.read_text("ascii", "replace")
            except FileNotFoundError:
                text = ""
            self._keys = dict.fromkeys(filter(None, text.splitlines()))
        return self._keys


def _taken_key(message_id: str, address: str) -> str:
    return hashlib.sha256(f"{message_id}\n{address}".encode()).hexdigest()[:32]


def _lines(keys: Iterable[str]) -> bytes:
    return b"".join(key.encode("ascii") + b"\n" for key in keys)


def _encode(record: MailRecord) -> bytes:
    return json.dumps(record.as_dict(), separators=(",", ":")).encode("ascii")


def _decode(mail_id: MailId, raw: bytes) -> MailRecord:
    try:
        data: Any = json.loads(raw)
        return MailRecord.from_dict(mail_id, data)
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        raise DamagedMailError(f"{mail_id} has a record that cannot be read: {error}") from error

"""The folder that version 1.0.0 has left, put where a test can use it.

`tests/fixtures/storage-1.0.0.zip` is what `make_storage.py` has packed; the times in it are those
at which it was made. To be waiting still whenever a test runs, its mail has to be as old as it was
then. A clock that is set back would have to hold for asyncio's timers, for TLS and for a process of
its own as well; so the stored times are moved instead, all by the same span: those in the names of
mails, which hold when a mail was made and when it expires, in the notes that refer to such names,
and the next attempts in their records. Messages are not touched, and neither is the history.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import json
from pathlib import Path
import re
import time
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

FIXTURES: Final = Path(__file__).resolve().parents[1] / "fixtures"
STORED: Final = FIXTURES / "storage-1.0.0.zip"
RELEASE: Final = FIXTURES / "email_courier-1.0.0.zip"
OUTBOX: Final = Path(".storage", "email_courier")
ENTRIES: Final = Path(".storage", "core.config_entries")
_KEPT: Final = ("config_entries", "device_registry", "entity_registry", "restore_state")

_NAME = re.compile(r"\b([01])-(\d{13})-(\d{13})-(\d{1,12}-[0-9a-f]{8})\b", re.ASCII)
_TIME = re.compile(r'("(?:next_attempt|expires_at)": ?)(\d{10}(?:\.\d+)?)')
_TEXTS = (".json", ".dot", ".merge")
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A mail on disk. flooded: it is held back by the flood guard."""

    account: str
    message_id: str
    subject: str
    recipients: tuple[str, ...]
    attempts: int
    data: bytes
    flooded: bool
    at_dot: bool


def install(config: Path) -> None:
    """Put version 1.0.0 into a configuration folder, as HACS does."""
    with ZipFile(RELEASE) as release:
        release.extractall(config / "custom_components" / "email_courier")


def pack(config: Path) -> None:
    """Make the fixture of a folder whose Home Assistant is stopped. The order is the names'."""
    files = [config / ".storage" / f"core.{name}" for name in _KEPT]
    files += [path for path in (config / OUTBOX).rglob("*") if path.is_file()]
    with ZipFile(STORED, "w", ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = ZipInfo(path.relative_to(config).as_posix(), _EPOCH)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, path.read_bytes())


def unpack(config: Path) -> None:
    """Put the fixture into a configuration folder, its mails as old as they were then."""
    with ZipFile(STORED) as archive:
        made = max(int(match[2]) for name in archive.namelist() if (match := _NAME.search(name)))
        later = int(time.time() * 1000) - made
        for name in archive.namelist():
            path = config / _moved_names(name, later)
            path.parent.mkdir(parents=True, exist_ok=True)
            data = archive.read(name)
            if path.suffix in _TEXTS or path == config / ENTRIES:
                data = _moved(data.decode(), later).encode()
            path.write_bytes(data)


def _moved_names(text: str, later: int) -> str:
    def moved(name: re.Match[str]) -> str:
        rank, created, expires, rest = name.groups()
        return f"{rank}-{int(created) + later}-{int(expires) + later}-{rest}"

    return _NAME.sub(moved, text)


def _moved(text: str, later: int) -> str:
    return _TIME.sub(
        lambda found: f"{found[1]}{float(found[2]) + later / 1000}", _moved_names(text, later)
    )


def stored(config: Path, name: str) -> Any:
    """Return what Home Assistant itself has stored under a name."""
    return json.loads((config / ".storage" / f"core.{name}").read_bytes())["data"]


def entries_in(config: Path) -> list[dict[str, Any]]:
    """Return the accounts as Home Assistant stores them."""
    entries: list[dict[str, Any]] = stored(config, "config_entries")["entries"]
    return entries


def rewrite(config: Path, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Change stored data and options of accounts by title, only where there is such a value.

    This points them at the servers of a test: ports, certificates and files are not the same ones.
    """
    path = config / ENTRIES
    content = json.loads(path.read_bytes())
    for entry in content["data"]["entries"]:
        for values in (entry["data"], entry["options"]):
            changed = changes[entry["title"]]
            values.update({name: changed[name] for name in values if name in changed})
    path.write_text(json.dumps(content))


def mails_in(config: Path) -> Iterator[StoredMail]:
    """Read every mail that is still owed, by the format that is promised to stay.

    Those that an interrupted digest stands for already are owed no more.
    """
    titles = {entry["entry_id"]: entry["title"] for entry in entries_in(config)}
    notes = (config / OUTBOX).rglob("*.merge")
    merged = {name for note in notes for name in json.loads(note.read_bytes())}
    for path in sorted((config / OUTBOX).rglob("*.eml")):
        if path.stem in merged or path.parent.name == "given_up":
            continue
        at_dot = path.with_suffix(".dot").exists()
        record = json.loads(path.with_suffix(".dot" if at_dot else ".json").read_bytes())
        yield StoredMail(
            account=titles[path.relative_to(config / OUTBOX).parts[0]],
            message_id=record["message_id"],
            subject=record["subject"],
            recipients=tuple(owed["address"] for owed in record["owed"]),
            attempts=record["attempts"],
            data=path.read_bytes(),
            flooded=path.parent.name == "held",
            at_dot=at_dot,
        )

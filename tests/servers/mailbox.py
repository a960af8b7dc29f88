"""Mailboxes on disk, read back as the server wrote them."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
import time

_POLL_INTERVAL = 0.02


@dataclass(frozen=True)
class ReceivedMail:
    """One mail in one mailbox.

    mailbox: the local part of the recipient whose it is.
    raw: the file as the server wrote it: its own header fields, then the mail as sent, with LF.
    """

    mailbox: str
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed as a mail program would."""
        return message_from_bytes(self.raw, policy=policy.default)

    def holds(self, sent: bytes) -> bool:
        """Tell whether the mail ends with exactly these bytes, as they were sent (with CRLF)."""
        return self.raw.endswith(sent.replace(b"\r\n", b"\n"))


class Mailboxes:
    """A folder with one Maildir per recipient, named after the local part."""

    def __init__(self, folder: Path) -> None:
        """Read below this folder, which need not exist yet."""
        self._folder = folder

    def mails(self, count: int = 1, *, within: float = 15.0) -> list[ReceivedMail]:
        """Wait until there are at least `count` mails, and return all, oldest first.

        within: seconds to wait; what is there by then is returned.
        """
        deadline = time.monotonic() + within
        while len(files := self._files()) < count and time.monotonic() < deadline:
            time.sleep(_POLL_INTERVAL)
        files.sort(key=lambda file: file.stat().st_mtime_ns)
        return [ReceivedMail(file.parent.parent.name, file.read_bytes()) for file in files]

    def clear(self) -> None:
        """Throw all mails away."""
        for file in self._files():
            file.unlink()

    def _files(self) -> list[Path]:
        # A Maildir's mail is complete once it is in `new`.
        return list(self._folder.glob("*/new/*"))

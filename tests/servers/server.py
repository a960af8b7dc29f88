"""What all real mail servers of the tests have in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
import os
from pathlib import Path
import time
from types import TracebackType
from typing import ClassVar, Self

from .enclosure import INSIDE, Enclosure
from .installation import root_folder
from .mailbox import Mailboxes, ReceivedMail
from .people import PASSWORD, USERNAME
from .ports import free_ports, listens

_START_TIMEOUT = 15.0
_MAIL_OWNER = 910

CERTIFICATE = INSIDE / "etc" / "certificate.pem"
KEY = INSIDE / "etc" / "key.pem"


class RunningServer(ABC):
    """One private server on loopback, which can be stopped and started again on the same ports.

    Its folder keeps configuration, queue, mailboxes and logs until the folder is removed. Inside
    the enclosure it is `INSIDE`.

    ports: by what a client has to choose there: "starttls", "tls", "none", and what a server has
        besides.
    username, password: its only login, wherever it asks for one.
    """

    name: ClassVar[str]
    suite: ClassVar[str] = "bookworm"
    services: ClassVar[Sequence[str]] = ("starttls", "tls", "none")
    key_owner: ClassVar[int] = 0

    host = "127.0.0.1"
    username = USERNAME
    password = PASSWORD

    def __init__(self, folder: Path, pem: tuple[bytes, bytes]) -> None:
        """Prepare a server; it is configured and started by `start`.

        folder: does not exist yet, or is empty.
        pem: the private key and the certificate.
        """
        self.folder = folder
        self.ports: Mapping[str, int] = dict(
            zip(self.services, free_ports(len(self.services)), strict=True)
        )
        self._pem = pem
        self.mailboxes = Mailboxes(folder / "mail")
        self._enclosure = Enclosure(root_folder(self.suite), folder)
        self._is_configured = False

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()

    def start(self) -> None:
        """Start the server and return once it listens on all its ports.

        Raises:
            RuntimeError: it does not start; its log is in the text.
        """
        if not self._is_configured:
            self._prepare()
            self._is_configured = True
        self._enclosure.start(*self._command())
        deadline = time.monotonic() + _START_TIMEOUT
        waiting = list(self.ports.values())
        while waiting := [port for port in waiting if not listens(port, self.host)]:
            if not self._enclosure.is_running or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.name} did not start: {self.log()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server; its connections are closed, what it has queued stays."""
        self._enclosure.stop()

    def mails(self, count: int = 1, *, within: float = 15.0) -> list[ReceivedMail]:
        """Wait until at least `count` mails were delivered, and return all, oldest first.

        within: seconds to wait; what is there by then is returned.
        """
        return self.mailboxes.mails(count, within=within)

    def clear(self) -> None:
        """Throw all delivered mails away."""
        self.mailboxes.clear()

    def log(self) -> str:
        """All that the server has logged."""
        texts = [self._enclosure.output]
        for file in sorted((self.folder / "log").glob("*")):
            with suppress(FileNotFoundError):
                texts.append(file.read_text(errors="replace"))
        return "".join(texts)

    def wait_for_log(self, text: str, *, within: float = 10.0) -> str:
        """Wait until the log holds a text, and return all of it.

        within: seconds to wait; what is there by then is returned.
        """
        deadline = time.monotonic() + within
        while text not in (log := self.log()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return log

    def has_login(self, service: str) -> bool:
        """Tell whether a service wants a login."""
        return service != "open"

    @abstractmethod
    def _configure(self) -> None:
        """Write the configuration below `etc`, and make the folders that are needed."""

    @abstractmethod
    def _command(self) -> tuple[str, ...]:
        """Return the command that runs the server in the foreground."""

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        self._make_folder("etc")
        self._make_folder("log", mode=0o777)
        self._make_folder("mail", owner=_MAIL_OWNER)
        key, certificate = self._pem
        self._write(CERTIFICATE.name, certificate.decode())
        self._write(KEY.name, key.decode(), mode=0o400, owner=self.key_owner)
        self._configure()

    def _make_folder(
        self, name: str, *, mode: int = 0o755, owner: int = 0, group: int | None = None
    ) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        os.chown(folder, owner, owner if group is None else group)
        folder.chmod(mode)
        return folder

    def _write(self, name: str, text: str, *, mode: int = 0o644, owner: int = 0) -> None:
        """Write a file of the configuration."""
        file = self.folder / "etc" / name
        file.write_text(text, encoding="utf-8")
        os.chown(file, owner, owner)
        file.chmod(mode)

"""Processes of a mail server, shut in namespaces so that nothing of them can stay behind."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
import subprocess

_SCRIPT = Path(__file__).with_name("enclosure.sh")
_ENCLOSE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--", str(_SCRIPT))
_STOP_TIMEOUT = 2.0

INSIDE = Path("/var/instance")
"""Where a process in an enclosure sees the instance's folder."""


class Enclosure:
    """Runs one command with all that it starts, seeing only a root folder and its own folder.

    root: an unpacked system, seen read-only.
    instance: configuration, queue, mailboxes and logs of one server; kept when it stops.
    """

    def __init__(self, root: Path, instance: Path) -> None:
        """Prepare an enclosure; nothing runs yet."""
        self._root = root
        self._instance = instance
        self._output = instance / "output.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the command was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def output(self) -> str:
        """All that the commands have written to standard output and error so far."""
        with suppress(FileNotFoundError):
            return self._output.read_text(errors="replace")
        return ""

    def start(self, *command: str) -> None:
        """Start a command that stays in the foreground."""
        if self.is_running:
            raise RuntimeError(f"{command[0]} is running already")
        self._process = self._open(command)

    def stop(self) -> None:
        """End the command, first with SIGTERM, and all that it started with it."""
        if self._process is None:
            return
        self._end(self._process)
        self._process = None

    def run(self, *command: str) -> None:
        """Run a command to its end.

        Raises:
            RuntimeError: it failed; its output is in the text.
        """
        process = self._open(command)
        try:
            status = process.wait(30)
        finally:
            self._end(process)
        if status != 0:
            raise RuntimeError(f"{command[0]} failed with {status}: {self.output}")

    def _open(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with self._output.open("ab") as output:
            return subprocess.Popen(
                (*_ENCLOSE, str(self._root), str(self._instance), *command),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            # The kernel then kills the first process of the namespace, and so all the others.
            process.kill()
            process.wait()

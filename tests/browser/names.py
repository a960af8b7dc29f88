"""Host names that lead to loopback, for this process and what it starts, and for nothing else."""

import os
from pathlib import Path
import subprocess

_HOSTS = Path("/etc/hosts")


def point_to_loopback(names: tuple[str, ...], file: Path) -> None:
    """Let the system's own resolver find these names, in a mount namespace of this process.

    Args:
        names: Host names; `localhost` stays what it is.
        file: Where to write the list that stands in for the system's.
    """
    file.write_text(f"127.0.0.1 localhost {' '.join(names)}\n::1 localhost\n")
    os.unshare(os.CLONE_NEWNS)
    # Or the mount would be seen by the whole machine.
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--bind", str(file), str(_HOSTS)], check=True)

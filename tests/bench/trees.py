"""An older state of this project, out of git, and which one to compare with."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
import subprocess
import tarfile

ROOT = Path(__file__).resolve().parents[2]
_INTEGRATION = "custom_components/email_courier"
_MANIFEST = f"{_INTEGRATION}/manifest.json"


class NoTreeError(Exception):
    """This clone does not have what was asked for; the text says what git says of it."""


def last_release(root: Path = ROOT) -> str:
    """Return the last tag of a release, or else the commit that last changed the version.

    Raises NoTreeError where this clone has neither, as a shallow one.
    """
    try:
        return _git(root, "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*").strip()
    except NoTreeError:
        commit = _git(root, "log", "-1", "--format=%h", '-G"version":', "--", _MANIFEST).strip()
    if not commit or (_is_shallow(root) and not _has_parent(root, commit)):
        raise NoTreeError("this clone does not go back to a release")
    return commit


def check_out(revision: str, folder: Path, root: Path = ROOT) -> Path:
    """Put the integration as it was into a folder, and return where it is there.

    Raises NoTreeError.
    """
    archive = _git_bytes(root, "archive", "--format=tar", revision, _INTEGRATION)
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder / _INTEGRATION


def _is_shallow(root: Path) -> bool:
    return _git(root, "rev-parse", "--is-shallow-repository").strip() == "true"


def _has_parent(root: Path, commit: str) -> bool:
    return len(_git(root, "rev-list", "--parents", "-1", commit).split()) > 1


def _git(root: Path, *arguments: str) -> str:
    return _git_bytes(root, *arguments).decode()


def _git_bytes(root: Path, *arguments: str) -> bytes:
    try:
        return subprocess.run(
            ("git", "-C", root, *arguments), capture_output=True, check=True
        ).stdout
    except FileNotFoundError as error:
        raise NoTreeError("git is not installed") from error
    except subprocess.CalledProcessError as error:
        raise NoTreeError(error.stderr.decode().strip()) from error

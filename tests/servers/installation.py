"""Where the real mail servers are unpacked, and why they cannot be used where they cannot."""

from hashlib import sha256
import os
from pathlib import Path
import shutil

_SCRIPTS = Path(__file__).resolve().parents[2] / "scripts" / "lib"
_RECIPE = ("install-servers", "unpack-debian")


def root_folder(suite: str) -> Path:
    """Return the folder that holds the programs of one Debian suite.

    It is named after the recipe, as `scripts/lib/install-servers` names it, so that servers
    unpacked by an older recipe are never taken for these.
    """
    recipe = sha256(b"".join((_SCRIPTS / name).read_bytes() for name in _RECIPE))
    return _cache() / "servers" / recipe.hexdigest()[:16] / suite


def reason_to_skip() -> str | None:
    """Tell why no server can be started here; None when they can."""
    if os.geteuid() != 0:
        return "real mail servers need root"
    if shutil.which("unshare") is None:
        return "real mail servers need unshare (util-linux)"
    if not (root_folder("bookworm").parent / "ready").exists():
        return "no real mail servers: run scripts/lib/install-servers"
    return None


def _cache() -> Path:
    """Return the folder that the project's scripts keep their downloads in."""
    if own := os.environ.get("EMAIL_COURIER_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "email-courier"

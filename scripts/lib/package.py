"""Write the integration as a release ships it: one zip, stamped with the release's version.

package.py VERSION FILE: a leading "v" of the version is left out. Exits 1 where it is no semantic
version.
"""

import json
from pathlib import Path
import re
import sys
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

INTEGRATION = Path(__file__).resolve().parents[2] / "custom_components" / "email_courier"
_VERSION = re.compile(r"v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def stamped(manifest: str, version: str) -> str:
    """Return a manifest with another version, and nothing else changed."""
    before = json.loads(manifest)["version"]
    return manifest.replace(f'"version": "{before}"', f'"version": "{version}"')


def package(version: str, target: Path) -> None:
    """Write the zip. The same source gives the same bytes."""
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for path in sorted(INTEGRATION.rglob("*")):
            if not path.is_file() or "__pycache__" in path.parts:
                continue
            data = path.read_bytes()
            if path == INTEGRATION / "manifest.json":
                data = stamped(data.decode(), version).encode()
            entry = ZipInfo(path.relative_to(INTEGRATION).as_posix(), _EPOCH)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)


def main(arguments: list[str]) -> int:
    """Run as a program. Returns its exit status."""
    version, target = arguments
    match = _VERSION.fullmatch(version)
    if match is None:
        print(f"{version} is no semantic version, such as v1.2.3", file=sys.stderr)
        return 1
    package(match[1], Path(target))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

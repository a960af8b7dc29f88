"""Print what Home Assistant's own components ask for, one requirement a line.

Home Assistant installs these while it runs. Given the names of components, or "default" for those
that it always sets up, this walks their dependencies instead, so that it can run without a network.
"""

import json
from pathlib import Path
import sys

from homeassistant import bootstrap, components

ROOT = Path(components.__path__[0])


def main(names: list[str]) -> None:
    """Walk the manifests of the named components and of all that they depend on."""
    waiting = set(names)
    if "default" in waiting:
        waiting.remove("default")
        waiting |= bootstrap.CORE_INTEGRATIONS | bootstrap.DEFAULT_INTEGRATIONS
    seen: set[str] = set()
    requirements: set[str] = set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        manifest = json.loads((ROOT / name / "manifest.json").read_text(encoding="utf-8"))
        requirements.update(manifest.get("requirements", []))
        waiting |= set(manifest.get("dependencies", [])) - seen
    print(*sorted(requirements), sep="\n")


main(sys.argv[1:])

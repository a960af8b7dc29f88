"""Import the mail layer without Home Assistant.

`custom_components/email_courier/__init__.py` is Home Assistant's entry point and imports it, so
`custom_components.email_courier.mail` cannot be imported through it where Home Assistant is not
installed. `install` puts an empty parent package in its place.
"""

from pathlib import Path
import sys
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]

_PACKAGES = {
    "custom_components": ROOT / "custom_components",
    "custom_components.email_courier": ROOT / "custom_components" / "email_courier",
}


def install() -> None:
    """Make `custom_components.email_courier.mail` importable by itself.

    Calling it again changes nothing, and a package that was really imported is left alone. The
    project's root is put on `sys.path`, so that a script can call this from any folder.
    """
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    for name, folder in _PACKAGES.items():
        if name in sys.modules:
            continue
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, package)

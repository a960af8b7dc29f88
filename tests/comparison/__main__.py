"""Puts `smtp` through the tables and writes the page. Run by `scripts/compare`."""

import argparse
from collections.abc import Iterator, Sequence
from importlib.metadata import version
import json
from pathlib import Path
import sys
from typing import Any

import homeassistant.components.smtp
from homeassistant.components.smtp.const import DEFAULT_TIMEOUT
from homeassistant.const import __version__

from .page import Run, page
from .shares import DELIVERY, DIALOG, everything

PAGE = Path(__file__).resolve().parents[2] / "docs" / "comparison.md"
_LIMITS = (
    f"replies may take {DIALOG} s in the dialog and {DELIVERY} s for mail, so that this takes "
    f"minutes and not hours; unless set otherwise `smtp` waits {DEFAULT_TIMEOUT} s"
)


def _languages() -> int:
    """Return how many languages it has a translation of every text in."""
    folder = Path(homeassistant.components.smtp.__file__).with_name("translations")
    texts = {path.stem: set(_places(json.loads(path.read_text()))) for path in folder.glob("*")}
    return sum(places >= texts["en"] for places in texts.values())


def _places(tree: Any, path: str = "") -> Iterator[str]:
    if not isinstance(tree, dict):
        yield path
        return
    for name, branch in tree.items():
        yield from _places(branch, f"{path}.{name}")


def main(words: Sequence[str] | None = None) -> int:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser(prog="scripts/compare", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some rows; nothing is written")
    quick: bool = parser.parse_args(words).quick
    answers, outcomes = everything(quick=quick)
    about = (f"Home Assistant {__version__}", f"aiosmtplib {version('aiosmtplib')}", _LIMITS)
    text = page(Run(about, _languages(), answers, outcomes))
    sys.stdout.write(text)
    if not quick:
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

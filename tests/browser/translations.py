"""The texts that the pages are compared with."""

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
import json
from pathlib import Path
from typing import Any

from .pictures import PROJECT

_FOLDER = PROJECT / "custom_components" / "email_courier" / "translations"
LANGUAGES = tuple(sorted(file.stem for file in _FOLDER.glob("*.json")))


@cache
def texts_in(language: str) -> dict[str, Any]:
    """Return a translation as it stands in the integration."""
    texts: dict[str, Any] = json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return texts


def english() -> dict[str, Any]:
    """Return the English texts."""
    return texts_in("en")


@cache
def home_assistants_words(language: str) -> dict[str, str]:
    """Return the words of Home Assistant's own pages by their keys."""
    frontend = find_spec("hass_frontend")
    assert frontend is not None
    assert frontend.origin is not None
    words: dict[str, str] = {}
    for file in _files(Path(frontend.origin).parent / "static" / "translations", language):
        words |= json.loads(file.read_text(encoding="utf-8"))
    return words


def _files(folder: Path, language: str) -> Iterable[Path]:
    """Yield the files of a language: it is followed by a hash, and others begin like it."""
    for part in (folder, folder / "config"):
        yield from part.glob(f"{language}-{'[0-9a-f]' * 32}.json")

"""The texts that the pages are compared with."""

from functools import cache
import json
from typing import Any

from .pictures import PROJECT


@cache
def english() -> dict[str, Any]:
    """Return the English translation as it stands in the integration."""
    file = PROJECT / "custom_components" / "email_courier" / "translations" / "en.json"
    texts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return texts

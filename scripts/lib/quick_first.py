"""A pytest plugin for `scripts/mutation`: quick tests first, so that most mutants die at once."""

import json
from pathlib import Path

import pytest

_STATISTICS = Path("mutmut-stats.json")
"""Written by mutmut into the folder that it runs the tests in, once it has run them all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests by how long they took without a mutant."""
    if _STATISTICS.exists():
        seconds: dict[str, float] = json.loads(_STATISTICS.read_text("utf-8"))["duration_by_test"]
        items.sort(key=lambda item: seconds.get(item.nodeid, 0.0))

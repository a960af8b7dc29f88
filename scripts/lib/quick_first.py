"""A pytest plugin for `scripts/mutation`: most mutants die at once and leave nothing to tidy up."""

import json
import os
from pathlib import Path

import pytest

_STATISTICS = Path("mutmut-stats.json")
"""Written by mutmut into the folder that it runs the tests in, once it has run them all."""

_MUTANT = "MUTANT_UNDER_TEST"
"""Names the mutant; without a dot in it, mutmut runs the tests for a reason of its own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests by how long they took without a mutant."""
    if _STATISTICS.exists():
        seconds: dict[str, float] = json.loads(_STATISTICS.read_text("utf-8"))["duration_by_test"]
        items.sort(key=lambda item: seconds.get(item.nodeid, 0.0))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """End with the first failure: what a mutant has broken may hang while it is taken down."""
    if report.failed and "." in os.environ.get(_MUTANT, ""):
        os._exit(pytest.ExitCode.TESTS_FAILED)

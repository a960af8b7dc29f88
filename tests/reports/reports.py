"""The register of reports: who saw what elsewhere, what happens here, and whether it held at once.

`scripts/lib/report_page.py` reads the decorators from the source, so their arguments are literals.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One fault that somebody reported of a mail sender.

    source: `owner/repository#number`, or a standard or a provider's documentation.
    symptom: what its users saw. ours: what happens here.
    held_at_first: whether all inputs of the test passed when they were first tried.
    """

    source: str
    symptom: str
    ours: str
    held_at_first: bool


def report[T: Callable[..., Any]](
    *, source: str, symptom: str, ours: str, held_at_first: bool
) -> Callable[[T], T]:
    """Register the report that a test asks about."""
    entry = Report(source=source, symptom=symptom, ours=ours, held_at_first=held_at_first)

    def register(test: T) -> T:
        test.__dict__["report"] = entry
        return test

    return register

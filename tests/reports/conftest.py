"""Counts the reports that a run asks about, and how many held when they were first tried."""

from collections.abc import Iterator
import socket
from typing import Any

import pytest
import pytest_socket

from tests.reports.reports import Report

_RESOLVE = socket.getaddrinfo
"""Before the harness puts its own in its place, which takes an address with a zone for a name."""
_ASKED = pytest.StashKey[dict[str, Report]]()


@pytest.fixture
def ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let connections be made to this machine's IPv6 address, too."""

    def resolve(host: Any, *args: Any, **options: Any) -> Any:
        if isinstance(host, str) and host.endswith(".test"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return _RESOLVE(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note each test's report once, however many inputs it has."""
    asked = config.stash.setdefault(_ASKED, {})
    for name, report in _reports(items):
        asked[name] = report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the two numbers."""
    asked = terminalreporter.config.stash.get(_ASKED, {})
    if asked:
        held = sum(report.held_at_first for report in asked.values())
        terminalreporter.write_line(f"{len(asked)} reports, {held} held when first tried")


def _reports(items: list[pytest.Item]) -> Iterator[tuple[str, Report]]:
    for item in items:
        report = getattr(getattr(item, "function", None), "report", None)
        if isinstance(report, Report):
            yield item.nodeid.partition("[")[0], report

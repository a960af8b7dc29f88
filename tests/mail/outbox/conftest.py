"""A house for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.mail.outbox.house import House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A courier that has been started, with a healthy server and nothing to do."""
    home = House(tmp_path / "account")
    await home.courier.start()
    yield home
    home.server.upload.set()
    home.server.verdict.set()
    for courier in (home.courier, *home.ghosts):
        await courier.stop()

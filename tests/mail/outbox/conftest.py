"""A house for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.mail.outbox.house import House


@pytest.fixture(params=[False, True], ids=["", "eager"])
async def house(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """A courier that has been started, with a healthy server and nothing to do."""
    home = House(tmp_path / "account", eager=request.param)
    await home.courier.start()
    yield home
    home.server.upload.set()
    home.server.verdict.set()
    for courier in (home.courier, *home.ghosts):
        await courier.stop()

"""A real disk that is full, and one that cannot be written."""

import asyncio
import json
import os
from pathlib import Path
import shutil
import sys
from typing import Any

import pytest

from tests.support import pure

PROGRAM = (
    "import asyncio, pathlib, sys; from tests.support import pure; pure.install(); "
    "from tests.mail.outbox.small_disk import run; asyncio.run(run(pathlib.Path(sys.argv[1])))"
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="mounting a small disk takes root on Linux",
)


@pytest.fixture
async def seen(tmp_path: Path) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        "unshare",
        "--mount",
        sys.executable,
        "-c",
        PROGRAM,
        str(tmp_path),
        cwd=pure.ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    result: dict[str, Any] = json.loads(output)
    return result


async def test_a_full_disk_is_a_clear_error_and_what_was_taken_arrives(
    seen: dict[str, Any],
) -> None:
    full = seen["full"]
    assert full["kept"] > 3
    assert "No space left on device" in full["error"]
    assert full["error"].startswith("disk")
    assert full["files"] == [".eml"] * full["kept"] + [".json"] * full["kept"]
    assert full["waiting"] == full["kept"]
    assert full["arrived"]
    assert full["left"] == []


async def test_a_folder_that_cannot_be_written_is_a_clear_error_and_loses_nothing(
    seen: dict[str, Any],
) -> None:
    read_only = seen["read_only"]
    [error] = read_only["errors"]
    assert "Read-only file system" in error
    assert read_only["arrivals"] >= 2
    assert read_only["left"] == []

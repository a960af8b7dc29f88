"""The measurements can be taken; what they say is on a page of the documentation."""

import asyncio
from pathlib import Path

import pytest

from tests.servers.installation import reason_to_skip

_SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bench"


@pytest.mark.skipif(reason_to_skip() is not None, reason=str(reason_to_skip()))
@pytest.mark.timeout(600)
async def test_a_quick_run_measures_everything() -> None:
    process = await asyncio.create_subprocess_exec(
        *(_SCRIPT, "--quick"), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    targets, figures = output.decode().split("## All figures")
    assert "Email Courier | core smtp | ratio | aiosmtplib, fresh" in figures
    not_measured = [line for line in targets.splitlines() if "not measured" in line]
    assert all("20 MB" in line or "nodemailer" in line for line in not_measured)

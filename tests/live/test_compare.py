"""The comparison with core's integration can be made; what came of it is in the documentation."""

import asyncio
from pathlib import Path
import re

_PROJECT = Path(__file__).resolve().parents[2]


async def test_a_quick_run_goes_through_some_of_both_tables() -> None:
    page = _PROJECT / "docs" / "comparison.md"
    before = page.read_text()
    process = await asyncio.create_subprocess_exec(
        *(_PROJECT / "scripts" / "compare", "--quick"), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()

    assert process.returncode == 0
    text = output.decode()
    for figure in ("wrong settings named", "temporary faults after which the mail arrives"):
        found = re.search(rf"^\| {figure} \| (\d+) of (\d+) \|$", text, re.MULTILINE)
        assert found is not None
        assert 0 <= int(found[1]) < int(found[2])
    assert page.read_text() == before

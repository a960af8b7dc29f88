"""The weekly report that a home with history sends, as a mail program's browser shows it."""

import asyncio
from io import BytesIO
import os
from pathlib import Path
import sys

from PIL import Image
from playwright.async_api import Browser

from .pictures import PROJECT, Picture, keep
from .test_layout import CONTRASTS, READABLE, show, too_wide
from .visitor import Screen, Theme

LOOKS = ((Screen(680, 1500), Theme.LIGHT), (Screen(390, 1500), Theme.DARK))
_GAP = 20
"""Pixels between the two."""


async def _sent(file: Path) -> bytes:
    """Have the report sent where a recorder is, and return the mail."""
    find = await asyncio.create_subprocess_exec(
        PROJECT / "scripts" / "lib" / "environment", "harness", stdout=asyncio.subprocess.PIPE
    )
    environment, _ = await find.communicate()
    process = await asyncio.create_subprocess_exec(
        Path(environment.decode().strip()) / "bin" / "python",
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/report/test_weekly_mail.py"),
        cwd=PROJECT,
        env={**os.environ, "EMAIL_COURIER_WEEKLY_MAIL": str(file)},
        stdout=sys.stderr,
    )
    assert await process.wait() == 0
    return await asyncio.to_thread(file.read_bytes)


async def test_the_weekly_report_fits_and_is_readable_on_a_desktop_and_a_phone(
    browser: Browser, tmp_path: Path
) -> None:
    data = await _sent(tmp_path / "weekly.eml")
    shots: list[Image.Image] = []
    for screen, theme in LOOKS:
        page, asked = await show(browser, data, screen, theme)
        assert await too_wide(page) <= 0
        contrasts = await page.evaluate(CONTRASTS)
        assert {text: ratio for text, ratio in contrasts.items() if ratio < READABLE} == {}
        assert asked == []
        shots.append(Image.open(BytesIO(await page.screenshot())))
        await page.context.close()
    width = sum(shot.width for shot in shots) + _GAP
    both = Image.new("RGB", (width, shots[0].height), "white")
    both.paste(shots[0], (0, 0))
    both.paste(shots[1], (shots[0].width + _GAP, 0))
    out = BytesIO()
    both.save(out, "PNG")
    keep(out.getvalue(), Picture.MAIL_WEEKLY)

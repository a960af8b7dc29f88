"""What the figures were measured on."""

from __future__ import annotations

import os
from pathlib import Path
import platform
import subprocess

import aiosmtplib
from homeassistant.const import __version__ as hass_version


def description(nodemailer: str | None) -> list[str]:
    """Return lines that describe the machine and the versions.

    nodemailer: its version, or None where it is not there.
    """
    return [
        f"{_processor()}, {os.cpu_count()} processors, {_memory()} GiB of memory",
        f"{platform.system()} {platform.release()} {platform.machine()}",
        f"load {os.getloadavg()[0]:.1f} at the start",
        f"Python {platform.python_version()}",
        f"Home Assistant {hass_version}",
        f"aiosmtplib {aiosmtplib.__version__}",
        f"nodemailer {nodemailer} on Node.js {_node()}" if nodemailer else "no nodemailer here",
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown processor"


def _memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _node() -> str:
    return subprocess.run(
        ("node", "--version"), capture_output=True, text=True, check=True
    ).stdout.strip()

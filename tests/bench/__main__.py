"""Measures all of it and writes the page. Run by `scripts/bench`, which makes what this needs."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
import json
import os
from pathlib import Path
import sys
import tempfile
import time

from tests.servers.postfix import Postfix
from tests.support.certificates import Certificates, ServerTls

from . import attachments, bursts, charts, costs, scale, slow_line
from .bench import Bench, say
from .compare import Settings, compare
from .figures import Figures, Scale
from .house import house
from .machine import description
from .page import page, with_figures
from .peers import peers
from .servers import sink
from .trees import NoTreeError, last_release

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
_APART = ("charts", "scale")
"""Their figures have nothing to do with others: of one measured alone they go into the page."""
_PARTS = {
    "attachments": (attachments.measure,),
    "bursts": (bursts.measure, bursts.measure_few),
    "slow_line": (slow_line.measure,),
    "costs": (costs.recipients, costs.waiting),
    "start_up": (costs.start_up,),
    "scale": (scale.measure,),
    "charts": (charts.measure,),
}


async def run(folder: Path, nodemailer: Path | None, arguments: argparse.Namespace) -> str:
    """Measure in an empty folder and return the page."""
    certificates = Certificates()
    authority = folder / "authority.pem"
    authority.write_text(certificates.authority_pem)
    machine = description(_version(nodemailer))
    figures = Figures()
    async with AsyncExitStack() as stack:
        postfix = Postfix(folder / "postfix", certificates.pem(ServerTls.VALID))
        stack.enter_context(postfix)
        sinks = [
            await stack.enter_async_context(sink("smtp-sink")),
            await stack.enter_async_context(sink("smtp-sink without PIPELINING", "-p")),
        ]
        home = await stack.enter_async_context(house(folder / "config", certificates.authority_pem))
        clients = peers(authority, nodemailer)
        quick: bool = arguments.quick
        bench = Bench(
            house=home,
            postfix=postfix,
            sinks=sinks,
            peers=clients,
            figures=figures,
            rounds=1 if quick else arguments.rounds,
            burst=8 if quick else 200,
            slow_line=2 if quick else 5,
            megabytes=(1,) if quick else (1, 10, 20),
            waiting=(0, 10) if quick else (0, 100, 1000),
            days=1 if quick else 30,
            years=1 if quick else 2,
            authority_pem=certificates.authority_pem,
            scale=Scale(),
            quick=quick,
        )
        start = time.monotonic()
        for name in arguments.only or _PARTS:
            for measure in _PARTS[name]:
                await measure(bench)
        settings = f"{bench.rounds} rounds, bursts of {bench.burst} mails, "
        settings += f"{time.monotonic() - start:.0f} s in all"
    if _is_apart(arguments) and not quick:
        load = next(line for line in machine if line.startswith("load"))
        [part] = arguments.only
        text = PAGE.read_text(encoding="utf-8")
        return with_figures(text, figures, bench.scale, part, f"{load}, {settings}")
    return page(figures, bench.scale, machine, settings)


def _is_apart(arguments: argparse.Namespace) -> bool:
    return bool(arguments.only) and len(arguments.only) == 1 and arguments.only[0] in _APART


def _version(nodemailer: Path | None) -> str | None:
    if nodemailer is None:
        return None
    return str(json.loads((nodemailer / "package.json").read_text(encoding="utf-8"))["version"])


def compared(revision: str, arguments: argparse.Namespace) -> int:
    """Print how this tree and an older one compare; nothing is written.

    revision: empty for the last release, which need not be there: then this says so.
    """
    try:
        older = revision or last_release()
    except NoTreeError as error:
        say(f"There is no release to compare with: {error}")
        return 0
    quick: bool = arguments.quick
    settings = Settings(
        rounds=3 if quick else arguments.rounds,
        burst=50 if quick else 200,
        days=1 if quick else 30,
        years=1 if quick else 2,
    )
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="email-courier-bench-") as folder:
        try:
            print(asyncio.run(compare(older, Path(folder), settings)))
        except NoTreeError as error:
            say(f"{older} cannot be compared with: {error}")
            return 1
    load = f"load {os.getloadavg()[0]:.1f} at the end"
    print(f"{settings.rounds} rounds, {time.monotonic() - start:.0f} s in all, {load}")
    return 0


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print the page, and write it where it belongs."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: tiny, nothing written")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=_PARTS,
        help="these parts; only charts or scale alone is written",
    )
    parser.add_argument(
        "--compare",
        nargs="?",
        const="",
        metavar="REV",
        help="measure this tree and another state of it; the last release where none is named",
    )
    arguments = parser.parse_args(words)
    if arguments.compare is not None:
        return compared(arguments.compare, arguments)
    module = os.environ.get("EMAIL_COURIER_NODEMAILER")
    if not module:
        print("nodemailer is left out: npm is missing, or could not fetch it", flush=True)
    with tempfile.TemporaryDirectory(prefix="email-courier-bench-") as folder:
        text = asyncio.run(run(Path(folder), Path(module) if module else None, arguments))
    print(text)
    if not arguments.quick and (arguments.only is None or _is_apart(arguments)):
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

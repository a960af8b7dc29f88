"""This tree and an older one, measured in turn in one run: what has become slower or larger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
import os
from pathlib import Path
from statistics import median
import sys

from homeassistant.const import Platform
from homeassistant.loader import BASE_PRELOAD_PLATFORMS

from tests.live.client import HassError, Json
from tests.live.hass_runner import INTEGRATION
from tests.servers.postfix import Postfix
from tests.support.certificates import Certificates, ServerTls

from .bench import say
from .charts import CHARTS, FOUR, RECORDER
from .figures import COURIER, Figures, Measurement, number, shown
from .house import Account, House, house
from .servers import endpoints_of, settle
from .trees import check_out

THIS = "this tree"
NOT_THERE = "not there"
_TOLERANCE = 1.1
_FILE = "recording.bin"
_MEGABYTES = 20
_IMPORT = """
import importlib, sys, time
import homeassistant.bootstrap, homeassistant.config_entries
import homeassistant.components.http, homeassistant.components.notify
start = time.perf_counter()
for name in sys.argv[1:]:
    importlib.import_module(name)
print(time.perf_counter() - start)
"""


class NotThereError(Exception):
    """A tree cannot do what is measured."""


@dataclass(frozen=True)
class Settings:
    """How much is done. burst: mails at once. days, years: of what the recorder knows."""

    rounds: int
    burst: int
    days: int
    years: int


@dataclass
class Side:
    """A tree in a Home Assistant of its own. accounts: by endpoint and layout."""

    name: str
    integration: Path
    house: House
    accounts: dict[tuple[str, str], Account] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """One run; nothing of it is kept."""

    postfix: Postfix
    settings: Settings
    figures: Figures = field(default_factory=Figures)
    missing: dict[str, str] = field(default_factory=dict)

    def note(self, side: Side, name: str, unit: str, value: float) -> None:
        """Note one sample of a side."""
        is_rate = unit == "mails/s"
        self.figures.add(Measurement(name, unit, more_is_better=is_rate), side.name, value)


type Measure = Callable[[Comparison, Side], Awaitable[None]]


async def compare(revision: str, folder: Path, settings: Settings) -> str:
    """Measure both in an empty folder, and return the table. Raises NoTreeError."""
    older = check_out(revision, folder / "older")
    certificates = Certificates()
    async with AsyncExitStack() as stack:
        postfix = Postfix(folder / "postfix", certificates.pem(ServerTls.VALID))
        await asyncio.to_thread(stack.enter_context, postfix)
        comparison = Comparison(postfix, settings)

        async def begun(name: str, integration: Path) -> Side:
            running = house(
                folder / f"config-{integration.parents[1].name}",
                certificates.authority_pem,
                RECORDER,
                integration,
            )
            side = Side(name, integration, await stack.enter_async_context(running))
            await _prepare(comparison, side)
            return side

        say(f"Home Assistant with {revision}, and another with {THIS}")
        async with asyncio.TaskGroup() as group:
            begin = (begun(revision, older), begun(THIS, INTEGRATION))
            tasks = [group.create_task(each) for each in begin]
        await _measure(comparison, [task.result() for task in tasks])
    lines = [*table(comparison.figures, revision), *_notes(comparison)]
    return "\n".join(lines)


async def _measure(comparison: Comparison, sides: list[Side]) -> None:
    """Go through all measurements in turn, once for what only the first time costs."""
    # What is missing is missing from the first time on; anything later is an error.
    warm = Comparison(comparison.postfix, comparison.settings)
    for side in sides:
        for name, measure in MEASURES.items():
            try:
                await measure(warm, side)
            except (HassError, NotThereError) as error:
                if side.name == THIS:
                    raise
                comparison.missing[name] = str(error)
    for turn in range(comparison.settings.rounds):
        say(f"Round {turn + 1} of {comparison.settings.rounds}")
        for name, measure in MEASURES.items():
            for side in sides if turn % 2 == 0 else reversed(sides):
                if side.name == THIS or name not in comparison.missing:
                    await measure(comparison, side)


async def _prepare(comparison: Comparison, side: Side) -> None:
    settings = comparison.settings
    await side.house.remember(settings.days, settings.years)
    data = await asyncio.to_thread(os.urandom, _MEGABYTES * 1_000_000)
    await asyncio.to_thread(side.house.add_file, _FILE, data)
    starttls, tls = endpoints_of(comparison.postfix)
    for endpoint, layout in ((starttls, "plain"), (starttls, "card"), (tls, "plain")):
        account = await side.house.add(COURIER, endpoint, layout=layout)
        side.accounts[endpoint.encryption, layout] = account


def _burst(encryption: str, layout: str) -> Measure:
    """Return what measures a burst of short mails over a connection that is there."""

    async def measure(comparison: Comparison, side: Side) -> None:
        account, count = side.accounts[encryption, layout], comparison.settings.burst
        await side.house.send(account, 1, parallel=False)
        if layout == "card":
            [mail] = await asyncio.to_thread(comparison.postfix.mails)
            if b"text/html" not in mail.raw:
                raise NotThereError("the option of the account has no effect")
        taken = await side.house.send(account, count, parallel=True)
        name = f"burst, {encryption.upper()}, {layout}"
        comparison.note(side, name, "mails/s", count / taken.seconds)
        await settle(comparison.postfix)

    return measure


async def _cold(comparison: Comparison, side: Side) -> None:
    account = side.accounts["starttls", "plain"]
    seconds = await side.house.reload(account)
    comparison.note(side, "set-up of one account", "ms", 1000 * seconds)
    taken = await side.house.send(account, 1, parallel=False)
    comparison.note(side, "one cold mail, STARTTLS", "ms", 1000 * taken.seconds)
    await settle(comparison.postfix)


async def _file(comparison: Comparison, side: Side) -> None:
    file = side.house.hass.folder / "media" / _FILE
    await _watched(
        comparison, side, f"{_MEGABYTES} MB file", {"attachments": [{"path": str(file)}]}
    )


async def _charts(comparison: Comparison, side: Side) -> None:
    await _watched(comparison, side, "four charts", {"layout": "card", "charts": CHARTS[FOUR]})


async def _watched(comparison: Comparison, side: Side, name: str, more: Json) -> None:
    entities = side.accounts["starttls", "plain"].entities
    data: Json = {"message": "Look", "entity_id": entities, **more}
    taken = await side.house.perform("email_courier.send_message", data, watch=True)
    comparison.note(side, f"{name}: time", "ms", 1000 * taken.seconds)
    comparison.note(side, f"{name}: longest stall", "ms", 1000 * taken.stall)
    comparison.note(side, f"{name}: extra memory", "MB", taken.memory / 1_000_000)
    await settle(comparison.postfix)


async def _import(comparison: Comparison, side: Side) -> None:
    """Import in a fresh process what Home Assistant imports when it starts with an account."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _IMPORT, *_modules_of_a_start(side.integration)),
        cwd=side.integration.parents[1],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # of libraries that Home Assistant can do without
    )
    output, _ = await process.communicate()
    comparison.note(side, "import at a start", "ms", 1000 * float(output))


def _modules_of_a_start(integration: Path) -> list[str]:
    names = dict.fromkeys((*BASE_PRELOAD_PLATFORMS, *Platform))
    package = f"custom_components.{integration.name}"
    return [package, *(f"{package}.{it}" for it in names if (integration / f"{it}.py").exists())]


MEASURES: Mapping[str, Measure] = {
    "burst, STARTTLS, plain": _burst("starttls", "plain"),
    "burst, STARTTLS, card": _burst("starttls", "card"),
    "burst, TLS, plain": _burst("tls", "plain"),
    "set-up and one cold mail": _cold,
    "20 MB file": _file,
    "four charts": _charts,
    "import at a start": _import,
}


def table(figures: Figures, older: str) -> Iterable[str]:
    """Yield the lines of the table; a ratio above 1 is in favour of this tree."""
    yield f"| measurement | unit | {older} | {THIS} | ratio | |"
    yield "|---|---|---|---|---|---|"
    for measurement, by_who in figures.samples.items():
        before, now = by_who.get(older), by_who[THIS]
        cells = [NOT_THERE if before is None else shown(before), shown(now), "", ""]
        if before is not None:
            better = figures.times_better(measurement, THIS, older)
            cells[2] = "" if better is None else number(better)
            cells[3] = "**worse**" if is_worse(measurement, before, now) else ""
        yield f"| {measurement.name} | {measurement.unit} | {' | '.join(cells)} |"


def is_worse(measurement: Measurement, before: list[float], now: list[float]) -> bool:
    """Tell whether a figure is more than a tenth worse, and every sample worse than any before."""
    old, new = median(before), median(now)
    if measurement.more_is_better:
        return new * _TOLERANCE < old and max(now) < min(before)
    return new > old * _TOLERANCE and min(now) > max(before)


def _notes(comparison: Comparison) -> Iterable[str]:
    yield ""
    yield (
        "The median, and in brackets the least and the most. The ratio says how many times better"
        " this tree is; worse is what is so by more than a tenth, outside of both spreads."
    )
    for name, reason in comparison.missing.items():
        yield f"{name}: {NOT_THERE}, as the older tree says: {reason}"

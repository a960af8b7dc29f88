"""Runs the tables in several processes, each with a Home Assistant of its own."""

import asyncio
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
import logging
from multiprocessing import get_context

from tests.mail.matrix.table import CASES as SETTINGS
from tests.mail.outbox.faults.table import CASES as FAULTS

from . import faults, settings
from .faults import Outcome
from .home import home
from .settings import Answer

DIALOG = 10
"""Seconds that `smtp` is told to wait for each reply during set-up; some right servers need 4."""
DELIVERY = 2
"""Seconds that it is told to wait when it sends, which it does twice."""
_SHARES = 4
"""Nearly all of the time is spent in waiting."""


def everything() -> tuple[list[Answer], list[Outcome]]:
    """Return what came of all rows of both tables."""
    shares = range(_SHARES)
    with ProcessPoolExecutor(_SHARES, mp_context=get_context("spawn")) as pool:
        answers = pool.map(_ask, shares)
        outcomes = pool.map(_send, shares)
        return list(chain.from_iterable(answers)), list(chain.from_iterable(outcomes))


def _ask(share: int) -> list[Answer]:
    return asyncio.run(_ask_share(share))


async def _ask_share(share: int) -> list[Answer]:
    logging.disable()
    async with home(DIALOG) as place:
        return await settings.ask(place, SETTINGS[share::_SHARES])


def _send(share: int) -> list[Outcome]:
    return asyncio.run(_send_share(share))


async def _send_share(share: int) -> list[Outcome]:
    logging.disable()
    async with home(DELIVERY) as place:
        return await faults.send(place, FAULTS[share::_SHARES])

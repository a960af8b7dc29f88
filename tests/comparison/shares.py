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
_EVERY = 10
"""Of so many rows a quick run takes one."""


def everything(*, quick: bool) -> tuple[list[Answer], list[Outcome]]:
    """Return what came of all rows of both tables, or of some of them."""
    step = _SHARES * _EVERY if quick else _SHARES
    shares = [slice(share, None, step) for share in range(_SHARES)]
    with ProcessPoolExecutor(_SHARES, mp_context=get_context("spawn")) as pool:
        answers = pool.map(_ask, shares)
        outcomes = pool.map(_send, shares)
        return list(chain.from_iterable(answers)), list(chain.from_iterable(outcomes))


def _ask(share: slice) -> list[Answer]:
    return asyncio.run(_ask_share(share))


async def _ask_share(share: slice) -> list[Answer]:
    logging.disable()
    async with home(DIALOG) as place:
        return await settings.ask(place, SETTINGS[share])


def _send(share: slice) -> list[Outcome]:
    return asyncio.run(_send_share(share))


async def _send_share(share: slice) -> list[Outcome]:
    logging.disable()
    async with home(DELIVERY) as place:
        return await faults.send(place, FAULTS[share])

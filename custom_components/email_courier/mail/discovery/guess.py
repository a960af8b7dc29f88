"""The names and ports where most mail servers are."""

from __future__ import annotations

import asyncio
from typing import Protocol

from ..address import Mailbox
from ..settings import SUBMISSION_PORT, SUBMISSIONS_PORT, Encryption
from .model import Candidate, Discovery, Origin

_NAMES = ("smtp", "mail")
_PORTS = (SUBMISSIONS_PORT, SUBMISSION_PORT)

PATIENCE = 4.5
"""Seconds after which a port that has not answered is taken for one where nobody listens."""

GRACE = 1.0
"""Seconds that better places are still waited for once one with encryption is known."""


class Listen(Protocol):
    """Hears what a port speaks, without any login.

    Returns TLS where TLS comes first, STARTTLS where SMTP offers it, NONE for SMTP without it,
    and None where no mail server answers. Raises nothing but cancellation.
    """

    async def __call__(self, host: str, port: int) -> Encryption | None:
        """Connect, listen and hang up."""


async def by_guess(mailbox: Mailbox, listen: Listen) -> Discovery | None:
    """Return the usual places of the domain where a mail server answers, encrypted ones first.

    A server without encryption is only named where there is no other.
    """
    places = [(f"{name}.{mailbox.domain}", port) for name in _NAMES for port in _PORTS]
    tasks = {place: asyncio.create_task(listen(*place)) for place in places}
    try:
        await _heard_enough(list(tasks.values()))
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    heard = [
        Candidate(host, port, encryption)
        for (host, port), task in tasks.items()
        if (encryption := _answer(task)) is not None
    ]
    encrypted = [candidate for candidate in heard if candidate.encryption is not Encryption.NONE]
    candidates = tuple(encrypted or heard)
    if not candidates:
        return None
    return Discovery(Origin.GUESS, candidates, username=mailbox.address)


async def _heard_enough(tasks: list[asyncio.Task[Encryption | None]]) -> None:
    """Wait until the best place that can still answer has answered, or patience is at an end."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    gracious = False
    pending = set(tasks)
    while pending and (left := until - loop.time()) > 0:
        _, pending = await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if not task.done():
                break
            if _is_encrypted(task):
                return
        if not gracious and any(_is_encrypted(task) for task in tasks if task.done()):
            gracious = True
            until = min(until, loop.time() + GRACE)


def _answer(task: asyncio.Task[Encryption | None]) -> Encryption | None:
    """Return what a finished task heard, and nothing for one that was stopped."""
    return None if task.cancelled() else task.result()


def _is_encrypted(task: asyncio.Task[Encryption | None]) -> bool:
    return _answer(task) not in {None, Encryption.NONE}

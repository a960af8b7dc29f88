"""From an address to the server that takes its mail, within a few seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
import logging

from ..address import Mailbox, parse_mailbox
from ..failure import FailureKind
from ..hostname import is_special_use
from ..settings import Encryption
from .autoconfig import by_autoconfig
from .dns import Resolver
from .guess import Listen, by_guess
from .model import Discovery, LookupFailed, Origin
from .providers import Providers
from .records import by_mail_exchanger, by_service_record
from .web import Fetch

DEADLINE = 6.0
"""Seconds for the whole."""

_LOGGER = logging.getLogger(__name__)

type Step = Callable[[], Awaitable[Discovery | None]]


async def discover(
    sender: str,
    *,
    resolver: Resolver,
    fetch: Fetch,
    listen: Listen,
    providers: Providers,
    deadline: float = DEADLINE,
) -> Discovery:
    """Propose settings for a sender's address.

    The table answers at once and without a network. Otherwise DNS, the domain's configuration
    file and the usual places are asked side by side, and the answer is the first in that order.
    A step that fails is one that knows nothing; when the deadline (seconds) comes, the best
    answer until then counts. Nothing is asked about special-use domains.

    Raises MailError (INVALID_SENDER) for what is no address.
    """
    mailbox = parse_mailbox(sender, FailureKind.INVALID_SENDER)
    if (provider := providers.by_domain(mailbox.domain)) is not None:
        return Discovery.of_provider(Origin.TABLE, provider, mailbox)
    if is_special_use(mailbox.domain):
        return _nothing(mailbox)
    steps: dict[Origin, Step] = {
        Origin.MX: partial(by_mail_exchanger, mailbox, resolver, providers),
        Origin.SRV: partial(by_service_record, mailbox, resolver, providers),
        Origin.AUTOCONFIG: partial(by_autoconfig, mailbox, fetch, providers),
        Origin.GUESS: partial(by_guess, mailbox, listen),
    }
    found = await _first_in_order(steps, deadline)
    return _nothing(mailbox) if found is None else found


def _nothing(mailbox: Mailbox) -> Discovery:
    """Return the answer where nothing is known."""
    return Discovery(Origin.NONE, username=mailbox.address)


async def _first_in_order(steps: dict[Origin, Step], deadline: float) -> Discovery | None:
    """Run all steps at once; return the answer of the first one that has any.

    An answer without encryption only counts where no other step has one with it.
    """
    tasks = [asyncio.create_task(_softly(origin, step)) for origin, step in steps.items()]
    try:
        async with asyncio.timeout(deadline):
            for task in tasks:
                if _is_encrypted(found := await task):
                    return found
    except TimeoutError:
        _LOGGER.debug("Discovery ran out of time after %s s", deadline)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    answers = [result for result in results if isinstance(result, Discovery)]
    return next(filter(_is_encrypted, answers), next(iter(answers), None))


async def _softly(origin: Origin, step: Step) -> Discovery | None:
    """Take a failed step for one that knows nothing."""
    try:
        return await step()
    except (LookupFailed, OSError) as error:
        _LOGGER.debug("Discovery by %s failed: %s", origin, error)
        return None


def _is_encrypted(found: Discovery | None) -> bool:
    return (
        found is not None
        and found.best is not None
        and found.best.encryption is not Encryption.NONE
    )

"""Many calls at the same time: Home Assistant goes on meanwhile, and every mail arrives once."""

import asyncio
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant

from custom_components.email_courier.mail.compose import message
from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY

CALLS = 40


async def _send(hass: HomeAssistant, number: int) -> None:
    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": "notify.family", "title": f"Mail {number}", "message": "It is done."},
        blocking=True,
    )


async def test_one_mail_is_composed_in_each_round_of_the_event_loop(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY)
    await load_account(hass, server, recipient("Family", ["bea@example.test"]))
    rounds = 0
    ticking = hass.loop.call_soon(lambda: None)
    composed_in: list[int] = []
    compose = message.compose

    def count() -> None:
        nonlocal rounds, ticking
        rounds += 1
        ticking = hass.loop.call_soon(count)

    def noting(*arguments: Any, **options: Any) -> Any:
        composed_in.append(rounds)
        return compose(*arguments, **options)

    count()
    with patch.object(message, "compose", noting):
        await asyncio.gather(*(_send(hass, number) for number in range(CALLS)))
    ticking.cancel()
    assert len(composed_in) == len(set(composed_in)) == CALLS
    subjects = [
        mail.content.split(b"Subject: ")[1].split(b"\r\n")[0] for mail in server.record.mails
    ]
    assert sorted(subjects) == sorted(b"Mail %d" % number for number in range(CALLS))


async def test_a_call_that_is_cancelled_while_others_are_composed_holds_nobody_up(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY)
    await load_account(hass, server, recipient("Family", ["bea@example.test"]))
    calls = [hass.async_create_task(_send(hass, number)) for number in range(CALLS)]
    for call in calls[1::2]:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert len(server.record.mails) == CALLS / 2

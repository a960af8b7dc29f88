"""Mail sent by accounts in Home Assistant, and the time that passes over it."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, State
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.email_courier.account import Account
from custom_components.email_courier.mail.address import parse_mailboxes
from custom_components.email_courier.mail.outbox.submission import Receipt


async def send_from(
    account: Account, *addresses: str, subject: str = "Washing machine", **options: Any
) -> Receipt:
    """Send a short mail and let Home Assistant take notice of it. Raises HomeAssistantError."""
    content = account.content(
        to=tuple(parse_mailboxes(addresses)), subject=subject, text="It is done."
    )
    try:
        return await account.async_send(content, **options)
    finally:
        await account.hass.async_block_till_done()


async def pass_time(hass: HomeAssistant, **time: float) -> None:
    """Let the timers of that time fire, also those that are only set meanwhile."""
    until = dt_util.utcnow() + timedelta(**time)
    for _ in range(3):
        async_fire_time_changed(hass, until)
        await hass.async_block_till_done(wait_background_tasks=True)


async def let_pass(hass: HomeAssistant, freezer: FrozenDateTimeFactory, **time: float) -> None:
    """Let time pass by the clock as well, which alone makes mail expire."""
    freezer.tick(timedelta(**time))
    await pass_time(hass)


def state_of(hass: HomeAssistant, entity_id: str) -> State:
    """Return the state of an entity that is there."""
    state = hass.states.get(entity_id)
    assert state is not None
    return state

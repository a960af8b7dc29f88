"""Mail for several recipients of whom some have had enough: held for all of those, or for none."""

import asyncio
from dataclasses import replace

import pytest

from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.errors import OutboxError, OutboxReason
from custom_components.email_courier.mail.outbox.events import Damaged, Failed, GivenUp
from custom_components.email_courier.mail.outbox.flood import FloodLimit
from custom_components.email_courier.mail.outbox.limits import Limits
from custom_components.email_courier.mail.outbox.receipt import Status
from tests.mail.outbox.house import HOUR, House, mail
from tests.mail.outbox.servers import DOWN

ANNA = "anna@example.test"
BEN = "ben@example.test"
CARL = "carl@example.test"

LIMIT = FloodLimit(per_hour=1, compose_digest=lambda mails: replace(mails[0], subject="Digest"))


async def guarded(house: House, *, room: int = 100) -> None:
    """Let Anna and Ben have had their one mail of the hour."""
    house.config = CourierConfig(flood_limit=LIMIT, limits=Limits(mails=room))
    await house.restart()
    await house.courier.submit(mail(ANNA, BEN))


def held_files(house: House) -> list[str]:
    return sorted(path.suffix for path in (house.folder / "held").glob("*.*"))


async def test_what_cannot_be_held_for_one_is_held_for_nobody(house: House) -> None:
    await guarded(house, room=1)
    with pytest.raises(OutboxError) as caught:
        await house.courier.submit(mail(ANNA, BEN))
    assert caught.value.reason is OutboxReason.FULL
    assert held_files(house) == []
    assert house.courier.state.waiting == 0
    [failed] = house.told(Failed)
    assert (failed.reason, failed.recipients) == (GivenUp.NOT_KEPT, (ANNA,))
    await house.turn(HOUR)
    assert len(house.server.inboxes[ANNA]) == 1


async def test_nobody_keeps_a_mail_of_which_the_caller_hears_that_it_failed(house: House) -> None:
    await guarded(house, room=1)
    house.server.failure = DOWN
    with pytest.raises(OutboxError) as caught:
        await house.courier.submit(mail(ANNA, CARL))
    assert caught.value.failure == DOWN
    assert {event.recipients: event.failure for event in house.told(Failed)} == {
        (ANNA,): DOWN,
        (CARL,): DOWN,
    }
    assert held_files(house) == []
    assert house.courier.state.waiting == 0


async def test_a_caller_who_leaves_while_a_mail_is_being_held_leaves_it_there(house: House) -> None:
    await guarded(house)
    calling = asyncio.ensure_future(house.courier.submit(mail(ANNA, BEN)))
    await asyncio.sleep(0)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    await house.quiet()
    assert len(await house.courier.waiting()) == house.courier.state.waiting == 2


async def test_held_mail_of_which_a_file_is_missing_is_reported_at_the_start(house: House) -> None:
    await guarded(house)
    assert (await house.courier.submit(mail(ANNA))).status is Status.QUEUED
    [message] = (house.folder / "held").glob("*.eml")
    message.unlink()
    await house.restart()
    assert house.told(Damaged) == [Damaged((message.stem,))]
    assert house.courier.state.waiting == 0

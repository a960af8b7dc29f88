"""A clock that is set moves nothing: mail waits by the seconds that pass."""

import asyncio
from collections.abc import Sequence
from copy import replace
import json

import pytest

from custom_components.email_courier.mail.outbox.backup import Backup
from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.events import Deferred, Failed, GivenUp
from custom_components.email_courier.mail.outbox.hold import FloodLimit
from custom_components.email_courier.mail.outbox.submission import (
    DAY,
    OutgoingMail,
    Rank,
    Status,
)
from tests.mail.outbox.house import HOUR, MINUTE, START, Digests, House, mail
from tests.mail.outbox.servers import DOWN, GREYLISTED

JUMPS = [-START, -25 * HOUR, -2 * HOUR, 2 * HOUR, 25 * HOUR, 56 * 365 * DAY]


async def set_out(house: House, ahead: float) -> None:
    """Begin a run on a clock that is wrong by so many seconds."""
    house.clock.ahead = ahead
    await house.courier.stop()
    await house.restart()


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("failure", [DOWN, GREYLISTED])
@pytest.mark.parametrize("rank", Rank)
async def test_a_clock_that_is_set_expires_nothing_and_holds_nothing_up(
    house: House, jump: float, failure: object, rank: Rank
) -> None:
    house.server.next_failures = [failure, failure]  # type: ignore[list-item]
    await house.courier.submit(mail(rank=rank))
    house.clock.ahead = jump
    await house.turn(31)
    assert len(house.server.attempts) == 2
    await house.turn(121)
    assert len(house.server.mails) == 1
    assert house.told(Failed) == []


async def test_mail_of_a_run_without_a_clock_is_tried_when_the_clock_is_set(house: House) -> None:
    await set_out(house, -START + 100)
    house.server.failure = DOWN
    sent = mail(expires_after=HOUR)
    await house.courier.submit(sent)
    await house.turn(MINUTE)
    house.clock.ahead = 0
    await house.turn(MINUTE)
    house.server.failure = None
    await set_out(house, 0)
    assert house.server.mails == [("anna@example.test", sent.data)]
    assert house.told(Failed) == []


async def test_a_mail_during_its_first_attempt_waits_by_what_passes(house: House) -> None:
    await set_out(house, -START + 100)
    house.server.upload.clear()
    house.server.next_failures = [None, GREYLISTED]
    await house.turn(1)
    caller = asyncio.create_task(house.courier.submit(mail(expires_after=HOUR)))
    await house.turn(1)
    house.clock.ahead = 0
    await house.courier.stop()
    assert (await caller).status is Status.QUEUED
    house.server.upload.set()
    await house.restart()
    await house.turn(MINUTE)
    assert house.told(Failed) == []
    assert len(house.server.mails) == 1


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_mail_expires_when_its_life_has_passed_whatever_the_clock_says(
    house: House, jump: float
) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail(expires_after=2 * HOUR))
    await house.turn(HOUR)
    house.clock.ahead = jump
    await house.turn(HOUR - 1)
    assert house.told(Failed) == []
    await house.turn(1)
    assert [event.reason for event in house.told(Failed)] == [GivenUp.EXPIRED]


async def test_life_goes_on_over_restarts_by_the_time_waited(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail(expires_after=3 * HOUR))
    await house.turn(HOUR)
    await house.courier.stop()
    house.clock.time += HOUR
    await house.restart()
    await house.turn(HOUR - 2 * MINUTE)
    assert house.told(Failed) == []
    await house.turn(2 * MINUTE)
    assert [event.reason for event in house.told(Failed)] == [GivenUp.EXPIRED]


async def test_what_was_waited_counts_after_a_restart_on_a_clock_that_was_set_back(
    house: House,
) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail(expires_after=3 * HOUR))
    await house.turn(2 * HOUR)
    await set_out(house, -DAY)
    await house.turn(HOUR - MINUTE)
    assert house.told(Failed) == []
    await house.turn(HOUR)
    assert [event.reason for event in house.told(Failed)] == [GivenUp.EXPIRED]


async def test_a_mail_of_1_0_0_without_a_clock_has_all_its_life(house: House) -> None:
    await set_out(house, -START + 100)
    house.server.failure = DOWN
    await house.courier.submit(mail(expires_after=HOUR))
    await house.courier.stop()
    [path] = house.folder.glob("*.json")
    data = json.loads(path.read_text())
    assert data["version"] == 1
    for key in ("waited", "noted"):
        del data[key]
    path.write_text(json.dumps(data))
    house.server.failure = None
    await set_out(house, 0)
    assert len(house.server.mails) == 1


async def test_an_expiry_that_fires_early_gives_nothing_up_and_is_set_again(house: House) -> None:
    house.server.next_failures = [GREYLISTED]
    await house.courier.submit(mail(expires_after=10))
    assert house.clock.timers[:2] == [START + 10, START + 30]
    house.clock.fire_early()
    await house.quiet()
    assert house.told(Failed) == []
    assert len(house.server.attempts) == 1
    assert house.clock.timers[:2] == [START + 10, START + 30]
    await house.turn(10)
    assert [event.reason for event in house.told(Failed)] == [GivenUp.EXPIRED]


@pytest.mark.parametrize("jump", JUMPS)
async def test_mail_goes_to_the_backup_account_by_the_seconds_that_pass(
    house: House, jump: float
) -> None:
    taken: list[OutgoingMail] = []

    async def take(mail: OutgoingMail) -> None:
        taken.append(mail)

    house.config = CourierConfig(backup=Backup(own="main", account="spare", hand_over=take))
    await house.restart()
    house.server.failure = DOWN
    await house.courier.submit(mail())
    house.clock.ahead = jump
    await house.turn(5 * MINUTE - 1)
    assert taken == []
    await house.turn(1)
    [mail_taken] = taken
    assert mail_taken.expires_after == pytest.approx(DAY - 5 * MINUTE)


def first(mails: Sequence[OutgoingMail]) -> OutgoingMail:
    """Stand for all."""
    return replace(mails[0], subject="Digest")


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("restarts", [False, True])
async def test_held_mail_waits_an_hour_at_most_on_any_clock(
    house: House, jump: float, *, restarts: bool
) -> None:
    house.config = CourierConfig(flood_limit=FloodLimit(per_hour=1, digests=Digests(first)))
    await set_out(house, -jump)
    for _ in range(3):
        await house.courier.submit(mail(expires_after=2 * DAY))
    house.clock.ahead = 0
    if restarts:
        await house.courier.stop()
        await house.restart()
    await house.turn(HOUR)
    assert len(house.server.mails) == 2
    assert (await house.courier.submit(mail())).status is not None
    assert house.told(Failed) == []


async def test_times_are_shown_by_the_clock_as_it_is_then(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail(expires_after=10 * HOUR))
    house.clock.ahead = 2 * HOUR
    await house.turn(31)
    event = house.told(Deferred)[-1]
    assert event.at == START + 30 + 2 * HOUR
    now = START + 31 + 2 * HOUR
    [record] = await house.courier.waiting()
    assert house.courier.state.next_attempt == pytest.approx(now + 119)
    assert record.born == pytest.approx(now - 31)
    assert record.expires == pytest.approx(now - 31 + 10 * HOUR)
    house.server.failure = None
    await house.turn(121)
    assert [outcome["at"] for outcome in house.courier.history][-1] == pytest.approx(now + 119)

"""A provider's quota that is used up for a while."""

from copy import replace

import pytest

from custom_components.email_courier.mail.failure import Failure, FailureKind, Permanence, Stage
from custom_components.email_courier.mail.outbox.backup import Backup
from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.events import Failed, GivenUp
from custom_components.email_courier.mail.outbox.submission import DAY, OutgoingMail, Status
from tests.mail.outbox.house import HOUR, MINUTE, House, mail
from tests.mail.outbox.servers import GREYLISTED


@pytest.fixture(params=list(Stage)[5:9])
def quota(request: pytest.FixtureRequest) -> Failure:
    """Return that a quota is used up, at each stage, for good by its code."""
    return replace(
        GREYLISTED,
        kind=FailureKind.QUOTA_EXCEEDED,
        stage=request.param,
        permanence=Permanence.PERMANENT,
    )


async def test_it_is_asked_about_every_hour(house: House, quota: Failure) -> None:
    house.server.failure = quota
    assert (await house.courier.submit(mail())).status is Status.QUEUED
    for hour in range(1, 4):
        await house.turn(50 * MINUTE)
        assert len(house.server.attempts) == hour
        await house.turn(10 * MINUTE)
        assert len(house.server.attempts) == hour + 1
    house.server.failure = None
    await house.turn(HOUR)
    assert len(house.server.mails) == 1


async def test_life_stands_still_for_a_day_at_most(house: House, quota: Failure) -> None:
    house.server.failure = quota
    await house.courier.submit(mail(expires_after=HOUR / 2))
    await house.turn(DAY)
    assert house.told(Failed) == []
    await house.turn(HOUR)
    assert [event.reason for event in house.told(Failed)] == [GivenUp.EXPIRED]


async def test_life_that_stood_still_is_not_lost_at_a_restart(house: House, quota: Failure) -> None:
    house.server.failure = quota
    await house.courier.submit(mail(expires_after=2 * HOUR))
    await house.turn(5 * HOUR + MINUTE)
    await house.courier.stop()
    await house.restart()
    assert house.told(Failed) == []
    house.server.failure = None
    await house.turn(HOUR)
    assert len(house.server.mails) == 1


async def test_it_is_offered_to_the_backup_account_at_once(house: House, quota: Failure) -> None:
    taken: list[OutgoingMail] = []

    async def take(mail: OutgoingMail) -> None:
        taken.append(mail)

    house.config = CourierConfig(backup=Backup(own="main", account="spare", hand_over=take))
    await house.restart()
    house.server.failure = quota
    for _ in range(2):
        await house.courier.submit(mail())
    await house.quiet()
    assert len(taken) == 2

"""An outbox of which somebody wants nothing to be sent for now, and one whose terms change."""

import asyncio
from copy import replace
import math
from typing import Any

import pytest

from custom_components.email_courier.mail.failure import Failure, FailureKind, Permanence, Stage
from custom_components.email_courier.mail.outbox.backup import Backup
from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.events import (
    Deferred,
    Delivered,
    Failed,
    GivenUp,
    StateChanged,
)
from custom_components.email_courier.mail.outbox.hold import FloodLimit
from custom_components.email_courier.mail.outbox.spool import QuotaLimits
from custom_components.email_courier.mail.outbox.submission import (
    DigestPart,
    Origin,
    OutboxError,
    OutboxReason,
    OutgoingMail,
    Rank,
    Status,
)
from custom_components.email_courier.mail.reply import Reply
from tests.mail.outbox.house import HOUR, MINUTE, Digests, House, mail
from tests.mail.outbox.servers import DOWN, GREYLISTED, WRONG_PASSWORD

QUOTA = Failure(
    FailureKind.QUOTA_EXCEEDED,
    Stage.SENDER,
    Permanence.PERMANENT,
    Reply(550, ("5.4.5 Daily user sending limit exceeded",)),
)
HALF_AN_HOUR = 30 * MINUTE


class Spare:
    """A backup account that takes everything."""

    def __init__(self) -> None:
        """Have taken nothing."""
        self.taken: list[OutgoingMail] = []

    async def __call__(self, outgoing: OutgoingMail) -> None:
        """Take a mail."""
        self.taken.append(outgoing)

    def backup(self, after: float = 5 * MINUTE) -> Backup:
        """Return it as an account."""
        return Backup(own="own", account="spare", hand_over=self, after=after)


async def started(house: House, **config: Any) -> None:
    house.config = house.config._replace(**config)
    house.courier = house.make_courier()
    await house.courier.start()


@pytest.mark.parametrize("rank", Rank)
@pytest.mark.parametrize("write_first", [False, True])
async def test_nothing_is_sent_by_any_way_and_all_of_it_later(
    house: House, rank: Rank, write_first: bool
) -> None:
    await started(house, write_first=write_first)
    house.server.failure = DOWN
    await house.courier.submit(mail(text="before", rank=rank))
    house.server.failure = None
    await house.courier.suspend(is_suspended=True)
    attempts = len(house.server.attempts)

    receipt = await house.courier.submit(mail(text="meanwhile", rank=rank))
    house.courier.retry_now()
    await house.turn(3 * HOUR)

    assert receipt.status is Status.QUEUED
    assert len(house.server.attempts) == attempts
    assert house.courier.state.waiting == 2
    assert house.courier.state.is_suspended
    assert house.courier.state.next_attempt is None
    assert house.told(Deferred)[-1].failure is None
    await house.courier.suspend(is_suspended=False)
    await house.turn(MINUTE)
    assert [data.split()[-1] for _, data in house.server.mails] == [b"before", b"meanwhile"]


async def test_what_may_not_be_kept_fails_by_name(house: House) -> None:
    await started(house)
    await house.courier.suspend(is_suspended=True)
    with pytest.raises(OutboxError) as caught:
        await house.courier.submit(mail(queue=False))
    assert caught.value.reason is OutboxReason.SUSPENDED


async def test_what_waits_in_line_is_kept_or_refused_when_it_begins(house: House) -> None:
    await started(house)
    house.server.verdict.clear()
    first = asyncio.create_task(house.courier.submit(mail(text="under way")))
    await house.quiet()
    kept = asyncio.create_task(house.courier.submit(mail(text="kept")))
    refused = asyncio.create_task(house.courier.submit(mail(queue=False)))
    await house.quiet()

    await house.courier.suspend(is_suspended=True)

    assert (await kept).status is Status.QUEUED
    with pytest.raises(OutboxError):
        await refused
    house.server.verdict.set()
    assert (await first).status is Status.SENT


async def test_the_life_of_mail_runs_on(house: House) -> None:
    await started(house)
    await house.courier.suspend(is_suspended=True)
    await house.courier.submit(mail(expires_after=10 * MINUTE))
    await house.turn(11 * MINUTE)
    assert [event.reason for event in house.told(Failed)] == [GivenUp.EXPIRED]


async def test_it_is_so_after_a_restart(house: House) -> None:
    await started(house)
    await house.courier.suspend(is_suspended=True)
    await house.courier.submit(mail())
    await house.courier.stop()
    await house.restart()
    await house.turn(HOUR)
    assert house.server.attempts == []
    assert house.told(StateChanged)[-1].state.is_suspended
    await house.courier.suspend(is_suspended=False)
    await house.courier.stop()
    await house.restart()
    assert not house.courier.is_suspended
    assert len(house.server.mails) == 1


async def test_it_is_so_after_a_crash(house: House) -> None:
    await started(house)
    await house.courier.suspend(is_suspended=True)
    house.crash()
    await house.restart()
    assert house.courier.is_suspended


async def test_what_the_disk_does_not_remember_is_not_so(house: House) -> None:
    await started(house)
    house.disk_error = OSError("full")
    with pytest.raises(OSError, match="full"):
        await house.courier.suspend(is_suspended=True)
    assert not house.courier.is_suspended
    assert (await house.courier.submit(mail())).status is Status.SENT
    house.disk_error = None


async def test_no_backup_account_gets_it(house: House) -> None:
    spare = Spare()
    await started(house, backup=spare.backup())
    await house.courier.suspend(is_suspended=True)
    await house.courier.submit(mail())
    await house.turn(HOUR)
    assert spare.taken == []
    house.server.failure = DOWN
    await house.courier.suspend(is_suspended=False)
    await house.turn(MINUTE)
    assert len(spare.taken) == 1


async def test_a_backup_account_that_is_suspended_takes_nothing(house: House) -> None:
    await started(house)
    await house.courier.suspend(is_suspended=True)
    with pytest.raises(Exception, match="paused"):
        await house.courier.accept(mail(visited_accounts=["other"]))
    assert house.courier.state.waiting == 0


async def test_no_digest_goes_around_it(house: House) -> None:
    await started(house, flood_limit=FloodLimit(1, Digests(lambda mails: mails[0])))
    for _ in range(3):
        await house.courier.submit(mail())
    await house.courier.suspend(is_suspended=True)
    await house.turn(2 * HOUR)
    assert len(house.server.mails) == 1
    await house.courier.suspend(is_suspended=False)
    await house.turn(MINUTE)
    assert len(house.server.mails) == 2


# Who had it sent


async def test_who_had_a_mail_sent_is_told_with_all_that_becomes_of_it(house: House) -> None:
    origin = Origin("context", "parent", "user", ("family",))
    await started(house)
    house.server.failure = DOWN
    await house.courier.submit(replace(mail(), origin=origin))
    await house.courier.stop()
    house.server.failure = None
    await house.restart()
    await house.turn(HOUR)
    assert house.told(Deferred)[0].origin == origin
    assert house.told(Delivered)[-1].origin == origin


async def test_each_mail_in_a_digest_has_its_own(house: House) -> None:
    await started(house, flood_limit=FloodLimit(1, Digests(lambda mails: mails[0])))
    for number in range(3):
        await house.courier.submit(replace(mail(), origin=Origin(str(number))))
    await house.courier.stop()
    await house.restart()
    await house.turn(2 * HOUR)
    parts = [event for event in house.told(Delivered) if event.digest is not None]
    assert [event.origin for event in parts] == [Origin("1"), Origin("2")]


@pytest.mark.parametrize("stored", [None, 1, "context", [], {"recipients": 3}])
def test_an_origin_that_cannot_be_read_loses_no_mail(stored: object) -> None:
    assert Origin.from_dict(stored) in (None, Origin())


def test_an_origin_reads_back_as_it_was() -> None:
    origin = Origin("context", None, "user", ("family",))
    assert Origin.from_dict(origin.as_dict()) == origin
    assert DigestPart("<1@x>", "A").origin is None


# Mail that has waited too long


async def overdue(house: House) -> int:
    found = await house.courier.overdue(HALF_AN_HOUR)
    return 0 if found is None else found.mails


async def test_mail_that_has_waited_too_long_is_counted_with_its_cause(house: House) -> None:
    await started(house)
    house.server.failure = DOWN
    outgoing = mail()
    await house.courier.submit(outgoing)
    await house.courier.submit(mail())
    await house.turn(HALF_AN_HOUR - MINUTE)
    assert await overdue(house) == 0
    await house.turn(2 * MINUTE)
    found = await house.courier.overdue(HALF_AN_HOUR)
    assert found is not None
    assert found.mails == 2
    assert found.record.message_id == outgoing.message_id
    assert found.failure == DOWN
    house.server.failure = None
    await house.turn(2 * HOUR)
    assert await overdue(house) == 0


async def test_the_time_waited_before_a_restart_counts(house: House) -> None:
    await started(house)
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.turn(20 * MINUTE)
    await house.courier.stop()
    await house.restart()
    await house.turn(11 * MINUTE)
    assert await overdue(house) == 1


async def test_a_clock_that_is_set_makes_nothing_overdue(house: House) -> None:
    await started(house)
    house.server.failure = DOWN
    await house.courier.submit(mail())
    house.clock.ahead = 5 * HOUR
    await house.turn(MINUTE)
    assert await overdue(house) == 0


async def test_a_greylisted_mail_counts_although_the_server_is_there(house: House) -> None:
    await started(house)
    house.server.refusals["anna@example.test"] = GREYLISTED
    await house.courier.submit(mail())
    await house.turn(31 * MINUTE)
    found = await house.courier.overdue(HALF_AN_HOUR)
    assert found is not None
    assert found.failure == GREYLISTED


async def test_no_time_counts_in_which_the_account_is_suspended(house: House) -> None:
    await started(house)
    house.server.failure = DOWN
    await house.courier.suspend(is_suspended=True)
    await house.courier.submit(mail())
    await house.turn(HOUR)
    assert await overdue(house) == 0
    await house.courier.suspend(is_suspended=False)
    await house.turn(HALF_AN_HOUR - MINUTE)
    assert await overdue(house) == 0
    await house.turn(2 * MINUTE)
    assert await overdue(house) == 1


@pytest.mark.parametrize("failure", [WRONG_PASSWORD, QUOTA])
async def test_nothing_counts_that_waits_for_what_is_known(house: House, failure: Failure) -> None:
    await started(house)
    house.server.failure = DOWN
    await house.courier.submit(mail())
    house.server.failure = failure
    await house.turn(40 * MINUTE)
    assert await overdue(house) == 0


async def test_a_mail_over_its_own_quota_does_not_count(house: House) -> None:
    await started(house)
    house.server.refusals["anna@example.test"] = replace(QUOTA, stage=Stage.RECIPIENT)
    await house.courier.submit(mail())
    await house.turn(40 * MINUTE)
    assert await overdue(house) == 0
    await house.courier.stop()
    await house.restart()
    assert await overdue(house) == 0


async def test_held_mail_does_not_count(house: House) -> None:
    await started(house, flood_limit=FloodLimit(1, Digests(lambda mails: mails[0])))
    for _ in range(2):
        await house.courier.submit(mail())
    await house.turn(40 * MINUTE)
    assert house.courier.state.waiting == 1
    assert await overdue(house) == 0


# Terms that change


async def test_other_terms_hold_from_now_on_for_what_waits_too(house: House) -> None:
    spare = Spare()
    await started(house, limits=QuotaLimits(mails=1))
    house.server.failure = DOWN
    outgoing = mail()
    await house.courier.submit(outgoing)
    with pytest.raises(OutboxError):
        await house.courier.submit(mail())

    house.courier.configure(CourierConfig(patience=30, backup=spare.backup(HOUR)))
    await house.courier.submit(mail())
    await house.turn(61 * MINUTE)

    assert spare.taken[0].message_id == outgoing.message_id
    assert len(spare.taken) == 2


async def test_a_backup_account_that_is_taken_away_gets_nothing_more(house: House) -> None:
    spare = Spare()
    await started(house, backup=spare.backup())
    house.server.failure = DOWN
    await house.courier.submit(mail())
    house.courier.configure(CourierConfig(patience=30))
    await house.turn(2 * HOUR)
    assert spare.taken == []
    house.server.failure = None
    await house.turn(2 * HOUR)
    assert len(house.server.mails) == 1


async def test_another_option_moves_no_hand_over(house: House) -> None:
    spare = Spare()
    await started(house, backup=spare.backup())
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.turn(4 * MINUTE)
    house.courier.configure(house.config._replace(write_first=True))
    await house.turn(2 * MINUTE)
    assert len(spare.taken) == 1


async def test_a_flood_limit_changes_while_it_runs(house: House) -> None:
    digests = Digests(lambda mails: mails[0])
    await started(house, flood_limit=FloodLimit(1, digests))
    await house.courier.submit(mail())
    assert (await house.courier.submit(mail())).status is Status.QUEUED
    house.courier.configure(house.config._replace(flood_limit=FloodLimit(9, digests)))
    assert (await house.courier.submit(mail())).status is Status.SENT
    await house.turn(2 * HOUR)
    assert house.courier.state.waiting == 0


async def test_no_subject_is_told_or_remembered_once_they_are_hidden(house: House) -> None:
    await started(house)
    await house.courier.submit(mail(text="one"))
    house.courier.configure(house.config._replace(hides_subjects=True))
    await house.courier.submit(mail(text="two"))
    await house.quiet()
    assert [event.subject for event in house.told(Delivered)] == ["Mail one", ""]
    await house.courier.stop()
    assert [outcome["subject"] for outcome in house.courier.history] == ["", ""]
    assert b"Mail" not in (house.folder / "history").read_bytes()


async def test_a_mail_that_goes_on_waiting_is_remembered_once(house: House) -> None:
    await started(house)
    house.server.refusals["anna@example.test"] = GREYLISTED
    await house.courier.submit(mail())
    await house.turn(2 * HOUR)
    assert len(house.told(Deferred)) > 3
    [outcome] = house.courier.history
    assert outcome["attempts"] == len(house.server.attempts)


async def test_a_held_mail_is_remembered_by_what_became_of_its_digest(house: House) -> None:
    await started(house, flood_limit=FloodLimit(1, Digests(lambda mails: mails[0])))
    sent = [mail() for _ in range(3)]
    for outgoing in sent:
        await house.courier.submit(outgoing)
    await house.turn(2 * HOUR)
    outcomes = {outcome["message_id"]: outcome["outcome"] for outcome in house.courier.history}
    assert {outcomes[each.message_id] for each in sent} == {"delivered"}
    assert math.isfinite(house.courier.history[-1]["at"])

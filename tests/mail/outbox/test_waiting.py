"""When waiting mail goes."""

import asyncio

import pytest

from custom_components.email_courier.mail.failure import MailError
from custom_components.email_courier.mail.outbox import spool as loader
from custom_components.email_courier.mail.outbox.events import (
    Deferred,
    Dropped,
    Failed,
    GivenUp,
    Paused,
)
from custom_components.email_courier.mail.outbox.given_up import KEPT_FOR
from custom_components.email_courier.mail.outbox.submission import DAY, Rank, Status
from tests.mail.outbox.house import HOUR, MINUTE, START, House, mail
from tests.mail.outbox.servers import BLOCKED, DOWN, GREYLISTED, HUNG_UP, WRONG_PASSWORD


async def test_a_down_server_is_tried_by_the_schedule_and_hourly_after_that(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    tried: list[float] = []
    before = 1
    while len(tried) < 7:
        [timer] = [t for t in house.clock.timers if t < START + DAY][:1]
        await house.turn(timer - house.clock.time)
        if len(house.server.attempts) > before:
            before = len(house.server.attempts)
            tried.append(house.clock.time - START)
    gaps = [later - earlier for earlier, later in zip([0, *tried], tried, strict=False)]
    assert gaps == pytest.approx([30, 120, 300, 900, 1800, 3600, 3600])


async def test_a_down_server_costs_one_attempt_per_scheduled_time_however_much_waits(
    house: House,
) -> None:
    house.server.failure = DOWN
    for _ in range(20):
        await house.courier.submit(mail())
    assert len(house.server.attempts) == 1
    await house.turn(35)
    assert len(house.server.attempts) == 2
    await house.turn(2 * MINUTE)
    assert len(house.server.attempts) == 3


async def test_calls_at_the_same_time_to_a_down_server_cost_one_attempt(house: House) -> None:
    house.server.failure = DOWN
    receipts = await asyncio.gather(*(house.courier.submit(mail()) for _ in range(20)))
    assert {receipt.status for receipt in receipts} == {Status.QUEUED}
    assert len(house.server.attempts) == 1
    assert house.courier.state.waiting == 20


async def test_while_the_account_is_known_to_be_down_a_call_returns_without_an_attempt(
    house: House,
) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    receipt = await house.courier.submit(mail())
    assert receipt.status is Status.QUEUED
    assert receipt.server_reply == DOWN.server_words
    assert receipt.attempts == 0
    assert len(house.server.attempts) == 1
    assert [record.next_attempt for record in await house.courier.waiting()] == [0, 0]


async def test_all_waiting_mail_goes_as_soon_as_one_is_delivered(house: House) -> None:
    house.server.failure = DOWN
    mails = [mail(f"{n}@example.test") for n in range(5)]
    for each in mails:
        await house.courier.submit(each)
    house.server.failure = None
    await house.turn(35)
    assert [to for to, _ in house.server.mails] == [f"{n}@example.test" for n in range(5)]


async def test_while_an_attempt_is_under_way_and_after_the_stop_no_next_one_is_named(
    house: House,
) -> None:
    house.server.next_failures = [GREYLISTED]
    await house.courier.submit(mail())
    named = [house.courier.state.next_attempt]
    house.server.upload.clear()
    other = asyncio.create_task(house.courier.submit(mail()))
    await house.quiet()
    named.append(house.courier.state.next_attempt)
    await house.courier.stop()
    named.append(house.courier.state.next_attempt)
    await other
    assert named == [START + 30, None, None]


async def test_mail_that_was_put_off_goes_as_soon_as_another_is_delivered(house: House) -> None:
    house.server.next_failures = [GREYLISTED]
    await house.courier.submit(mail("first@example.test"))
    await house.courier.submit(mail("second@example.test"))
    await house.quiet()
    assert [to for to, _ in house.server.mails] == ["second@example.test", "first@example.test"]


async def test_successes_let_a_mail_go_early_only_once_between_two_scheduled_attempts(
    house: House,
) -> None:
    house.server.refusals = {"grey@example.test": GREYLISTED}
    await house.courier.submit(mail("grey@example.test"))
    for _ in range(10):
        await house.courier.submit(mail())
        await house.quiet()
    assert house.server.attempts.count(("grey@example.test",)) == 2
    await house.turn(35)
    assert house.server.attempts.count(("grey@example.test",)) == 3


async def test_high_rank_goes_before_older_mail(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail("old@example.test"))
    await house.courier.submit(mail("alarm@example.test", rank=Rank.HIGH))
    await house.courier.submit(mail("new@example.test"))
    house.server.failure = None
    await house.turn(35)
    assert [to for to, _ in house.server.mails] == [
        "alarm@example.test",
        "old@example.test",
        "new@example.test",
    ]


async def test_a_big_backlog_does_not_delay_a_fresh_mail(house: House) -> None:
    house.server.failure = DOWN
    for _ in range(50):
        await house.courier.submit(mail("backlog@example.test"))
    house.server.failure = None
    house.server.upload.clear()
    house.courier.retry_now()
    await house.quiet()
    fresh = asyncio.create_task(house.courier.submit(mail("fresh@example.test")))
    await house.quiet()
    house.server.upload.set()
    assert (await fresh).status is Status.SENT
    assert [to for to, _ in house.server.mails].index("fresh@example.test") == 1


async def test_one_recipients_greylisting_holds_up_nobody_else(house: House) -> None:
    house.server.refusals = {"grey@example.test": GREYLISTED}
    await house.courier.submit(mail("grey@example.test"))
    receipt = await house.courier.submit(mail("anna@example.test"))
    assert receipt.status is Status.SENT
    assert house.courier.state.down is None


async def test_a_greylisted_mail_is_tried_by_its_own_schedule(house: House) -> None:
    house.server.failure = GREYLISTED
    await house.courier.submit(mail())
    await house.turn(31)
    assert len(house.server.attempts) == 2
    await house.turn(2 * MINUTE)
    assert len(house.server.attempts) == 3
    await house.turn(4 * MINUTE)
    assert len(house.server.attempts) == 3
    await house.turn(2 * MINUTE)
    assert len(house.server.attempts) == 4


async def test_the_schedule_of_a_mail_is_not_used_up_by_the_server_being_down(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.turn(HOUR)
    house.server.failure = GREYLISTED
    house.courier.retry_now()
    await house.quiet()
    assert house.told(Deferred)[-1].next_attempt == pytest.approx(house.clock.time + 30)


async def test_a_server_that_breaks_off_thrice_in_a_row_is_taken_to_be_down(house: House) -> None:
    house.server.failure = HUNG_UP
    for _ in range(5):
        await house.courier.submit(mail())
    assert len(house.server.attempts) == 3
    assert house.courier.state.down == HUNG_UP


async def test_a_mail_at_which_the_server_hangs_up_holds_up_nobody_else(house: House) -> None:
    house.server.next_failures = [HUNG_UP]
    await house.courier.submit(mail("poison@example.test"))
    assert (await house.courier.submit(mail())).status is Status.SENT


async def test_retry_now_tries_everything_at_once(house: House) -> None:
    house.server.next_failures = [GREYLISTED, DOWN]
    for _ in range(3):
        await house.courier.submit(mail())
    house.courier.retry_now()
    await house.quiet()
    assert len(house.server.mails) == 3


async def test_retry_now_can_choose_a_mail(house: House) -> None:
    house.server.failure = GREYLISTED
    await house.courier.submit(mail("first@example.test"))
    await house.courier.submit(mail("second@example.test"))
    [_, second] = await house.courier.waiting()
    house.courier.retry_now([str(second.id)])
    await house.quiet()
    assert house.server.attempts[2:] == [("second@example.test",)]


async def test_a_timer_that_fires_means_that_its_time_has_come(house: House) -> None:
    house.server.next_failures = [DOWN]
    await house.courier.submit(mail())
    house.clock.fire_early()
    await house.quiet()
    assert len(house.server.mails) == 1


async def test_timers_that_fire_early_keep_the_schedule(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    for expected in (30, 150, 450):
        assert house.clock.timers[0] == pytest.approx(START + expected)
        house.clock.fire_early()
        await house.quiet()
    assert len(house.server.attempts) == 4


async def test_a_mail_that_expires_is_reported_with_the_reason_and_forgotten(house: House) -> None:
    house.server.failure = DOWN
    sent = mail(expires_after=HOUR)
    await house.courier.submit(sent)
    await house.turn(HOUR + 1)
    [event] = house.told(Failed)
    assert (event.reason, event.failure) == (GivenUp.EXPIRED, DOWN)
    assert event.message_id == sent.message_id
    assert event.recipients == sent.envelope.recipients
    assert house.files == []
    house.server.failure = None
    await house.turn(DAY)
    assert house.server.mails == []
    assert house.clock.timers == [START + HOUR + KEPT_FOR]


async def test_a_mail_expires_after_a_day_unless_it_says_otherwise(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.turn(DAY - 1)
    assert house.told(Failed) == []
    await house.turn(1)
    assert [event.reason for event in house.told(Failed)] == [GivenUp.EXPIRED]


async def test_a_mail_that_expires_during_its_attempt_is_given_up_after_it(house: House) -> None:
    house.server.next_failures = [DOWN, HUNG_UP]
    await house.courier.submit(mail(expires_after=60))
    house.server.next_failures = [GREYLISTED]
    house.server.upload.clear()
    await house.turn(35)
    await house.turn(60)
    house.server.upload.set()
    await house.turn(10)
    assert [event.reason for event in house.told(Failed)] == [GivenUp.EXPIRED]


async def test_mail_that_expired_while_the_program_was_off_is_reported_at_the_next_start(
    house: House,
) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail(expires_after=HOUR))
    await house.courier.stop()
    house.clock.time += DAY
    house.server.failure = None
    await house.restart()
    assert [event.reason for event in house.told(Failed)] == [GivenUp.EXPIRED]
    assert house.server.mails == []


async def test_a_wrong_password_is_raised_and_pauses_the_account(house: House) -> None:
    house.server.failure = WRONG_PASSWORD
    with pytest.raises(MailError) as caught:
        await house.courier.submit(mail())
    assert caught.value.failure == WRONG_PASSWORD
    assert house.courier.paused == WRONG_PASSWORD
    assert house.told(Paused) == [Paused(WRONG_PASSWORD)]
    assert house.files == []


async def test_while_the_account_is_paused_mail_waits_and_no_login_is_tried(house: House) -> None:
    house.server.failure = WRONG_PASSWORD
    with pytest.raises(MailError):
        await house.courier.submit(mail())
    receipt = await house.courier.submit(mail())
    assert receipt.status is Status.QUEUED
    assert receipt.server_reply == WRONG_PASSWORD.server_words
    house.courier.retry_now()
    await house.turn(2 * HOUR)
    assert len(house.server.attempts) == 1
    with pytest.raises(MailError):
        await house.courier.submit(mail(queue=False))
    assert len(house.server.attempts) == 1


async def test_waiting_mail_stays_when_its_login_is_refused_and_goes_when_that_is_mended(
    house: House,
) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.courier.submit(mail())
    house.server.failure = WRONG_PASSWORD
    await house.turn(35)
    assert house.courier.paused == WRONG_PASSWORD
    assert len(house.server.attempts) == 2
    assert house.courier.state.waiting == 2
    house.server.failure = None
    await house.courier.stop()
    await house.restart()
    assert len(house.server.mails) == 2
    assert house.courier.paused is None


async def test_calls_at_the_same_time_with_a_wrong_password_are_one_login(house: House) -> None:
    house.server.failure = WRONG_PASSWORD
    answers = await asyncio.gather(
        *(house.courier.submit(mail()) for _ in range(5)), return_exceptions=True
    )
    assert [isinstance(answer, MailError) for answer in answers] == [True] + [False] * 4
    assert len(house.server.attempts) == 1


async def test_waiting_mail_stays_when_the_server_blocks_the_client(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    house.server.failure = BLOCKED
    await house.turn(35)
    assert house.courier.state.waiting == 1
    assert house.told(Failed) == []
    with pytest.raises(MailError):
        await house.courier.submit(mail())
    house.server.failure = None
    await house.turn(10 * MINUTE)
    assert len(house.server.mails) == 1


async def test_without_queueing_a_mail_is_tried_although_the_account_is_known_to_be_down(
    house: House,
) -> None:
    house.server.next_failures = [DOWN]
    await house.courier.submit(mail("first@example.test"))
    receipt = await house.courier.submit(mail("second@example.test", queue=False))
    assert receipt.status is Status.SENT
    await house.quiet()
    assert [to for to, _ in house.server.mails] == ["second@example.test", "first@example.test"]


async def test_a_mail_that_is_dropped_is_never_sent(house: House) -> None:
    house.server.failure = DOWN
    for _ in range(3):
        await house.courier.submit(mail())
    [_, second, _] = await house.courier.waiting()
    assert await house.courier.drop([str(second.id)]) == 1
    assert house.courier.state.waiting == 2
    assert await house.courier.drop() == 2
    house.server.failure = None
    await house.turn(DAY)
    assert house.server.mails == []
    assert house.files == []
    assert house.stories[-3:] == ["Dropped"] * 3


async def test_a_mail_that_is_dropped_during_its_upload_is_not_sent(house: House) -> None:
    house.server.next_failures = [DOWN]
    sent = mail()
    await house.courier.submit(sent)
    house.server.upload.clear()
    await house.turn(35)
    assert await house.courier.drop() == 1
    house.server.upload.set()
    await house.turn(DAY)
    assert house.server.mails == []
    assert house.files == []
    [event] = house.told(Dropped)
    assert event == Dropped(
        at=START + 35,
        message_id=sent.message_id,
        subject=sent.subject,
        recipients=sent.envelope.recipients,
        attempts=1,
    )
    assert house.courier.state.waiting == 0


async def test_who_drops_all_mail_hears_of_that_under_way_too(house: House) -> None:
    house.server.next_failures = [GREYLISTED, DOWN]
    await house.courier.submit(mail())
    await house.courier.submit(mail("alarm@example.test", rank=Rank.HIGH))
    house.server.upload.clear()
    await house.turn(35)
    assert house.server.attempts[2:] == [("alarm@example.test",)]
    assert await house.courier.drop() == 2
    assert house.courier.state.waiting == 0


async def test_the_list_of_waiting_mail_is_in_the_order_in_which_it_would_go(house: House) -> None:
    house.server.failure = DOWN
    normal, alarm = mail("a@example.test"), mail("b@example.test", rank=Rank.HIGH)
    await house.courier.submit(normal)
    await house.courier.submit(alarm)
    records = await house.courier.waiting()
    assert [r.message_id for r in records] == [alarm.message_id, normal.message_id]
    assert [r.addresses for r in records] == [("b@example.test",), ("a@example.test",)]


async def test_a_list_that_is_read_in_parts_is_whole_and_in_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "AT_ONCE", 2)
    house.server.failure = DOWN
    mails = [mail() for _ in range(5)]
    for each in mails:
        await house.courier.submit(each)
    await house.courier.stop()
    await house.restart()
    listed = [record.message_id for record in await house.courier.waiting()]
    assert listed == [each.message_id for each in mails]


async def test_a_mail_that_waits_before_the_start_waits_once(house: House) -> None:
    house.server.next_failures = [DOWN]
    await house.courier.stop()
    house.courier = house.make_courier()
    house.courier.open()
    await house.courier.submit(mail())

    await house.courier.start()

    assert house.courier.state.waiting == 1
    await house.turn(35)
    assert house.courier.state.waiting == 0
    assert len(house.server.mails) == 1


async def test_a_mail_that_was_never_tried_expires_with_what_stood_in_its_way(
    house: House,
) -> None:
    house.server.failure = WRONG_PASSWORD
    with pytest.raises(MailError):
        await house.courier.submit(mail())
    await house.courier.submit(mail(expires_after=HOUR))
    assert len(house.server.attempts) == 1
    await house.turn(HOUR + 1)
    assert [event.failure for event in house.told(Failed)][-1] == WRONG_PASSWORD


async def test_callers_in_the_line_of_a_server_that_is_down_are_told_why(house: House) -> None:
    house.server.upload.clear()
    house.server.next_failures = [None]
    first = asyncio.create_task(house.courier.submit(mail()))
    await house.quiet()
    house.server.failure = DOWN
    others = [asyncio.create_task(house.courier.submit(mail())) for _ in range(2)]
    await house.quiet()
    house.server.upload.set()
    await first
    receipts = await asyncio.gather(*others)
    assert {receipt.server_reply for receipt in receipts} == {DOWN.server_words}
    deferred = house.told(Deferred)
    assert [event.failure for event in deferred] == [DOWN] * 2
    assert {event.next_attempt for event in deferred} == {house.courier.state.next_attempt}

"""What outlives a stop, a crash, and a reply that never came."""

import asyncio
from collections.abc import Coroutine

import pytest

from custom_components.email_courier.mail.failure import STOPPED, MailError
from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.events import Deferred, Failed, GivenUp
from custom_components.email_courier.mail.outbox.spool import QuotaLimits
from custom_components.email_courier.mail.outbox.store import Store
from custom_components.email_courier.mail.outbox.submission import DAY, Receipt, Status
from tests.mail.outbox.house import HOUR, House, mail
from tests.mail.outbox.servers import DOWN, REPLY_LOST, UNKNOWN_USER


async def test_waiting_mail_goes_at_the_next_start_with_the_same_bytes(house: House) -> None:
    house.server.failure = DOWN
    sent = mail()
    await house.courier.submit(sent)
    await house.courier.stop()
    house.server.failure = None
    await house.restart()
    assert house.server.mails == [("anna@example.test", sent.data)]
    assert house.files == []


async def test_stopping_ends_an_upload_and_the_mail_goes_at_the_next_start(house: House) -> None:
    house.server.upload.clear()
    sent = mail()
    caller = asyncio.create_task(house.courier.submit(sent))
    await house.quiet()
    await house.courier.stop()
    receipt = await caller
    assert (receipt.status, receipt.server_reply) == (Status.QUEUED, STOPPED.server_words)
    assert house.server.mails == []
    assert house.files == [".eml", ".json"]
    [mail_id] = Store(house.folder).open().mails
    record = Store(house.folder).read_record(mail_id)
    assert record.next_attempt > house.clock.time
    house.server.upload.set()
    await house.restart()
    assert house.server.mails == [("anna@example.test", sent.data)]


async def test_stopping_lets_everyone_go_who_waits_for_a_turn(house: House) -> None:
    house.server.upload.clear()
    callers = [asyncio.create_task(house.courier.submit(mail())) for _ in range(5)]
    refused = asyncio.create_task(house.courier.submit(mail(queue=False)))
    await house.quiet()
    await house.courier.stop()
    answers = {(each.status, each.server_reply) for each in await asyncio.gather(*callers)}
    assert answers == {(Status.QUEUED, STOPPED.server_words)}
    with pytest.raises(MailError) as caught:
        await refused
    assert caught.value.failure == STOPPED
    house.server.upload.set()
    await house.restart()
    assert len(house.server.mails) == 5


async def _stop_while_the_disk_is_slow(house: House, work: Coroutine[None, None, object]) -> None:
    house.disk_is_ready.clear()
    writing = asyncio.create_task(work)
    await asyncio.sleep(0.01)
    stopping = asyncio.create_task(house.courier.stop())
    await asyncio.sleep(0.01)
    assert not stopping.done()
    house.disk_is_ready.set()
    await stopping
    assert writing.done()
    await writing
    assert house.files == [".eml", ".json"]


async def test_the_stop_waits_for_who_is_still_writing(house: House) -> None:
    await _stop_while_the_disk_is_slow(house, house.courier.accept(mail()))


async def test_a_mail_that_is_handed_over_in_the_middle_of_a_stop_waits(house: House) -> None:
    house.config = CourierConfig(patience=30, write_first=True)
    await house.restart()
    receipts: list[Receipt] = []

    async def submit() -> None:
        receipts.append(await house.courier.submit(mail()))

    await _stop_while_the_disk_is_slow(house, submit())
    assert [receipt.status for receipt in receipts] == [Status.QUEUED]


async def test_a_mail_handed_in_after_the_stop_goes_at_the_next_start(house: House) -> None:
    await house.courier.stop()
    assert (await house.courier.submit(mail())).status is Status.QUEUED
    with pytest.raises(MailError) as caught:
        await house.courier.submit(mail(queue=False))
    assert caught.value.failure == STOPPED
    assert house.server.attempts == []
    await house.restart()
    assert len(house.server.mails) == 1


async def test_an_attempt_that_others_cancel_loses_nothing(house: House) -> None:
    house.server.upload.clear()
    caller = asyncio.create_task(house.courier.submit(mail()))
    await house.quiet()
    [attempt] = [task for task in house.background if task.get_name() == "outbox attempt"]
    attempt.cancel()
    assert (await caller).status is Status.QUEUED
    house.server.upload.set()
    await house.turn(35)
    assert len(house.server.mails) == 1


async def test_a_lost_reply_is_tried_again_exactly_once_with_the_same_bytes(house: House) -> None:
    house.server.failure = REPLY_LOST
    sent = mail()
    receipt = await house.courier.submit(sent)
    assert receipt.status is Status.QUEUED
    await house.turn(DAY * 2)
    assert house.server.mails == [("anna@example.test", sent.data)] * 2
    [event] = house.told(Failed)
    assert (event.reason, event.failure) == (GivenUp.AMBIGUOUS, REPLY_LOST)
    assert house.files == []


async def test_after_a_lost_reply_a_down_server_does_not_use_up_the_second_try(
    house: House,
) -> None:
    house.server.next_failures = [REPLY_LOST, DOWN, DOWN]
    await house.courier.submit(mail())
    await house.turn(HOUR)
    assert len(house.server.mails) == 2
    assert house.told(Failed) == []


async def test_a_lost_reply_that_is_answered_the_second_time_is_delivered(house: House) -> None:
    house.server.next_failures = [REPLY_LOST]
    house.server.takes_lost = False
    await house.courier.submit(mail())
    await house.turn(35)
    assert len(house.server.mails) == 1
    assert house.stories == ["Deferred", "Delivered"]


async def test_without_queueing_a_lost_reply_is_raised_as_what_it_is(house: House) -> None:
    house.server.failure = REPLY_LOST
    with pytest.raises(MailError) as caught:
        await house.courier.submit(mail(queue=False))
    assert caught.value.failure == REPLY_LOST
    await house.turn(DAY)
    assert len(house.server.attempts) == 1


async def test_for_a_mail_on_disk_the_final_dot_is_marked_there_before_it_is_sent(
    house: House,
) -> None:
    house.server.next_failures = [DOWN]
    await house.courier.submit(mail())
    house.server.verdict.clear()
    await house.turn(35)
    assert house.files == [".dot", ".eml"]


async def test_a_crash_at_the_final_dot_is_a_lost_reply(house: House) -> None:
    house.server.next_failures = [DOWN]
    await house.courier.submit(mail())
    house.server.verdict.clear()
    await house.turn(35)
    house.crash()
    house.server.verdict.clear()
    await house.restart()
    assert len(house.server.mails) == 2
    house.crash()
    await house.restart()
    assert len(house.server.mails) == 2
    [event] = house.told(Failed)
    assert event.reason is GivenUp.AMBIGUOUS
    assert house.files == []


async def test_stopping_at_the_final_dot_is_a_lost_reply(house: House) -> None:
    house.server.verdict.clear()
    sent = mail()
    caller = asyncio.create_task(house.courier.submit(sent))
    await house.quiet()
    await house.courier.stop()
    receipt = await caller
    assert receipt.status is Status.QUEUED
    assert (receipt.message_id, receipt.attempts) == (sent.message_id, 1)
    [record] = await house.courier.waiting()
    assert [owed.lost_replies for owed in record.owed] == [1]
    house.server.verdict.set()
    await house.restart()
    assert len(house.server.mails) == 2
    assert house.told(Failed) == []


async def test_a_slow_attempt_lets_its_caller_go_and_the_mail_is_on_disk(house: House) -> None:
    house.config = CourierConfig(patience=0.05)
    await house.restart()
    house.server.upload.clear()
    receipt = await house.courier.submit(mail())
    assert (receipt.status, receipt.server_reply) == (Status.QUEUED, "")
    assert house.files == [".eml", ".json"]
    house.server.upload.set()
    await house.quiet()
    assert len(house.server.mails) == 1
    assert house.stories == ["Delivered"]
    assert house.files == []


async def test_a_slow_reply_lets_its_caller_go_and_a_crash_then_is_a_lost_reply(
    house: House,
) -> None:
    house.config = CourierConfig(patience=0.05)
    await house.restart()
    house.server.verdict.clear()
    assert (await house.courier.submit(mail())).status is Status.QUEUED
    house.crash()
    house.server.failure = REPLY_LOST
    await house.restart()
    assert len(house.server.mails) == 2
    assert [event.reason for event in house.told(Failed)] == [GivenUp.AMBIGUOUS]


async def test_who_waits_too_long_for_a_turn_is_let_go_too(house: House) -> None:
    house.config = CourierConfig(patience=0.05)
    await house.restart()
    house.server.upload.clear()
    receipts = await asyncio.gather(*(house.courier.submit(mail()) for _ in range(3)))
    assert {receipt.status for receipt in receipts} == {Status.QUEUED}
    assert house.courier.state.waiting == 3
    house.server.upload.set()
    await house.quiet()
    assert len(house.server.mails) == 3
    assert len(house.told(Deferred)) == 2


async def test_who_was_let_go_in_the_line_can_still_be_dropped_during_the_attempt(
    house: House,
) -> None:
    house.config = CourierConfig(patience=0.05)
    await house.restart()
    house.server.upload.clear()
    await asyncio.gather(*(house.courier.submit(mail()) for _ in range(2)))
    first, second = await house.courier.waiting()
    await house.courier.drop([str(first.id)])
    await house.quiet()
    assert len(house.server.attempts) == 2
    assert await house.courier.drop([str(second.id)]) == 1
    house.server.upload.set()
    await house.quiet()
    assert house.server.mails == []
    assert house.files == []


async def test_without_queueing_a_caller_waits_as_long_as_it_takes(house: House) -> None:
    house.config = CourierConfig(patience=0.05)
    await house.restart()
    house.server.upload.clear()
    caller = asyncio.create_task(house.courier.submit(mail(queue=False)))
    await asyncio.sleep(0.15)
    assert not caller.done()
    house.server.upload.set()
    assert (await caller).status is Status.SENT


async def test_with_write_first_a_mail_is_on_disk_before_its_first_attempt(house: House) -> None:
    house.config = CourierConfig(write_first=True)
    await house.restart()
    house.server.upload.clear()
    caller = asyncio.create_task(house.courier.submit(mail()))
    await house.quiet()
    assert house.files == [".eml", ".json"]
    house.server.upload.set()
    assert (await caller).status is Status.SENT
    assert house.files == []


async def test_with_write_first_a_crash_loses_not_even_what_was_not_answered(house: House) -> None:
    house.config = CourierConfig(write_first=True)
    await house.restart()
    house.server.upload.clear()
    callers = [asyncio.create_task(house.courier.submit(mail())) for _ in range(5)]
    await house.quiet()
    house.crash()
    await house.restart()
    assert len(house.server.mails) == 5
    for caller in callers:
        caller.cancel()


async def test_with_write_first_a_refused_mail_is_raised_and_not_kept(house: House) -> None:
    house.config = CourierConfig(write_first=True)
    await house.restart()
    house.server.failure = UNKNOWN_USER
    with pytest.raises(MailError):
        await house.courier.submit(mail())
    assert house.files == []


async def test_with_write_first_a_caller_who_leaves_leaves_the_mail(house: House) -> None:
    house.config = CourierConfig(write_first=True)
    await house.restart()
    house.server.upload.clear()
    caller = asyncio.create_task(house.courier.submit(mail()))
    await house.quiet()
    caller.cancel()
    await asyncio.wait({caller})
    house.server.upload.set()
    await house.quiet()
    assert len(house.server.mails) == 1
    assert house.stories == ["Delivered"]
    assert house.files == []


async def test_with_write_first_a_slow_mail_takes_its_room_once(house: House) -> None:
    house.config = CourierConfig(write_first=True, patience=0.05, limits=QuotaLimits(mails=2))
    await house.restart()
    for _ in range(2):
        house.server.upload.clear()
        await house.courier.submit(mail())
        house.server.upload.set()
        await house.quiet()
    assert len(house.server.mails) == 2
    house.server.failure = DOWN
    for _ in range(2):
        assert (await house.courier.submit(mail())).status is Status.QUEUED

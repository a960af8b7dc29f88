"""What a caller may rely on."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from custom_components.email_courier.mail.envelope import Delivery, Envelope, RecipientOutcome
from custom_components.email_courier.mail.failure import MailError
from custom_components.email_courier.mail.outbox.courier import Courier
from custom_components.email_courier.mail.outbox.events import (
    CourierEvent,
    Deferred,
    Delivered,
    Failed,
    GivenUp,
)
from custom_components.email_courier.mail.outbox.store import Store
from custom_components.email_courier.mail.outbox.submission import Rank, Status
from tests.mail.outbox.house import HOUR, START, House, mail
from tests.mail.outbox.servers import (
    BLOCKED,
    BUSY,
    DOWN,
    GREYLISTED,
    HUNG_UP,
    NOT_OWNED,
    OK,
    REPLY_LOST,
    UNKNOWN_USER,
)


async def test_a_mail_that_is_accepted_never_touches_the_disk(house: House) -> None:
    house.disk_jobs = 0
    sent = mail()
    receipt = await house.courier.submit(sent)
    assert receipt.status is Status.SENT
    assert receipt.server_reply == str(OK)
    assert receipt.attempts == 1
    assert receipt.message_id == sent.message_id
    assert house.server.inboxes == {"anna@example.test": [sent.data]}
    assert house.disk_jobs == 0
    assert house.files == []
    [event] = house.told(Delivered)
    assert (event.message_id, event.subject, event.reply) == (sent.message_id, sent.subject, OK)


async def test_listeners_hear_of_a_delivery_once_the_next_mail_is_on_its_way(
    tmp_path: Path,
) -> None:
    house = House(tmp_path, eager=True)
    begun: list[int] = []

    def listen(event: CourierEvent) -> None:
        if isinstance(event, Delivered):
            begun.append(len(house.server.attempts))

    courier = Courier(
        deliver=house.server.deliver, store=Store(tmp_path), host=house.host(), listener=listen
    )
    await asyncio.gather(*(courier.submit(mail(text=str(n))) for n in range(3)))
    assert begun == [2, 3, 3]


async def test_a_caller_hears_of_its_delivery_after_the_listeners(house: House) -> None:
    for number in range(1, 4):
        await house.courier.submit(mail())
        assert len(house.told(Delivered)) == number


async def test_the_order_of_what_is_told_is_that_of_what_has_happened(house: House) -> None:
    house.server.next_failures = [None, UNKNOWN_USER, None]
    await asyncio.gather(
        *(house.courier.submit(mail(text=str(n))) for n in range(3)), return_exceptions=True
    )
    assert house.stories == ["Delivered", "Failed", "Delivered"]


@pytest.mark.parametrize("failure", [DOWN, BUSY, GREYLISTED, HUNG_UP, REPLY_LOST])
async def test_a_mail_that_fails_for_now_is_on_disk_before_the_caller_hears_of_it(
    house: House, failure: object
) -> None:
    house.server.next_failures = [failure]  # type: ignore[list-item]
    sent = mail()
    receipt = await house.courier.submit(sent)
    assert receipt.status is Status.QUEUED
    assert house.files == [".eml", ".json"]
    assert house.told(Deferred) == [
        Deferred(
            at=START,
            message_id=sent.message_id,
            subject=sent.subject,
            recipients=sent.envelope.recipients,
            attempts=1,
            failure=failure,  # type: ignore[arg-type]
            next_attempt=START + 30,
        )
    ]


async def test_a_queued_mail_arrives_byte_for_byte_by_itself(house: House) -> None:
    house.server.next_failures = [DOWN]
    sent = mail()
    await house.courier.submit(sent)
    await house.turn(35)
    assert house.server.inboxes == {"anna@example.test": [sent.data]}
    assert house.files == []
    assert house.stories == ["Deferred", "Delivered"]
    assert house.courier.state.waiting == 0


@pytest.mark.parametrize("failure", [UNKNOWN_USER, NOT_OWNED, BLOCKED])
async def test_a_permanent_refusal_is_raised_with_the_servers_words_and_not_kept(
    house: House, failure: object
) -> None:
    house.server.failure = failure  # type: ignore[assignment]
    with pytest.raises(MailError) as caught:
        await house.courier.submit(mail())
    assert caught.value.failure == failure
    assert house.files == []
    assert len(house.server.attempts) == 1
    await house.turn(HOUR)
    assert len(house.server.attempts) == 1
    [event] = house.told(Failed)
    assert event.reason is GivenUp.REFUSED
    assert event.failure == failure


async def test_a_refused_recipient_is_named_while_the_others_have_the_mail(house: House) -> None:
    house.server.refusals = {"ben@example.test": UNKNOWN_USER}
    sent = mail("anna@example.test", "ben@example.test", "carl@example.test")
    receipt = await house.courier.submit(sent)
    assert receipt.status is Status.PARTIAL
    assert [o.address for o in receipt.accepted] == ["anna@example.test", "carl@example.test"]
    assert [(o.address, o.failure) for o in receipt.refused] == [("ben@example.test", UNKNOWN_USER)]
    assert receipt.owed == ()
    assert house.files == []
    assert house.stories == ["Failed", "Delivered"]


async def test_a_greylisted_recipient_gets_the_mail_later_and_nobody_gets_it_twice(
    house: House,
) -> None:
    house.server.refusals = {"ben@example.test": GREYLISTED}
    sent = mail("anna@example.test", "ben@example.test")
    receipt = await house.courier.submit(sent)
    assert receipt.status is Status.PARTIAL
    assert [o.address for o in receipt.owed] == ["ben@example.test"]
    house.server.refusals = {}
    await house.turn(35)
    assert house.server.attempts == [
        ("anna@example.test", "ben@example.test"),
        ("ben@example.test",),
    ]
    assert house.server.inboxes == {
        "anna@example.test": [sent.data],
        "ben@example.test": [sent.data],
    }


async def test_a_recipient_refused_at_a_later_attempt_is_reported(house: House) -> None:
    house.server.next_failures = [DOWN]
    await house.courier.submit(mail())
    house.server.failure = UNKNOWN_USER
    await house.turn(35)
    [event] = house.told(Failed)
    assert (event.reason, event.failure) == (GivenUp.REFUSED, UNKNOWN_USER)
    assert house.files == []


async def test_without_queueing_a_temporary_failure_is_raised_and_nothing_is_kept(
    house: House,
) -> None:
    house.server.failure = GREYLISTED
    with pytest.raises(MailError) as caught:
        await house.courier.submit(mail(queue=False))
    assert caught.value.failure == GREYLISTED
    assert house.files == []
    [event] = house.told(Failed)
    assert event.reason is GivenUp.NOT_KEPT


async def test_without_queueing_a_recipient_who_is_put_off_counts_as_refused(house: House) -> None:
    house.server.refusals = {"ben@example.test": GREYLISTED}
    receipt = await house.courier.submit(mail("anna@example.test", "ben@example.test", queue=False))
    assert receipt.status is Status.PARTIAL
    assert [o.address for o in receipt.refused] == ["ben@example.test"]
    assert house.files == []


async def test_where_the_server_has_said_nothing_the_receipt_quotes_nothing(house: House) -> None:
    async def deliver(envelope: Envelope, *_: object, **__: object) -> Delivery:
        return Delivery(tuple(RecipientOutcome(address) for address in envelope.recipients))

    house.server.deliver = deliver  # type: ignore[method-assign]
    await house.restart()
    receipt = await house.courier.submit(mail())
    assert (receipt.status, receipt.server_reply) == (Status.SENT, "")


async def test_attempts_never_overlap(house: House) -> None:
    receipts = await asyncio.gather(*(house.courier.submit(mail()) for _ in range(20)))
    assert {receipt.status for receipt in receipts} == {Status.SENT}
    assert house.server.most_at_once == 1


async def test_calls_at_the_same_time_go_in_order_and_urgent_ones_first(house: House) -> None:
    house.server.upload.clear()
    first = asyncio.create_task(house.courier.submit(mail("first@example.test")))
    await house.quiet()
    others = [
        asyncio.create_task(house.courier.submit(mail("second@example.test"))),
        asyncio.create_task(house.courier.submit(mail("third@example.test"))),
        asyncio.create_task(house.courier.submit(mail("alarm@example.test", rank=Rank.HIGH))),
    ]
    await house.quiet()
    house.server.upload.set()
    await asyncio.gather(first, *others)
    assert [to for (to,) in house.server.attempts] == [
        "first@example.test",
        "alarm@example.test",
        "second@example.test",
        "third@example.test",
    ]


async def test_a_caller_who_leaves_takes_along_a_mail_that_has_not_been_tried(house: House) -> None:
    house.server.upload.clear()
    first = asyncio.create_task(house.courier.submit(mail("first@example.test")))
    second = asyncio.create_task(house.courier.submit(mail("second@example.test")))
    await house.quiet()
    second.cancel()
    await house.quiet()
    house.server.upload.set()
    await first
    await house.quiet()
    assert set(house.server.inboxes) == {"first@example.test"}


async def test_a_caller_who_leaves_during_the_upload_ends_it(house: House) -> None:
    house.server.upload.clear()
    caller = asyncio.create_task(house.courier.submit(mail()))
    await house.quiet()
    caller.cancel()
    await asyncio.wait({caller})
    house.server.upload.set()
    await house.turn(HOUR)
    assert house.server.mails == []
    assert house.files == []


async def test_a_caller_who_leaves_after_the_final_dot_does_not_end_the_attempt(
    house: House,
) -> None:
    house.server.verdict.clear()
    caller = asyncio.create_task(house.courier.submit(mail()))
    await house.quiet()
    caller.cancel()
    await asyncio.wait({caller})
    house.server.verdict.set()
    await house.turn(HOUR)
    assert len(house.server.mails) == 1
    assert house.stories == ["Delivered"]


@pytest.mark.parametrize("dot", [True, False])
async def test_an_error_nobody_thought_of_is_a_lost_reply_after_the_dot_and_no_other_time(
    house: House, dot: bool
) -> None:
    async def explode(*_: object, before_dot: Callable[[], Awaitable[None]], **__: object) -> None:
        if dot:
            await before_dot()
        raise RuntimeError("a bug")

    house.server.deliver = explode  # type: ignore[assignment,method-assign]
    await house.restart()
    await house.courier.submit(mail())
    [record] = await house.courier.waiting()
    assert [owed.lost_replies for owed in record.owed] == [int(dot)]


async def test_an_error_nobody_thought_of_loses_no_mail(house: House) -> None:
    async def explode(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    healthy = house.server.deliver
    house.server.deliver = explode  # type: ignore[assignment,method-assign]
    await house.restart()
    receipt = await house.courier.submit(mail())
    assert receipt.status is Status.QUEUED
    assert receipt.server_reply == "RuntimeError"
    house.server.deliver = healthy  # type: ignore[method-assign]
    await house.restart()
    assert len(house.server.mails) == 1

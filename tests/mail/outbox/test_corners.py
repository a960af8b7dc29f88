"""The rarer turns: two things that go wrong at once, or at the very moment of a third."""

import asyncio
from collections.abc import Sequence
import errno
import threading
from typing import NoReturn

import pytest

from custom_components.email_courier.mail.failure import STOPPED, MailError
from custom_components.email_courier.mail.outbox.backup import Backup
from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.events import (
    CourierEvent,
    Damaged,
    DiskTrouble,
    Dropped,
    HandedOver,
)
from custom_components.email_courier.mail.outbox.hold import FloodLimit
from custom_components.email_courier.mail.outbox.record import REPLY_LOST, MailId
from custom_components.email_courier.mail.outbox.store import Store
from custom_components.email_courier.mail.outbox.submission import (
    OutboxError,
    OutboxReason,
    OutgoingMail,
    Status,
)
from tests.mail.outbox.house import HOUR, Digests, House, mail
from tests.mail.outbox.servers import BLOCKED, DOWN, GREYLISTED

FULL = OSError(28, "No space left on device")


class Slow:
    """Holds up what a store does to one mail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
        """Hold up one method of every store."""
        self._begun = asyncio.Event()
        self._go_on = threading.Event()
        loop = asyncio.get_running_loop()
        call = getattr(Store, method)

        def wait(store: Store, mail_id: MailId) -> object:
            loop.call_soon_threadsafe(self._begun.set)
            self._go_on.wait(5)
            return call(store, mail_id)

        monkeypatch.setattr(Store, method, wait)

    async def begun(self) -> None:
        """Wait until it has been called."""
        async with asyncio.timeout(5):
            await self._begun.wait()

    def go_on(self) -> None:
        """Hold it up no longer."""
        self._go_on.set()


async def test_a_caller_who_leaves_at_once_has_handed_in_nothing(house: House) -> None:
    house.server.upload.clear()
    caller = asyncio.create_task(house.courier.submit(mail()))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait({caller})
    house.server.upload.set()
    await house.turn(HOUR)
    assert caller.cancelled()
    assert house.server.mails == []
    assert house.files == []


async def test_a_caller_who_leaves_while_the_mail_is_written_leaves_it_there(house: House) -> None:
    house.config = CourierConfig(write_first=True)
    await house.restart()
    house.server.failure = DOWN
    caller = asyncio.create_task(house.courier.submit(mail()))
    while not house.disk_jobs:
        await asyncio.sleep(0)
    for _ in range(3):
        await asyncio.sleep(0)
    caller.cancel()
    await house.quiet()
    house.server.failure = None
    await house.turn(HOUR)
    assert house.files == []
    assert house.courier.state.waiting == 0


async def test_a_listener_that_fails_harms_no_mail(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    class Deaf(list[CourierEvent]):
        def append(self, _: CourierEvent) -> None:
            raise RuntimeError("a bug")

    house.events = Deaf()
    await house.restart()
    assert (await house.courier.submit(mail())).status is Status.SENT
    assert "A listener of the outbox failed" in caplog.text


async def test_a_stop_on_a_full_disk_is_an_error_for_the_caller(house: House) -> None:
    house.server.upload.clear()
    caller = asyncio.create_task(house.courier.submit(mail()))
    await house.quiet()
    house.disk_error = FULL
    await house.courier.stop()
    house.disk_error = None
    with pytest.raises(OutboxError) as caught:
        await caller
    assert (caught.value.reason, caught.value.detail) == (OutboxReason.DISK, str(FULL))
    assert caught.value.failure == STOPPED


async def test_without_queueing_a_stop_at_the_final_dot_is_raised_as_a_lost_reply(
    house: House,
) -> None:
    house.server.verdict.clear()
    caller = asyncio.create_task(house.courier.submit(mail(queue=False)))
    await house.quiet()
    await house.courier.stop()
    with pytest.raises(MailError) as caught:
        await caller
    assert caught.value.failure == REPLY_LOST
    assert house.files == []


async def test_an_error_nobody_thought_of_reaches_the_caller_and_stops_nobody_else(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", explode)
        house.server.next_failures = [DOWN]
        with pytest.raises(RuntimeError):
            await house.courier.submit(mail())
        house.config = CourierConfig(write_first=True)
        await house.restart()
        with pytest.raises(RuntimeError):
            await house.courier.submit(mail())
        house.config = CourierConfig(patience=0.05)
        await house.restart()
        house.server.upload.clear()
        with pytest.raises(RuntimeError):
            await house.courier.submit(mail())
        house.server.upload.set()
        await house.quiet()
    assert house.courier.state.waiting == 0
    assert (await house.courier.submit(mail())).status is Status.SENT


async def test_an_error_nobody_thought_of_while_a_waiting_mail_is_read_stops_nobody_else(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("a bug")

    house.server.next_failures = [DOWN]
    await house.courier.submit(mail())
    with monkeypatch.context() as patch:
        patch.setattr(Store, "read", explode)
        await house.turn(35)
    assert (await house.courier.submit(mail("other@example.test"))).status is Status.SENT
    assert house.courier.state.waiting == 1
    await house.turn(60)
    assert house.courier.state.waiting == 0


async def test_a_mail_that_is_being_read_at_the_stop_waits_as_before(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reading = Slow(monkeypatch, "read")
    house.server.next_failures = [DOWN]
    await house.courier.submit(mail())
    turning = asyncio.create_task(house.turn(35))
    await reading.begun()
    stopping = asyncio.create_task(house.courier.stop())
    await asyncio.sleep(0.05)
    reading.go_on()
    await stopping
    await turning
    assert len(house.server.attempts) == 1
    assert house.files == [".eml", ".json"]
    assert await house.courier.drop() == 1
    assert caplog.text == ""


async def test_a_mail_that_is_being_read_is_not_dropped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.server.next_failures = [DOWN]
    await house.courier.submit(mail())
    await house.courier.stop()
    reading = Slow(monkeypatch, "read")
    starting = asyncio.create_task(house.restart())
    await reading.begun()
    dropping = asyncio.create_task(house.courier.drop())
    await asyncio.sleep(0.05)
    reading.go_on()
    await starting
    assert await dropping == 0
    assert len(house.server.mails) == 1


async def test_a_mail_whose_attempt_is_being_written_down_is_not_dropped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.server.next_failures = [DOWN, GREYLISTED]
    await house.courier.submit(mail())
    writing = Slow(monkeypatch, "update")
    turning = asyncio.create_task(house.turn(35))
    await writing.begun()
    dropping = asyncio.create_task(house.courier.drop())
    await asyncio.sleep(0.05)
    writing.go_on()
    await turning
    assert await dropping == 0
    assert house.courier.state.waiting == 1
    assert house.stories == ["Deferred", "Deferred"]


async def test_a_caller_who_leaves_does_not_hear_that_the_disk_was_full(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.config = CourierConfig(write_first=True)
    await house.restart()
    house.disk_error = FULL
    caller = asyncio.create_task(house.courier.submit(mail()))
    await asyncio.sleep(0)
    caller.cancel()
    await house.quiet()
    assert caller.cancelled()
    assert caplog.text == ""
    assert house.server.attempts == []


async def test_a_caller_in_the_line_waits_on_where_the_mail_cannot_be_kept(house: House) -> None:
    house.config = CourierConfig(patience=0.05)
    await house.restart()
    house.server.upload.clear()
    house.disk_error = FULL
    callers = [asyncio.create_task(house.courier.submit(mail())) for _ in range(2)]
    await asyncio.sleep(0.2)
    house.disk_error = None
    house.server.upload.set()
    receipts = await asyncio.gather(*callers)
    assert {receipt.status for receipt in receipts} == {Status.SENT}


async def test_a_patience_that_ends_with_the_attempt_gives_the_answer_of_the_attempt(
    house: House,
) -> None:
    house.config = CourierConfig(patience=0.05)
    await house.restart()
    house.server.upload.clear()
    caller = asyncio.create_task(house.courier.submit(mail()))
    await asyncio.sleep(0.03)
    while not any(t.get_name() == "outbox write" for t in house.background):
        await asyncio.sleep(0)
    house.server.upload.set()
    receipt = await caller
    await house.quiet()
    assert receipt.status in (Status.SENT, Status.QUEUED)
    assert len(house.server.mails) == 1
    assert house.files == []
    assert house.courier.state.waiting == 0


async def test_a_dropped_mail_whose_record_is_damaged_is_gone_all_the_same(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    [record] = house.folder.glob("*.json")
    record.write_text("?")
    assert await house.courier.drop() == 1
    assert house.files == []
    assert house.told(Dropped) == []


async def _with_a_slow_backup(house: House) -> tuple[asyncio.Event, asyncio.Event]:
    """Give the account a backup; return what it sets when it is offered a mail and awaits then."""
    offered, taken = asyncio.Event(), asyncio.Event()

    async def hand_over(_: OutgoingMail) -> None:
        offered.set()
        await taken.wait()

    house.config = CourierConfig(
        backup=Backup(own="main", account="spare", hand_over=hand_over, after=0)
    )
    await house.restart()
    return offered, taken


async def test_a_mail_that_is_being_handed_over_is_not_dropped(house: House) -> None:
    offered, taken = await _with_a_slow_backup(house)
    house.server.failure = BLOCKED
    await house.courier.submit(mail())
    turning = asyncio.create_task(house.turn(1))
    await offered.wait()
    dropping = asyncio.create_task(house.courier.drop())
    await asyncio.sleep(0.1)
    assert house.told(Dropped) == []
    taken.set()
    await turning
    assert await dropping == 0
    assert house.told(Dropped) == []
    assert [event.backup for event in house.told(HandedOver)] == ["spare"]


async def test_who_drops_a_mail_that_is_being_handed_over_ends_no_other_attempt(
    house: House,
) -> None:
    offered, taken = await _with_a_slow_backup(house)
    house.server.next_failures = [BLOCKED]
    await house.courier.submit(mail())
    turning = asyncio.create_task(house.turn(1))
    await offered.wait()
    house.server.upload.clear()
    other = asyncio.create_task(house.courier.submit(mail("other@example.test")))
    while len(house.server.attempts) < 2:
        await asyncio.sleep(0)
    dropping = asyncio.create_task(house.courier.drop())
    await asyncio.sleep(0.1)
    taken.set()
    house.server.upload.set()
    await turning
    assert await dropping == 0
    assert (await other).status is Status.SENT


async def test_a_mail_that_is_damaged_is_not_handed_over_but_named_at_once(
    house: House,
) -> None:
    async def hand_over(_: OutgoingMail) -> None:
        raise AssertionError("there is nothing to hand over")

    house.config = CourierConfig(
        backup=Backup(own="main", account="spare", hand_over=hand_over, after=60)
    )
    await house.restart()
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.turn(40)
    [message] = house.folder.glob("*.eml")
    message.write_bytes(b"?")
    await house.turn(30)
    assert [event.names for event in house.told(Damaged)] == [(message.stem,)]
    assert house.courier.state.waiting == 0


async def test_a_mail_that_cannot_be_read_for_a_moment_is_handed_over_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_over: list[OutgoingMail] = []

    async def hand_over(mail: OutgoingMail) -> None:
        handed_over.append(mail)

    house.config = CourierConfig(
        backup=Backup(own="main", account="spare", hand_over=hand_over, after=60)
    )
    await house.restart()
    house.server.failure = DOWN
    await house.courier.submit(mail())
    with monkeypatch.context() as patch:
        patch.setattr(Store, "read", _unreadable)
        await house.turn(70)
    assert handed_over == []
    assert house.told(DiskTrouble)
    await house.turn(60)
    assert len(handed_over) == 1
    assert house.told(Damaged) == []


def _unreadable(*_: object) -> NoReturn:
    raise OSError(errno.EIO, "Input/output error")


def keep_first(mails: Sequence[OutgoingMail]) -> OutgoingMail:
    return mails[0]


async def test_a_full_disk_is_an_error_for_a_mail_that_would_be_held_back(house: House) -> None:
    house.config = CourierConfig(flood_limit=FloodLimit(per_hour=1, digests=Digests(keep_first)))
    await house.restart()
    await house.courier.submit(mail())
    house.disk_error = FULL
    with pytest.raises(OutboxError):
        await house.courier.submit(mail())
    assert house.courier.state.waiting == 0


async def test_a_note_of_a_digest_that_was_not_finished_is_forgotten(house: House) -> None:
    house.config = CourierConfig(flood_limit=FloodLimit(per_hour=1, digests=Digests(keep_first)))
    await house.restart()
    for _ in range(3):
        await house.courier.submit(mail())
    await house.courier.stop()
    held = house.folder / "held"
    (held / "1-1763700000000-1763786400000-5-00000000.merge").write_text('["1-')
    (held / "nonsense.merge").write_text("[]")
    await house.restart()
    assert house.courier.state.waiting == 2
    assert not list(held.glob("*.merge"))


@pytest.mark.slow
async def test_a_thousand_mails_are_taken_up_in_their_order(house: House) -> None:
    house.server.failure = DOWN
    for number in range(1001):
        await house.courier.submit(mail(f"{number}@example.test"))
    await house.courier.stop()
    house.server.failure = None
    await house.restart()
    assert [to for to, _ in house.server.mails] == [f"{n}@example.test" for n in range(1001)]


async def test_every_event_of_a_mail_can_be_written_as_json(house: House) -> None:
    house.server.next_failures = [GREYLISTED, BLOCKED]
    await house.courier.submit(mail())
    with pytest.raises(MailError):
        await house.courier.submit(mail())
    await house.turn(HOUR)
    outcomes = [outcome["outcome"] for outcome in house.courier.history]
    assert outcomes == ["deferred", "failed", "delivered"]

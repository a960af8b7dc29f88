"""What the listener is told, and how often."""

import asyncio
from collections.abc import Callable, Coroutine
import logging
from pathlib import Path
from typing import Any

import pytest

from custom_components.email_courier.mail.outbox.chores import Chores
from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.events import (
    Deferred,
    Delivered,
    DiskTrouble,
    Dropped,
    Failed,
    GivenUp,
    OutboxState,
    StateChanged,
)
from custom_components.email_courier.mail.outbox.history import LENGTH, History
from custom_components.email_courier.mail.outbox.host import Host
from custom_components.email_courier.mail.outbox.receipt import Status
from custom_components.email_courier.mail.outbox.reporter import Reporter
from tests.mail.outbox.house import HOUR, START, House, mail
from tests.mail.outbox.servers import DOWN, GREYLISTED, NOT_OWNED, OK, UNKNOWN_USER

ANNA, BEA, CARL = "anna@example.test", "bea@example.test", "carl@example.test"


async def test_a_delivery_is_told_with_its_mail_its_time_and_the_reply(house: House) -> None:
    sent = mail(ANNA, BEA)
    await house.courier.submit(sent)
    await house.quiet()
    assert house.told(Delivered) == [
        Delivered(
            at=START,
            message_id=sent.message_id,
            subject=sent.subject,
            recipients=(ANNA, BEA),
            attempts=1,
            reply=OK,
        )
    ]


async def test_a_delivery_after_others_had_failed_counts_all_attempts(house: House) -> None:
    house.server.next_failures = [DOWN, DOWN]
    await house.courier.submit(mail())
    await house.turn(10 * 60)
    [told] = house.told(Delivered)
    assert told.attempts == 3
    assert START < told.at < house.clock.time


async def test_recipients_who_fail_alike_are_told_of_together_and_others_apart(
    house: House,
) -> None:
    house.server.refusals = {ANNA: UNKNOWN_USER, BEA: NOT_OWNED, CARL: UNKNOWN_USER}
    sent = mail(ANNA, BEA, CARL, "dora@example.test")
    await house.courier.submit(sent)
    await house.quiet()

    def failed(recipients: tuple[str, ...], failure: Any) -> Failed:
        return Failed(
            at=START,
            message_id=sent.message_id,
            subject=sent.subject,
            recipients=recipients,
            attempts=1,
            reason=GivenUp.REFUSED,
            failure=failure,
        )

    assert house.told(Failed) == [failed((ANNA, CARL), UNKNOWN_USER), failed((BEA,), NOT_OWNED)]


async def test_a_mail_that_waits_is_told_with_the_time_of_its_next_attempt(house: House) -> None:
    house.server.refusals = {ANNA: GREYLISTED}
    sent = mail(ANNA, BEA)
    await house.courier.submit(sent)
    await house.quiet()
    assert house.told(Deferred) == [
        Deferred(
            at=START,
            message_id=sent.message_id,
            subject=sent.subject,
            recipients=(ANNA,),
            attempts=1,
            failure=GREYLISTED,
            next_attempt=START + 30,
        )
    ]


async def test_a_mail_that_expires_is_told_with_its_attempts_and_its_last_failure(
    house: House,
) -> None:
    house.server.failure = DOWN
    sent = mail(expires_after=HOUR)
    await house.courier.submit(sent)
    await house.turn(2 * HOUR)
    [told] = house.told(Failed)
    assert (told.reason, told.failure, told.recipients) == (GivenUp.EXPIRED, DOWN, (ANNA,))
    assert (told.message_id, told.subject) == (sent.message_id, sent.subject)
    assert told.attempts == len(house.server.attempts) > 1
    assert START + HOUR <= told.at <= house.clock.time


async def test_a_mail_that_somebody_drops_is_told_with_its_recipients(house: House) -> None:
    house.server.failure = DOWN
    sent = mail(ANNA, BEA)
    await house.courier.submit(sent)
    assert await house.courier.drop() == 1
    assert house.told(Dropped) == [
        Dropped(
            at=START,
            message_id=sent.message_id,
            subject=sent.subject,
            recipients=(ANNA, BEA),
            attempts=1,
        )
    ]


def test_a_state_is_told_when_it_has_changed_and_not_again() -> None:
    told: list[Any] = []
    reporter = Reporter(lambda: START)
    reporter.listen(told.append)
    reporter.state(OutboxState())
    reporter.state(OutboxState(waiting=1))
    reporter.state(OutboxState(waiting=1))
    reporter.state(OutboxState())
    assert told == [StateChanged(OutboxState(waiting=1)), StateChanged(OutboxState())]


def test_trouble_is_told_where_there_is_any() -> None:
    told: list[Any] = []
    reporter = Reporter(lambda: START)
    reporter.listen(told.append)
    reporter.trouble(None)
    reporter.trouble(OSError(28, "No space left on device"))
    assert told == [DiskTrouble("[Errno 28] No space left on device")]


async def test_listeners_hear_in_the_order_in_which_things_happened(house: House) -> None:
    house.server.refusals = {BEA: UNKNOWN_USER}
    await house.courier.submit(mail(ANNA, BEA))
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.quiet()
    assert house.stories == ["Failed", "Delivered", "Deferred"]


async def test_no_history_is_longer_than_it_may_be_before_one_was_read(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    event = Dropped(at=START, message_id="<1@x>", subject="", recipients=(), attempts=0)
    assert all(history.add(event) for _ in range(LENGTH + 1))
    assert len(history.outcomes) == LENGTH


def test_what_is_no_outcome_is_not_remembered(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    assert not history.add(StateChanged(OutboxState()))
    assert history.outcomes == ()


@pytest.mark.parametrize("written", ['{"outcome": "delivered"}', "null", "[1, null, []]"])
def test_a_file_that_holds_no_outcomes_is_an_empty_history(tmp_path: Path, written: str) -> None:
    (tmp_path / "history").write_text(written)
    assert History(tmp_path / "history").load() == []


async def test_a_disk_that_fails_at_the_start_is_trouble_and_no_outcome(house: House) -> None:
    house.disk_error = OSError(5, "Input/output error")
    await house.restart()
    house.disk_error = None
    trouble = house.told(DiskTrouble)
    assert len(trouble) > 1, "of the history and of the folder"
    assert set(trouble) == {DiskTrouble("[Errno 5] Input/output error")}
    await house.courier.stop()
    assert not (house.folder / "history").exists()


async def test_the_stop_waits_for_work_that_is_left_to_end(house: House) -> None:
    house.server.failure = DOWN
    house.config = CourierConfig(patience=30, write_first=True)
    await house.restart()
    house.disk_is_ready.clear()
    caller = asyncio.create_task(house.courier.submit(mail()))
    await asyncio.sleep(0.01)
    stopping = asyncio.create_task(house.courier.stop())
    await asyncio.sleep(0.01)
    assert not stopping.done()
    house.disk_is_ready.set()
    await stopping
    assert caller.done()
    assert (await caller).status is Status.QUEUED
    assert house.files == [".eml", ".json"]


def _host() -> Host:
    async def run_blocking[*Ts, T](call: Callable[[*Ts], T], /, *args: *Ts) -> T:
        return call(*args)

    def spawn[T](work: Coroutine[Any, Any, T], name: str, /) -> asyncio.Task[T]:
        return asyncio.create_task(work, name=name)

    return Host(
        clock=lambda: START,
        run_blocking=run_blocking,
        spawn=spawn,
        finish=spawn,
        call_at=lambda _when, _action: lambda: None,
    )


async def test_a_chore_counts_until_it_has_ended_and_its_end_is_told() -> None:
    ended: list[bool] = []
    chores = Chores(_host(), lambda: ended.append(bool(chores)))
    may_end = asyncio.Event()

    async def work() -> None:
        await may_end.wait()

    assert not chores
    chores.do(work())
    assert chores
    waiting = asyncio.create_task(chores.done())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    may_end.set()
    await waiting
    await asyncio.sleep(0)
    assert not chores
    assert ended == [False]


async def test_the_error_of_a_chore_is_in_the_log_and_a_cancelled_one_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chores = Chores(_host(), lambda: None)

    async def fail() -> None:
        raise LookupError("nobody thought of this")

    async def leave() -> None:
        raise asyncio.CancelledError

    chores.do(leave())
    await chores.done()
    await asyncio.sleep(0)
    assert not caplog.records
    chores.do(fail())
    await chores.done()
    await asyncio.sleep(0)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)

"""A disk that is full, read-only, damaged or slow."""

import asyncio
import errno
import json
from pathlib import Path
import shutil
from typing import NoReturn

import pytest

from custom_components.email_courier.mail.failure import MailError
from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.events import (
    Damaged,
    DiskTrouble,
    Dropped,
    Failed,
    GivenUp,
)
from custom_components.email_courier.mail.outbox.history import LENGTH, History
from custom_components.email_courier.mail.outbox.spool import QuotaLimits
from custom_components.email_courier.mail.outbox.store import Store
from custom_components.email_courier.mail.outbox.submission import OutboxError, OutboxReason, Status
from tests.mail.outbox.house import HOUR, MINUTE, House, mail
from tests.mail.outbox.servers import DOWN, GREYLISTED, REPLY_LOST

FULL = OSError(errno.ENOSPC, "No space left on device")
READ_ONLY = OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize("error", [FULL, READ_ONLY])
async def test_a_mail_that_can_be_neither_delivered_nor_kept_is_an_error_with_both_reasons(
    house: House, error: OSError
) -> None:
    house.server.failure = GREYLISTED
    house.disk_error = error
    with pytest.raises(OutboxError) as caught:
        await house.courier.submit(mail())
    assert caught.value.reason is OutboxReason.DISK
    assert str(error) in caught.value.detail
    assert caught.value.failure == GREYLISTED
    assert str(GREYLISTED.reply) in str(caught.value)
    assert [event.reason for event in house.told(Failed)] == [GivenUp.NOT_KEPT]
    assert house.courier.state.waiting == 0
    assert house.files == []


async def test_a_full_disk_does_not_stop_mail_that_the_server_takes(house: House) -> None:
    house.disk_error = FULL
    assert (await house.courier.submit(mail())).status is Status.SENT


async def test_who_cannot_be_kept_is_refused_while_the_others_have_the_mail(house: House) -> None:
    house.server.refusals = {"ben@example.test": GREYLISTED}
    house.disk_error = FULL
    receipt = await house.courier.submit(mail("anna@example.test", "ben@example.test"))
    assert receipt.status is Status.PARTIAL
    assert [o.address for o in receipt.refused] == ["ben@example.test"]
    assert receipt.owed == ()


async def test_with_write_first_a_full_disk_is_an_error_before_any_attempt(house: House) -> None:
    house.config = CourierConfig(write_first=True)
    await house.restart()
    house.disk_error = FULL
    with pytest.raises(OutboxError):
        await house.courier.submit(mail())
    assert house.server.attempts == []
    assert house.told(DiskTrouble)


async def test_while_the_account_is_down_a_full_disk_is_an_error(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    house.disk_error = FULL
    with pytest.raises(OutboxError):
        await house.courier.submit(mail())
    assert house.courier.state.waiting == 1


async def test_callers_in_the_line_learn_that_the_disk_is_full(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    house.courier.retry_now()
    house.server.upload.clear()
    house.server.failure = None
    house.server.next_failures = [DOWN, None]
    callers = [asyncio.create_task(house.courier.submit(mail())) for _ in range(3)]
    house.disk_error = FULL
    answers = await asyncio.gather(*callers, return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, OutboxError)]
    assert len(errors) == 3
    for error in errors:
        assert (error.reason, error.detail) == (OutboxReason.DISK, str(FULL))
        assert error.failure == DOWN


async def test_a_slow_attempt_goes_on_although_its_mail_cannot_be_kept(house: House) -> None:
    house.config = CourierConfig(patience=0.05)
    await house.restart()
    house.server.upload.clear()
    house.disk_error = FULL
    caller = asyncio.create_task(house.courier.submit(mail()))
    await asyncio.sleep(0.2)
    house.server.upload.set()
    assert (await caller).status is Status.SENT


async def with_a_record_behind(house: House) -> bytes:
    """Have a mail wait for Ben alone, of which the disk says that Anna waits too."""
    house.server.failure = DOWN
    sent = mail("anna@example.test", "ben@example.test")
    await house.courier.submit(sent)
    house.server.failure = None
    house.server.refusals = {"ben@example.test": GREYLISTED}
    house.server.verdict.clear()
    await house.turn(35)
    house.disk_error = FULL
    house.server.verdict.set()
    await house.quiet()
    house.disk_error = None
    return bytes(sent.data)


async def test_what_cannot_be_written_down_is_remembered_until_it_can(house: House) -> None:
    await with_a_record_behind(house)
    assert [event.detail for event in house.told(DiskTrouble)] == [FULL.strerror]
    house.server.refusals = {}
    [listed] = await house.courier.waiting()
    assert [owed.address for owed in listed.owed] == ["ben@example.test"]
    house.server.refusals = {"ben@example.test": GREYLISTED}
    await house.turn(5 * MINUTE)
    [again] = await house.courier.waiting()
    assert again.attempts > listed.attempts
    assert again.owed == listed.owed
    house.server.refusals = {}
    house.courier.retry_now()
    await house.turn(35)
    assert house.server.attempts[-1] == ("ben@example.test",)
    assert len(house.server.mails) == 2
    assert house.files == []


async def test_a_mail_whose_record_is_behind_goes_byte_for_byte_to_who_is_owed_it(
    house: House,
) -> None:
    data = await with_a_record_behind(house)
    house.server.refusals = {}
    await house.turn(5 * MINUTE)
    assert house.server.inboxes == {"anna@example.test": [data], "ben@example.test": [data]}
    assert len(house.server.attempts) == 3


async def test_a_dropped_mail_whose_record_is_behind_is_told_of_for_who_was_owed_it(
    house: House,
) -> None:
    await with_a_record_behind(house)
    assert await house.courier.drop() == 1
    assert [event.recipients for event in house.told(Dropped)] == [("ben@example.test",)]


async def test_the_final_dot_of_a_mail_does_not_wait_for_a_disk_that_takes_no_mark(
    house: House,
) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    house.server.failure = None
    house.server.upload.clear()
    await house.turn(35)
    house.disk_error = READ_ONLY
    house.server.upload.set()
    await house.quiet()
    assert len(house.server.mails) == 1
    assert house.courier.state.waiting == 0
    assert house.told(DiskTrouble)


async def test_a_folder_that_cannot_be_read_does_not_keep_the_account_from_starting(
    house: House,
) -> None:
    house.disk_error = OSError(errno.EACCES, "Permission denied")
    house.courier = house.make_courier()
    await house.courier.start()
    house.disk_error = None
    assert house.told(DiskTrouble)
    assert (await house.courier.submit(mail())).status is Status.SENT


async def test_a_waiting_mail_that_cannot_be_read_now_is_read_later(house: House) -> None:
    house.server.next_failures = [DOWN]
    await house.courier.submit(mail())
    house.disk_error = OSError(errno.EIO, "Input/output error")
    await house.turn(35)
    assert house.courier.state.waiting == 1
    assert [event.detail for event in house.told(DiskTrouble)] == [house.disk_error.strerror]
    house.disk_error = None
    await house.turn(35)
    assert len(house.server.mails) == 1


async def test_a_damaged_mail_is_set_aside_and_reported_and_the_others_go(house: House) -> None:
    house.server.failure = DOWN
    for _ in range(3):
        await house.courier.submit(mail())
    await house.courier.stop()
    house.server.failure = None
    first, second, _ = sorted(house.folder.glob("*.json"))
    first.write_bytes(first.read_bytes()[:20])
    second.with_suffix(".eml").write_bytes(b"other bytes")
    await house.restart()
    assert len(house.server.mails) == 1
    assert [event.names for event in house.told(Damaged)] == [(first.stem,), (second.stem,)]
    assert len(list((house.folder / "damaged").iterdir())) == 4
    assert house.files == []
    assert house.courier.state.waiting == 0


async def test_a_record_whose_message_is_gone_is_reported_at_the_start(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.courier.stop()
    [message] = house.folder.glob("*.eml")
    message.unlink()
    await house.restart()
    assert house.told(Damaged) == [Damaged((message.stem,))]


async def test_a_damaged_mail_that_expires_is_reported_as_damaged(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail(expires_after=HOUR))
    [record] = house.folder.glob("*.json")
    record.write_text("{}")
    await house.courier.stop()
    house.clock.time += 2 * HOUR
    await house.restart()
    assert house.told(Damaged) == [Damaged((record.stem,))]


async def test_a_folder_that_somebody_removes_loses_its_mail_and_nothing_else(house: House) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    shutil.rmtree(house.folder)
    house.server.failure = None
    await house.turn(35)
    assert len(house.told(Damaged)) == 1
    assert (await house.courier.submit(mail())).status is Status.SENT
    assert house.courier.state.waiting == 0


async def test_a_full_outbox_is_an_error_and_keeps_what_it_has(house: House) -> None:
    house.config = CourierConfig(limits=QuotaLimits(mails=3))
    await house.restart()
    house.server.failure = DOWN
    for _ in range(3):
        await house.courier.submit(mail())
    assert house.courier.state.fullness == 1
    with pytest.raises(OutboxError) as caught:
        await house.courier.submit(mail())
    assert caught.value.reason is OutboxReason.FULL
    house.server.failure = None
    await house.turn(35)
    assert len(house.server.mails) == 3
    assert house.courier.state.fullness == 0


async def test_an_outbox_is_full_by_bytes_too(house: House) -> None:
    house.config = CourierConfig(limits=QuotaLimits(size=10_000))
    await house.restart()
    house.server.failure = DOWN
    await house.courier.submit(mail(text="x" * 6_000))
    with pytest.raises(OutboxError):
        await house.courier.submit(mail(text="x" * 6_000))
    await house.courier.submit(mail(text="x" * 1_000))
    assert house.courier.state.waiting == 2


async def test_calls_at_the_same_time_do_not_pass_the_limit_together(house: House) -> None:
    house.config = CourierConfig(limits=QuotaLimits(mails=3))
    await house.restart()
    house.server.failure = DOWN
    answers = await asyncio.gather(
        *(house.courier.submit(mail()) for _ in range(10)), return_exceptions=True
    )
    assert sum(isinstance(answer, OutboxError) for answer in answers) == 7
    assert house.courier.state.waiting == 3


async def test_a_full_outbox_does_not_stop_mail_that_the_server_takes(house: House) -> None:
    house.config = CourierConfig(limits=QuotaLimits(mails=1))
    await house.restart()
    house.server.failure = GREYLISTED
    await house.courier.submit(mail())
    house.server.failure = None
    assert (await house.courier.submit(mail())).status is Status.SENT


async def test_more_waiting_mail_than_the_limit_allows_is_all_taken_up(house: House) -> None:
    house.server.failure = DOWN
    for _ in range(5):
        await house.courier.submit(mail())
    await house.courier.stop()
    house.config = CourierConfig(limits=QuotaLimits(mails=2))
    await house.restart()
    assert house.courier.state.waiting == 5
    assert house.courier.state.fullness == 2.5


async def test_mails_written_at_the_same_time_share_their_disk_jobs(house: House) -> None:
    house.config = CourierConfig(write_first=True)
    await house.restart()
    house.server.upload.clear()
    house.disk_jobs = 0
    callers = [asyncio.create_task(house.courier.submit(mail())) for _ in range(50)]
    await house.quiet()
    assert house.courier.state.waiting == 50
    assert house.disk_jobs <= 3
    house.server.upload.set()
    await asyncio.gather(*callers)


async def test_an_ambiguous_mail_that_cannot_be_kept_is_named_as_such(house: House) -> None:
    house.server.failure = REPLY_LOST
    house.disk_error = FULL
    with pytest.raises(OutboxError) as caught:
        await house.courier.submit(mail())
    assert caught.value.failure == REPLY_LOST


async def test_the_history_of_the_last_outcomes_survives_a_restart(house: House) -> None:
    house.server.next_failures = [DOWN]
    await house.courier.submit(mail(text="one"))
    await house.turn(35)
    house.server.failure = GREYLISTED
    with pytest.raises(MailError):
        await house.courier.submit(mail(queue=False))
    await house.courier.stop()
    await house.restart()
    outcomes = [outcome["outcome"] for outcome in house.courier.history]
    assert outcomes == ["deferred", "delivered", "failed"]
    assert house.courier.history[0]["failure"]["kind"] == "connection_refused"
    assert house.courier.history[1]["recipients"] == ["anna@example.test"]
    assert json.dumps(house.courier.history)


async def test_the_history_holds_the_last_outcomes_alone(house: House) -> None:
    for number in range(LENGTH + 10):
        await house.courier.submit(mail(text=str(number)))
    assert [o["subject"] for o in house.courier.history] == [
        f"Mail {n}" for n in range(10, LENGTH + 10)
    ]


async def test_the_history_is_written_in_time_without_a_stop(house: House) -> None:
    await house.courier.submit(mail())
    assert not (house.folder / "history").exists()
    await house.turn(HOUR)
    assert (house.folder / "history").exists()
    assert house.clock.timers == []


@pytest.mark.parametrize("damage", ["", "{}", "[1, 2]", "[[]]", "\x00"])
async def test_a_damaged_history_is_an_empty_one(house: House, damage: str) -> None:
    await house.courier.submit(mail())
    await house.courier.stop()
    (house.folder / "history").write_text(damage)
    await house.restart()
    assert house.courier.history == ()


async def test_a_damaged_history_is_named(house: House) -> None:
    await house.courier.submit(mail())
    await house.courier.stop()
    (house.folder / "history").write_text("{}")
    await house.restart()
    assert house.told(Damaged) == [Damaged(("history",))]
    assert (house.folder / "damaged" / "history").exists()


async def test_a_history_that_cannot_be_read_for_a_moment_is_not_written_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.courier.submit(mail(text="old"))
    await house.courier.stop()
    load = History.load
    with monkeypatch.context() as patch:
        patch.setattr(History, "load", _unreadable)
        await house.restart()
        assert house.told(DiskTrouble)
        await house.courier.submit(mail(text="new"))
        await house.turn(HOUR)
        assert [o["subject"] for o in load(History(house.folder / "history"))] == ["Mail old"]
    await house.turn(HOUR)
    assert [o["subject"] for o in house.courier.history] == ["Mail old", "Mail new"]
    assert [o["subject"] for o in load(History(house.folder / "history"))] == [
        "Mail old",
        "Mail new",
    ]


async def test_a_mail_that_expires_while_it_cannot_be_read_is_told_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail(expires_after=HOUR))
    with monkeypatch.context() as patch:
        patch.setattr(Store, "read_record", _unreadable)
        await house.turn(HOUR + 60)
        assert not house.told(Damaged)
        assert not house.told(Failed)
        assert house.told(DiskTrouble)
        assert house.courier.state.waiting == 1
    house.server.failure = None
    await house.turn(300)
    assert [event.reason for event in house.told(Failed)] == [GivenUp.EXPIRED]
    assert house.server.mails == []
    assert (house.courier.state.waiting, house.files) == (0, [])


async def test_listing_names_what_is_damaged_and_leaves_what_cannot_be_read_for_now(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.server.failure = DOWN
    for _ in range(3):
        await house.courier.submit(mail())
    damaged, unreadable, whole = sorted(house.folder.glob("*.json"))
    damaged.write_text("?")
    read_bytes = Path.read_bytes

    def read_or_fail(path: Path) -> bytes:
        if path == unreadable:
            raise OSError(errno.EIO, "Input/output error")
        return read_bytes(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", read_or_fail)
        assert [str(record.id) for record in await house.courier.waiting()] == [whole.stem]
    assert house.told(Damaged) == [Damaged((damaged.stem,))]
    assert len(house.told(DiskTrouble)) == 1
    assert (house.folder / "damaged" / damaged.name).exists()
    assert house.courier.state.waiting == 2
    assert len(await house.courier.waiting()) == 2


def _unreadable(*_: object) -> NoReturn:
    raise OSError(errno.EIO, "Input/output error")


async def test_a_history_that_cannot_be_written_is_trouble_and_no_more(house: House) -> None:
    await house.courier.submit(mail())
    house.disk_error = FULL
    await house.turn(HOUR)
    assert house.told(DiskTrouble)
    assert (await house.courier.submit(mail())).status is Status.SENT


async def test_a_name_that_no_mail_has_in_the_folder_is_no_reason_not_to_start(
    house: House,
) -> None:
    house.folder.mkdir()
    for name in ("1-2.json", "x.eml", "0-0000000000000-0000000000000-0-zzzzzzzz.json"):
        (house.folder / name).write_text("?")
    (house.folder / "1-1763700000000-1763786400000-5-00000000.json").mkdir()
    await house.restart()
    assert house.courier.state.waiting == 0

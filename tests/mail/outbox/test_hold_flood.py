"""The flood guard."""

import asyncio
from collections.abc import Sequence
from copy import replace
from pathlib import Path
import threading
import time

import pytest

from custom_components.email_courier.mail.envelope import Envelope
from custom_components.email_courier.mail.failure import MailError
from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.digests import DigestJournal
from custom_components.email_courier.mail.outbox.events import (
    Damaged,
    Deferred,
    Dropped,
    Failed,
    GivenUp,
    StateChanged,
)
from custom_components.email_courier.mail.outbox.hold import FloodGuard, FloodLimit
from custom_components.email_courier.mail.outbox.record import MailRecord
from custom_components.email_courier.mail.outbox.spool import QuotaLimits
from custom_components.email_courier.mail.outbox.store import Store
from custom_components.email_courier.mail.outbox.submission import (
    DAY,
    OutboxError,
    OutboxReason,
    OutgoingMail,
    Rank,
    Receipt,
    Status,
)
from custom_components.email_courier.mail.payload import Payload
from tests.mail.outbox.house import HOUR, MINUTE, START, Digests, House, mail
from tests.mail.outbox.servers import DOWN, UNKNOWN_USER
from tests.support.clock import SOON

ANNA = "anna@example.test"
BEN = "ben@example.test"


def digest(mails: Sequence[OutgoingMail]) -> OutgoingMail:
    """Put the texts of mails one after the other."""
    body = b"Subject: Digest\r\n\r\n" + b"".join(bytes(m.data).split(b"\r\n\r\n")[1] for m in mails)
    return replace(mails[0], data=body, message_id="<digest@house.test>", subject="Digest")


@pytest.fixture
async def guarded(house: House) -> House:
    """At most three mails an hour."""
    house.config = CourierConfig(flood_limit=FloodLimit(per_hour=3, digests=Digests(digest)))
    await house.restart()
    return house


async def send(house: House, *texts: str, to: str = ANNA) -> list[Receipt]:
    return [await house.courier.submit(mail(to, text=text)) for text in texts]


async def test_up_to_the_limit_nothing_is_held_back(guarded: House) -> None:
    receipts = await send(guarded, "1", "2", "3")
    assert [receipt.status for receipt in receipts] == [Status.SENT] * 3


async def test_the_rest_comes_as_one_mail_in_order_when_the_hour_is_over(guarded: House) -> None:
    receipts = await send(guarded, "1", "2", "3", "4", "5", "6")
    assert [receipt.status for receipt in receipts[3:]] == [Status.QUEUED] * 3
    assert len(guarded.server.mails) == 3
    assert guarded.courier.state.waiting == 3
    await guarded.turn(HOUR - 1)
    assert len(guarded.server.mails) == 3
    await guarded.turn(1)
    assert guarded.server.inboxes[ANNA][3:] == [b"Subject: Digest\r\n\r\n4\r\n5\r\n6\r\n"]
    assert guarded.courier.state.waiting == 0
    assert list((guarded.folder / "held").iterdir()) == []


async def test_the_digest_counts_in_the_next_hour(guarded: House) -> None:
    await send(guarded, "1", "2", "3", "4", "5")
    await guarded.turn(HOUR)
    await send(guarded, "a", "b", "c")
    assert guarded.courier.state.waiting == 1


async def test_a_single_mail_that_was_held_back_goes_as_it_is(guarded: House) -> None:
    await send(guarded, "1", "2", "3")
    last = mail(ANNA, text="4")
    assert (await guarded.courier.submit(last)).message_id == last.message_id
    await guarded.turn(HOUR)
    assert guarded.server.inboxes[ANNA][3] == last.data


async def test_high_rank_is_never_held_back(guarded: House) -> None:
    await send(guarded, "1", "2", "3", "4")
    receipt = await guarded.courier.submit(mail(ANNA, rank=Rank.HIGH))
    assert receipt.status is Status.SENT


async def test_recipients_are_counted_by_themselves(guarded: House) -> None:
    await send(guarded, "1", "2", "3")
    receipt = await guarded.courier.submit(mail(ANNA, BEN))
    assert receipt.status is Status.PARTIAL
    assert [o.address for o in receipt.accepted] == [BEN]
    assert [o.address for o in receipt.owed] == [ANNA]
    assert len(guarded.server.inboxes[BEN]) == 1


async def test_an_address_in_other_letters_is_the_same_recipient(guarded: House) -> None:
    await send(guarded, "1", "2", "3")
    receipts = await send(guarded, "4", to="Anna@Example.test")
    assert receipts[0].status is Status.QUEUED


async def test_without_queueing_a_mail_too_many_is_an_error(guarded: House) -> None:
    await send(guarded, "1", "2", "3")
    with pytest.raises(OutboxError) as caught:
        await guarded.courier.submit(mail(ANNA, queue=False))
    assert (caught.value.reason, caught.value.detail) == (OutboxReason.FLOOD, "more than 3 an hour")


async def test_held_mail_outlives_a_restart_and_keeps_its_hour(guarded: House) -> None:
    await send(guarded, "1", "2", "3", "4", "5")
    await guarded.courier.stop()
    await guarded.turn(30 * MINUTE)
    await guarded.restart()
    assert guarded.courier.state.waiting == 2
    assert (await send(guarded, "6"))[0].status is Status.QUEUED
    await guarded.turn(30 * MINUTE)
    assert guarded.server.inboxes[ANNA][3:] == [b"Subject: Digest\r\n\r\n4\r\n5\r\n6\r\n"]


async def test_a_digest_waits_like_any_mail_when_the_server_is_down(guarded: House) -> None:
    await send(guarded, "1", "2", "3", "4", "5")
    guarded.server.failure = DOWN
    await guarded.turn(HOUR)
    assert guarded.courier.state.waiting == 1
    guarded.server.failure = None
    await guarded.turn(5 * MINUTE)
    assert len(guarded.server.inboxes[ANNA]) == 4


@pytest.mark.parametrize("step", ["begin", "write", "commit"])
async def test_a_crash_while_merging_loses_and_doubles_nothing(
    guarded: House, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await send(guarded, "1", "2", "3", "4", "5")
    owner: type = Store if step == "write" else DigestJournal

    def crash(*_: object) -> None:
        guarded.crash()
        raise OSError("crashed")

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, crash)
        await guarded.turn(HOUR)
    await guarded.restart()
    await guarded.turn(2 * HOUR)
    assert guarded.server.inboxes[ANNA][3:] == [b"Subject: Digest\r\n\r\n4\r\n5\r\n"]


async def test_a_full_disk_puts_the_digest_off(guarded: House) -> None:
    await send(guarded, "1", "2", "3", "4", "5")
    guarded.disk_error = OSError("No space left on device")
    await guarded.turn(HOUR)
    assert guarded.courier.state.waiting == 2
    guarded.disk_error = None
    await guarded.turn(5 * MINUTE)
    assert len(guarded.server.inboxes[ANNA]) == 4
    assert guarded.courier.state.waiting == 0


async def test_where_no_digest_can_be_made_each_mail_goes_as_it_is(house: House) -> None:
    def fail(_: Sequence[OutgoingMail]) -> OutgoingMail:
        raise RuntimeError("a bug")

    house.config = CourierConfig(flood_limit=FloodLimit(per_hour=1, digests=Digests(fail)))
    await house.restart()
    await send(house, "1", "2", "3")
    await house.turn(HOUR)
    assert len(house.server.inboxes[ANNA]) == 3


@pytest.mark.parametrize("expires_after", [MINUTE, HOUR])
async def test_held_mail_goes_before_its_life_ends(guarded: House, expires_after: float) -> None:
    await send(guarded, "1", "2", "3")
    last = mail(ANNA, expires_after=expires_after)
    receipt = await guarded.courier.submit(last)
    assert receipt.status is Status.QUEUED
    await guarded.turn(expires_after - 1)
    assert guarded.told(Failed) == []
    assert guarded.server.inboxes[ANNA][3:] == [last.data]
    assert list((guarded.folder / "held").iterdir()) == []


async def test_a_mail_that_lives_shortly_takes_along_what_is_held_with_it(guarded: House) -> None:
    await send(guarded, "1", "2", "3", "4")
    await guarded.courier.submit(mail(ANNA, text="5", expires_after=20 * MINUTE))
    await send(guarded, "6")
    await guarded.turn(15 * MINUTE)
    assert guarded.server.inboxes[ANNA][3:] == [b"Subject: Digest\r\n\r\n4\r\n5\r\n6\r\n"]


async def test_held_mail_that_expired_while_the_program_was_off_is_reported(
    guarded: House,
) -> None:
    await send(guarded, "1", "2", "3", "4")
    await guarded.courier.stop()
    guarded.clock.time += 2 * DAY
    await guarded.restart()
    await guarded.turn(1)
    assert [event.reason for event in guarded.told(Failed)] == [GivenUp.EXPIRED]
    assert guarded.courier.state.waiting == 0
    assert list((guarded.folder / "held").iterdir()) == []


async def test_held_mail_keeps_its_envelope_and_tells_when_it_goes(guarded: House) -> None:
    await send(guarded, "1", "2", "3")
    envelope = Envelope("garden@house.test", (ANNA,), smtputf8=True)
    await guarded.courier.submit(replace(mail(ANNA), envelope=envelope))
    [record] = await guarded.courier.waiting()
    assert record.envelope == envelope
    assert [event.next_attempt for event in guarded.told(Deferred)] == [START + HOUR]


async def test_a_digest_that_cannot_be_kept_goes_later_with_what_is_held_by_then(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.config = CourierConfig(flood_limit=FloodLimit(per_hour=1, digests=Digests(digest)))
    await house.restart()
    await send(house, "1", "2", "3")
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    write = Store.write

    def fail(store: Store, mails: Sequence[tuple[MailRecord, Payload]]) -> object:
        if store.folder != house.folder:
            return write(store, mails)
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(5)
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", fail)
        turning = asyncio.create_task(house.turn(HOUR))
        await begun.wait()
        assert (await send(house, "4"))[0].status is Status.QUEUED
        go_on.set()
        await turning
    assert house.courier.state.waiting == 3
    await house.turn(5 * MINUTE)
    assert house.server.inboxes[ANNA][1:] == [b"Subject: Digest\r\n\r\n2\r\n3\r\n4\r\n"]
    assert house.courier.state.waiting == 0


def test_a_note_of_a_digest_that_somebody_has_removed_is_no_error(tmp_path: Path) -> None:
    held = Store(tmp_path / "held")
    sent = mail(ANNA)
    record = MailRecord.new(sent, START)
    held.write([(record, sent.data)])
    journal = DigestJournal(held, Store(tmp_path))
    digest_id = MailRecord.new(sent, START).id
    journal.begin(digest_id, [record.id])
    (held.folder / f"{digest_id}.merge").unlink()
    journal.commit(digest_id, [record.id])
    assert list(held.folder.iterdir()) == []


async def test_held_mail_that_is_damaged_is_reported_and_the_rest_goes(guarded: House) -> None:
    await send(guarded, "1", "2", "3", "4", "5")
    first = min((guarded.folder / "held").glob("*.eml"))
    first.write_bytes(b"?")
    await guarded.turn(HOUR)
    assert guarded.told(Damaged) == [Damaged((first.stem,))]
    aside = guarded.folder / "held" / "damaged"
    assert sorted(path.suffix for path in aside.iterdir()) == [".eml", ".json"]
    assert len(guarded.server.inboxes[ANNA]) == 4


async def test_held_mail_is_listed_and_can_be_dropped(guarded: House) -> None:
    await send(guarded, "1", "2", "3", "4", "5")
    first, _ = await guarded.courier.waiting()
    assert await guarded.courier.drop([str(first.id)]) == 1
    assert guarded.courier.state.waiting == 1
    assert await guarded.courier.drop() == 1
    await guarded.turn(2 * HOUR)
    assert len(guarded.server.mails) == 3


async def test_who_drops_held_mail_twice_at_once_drops_each_once(guarded: House) -> None:
    await send(guarded, "1", "2", "3", "4", "5", "6")
    _, *others = await guarded.courier.waiting()
    chosen = [str(record.id) for record in others]
    counts = await asyncio.gather(*(guarded.courier.drop(chosen) for _ in range(2)))
    assert sum(counts) == 2
    assert [type(event) for event in guarded.told(Dropped)] == [Dropped] * 2
    assert guarded.courier.state.waiting == 1


async def test_the_listener_hears_how_much_is_held(guarded: House) -> None:
    await send(guarded, "1", "2", "3", "4", "5")
    assert guarded.told(StateChanged)[-1].state.waiting == 2
    assert await guarded.courier.drop() == 2
    assert guarded.told(StateChanged)[-1].state.waiting == 0


async def test_held_mail_counts_against_the_limits(house: House) -> None:
    limit = FloodLimit(per_hour=1, digests=Digests(digest))
    house.config = CourierConfig(flood_limit=limit, limits=QuotaLimits(mails=2))
    await house.restart()
    await send(house, "1", "2", "3")
    with pytest.raises(OutboxError):
        await send(house, "4")
    await house.turn(HOUR)
    assert len(house.server.inboxes[ANNA]) == 2


async def test_who_is_refused_is_named_beside_whom_the_mail_is_held_for(guarded: House) -> None:
    await send(guarded, "1", "2", "3")
    guarded.server.refusals = {BEN: UNKNOWN_USER}
    receipt = await guarded.courier.submit(mail(ANNA, BEN))
    assert [o.address for o in receipt.refused] == [BEN]
    assert [o.address for o in receipt.owed] == [ANNA]
    with pytest.raises(MailError):
        await guarded.courier.submit(mail(BEN))


def test_a_recipients_hour_ends_by_itself_however_many_others_there_are() -> None:
    guard = FloodGuard(per_hour=1)
    first, second = mail(ANNA), mail("ben@example.test")
    assert guard.count(first, now=0.0) == {}
    assert guard.count(second, now=1800.0) == {}
    assert guard.count(first, now=1800.0) == {ANNA: HOUR}
    assert guard.count(first, now=HOUR) == {}
    assert guard.count(second, now=HOUR) == {"ben@example.test": 1800.0 + HOUR}
    assert guard.count(second, now=1800.0 + HOUR) == {}


def test_a_recipient_who_has_had_enough_before_a_restart_is_free_in_time() -> None:
    guard = FloodGuard(per_hour=1)
    guard.count(mail("ben@example.test"), now=0.0)
    guard.fill(ANNA, ends=600.0)
    assert guard.count(mail(ANNA), now=599.0) == {ANNA: 600.0}
    assert guard.count(mail(ANNA), now=600.0) == {}


def test_a_mail_to_very_many_is_counted_in_no_time() -> None:
    everybody = [f"guest{number}@example.test" for number in range(30_000)]
    began = time.monotonic()
    assert FloodGuard(per_hour=1).count(mail(*everybody), now=0.0) == {}
    assert time.monotonic() - began < SOON  # looking at all of them for each took many times that

"""Mail for several recipients of whom some have had enough: held for all of those, or for none."""

import asyncio
from collections.abc import Callable
from copy import replace
import errno
import json
from pathlib import Path

import pytest

from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.digests import DigestJournal
from custom_components.email_courier.mail.outbox.events import Damaged, DiskTrouble, Failed, GivenUp
from custom_components.email_courier.mail.outbox.hold import FloodLimit
from custom_components.email_courier.mail.outbox.record import MailRecord
from custom_components.email_courier.mail.outbox.spool import RETRY_AFTER, QuotaLimits
from custom_components.email_courier.mail.outbox.store import Store
from custom_components.email_courier.mail.outbox.submission import OutboxError, OutboxReason, Status
from custom_components.email_courier.mail.payload import Payload
from tests.mail.outbox.house import HOUR, Digests, House, mail
from tests.mail.outbox.servers import DOWN

ANNA = "anna@example.test"
BEN = "ben@example.test"
CARL = "carl@example.test"

LIMIT = FloodLimit(per_hour=1, digests=Digests(lambda mails: replace(mails[0], subject="Digest")))


async def guarded(house: House, *, room: int = 100) -> None:
    """Let Anna and Ben have had their one mail of the hour."""
    house.config = CourierConfig(flood_limit=LIMIT, limits=QuotaLimits(mails=room))
    await house.restart()
    await house.courier.submit(mail(ANNA, BEN))


def held_files(house: House) -> list[str]:
    return sorted(path.suffix for path in (house.folder / "held").glob("*.*"))


async def test_what_cannot_be_held_for_one_is_held_for_nobody(house: House) -> None:
    await guarded(house, room=1)
    with pytest.raises(OutboxError) as caught:
        await house.courier.submit(mail(ANNA, BEN))
    assert caught.value.reason is OutboxReason.FULL
    assert held_files(house) == []
    assert house.courier.state.waiting == 0
    [failed] = house.told(Failed)
    assert (failed.reason, failed.recipients) == (GivenUp.NOT_KEPT, (ANNA,))
    await house.turn(HOUR)
    assert len(house.server.inboxes[ANNA]) == 1


async def test_nobody_keeps_a_mail_of_which_the_caller_hears_that_it_failed(house: House) -> None:
    await guarded(house, room=1)
    house.server.failure = DOWN
    with pytest.raises(OutboxError) as caught:
        await house.courier.submit(mail(ANNA, CARL))
    assert caught.value.failure == DOWN
    assert {event.recipients: event.failure for event in house.told(Failed)} == {
        (ANNA,): DOWN,
        (CARL,): DOWN,
    }
    assert held_files(house) == []
    assert house.courier.state.waiting == 0


async def test_a_caller_who_leaves_while_a_mail_is_being_held_leaves_it_there(house: House) -> None:
    await guarded(house)
    calling = asyncio.ensure_future(house.courier.submit(mail(ANNA, BEN)))
    await asyncio.sleep(0)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    await house.quiet()
    assert len(await house.courier.waiting()) == house.courier.state.waiting == 2


async def test_held_mail_of_which_a_file_is_missing_is_reported_at_the_start(house: House) -> None:
    await guarded(house)
    assert (await house.courier.submit(mail(ANNA))).status is Status.QUEUED
    [message] = (house.folder / "held").glob("*.eml")
    message.unlink()
    await house.restart()
    assert house.told(Damaged) == [Damaged((message.stem,))]
    assert house.courier.state.waiting == 0


async def held_for_anna(house: House, count: int) -> list[Path]:
    """Hold mails back for Anna, end the program, and return their records, oldest first."""
    await guarded(house)
    for number in range(count):
        await house.courier.submit(mail(ANNA, text=f"held {number}"))
    await house.courier.stop()
    return sorted((house.folder / "held").glob("*.json"))


def _two_recipients(record: bytes) -> bytes:
    data = json.loads(record)
    return json.dumps({**data, "owed": data["owed"] * 2}).encode()


def _endless(record: bytes) -> bytes:
    return json.dumps({**json.loads(record), "next_attempt": float("nan")}).encode()


@pytest.mark.parametrize("damage", [lambda _: b"?", _two_recipients, _endless])
async def test_a_damaged_record_of_held_mail_is_set_aside_and_named_and_stops_nothing(
    house: House, damage: Callable[[bytes], bytes]
) -> None:
    bad, _ = await held_for_anna(house, 2)
    bad.write_bytes(damage(bad.read_bytes()))
    await house.restart()
    assert house.told(Damaged) == [Damaged((bad.stem,))]
    assert house.courier.state.waiting == 1
    assert (house.folder / "held" / "damaged" / bad.name).exists()
    await house.turn(HOUR)
    assert len(house.server.inboxes[ANNA]) == 2


async def test_held_mail_that_cannot_be_read_at_the_start_is_counted_and_read_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, _ = await held_for_anna(house, 2)
    read_bytes = Path.read_bytes

    def read_or_fail(path: Path) -> bytes:
        if path == bad:
            raise OSError(errno.EIO, "Input/output error")
        return read_bytes(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", read_or_fail)
        await house.restart()
        assert len(house.told(DiskTrouble)) == 1
        assert house.courier.state.waiting == 2
        assert len(await house.courier.waiting()) == 1
    await house.turn(RETRY_AFTER)
    assert [record.subject for record in await house.courier.waiting()] == [
        "Mail held 0",
        "Mail held 1",
    ]
    await house.turn(HOUR)
    assert house.told(Damaged) == []
    assert house.courier.state.waiting == 0


async def test_held_mail_that_cannot_be_read_can_be_dropped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await held_for_anna(house, 2)

    def fail(_: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", fail)
        await house.restart()
        assert await house.courier.drop() == 2
    assert house.courier.state.waiting == 0
    assert held_files(house) == []


@pytest.mark.parametrize("damage", ["null", "4", '{"a": 1}', "["])
async def test_a_damaged_note_of_a_digest_that_waits_is_named_and_stops_nothing(
    house: House, damage: str
) -> None:
    await held_for_anna(house, 1)
    house.server.failure = DOWN
    await house.restart()
    await house.courier.submit(mail(BEN, CARL))
    [waiting] = house.folder.glob("*.json")
    note = house.folder / "held" / f"{waiting.stem}.merge"
    note.write_text(damage)
    house.server.failure = None
    await house.restart()
    assert house.told(Damaged) == [Damaged((note.name,))]
    assert (note.parent / "damaged" / note.name).read_text() == damage
    assert len(house.server.inboxes[CARL]) == 1
    await house.turn(HOUR)
    assert len(house.server.inboxes[ANNA]) == 2


async def test_a_held_mail_that_cannot_be_read_when_its_hour_is_over_goes_later_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, *_ = await held_for_anna(house, 3)
    await house.restart()
    read_message = Store.read_message

    def read_or_fail(store: Store, record: MailRecord) -> Payload:
        if str(record.id) == bad.stem:
            raise OSError(errno.EIO, "Input/output error")
        return read_message(store, record)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "read_message", read_or_fail)
        await house.turn(HOUR)
    assert len(house.server.inboxes[ANNA]) == 2
    assert house.courier.state.waiting == 1
    await house.turn(RETRY_AFTER)
    assert b"held 0" in house.server.inboxes[ANNA][2]
    assert house.told(Damaged) == []


async def test_a_digest_whose_mails_cannot_be_removed_yet_goes_when_they_can(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await held_for_anna(house, 2)
    await house.restart()

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(DigestJournal, "commit", fail)
        await house.turn(HOUR)
        assert len(house.server.inboxes[ANNA]) == 1
    await house.turn(RETRY_AFTER)
    assert len(house.server.inboxes[ANNA]) == 2
    assert held_files(house) == []
    assert house.courier.state.waiting == 0

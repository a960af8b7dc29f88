"""Digests: how large they get, how many there are, and what becomes of the mails in them."""

import asyncio
from collections.abc import Sequence
from copy import replace
import json
from typing import Any
import weakref

import pytest

from custom_components.email_courier.mail import payload
from custom_components.email_courier.mail.outbox.backup import Backup
from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.digests import MAX_WITH_PICTURES, Pictures
from custom_components.email_courier.mail.outbox.events import (
    Delivered,
    Dropped,
    Failed,
    GivenUp,
    MailEvent,
)
from custom_components.email_courier.mail.outbox.hold import FloodLimit
from custom_components.email_courier.mail.outbox.record import MailRecord
from custom_components.email_courier.mail.outbox.store import Store
from custom_components.email_courier.mail.outbox.submission import OutgoingMail
from custom_components.email_courier.mail.payload import FilePayload, Payload
from tests.mail.outbox.house import HOUR, Digest, Digests, House, mail
from tests.mail.outbox.servers import DOWN, UNKNOWN_USER

ANNA = "anna@example.test"
DIGEST = "<digest@house.test>"


def in_one(mails: Sequence[OutgoingMail]) -> OutgoingMail:
    data = b"".join(bytes(each.data) for each in mails)
    return replace(mails[0], data=data, message_id=DIGEST, subject="Digest")


async def hold(house: House, digests: Digests, *texts: str, **options: Any) -> list[str]:
    """Hold mails back for Anna, who has had her one of the hour; return their Message-IDs."""
    house.config = house.config._replace(
        flood_limit=FloodLimit(per_hour=1, digests=digests), **options
    )
    await house.restart()
    await house.courier.submit(mail(ANNA))
    house.events.clear()
    return [(await house.courier.submit(mail(ANNA, text=text))).message_id for text in texts]


def told_of[E: MailEvent](house: House, kind: type[E]) -> list[tuple[str, str | None]]:
    return [(event.message_id, event.digest) for event in house.told(kind)]


async def test_mails_that_fit_into_no_digest_together_come_in_several(house: House) -> None:
    digests = Digests(in_one, limit=1000)
    await hold(house, digests, *("x" * 400 for _ in range(4)))
    await house.turn(HOUR)
    arrived = house.server.inboxes[ANNA][1:]
    assert [data.count(b"Message-ID") for data in arrived] == [2, 2]
    assert all(len(data) <= 1000 for data in arrived)
    assert house.courier.state.waiting == 0


async def test_a_held_mail_that_alone_is_too_large_goes_as_it_is(house: House) -> None:
    large, *others = await hold(house, Digests(in_one, limit=300), "x" * 400, "a", "b")
    await house.turn(HOUR)
    digest, alone = sorted(house.server.inboxes[ANNA][1:], key=len)
    assert large.encode() in alone
    assert all(one.encode() in digest for one in others)
    assert (large, None) in told_of(house, Delivered)


async def test_pictures_are_left_alone_while_all_fits_together(house: House) -> None:
    digests = Digests(in_one)
    await hold(house, digests, "a", "b")
    await house.turn(HOUR)
    assert digests.pictures == [Pictures.AS_THEY_ARE]


async def test_pictures_get_smaller_and_then_stay_away_where_there_are_many(house: House) -> None:
    digests = Digests(in_one, limit=150, count=2)
    await hold(house, digests, *("x" * 20 for _ in range(2 * MAX_WITH_PICTURES + 2)))
    await house.turn(HOUR)
    assert digests.pictures == [Pictures.SMALLER] * MAX_WITH_PICTURES + [Pictures.LEFT_OUT]


async def test_each_mail_in_a_digest_is_delivered_under_its_own_id(house: House) -> None:
    ids = await hold(house, Digests(in_one), "1", "2", "3")
    await house.turn(HOUR)
    assert told_of(house, Delivered) == [(DIGEST, None), *((each, DIGEST) for each in ids)]
    assert [event.subject for event in house.told(Delivered)][1:] == ["Mail 1", "Mail 2", "Mail 3"]
    assert {event.recipients for event in house.told(Delivered)} == {(ANNA,)}


async def test_each_mail_in_a_digest_that_is_refused_has_failed(house: House) -> None:
    ids = await hold(house, Digests(in_one), "1", "2")
    house.server.refusals = {ANNA: UNKNOWN_USER}
    await house.turn(HOUR)
    assert told_of(house, Failed) == [(DIGEST, None), *((each, DIGEST) for each in ids)]
    assert [event.failure for event in house.told(Failed)] == [UNKNOWN_USER] * 3


async def test_what_a_digest_stands_for_outlives_a_restart_and_expires_with_it(
    house: House,
) -> None:
    ids = await hold(house, Digests(in_one), "1", "2")
    house.server.failure = DOWN
    await house.turn(HOUR)
    await house.courier.stop()
    await house.restart()
    await house.turn(24 * HOUR)
    assert told_of(house, Failed) == [(DIGEST, None), *((each, DIGEST) for each in ids)]
    assert {event.reason for event in house.told(Failed)} == {GivenUp.EXPIRED}


async def test_who_drops_a_digest_drops_the_mails_in_it(house: House) -> None:
    ids = await hold(house, Digests(in_one), "1", "2")
    house.server.failure = DOWN
    await house.turn(HOUR)
    assert await house.courier.drop() == 1
    assert told_of(house, Dropped) == [(DIGEST, None), *((each, DIGEST) for each in ids)]


async def test_a_digest_stands_for_its_mails_in_the_backup_account_too(house: House) -> None:
    handed_over: list[OutgoingMail] = []

    async def hand_over(mail: OutgoingMail) -> None:
        handed_over.append(mail)

    backup = Backup(own="main", account="spare", hand_over=hand_over, after=60)
    ids = await hold(house, Digests(in_one), "1", "2", backup=backup)
    house.server.failure = DOWN
    await house.turn(HOUR + 120)
    [digest] = handed_over
    assert [part.message_id for part in digest.stands_for] == ids


async def test_a_record_is_of_version_1_and_has_no_new_key_unless_it_is_a_digest(
    house: House,
) -> None:
    ids = await hold(house, Digests(in_one), "1", "2")
    [old, _] = (json.loads(p.read_bytes()) for p in (house.folder / "held").glob("*.json"))
    house.server.failure = DOWN
    await house.turn(HOUR)
    [mail_id] = Store(house.folder).open().mails
    new = json.loads((house.folder / f"{mail_id}.json").read_bytes())
    assert old["version"] == new["version"] == 1
    assert set(new) - set(old) == {"stands_for"}
    assert [part["message_id"] for part in new["stands_for"]] == ids


async def test_one_held_mail_after_the_other_is_read_into_a_digest(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: weakref.WeakSet[FilePayload] = weakref.WeakSet()
    most = 0
    read_message = Store.read_message

    def watch(store: Store, record: MailRecord) -> Payload:
        nonlocal most
        data = read_message(store, record)
        assert isinstance(data, FilePayload)
        alive.add(data)
        most = max(most, len(alive))
        return data

    class Forgetful(Digest):
        def add(self, mail: OutgoingMail) -> bool:
            return len(mail.data) > 0

        def finish(self) -> OutgoingMail:
            return mail(ANNA, text="digest")

    class ForgetfulDigests(Digests):
        def begin(self, pictures: Pictures) -> Digest:
            self.pictures.append(pictures)
            return Forgetful(in_one, 0, 0)

    monkeypatch.setattr(payload, "IN_MEMORY", 10)
    monkeypatch.setattr(Store, "read_message", watch)
    await hold(house, ForgetfulDigests(in_one), *("x" for _ in range(20)))
    await house.turn(HOUR)
    assert len(house.server.inboxes[ANNA]) == 2
    assert 0 < most <= 6  # of 20; some may still be in the hands of a busy loop


async def test_stopping_begins_no_further_digest_and_loses_none(house: House) -> None:
    stopping: list[asyncio.Task[None]] = []

    class Stopping(Digests):
        def begin(self, pictures: Pictures) -> Digest:
            if self.pictures and not stopping:
                stopping.append(asyncio.create_task(house.courier.stop()))
            return super().begin(pictures)

    await hold(house, Stopping(in_one, count=2, limit=150), *("x" * 30 for _ in range(6)))
    await house.turn(HOUR)
    await asyncio.gather(*stopping)
    assert len(house.server.inboxes[ANNA]) < 4
    assert list((house.folder / "held").glob("*.eml"))
    house.config = CourierConfig(flood_limit=FloodLimit(per_hour=1, digests=Digests(in_one)))
    await house.restart()
    await house.turn(HOUR)
    assert sum(data.count(b"x" * 30) for data in house.server.inboxes[ANNA]) == 6

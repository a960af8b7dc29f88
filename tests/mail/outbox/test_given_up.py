"""Mail that was given up is kept for some days, and can be sent again."""

from copy import replace

import pytest

from custom_components.email_courier.mail.failure import MailError
from custom_components.email_courier.mail.outbox.backup import renamed
from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.events import Delivered, Failed
from custom_components.email_courier.mail.outbox.given_up import KEPT_FOR
from custom_components.email_courier.mail.outbox.hold import FloodLimit
from custom_components.email_courier.mail.outbox.spool import QuotaLimits
from custom_components.email_courier.mail.outbox.store import GIVEN_UP, Store
from custom_components.email_courier.mail.outbox.submission import Origin, OutgoingMail, Status
from tests.mail.outbox.house import HOUR, MINUTE, Digests, House, mail
from tests.mail.outbox.servers import DOWN, GREYLISTED, UNKNOWN_USER

SENDER = "house@house.test"
ANNA, BEN = "anna@example.test", "ben@example.test"


async def expire(house: House, outgoing: OutgoingMail) -> None:
    """Let a mail wait in vain until its time is over."""
    house.server.failure = DOWN
    await house.courier.submit(outgoing)
    await house.turn(HOUR)
    house.server.failure = None


async def kept(house: House) -> list[str]:
    return [record.message_id for record in await house.courier.given_up()]


async def test_an_expired_mail_is_sent_again_as_a_new_one(house: House) -> None:
    await house.courier.start()
    outgoing = mail(text="Smoke", expires_after=10 * MINUTE)
    await expire(house, outgoing)
    assert await kept(house) == [outgoing.message_id]
    assert house.courier.state.waiting == 0
    assert house.told(Failed)[0].is_promised

    receipt = await house.courier.send_again(
        outgoing.message_id.strip("<>"), sender=SENDER, origin=Origin("context")
    )

    assert receipt is not None
    assert receipt.status is Status.SENT
    assert receipt.message_id != outgoing.message_id
    [(address, data)] = house.server.mails
    assert address == ANNA
    assert receipt.message_id.encode() in data
    assert outgoing.message_id.encode() not in data
    assert data.endswith(b"Smoke\r\n")
    await house.quiet()
    assert house.told(Delivered)[-1].origin == Origin("context")
    assert await kept(house) == []
    assert await house.courier.send_again(outgoing.message_id, sender=SENDER) is None


async def test_it_goes_only_to_those_who_did_not_get_it(house: House) -> None:
    await house.courier.start()
    house.server.refusals[BEN] = UNKNOWN_USER
    outgoing = mail(ANNA, BEN)
    receipt = await house.courier.submit(outgoing)
    assert receipt.status is Status.PARTIAL
    assert not house.told(Failed)[0].is_promised
    house.server.refusals.clear()

    await house.courier.send_again(outgoing.message_id, sender=SENDER)

    assert [address for address, _ in house.server.mails] == [ANNA, BEN]


async def test_what_is_refused_again_is_kept_once(house: House) -> None:
    await house.courier.start()
    house.server.refusals[ANNA] = UNKNOWN_USER
    outgoing = mail()
    with pytest.raises(MailError):
        await house.courier.submit(outgoing)

    with pytest.raises(MailError):
        await house.courier.send_again(outgoing.message_id, sender=SENDER)

    [left] = await kept(house)
    assert left != outgoing.message_id


async def test_what_may_not_be_kept_is_not_kept(house: House) -> None:
    await house.courier.start()
    house.server.refusals[ANNA] = UNKNOWN_USER
    with pytest.raises(MailError):
        await house.courier.submit(mail(queue=False))
    assert await kept(house) == []


async def test_it_is_there_after_a_restart_and_gone_after_seven_days(house: House) -> None:
    await house.courier.start()
    outgoing = mail(expires_after=10 * MINUTE)
    await expire(house, outgoing)
    await house.courier.stop()
    await house.restart()
    assert await kept(house) == [outgoing.message_id]

    await house.turn(KEPT_FOR - 2 * HOUR)
    assert await kept(house) == [outgoing.message_id]
    await house.turn(2 * HOUR)
    assert await kept(house) == []
    assert list((house.folder / GIVEN_UP).glob("*.*")) == []


async def test_a_clock_that_was_never_set_removes_nothing_at_a_start(house: House) -> None:
    house.clock.ahead = -house.clock.time
    house.courier = house.make_courier()
    await house.courier.start()
    outgoing = mail(expires_after=10 * MINUTE)
    await expire(house, outgoing)
    await house.courier.stop()
    house.clock.ahead = 0.0
    await house.restart()
    assert await kept(house) == [outgoing.message_id]


async def test_it_makes_room_for_mail_that_waits_the_oldest_first(house: House) -> None:
    house.config = CourierConfig(limits=QuotaLimits(mails=4))
    house.courier = house.make_courier()
    await house.courier.start()
    mails = [mail(expires_after=10 * MINUTE) for _ in range(3)]
    for outgoing in mails:
        await expire(house, outgoing)
    assert len(await kept(house)) == 3

    house.server.failure = DOWN
    for _ in range(2):
        await house.courier.submit(mail())
    await house.quiet()

    assert await kept(house) == [mails[2].message_id, mails[1].message_id]
    assert house.courier.state.waiting == 2


async def test_where_the_outbox_is_full_nothing_more_is_kept(house: House) -> None:
    house.config = CourierConfig(limits=QuotaLimits(mails=1))
    house.courier = house.make_courier()
    await house.courier.start()
    house.server.refusals[BEN] = UNKNOWN_USER
    house.server.refusals[ANNA] = GREYLISTED
    await house.courier.submit(mail())

    with pytest.raises(MailError):
        await house.courier.submit(mail(BEN))

    assert await kept(house) == []


async def test_held_mail_that_expires_is_kept_too(house: House) -> None:
    limit = FloodLimit(per_hour=1, digests=Digests(lambda mails: mails[0]))
    house.config = CourierConfig(flood_limit=limit)
    house.courier = house.make_courier()
    await house.courier.start()
    await house.courier.submit(mail())
    late = mail(expires_after=10 * MINUTE)
    await house.courier.submit(late)
    await house.courier.stop()
    house.clock.time += HOUR
    await house.restart()
    await house.turn(HOUR)
    assert await kept(house) == [late.message_id]


async def test_it_does_not_count_as_waiting_when_an_account_is_removed(house: House) -> None:
    await house.courier.start()
    await expire(house, mail(expires_after=10 * MINUTE))
    await house.courier.stop()
    assert Store(house.folder).count() == 0
    assert Store(house.folder).erase() == []
    assert not house.folder.exists()


async def test_a_sender_that_has_changed_meanwhile_is_the_new_one(house: House) -> None:
    await house.courier.start()
    outgoing = mail(expires_after=10 * MINUTE)
    await expire(house, outgoing)
    receipt = await house.courier.send_again(outgoing.message_id, sender="new@other.test")
    assert receipt is not None
    assert receipt.message_id.endswith("@other.test>")


def test_a_renamed_mail_differs_in_its_message_id_alone() -> None:
    head = b"Subject: A\r\n{}References: <old@x>\r\n\r\nMessage-ID: <old@x>\r\n"
    folded = replace(mail(), data=head.replace(b"{}", b"message-id:\r\n <old@x>\r\n"))
    new = renamed(folded, "<new@x>")
    assert new.message_id == "<new@x>"
    assert bytes(new.data) == head.replace(b"{}", b"message-id: <new@x>\r\n")

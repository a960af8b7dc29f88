"""How much may wait, to the mail and to the byte."""

import pytest

from custom_components.email_courier.mail.outbox.spool import Limits, Room
from custom_components.email_courier.mail.outbox.submission import OutboxError, OutboxReason


def test_there_is_room_up_to_the_limits_and_not_beyond() -> None:
    room = Room(Limits(mails=3, size=1000))
    room.claim(400)
    room.claim(600)
    assert (room.mails, room.size) == (2, 1000)
    with pytest.raises(OutboxError) as caught:
        room.claim(1)
    assert caught.value.reason is OutboxReason.FULL
    assert caught.value.detail == "1000 bytes are waiting, 1 more would pass 1000"
    room.claim(0)
    with pytest.raises(OutboxError) as caught:
        room.claim(0)
    assert caught.value.reason is OutboxReason.FULL
    assert caught.value.detail == "3 mails are waiting"


def test_a_mail_that_has_gone_makes_room_for_another() -> None:
    room = Room(Limits(mails=2, size=1000))
    room.count(700)
    room.count(300)
    assert room.fullness == 1
    room.free(700)
    assert (room.mails, room.size, room.fullness) == (1, 300, 0.5)
    room.claim(700)

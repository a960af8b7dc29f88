"""How much may wait, to the mail and to the byte."""

import pytest

from custom_components.email_courier.mail.outbox.spool import Quota, QuotaLimits
from custom_components.email_courier.mail.outbox.submission import OutboxError, OutboxReason


def test_there_is_room_up_to_the_limits_and_not_beyond() -> None:
    quota = Quota(QuotaLimits(mails=3, size=1000), lambda: None)
    quota.claim(400)
    quota.claim(600)
    assert (quota.mails, quota.size) == (2, 1000)
    with pytest.raises(OutboxError) as caught:
        quota.claim(1)
    assert caught.value.reason is OutboxReason.FULL
    assert caught.value.detail == "1000 bytes are waiting, 1 more would pass 1000"
    quota.claim(0)
    with pytest.raises(OutboxError) as caught:
        quota.claim(0)
    assert caught.value.reason is OutboxReason.FULL
    assert caught.value.detail == "3 mails are waiting"


def test_a_mail_that_has_gone_makes_room_for_another() -> None:
    quota = Quota(QuotaLimits(mails=2, size=1000), lambda: None)
    quota.count(700)
    quota.count(300)
    assert quota.fullness == 1
    quota.free(700)
    assert (quota.mails, quota.size, quota.fullness) == (1, 300, 0.5)
    quota.claim(700)

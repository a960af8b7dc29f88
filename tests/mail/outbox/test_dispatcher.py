"""Which mail is announced as the next one while another is on its way, and that it comes next."""

import asyncio
from typing import Any

import pytest

from custom_components.email_courier.mail.envelope import Envelope, Upcoming
from custom_components.email_courier.mail.outbox.submission import OutgoingMail, Rank, Receipt
from tests.mail.outbox.house import House, mail
from tests.mail.outbox.servers import BUSY, DOWN

FIRST, SECOND, THIRD = "first@example.test", "second@example.test", "third@example.test"
ALARM = "alarm@example.test"


def _submit(house: House, outgoing: OutgoingMail) -> asyncio.Task[Receipt]:
    return asyncio.create_task(house.courier.submit(outgoing))


async def _at_the_dot(house: House, *outgoing: OutgoingMail) -> list[asyncio.Task[Receipt]]:
    """Hand mails in; the first one has sent its final dot and has no reply yet."""
    house.server.verdict.clear()
    tasks = [_submit(house, one) for one in outgoing]
    await house.quiet()
    return tasks


def _attempts(house: House) -> list[str]:
    return [to for (to,) in house.server.attempts]


async def test_the_next_mail_is_announced_with_the_final_dot(house: House) -> None:
    mails = [mail(FIRST), mail(SECOND), mail(THIRD)]
    await asyncio.gather(*(house.courier.submit(one) for one in mails))
    assert house.server.upcoming == [
        *(Upcoming(one.envelope, len(one.data)) for one in mails[1:]),
        None,
    ]


async def test_a_single_mail_announces_none(house: House) -> None:
    await house.courier.submit(mail())
    assert house.server.upcoming == [None]


async def test_an_alarm_that_is_there_at_the_final_dot_is_announced(house: House) -> None:
    house.server.upload.clear()
    tasks = [_submit(house, mail(to)) for to in (FIRST, SECOND)]
    await house.quiet()
    tasks.append(_submit(house, mail(ALARM, rank=Rank.HIGH)))
    await house.quiet()
    house.server.upload.set()
    await asyncio.gather(*tasks)
    assert _attempts(house) == [FIRST, ALARM, SECOND]


async def test_an_alarm_that_comes_later_waits_for_the_announced_mail_and_no_other(
    house: House,
) -> None:
    tasks = await _at_the_dot(house, mail(FIRST), mail(SECOND), mail(THIRD))
    tasks.append(_submit(house, mail(ALARM, rank=Rank.HIGH)))
    await house.quiet()
    house.server.verdict.set()
    await asyncio.gather(*tasks)
    assert _attempts(house) == [FIRST, SECOND, ALARM, THIRD]


async def test_an_announced_mail_whose_caller_leaves_is_not_sent(house: House) -> None:
    first, second, third = await _at_the_dot(house, mail(FIRST), mail(SECOND), mail(THIRD))
    second.cancel()
    await house.quiet()
    house.server.verdict.set()
    await asyncio.gather(first, third)
    assert _attempts(house) == [FIRST, THIRD]
    assert sorted(house.server.inboxes) == [FIRST, THIRD]


@pytest.mark.parametrize("failure", [DOWN, BUSY])
async def test_an_announced_mail_waits_on_disk_where_the_server_is_lost(
    house: House, failure: Any
) -> None:
    house.server.upload.clear()
    tasks = [_submit(house, mail(to)) for to in (FIRST, SECOND)]
    await house.quiet()
    house.server.next_failures = [failure, failure]
    house.server.upload.set()
    receipts = await asyncio.gather(*tasks)
    assert [receipt.status.value for receipt in receipts] == ["sent", "queued"]


async def test_an_announced_mail_is_kept_where_the_account_is_stopped(house: House) -> None:
    first, second = await _at_the_dot(house, mail(FIRST), mail(SECOND))
    stopping = asyncio.create_task(house.courier.stop())
    await asyncio.sleep(0)
    house.server.verdict.set()
    assert (await first).status.value == "sent"
    assert (await second).status.value == "queued"
    await stopping
    assert _attempts(house) == [FIRST]


async def test_an_announced_mail_is_kept_where_nothing_is_to_be_sent_any_more(
    house: House,
) -> None:
    first, second = await _at_the_dot(house, mail(FIRST), mail(SECOND))
    await house.courier.suspend(is_suspended=True)
    house.server.verdict.set()
    assert (await first).status.value == "sent"
    assert (await second).status.value == "queued"
    assert _attempts(house) == [FIRST]


async def test_what_waits_on_disk_is_not_announced(house: House) -> None:
    house.server.failure = DOWN
    for to in (FIRST, SECOND):
        await house.courier.submit(mail(to))
    house.server.failure = None
    house.courier.retry_now()
    await house.quiet()
    assert _attempts(house)[-2:] == [FIRST, SECOND]
    assert house.server.upcoming == [None, None]


async def test_an_envelope_is_announced_for_those_who_are_still_owed(house: House) -> None:
    outgoing = mail(FIRST, SECOND)
    await asyncio.gather(house.courier.submit(mail(THIRD)), house.courier.submit(outgoing))
    assert house.server.upcoming[0] == Upcoming(
        Envelope(outgoing.envelope.sender, (FIRST, SECOND)), len(outgoing.data)
    )

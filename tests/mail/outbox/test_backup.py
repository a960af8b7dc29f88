"""The backup account."""

import pytest

from custom_components.email_courier.mail.failure import STOPPED, MailError
from custom_components.email_courier.mail.outbox.backup import AbsentError, Backup
from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.events import Failed, GivenUp, HandedOver
from custom_components.email_courier.mail.outbox.store import Store
from custom_components.email_courier.mail.outbox.submission import (
    DAY,
    OutboxError,
    OutboxReason,
    OutgoingMail,
    Status,
)
from tests.mail.outbox.house import HOUR, MINUTE, START, House, mail
from tests.mail.outbox.servers import (
    BLOCKED,
    DOWN,
    GREYLISTED,
    NOT_OWNED,
    UNKNOWN_USER,
    WRONG_PASSWORD,
)


class Neighbour:
    """The account that takes over: takes everything, or raises."""

    def __init__(self) -> None:
        """Take everything."""
        self.taken: list[OutgoingMail] = []
        self.offered = 0
        self.error: Exception | None = None

    async def hand_over(self, mail: OutgoingMail) -> None:
        """Take a mail."""
        self.offered += 1
        if self.error is not None:
            raise self.error
        self.taken.append(mail)


@pytest.fixture
async def neighbour(house: House) -> Neighbour:
    """Have a backup account."""
    neighbour = Neighbour()
    backup = Backup(own="main", account="spare", hand_over=neighbour.hand_over)
    house.config = CourierConfig(backup=backup)
    await house.restart()
    return neighbour


async def test_mail_that_cannot_be_delivered_for_five_minutes_is_handed_over(
    house: House, neighbour: Neighbour
) -> None:
    house.server.failure = DOWN
    sent = mail()
    await house.courier.submit(sent)
    await house.turn(4 * MINUTE)
    assert neighbour.taken == []
    await house.turn(MINUTE)
    [taken] = neighbour.taken
    assert (taken.data, taken.message_id, taken.envelope) == (
        sent.data,
        sent.message_id,
        sent.envelope,
    )
    assert taken.visited_accounts == ("main",)
    assert taken.expires_after == pytest.approx(DAY - 5 * MINUTE)
    assert house.files == []
    [event] = house.told(HandedOver)
    assert event == HandedOver(
        at=START + 5 * MINUTE,
        message_id=sent.message_id,
        subject=sent.subject,
        recipients=sent.envelope.recipients,
        attempts=3,
        backup="spare",
    )
    assert event.as_dict() == {
        "outcome": "handed_over",
        "at": START + 5 * MINUTE,
        "message_id": sent.message_id,
        "subject": sent.subject,
        "recipients": list(sent.envelope.recipients),
        "attempts": 3,
        "backup": "spare",
    }
    house.server.failure = None
    await house.turn(HOUR)
    assert house.server.mails == []


async def test_mail_that_was_handed_over_and_cannot_be_removed_is_told_of(
    house: House, neighbour: Neighbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("Read-only file system")

    house.server.failure = DOWN
    await house.courier.submit(mail())
    monkeypatch.setattr(Store, "remove", refuse)
    await house.turn(5 * MINUTE)
    assert len(neighbour.taken) == 1
    assert house.stories[-2:] == ["HandedOver", "DiskTrouble"]


async def test_mail_that_comes_while_the_server_is_down_waits_its_five_minutes_too(
    house: House, neighbour: Neighbour
) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.turn(MINUTE)
    await house.courier.submit(mail())
    await house.turn(4 * MINUTE)
    assert len(neighbour.taken) == 1
    await house.turn(MINUTE)
    assert len(neighbour.taken) == 2


async def test_only_who_is_still_owed_the_mail_is_handed_over(
    house: House, neighbour: Neighbour
) -> None:
    house.server.refusals = {"ben@example.test": GREYLISTED}
    await house.courier.submit(mail("anna@example.test", "ben@example.test"))
    await house.turn(6 * MINUTE)
    assert [taken.envelope.recipients for taken in neighbour.taken] == [("ben@example.test",)]


@pytest.mark.parametrize("failure", [BLOCKED, NOT_OWNED])
async def test_mail_refused_for_a_reason_of_the_account_is_handed_over_at_once(
    house: House, neighbour: Neighbour, failure: object
) -> None:
    house.server.failure = failure  # type: ignore[assignment]
    receipt = await house.courier.submit(mail())
    assert receipt.status is Status.QUEUED
    await house.turn(1)
    assert len(neighbour.taken) == 1
    assert house.told(Failed) == []


async def test_a_refused_login_hands_over_all_that_waits_and_all_that_comes(
    house: House, neighbour: Neighbour
) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.courier.submit(mail())
    house.server.failure = WRONG_PASSWORD
    await house.turn(40)
    assert len(neighbour.taken) == 2
    assert (await house.courier.submit(mail())).status is Status.QUEUED
    await house.turn(1)
    assert len(neighbour.taken) == 3
    assert house.files == []


async def test_a_refused_recipient_is_no_reason_to_hand_over(
    house: House, neighbour: Neighbour
) -> None:
    house.server.failure = UNKNOWN_USER
    with pytest.raises(MailError):
        await house.courier.submit(mail())
    assert neighbour.offered == 0


async def test_without_queueing_nothing_is_handed_over(house: House, neighbour: Neighbour) -> None:
    house.server.failure = NOT_OWNED
    with pytest.raises(MailError):
        await house.courier.submit(mail(queue=False))
    assert neighbour.offered == 0


@pytest.mark.parametrize("error", [MailError(DOWN), OutboxError(OutboxReason.FULL, "full")])
async def test_mail_that_is_not_taken_stays_and_is_offered_again(
    house: House, neighbour: Neighbour, error: Exception
) -> None:
    neighbour.error = error
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.turn(6 * MINUTE)
    assert neighbour.offered == 1
    assert house.courier.state.waiting == 1
    neighbour.error = None
    await house.turn(5 * MINUTE)
    assert neighbour.offered == 2
    assert house.courier.state.waiting == 0


async def test_mail_that_is_not_taken_still_goes_by_its_own_account(
    house: House, neighbour: Neighbour
) -> None:
    neighbour.error = MailError(DOWN)
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.turn(6 * MINUTE)
    house.server.failure = None
    await house.turn(HOUR)
    assert len(house.server.mails) == 1
    assert neighbour.taken == []


async def test_mail_does_not_go_back_where_it_came_from(house: House, neighbour: Neighbour) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail(visited_accounts=["spare"]))
    await house.turn(2 * HOUR)
    assert neighbour.offered == 0
    assert house.courier.state.waiting == 1
    house.server.failure = NOT_OWNED
    await house.turn(HOUR)
    assert [event.reason for event in house.told(Failed)] == [GivenUp.REFUSED]


async def test_an_account_is_not_its_own_backup() -> None:
    neighbour = Neighbour()
    backup = Backup(own="main", account="main", hand_over=neighbour.hand_over)
    assert not backup.accepts(())


async def test_a_crash_while_handing_over_is_a_lost_reply(
    house: House, neighbour: Neighbour
) -> None:
    house.server.failure = DOWN
    await house.courier.submit(mail())
    neighbour.hand_over = None  # type: ignore[method-assign,assignment]
    await house.turn(4 * MINUTE)

    async def crash(_: OutgoingMail) -> None:
        house.crash()
        raise RuntimeError("crash")

    house.config = CourierConfig(backup=Backup(own="main", account="spare", hand_over=crash))
    await house.courier.stop()
    await house.restart()
    await house.turn(2 * MINUTE)
    house.config = CourierConfig()
    await house.restart()
    [record] = await house.courier.waiting()
    assert [owed.lost_replies for owed in record.owed] == [1]


@pytest.fixture
async def interrupted(house: House) -> Neighbour:
    """Have a backup account that cannot be asked at a start after a crash in a hand-over."""

    async def crash(_: OutgoingMail) -> None:
        house.crash()
        raise RuntimeError("crash")

    house.config = CourierConfig(backup=Backup(own="main", account="spare", hand_over=crash))
    await house.restart()
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.turn(6 * MINUTE)
    house.server.failure = None
    neighbour = Neighbour()
    neighbour.error = AbsentError(STOPPED)
    house.config = CourierConfig(
        backup=Backup(own="main", account="spare", hand_over=neighbour.hand_over)
    )
    await house.restart()
    return neighbour


async def test_after_a_crash_a_backup_account_that_begins_later_is_asked_before_a_copy_is_made(
    house: House, interrupted: Neighbour
) -> None:
    await house.turn(20)
    assert interrupted.offered > 2
    assert house.server.mails == []
    interrupted.error = None
    await house.turn(MINUTE)
    assert len(interrupted.taken) == 1
    assert house.server.mails == []
    assert house.courier.state.waiting == 0


async def test_after_a_crash_a_backup_account_that_never_begins_is_not_waited_for(
    house: House, interrupted: Neighbour
) -> None:
    await house.turn(2 * MINUTE)
    assert interrupted.taken == []
    assert len(house.server.mails) == 1
    assert house.courier.state.waiting == 0


async def test_the_backup_account_takes_mail_on_disk_and_delivers_it(house: House) -> None:
    house.server.upload.clear()
    sent = mail(visited_accounts=["main"])
    await house.courier.accept(sent)
    await house.quiet()
    assert house.files == [".eml", ".json"]
    house.server.upload.set()
    await house.quiet()
    assert house.server.mails == [("anna@example.test", sent.data)]


@pytest.mark.parametrize("failure", [DOWN, WRONG_PASSWORD])
async def test_the_backup_account_takes_nothing_while_it_cannot_deliver_either(
    house: House, failure: object
) -> None:
    house.server.next_failures = [DOWN, failure]  # type: ignore[list-item]
    await house.courier.submit(mail())
    house.courier.retry_now()
    await house.quiet()
    with pytest.raises(MailError) as caught:
        await house.courier.accept(mail())
    assert caught.value.failure == failure
    assert house.courier.state.waiting == 1

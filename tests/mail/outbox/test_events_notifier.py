"""What the listener is told, and how often."""

from typing import Any

from custom_components.email_courier.mail.outbox.events import (
    Deferred,
    Delivered,
    DiskTrouble,
    Dropped,
    Failed,
    GivenUp,
    Notifier,
    OutboxState,
    StateChanged,
)
from custom_components.email_courier.mail.outbox.submission import OutgoingMail
from tests.mail.outbox.house import HOUR, START, House, mail
from tests.mail.outbox.servers import DOWN, GREYLISTED, NOT_OWNED, OK, UNKNOWN_USER

ANNA, BEA, CARL = "anna@example.test", "bea@example.test", "carl@example.test"


def _about(sent: OutgoingMail, *recipients: str) -> dict[str, Any]:
    """Return what is told of a mail whose first attempt has just been made."""
    return {
        "at": START,
        "message_id": sent.message_id,
        "subject": sent.subject,
        "recipients": recipients,
        "attempts": 1,
    }


async def test_a_delivery_is_told_with_its_mail_its_time_and_the_reply(house: House) -> None:
    sent = mail(ANNA, BEA)
    await house.courier.submit(sent)
    await house.quiet()
    assert house.told(Delivered) == [
        Delivered(
            **_about(sent, ANNA, BEA),
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
            **_about(sent, *recipients),
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
            **_about(sent, ANNA),
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
            **_about(sent, ANNA, BEA),
        )
    ]


def test_a_state_is_told_when_it_has_changed_and_not_again() -> None:
    told: list[Any] = []
    notifier = Notifier(lambda: START)
    notifier.listen(told.append)
    notifier.state(OutboxState())
    notifier.state(OutboxState(waiting=1))
    notifier.state(OutboxState(waiting=1))
    notifier.state(OutboxState())
    assert told == [StateChanged(OutboxState(waiting=1)), StateChanged(OutboxState())]


def test_trouble_is_told_where_there_is_any() -> None:
    told: list[Any] = []
    notifier = Notifier(lambda: START)
    notifier.listen(told.append)
    notifier.trouble(None)
    notifier.trouble(OSError(28, "No space left on device"))
    assert told == [DiskTrouble("No space left on device")]


async def test_listeners_hear_in_the_order_in_which_things_happened(house: House) -> None:
    house.server.refusals = {BEA: UNKNOWN_USER}
    await house.courier.submit(mail(ANNA, BEA))
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.quiet()
    assert house.stories == ["Failed", "Delivered", "Deferred"]


async def test_a_disk_that_fails_at_the_start_is_trouble_and_no_outcome(house: House) -> None:
    house.disk_error = OSError(5, "Input/output error")
    await house.restart()
    house.disk_error = None
    trouble = house.told(DiskTrouble)
    assert len(trouble) > 1, "of the history and of the folder"
    assert set(trouble) == {DiskTrouble("Input/output error")}
    await house.courier.stop()
    assert not (house.folder / "history").exists()

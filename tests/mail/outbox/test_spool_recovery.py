"""What an earlier run has left is taken up, even where a folder cannot be read at first."""

from collections.abc import Callable
import errno

import pytest

from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.events import DiskTrouble
from custom_components.email_courier.mail.outbox.hold import FloodLimit
from custom_components.email_courier.mail.outbox.spool import RETRY_AFTER
from custom_components.email_courier.mail.outbox.store import Found, Store
from custom_components.email_courier.mail.outbox.submission import Status
from tests.mail.outbox.house import HOUR, Digests, House, mail
from tests.mail.outbox.servers import DOWN

ANNA = "anna@example.test"
UNREADABLE = OSError(errno.EIO, "Input/output error")


def unreadable(name: str) -> Callable[[Store], Found]:
    """Return a way to open stores that fails for the folder of this name."""
    open_store = Store.open

    def open_or_fail(store: Store) -> Found:
        if store.folder.name == name:
            raise UNREADABLE
        return open_store(store)

    return open_or_fail


@pytest.fixture
async def left_behind(house: House) -> House:
    """One mail waits, another is held back, and the program has ended."""
    house.config = CourierConfig(
        flood_limit=FloodLimit(per_hour=1, digests=Digests(lambda mails: mails[0]))
    )
    await house.restart()
    house.server.failure = DOWN
    await house.courier.submit(mail(ANNA, text="waiting"))
    await house.courier.submit(mail(ANNA, text="held"))
    await house.courier.stop()
    house.server.failure = None
    return house


async def test_held_mail_that_cannot_be_read_holds_up_no_waiting_mail(
    left_behind: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "open", unreadable("held"))
    await left_behind.restart()
    assert left_behind.told(DiskTrouble) == [DiskTrouble("Input/output error")]
    assert len(left_behind.server.mails) == 1


@pytest.mark.parametrize("folder", ["held", "account"])
async def test_a_folder_that_could_not_be_read_is_read_later(
    left_behind: House, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Store, "open", unreadable(folder))
        await left_behind.restart()
        await left_behind.turn(RETRY_AFTER)
        assert len(left_behind.told(DiskTrouble)) == 2
    await left_behind.turn(RETRY_AFTER)
    assert len(left_behind.server.mails) == 1
    await left_behind.turn(HOUR)
    assert len(left_behind.server.mails) == 2
    assert left_behind.courier.state.waiting == 0
    assert len(left_behind.told(DiskTrouble)) == 2


async def test_mail_that_came_in_the_meantime_is_not_taken_up_twice(
    left_behind: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Store, "open", unreadable("account"))
        await left_behind.restart()
    left_behind.server.failure = DOWN
    receipt = await left_behind.courier.submit(mail("ben@example.test"))
    assert receipt.status is Status.QUEUED
    await left_behind.turn(RETRY_AFTER)
    waiting = await left_behind.courier.waiting()
    assert len({record.id for record in waiting}) == len(waiting) == 3
    assert left_behind.courier.state.waiting == 3

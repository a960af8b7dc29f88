"""Mail that nobody is owed any more, on a disk that does not let go of it."""

from collections.abc import Iterator, Sequence
import contextlib
from copy import replace
import os
from pathlib import Path

import pytest

from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.events import Failed, GivenUp
from custom_components.email_courier.mail.outbox.hold import FloodLimit
from custom_components.email_courier.mail.outbox.store import Store, make_folder
from custom_components.email_courier.mail.outbox.submission import DAY, OutgoingMail
from tests.mail.outbox.house import HOUR, MINUTE, Digests, House, mail
from tests.mail.outbox.servers import DOWN


@contextlib.contextmanager
def clinging(only: str = "", *, is_writable: bool) -> Iterator[None]:
    """Let a disk remove nothing whose path holds some text, and write either all or nothing."""
    unlink = Path.unlink

    def refuse(path: Path, *_: object, **__: object) -> None:
        if only in str(path):
            raise OSError(f"Read-only file system: {path.name}")
        unlink(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        if not is_writable:
            patch.setattr(Path, "touch", refuse)
            patch.setattr(Path, "rename", refuse)
        yield


async def deliver(house: House, count: int, *, is_writable: bool) -> None:
    """Have mails delivered that have waited, and that the disk does not let go of."""
    house.server.failure = DOWN
    for _ in range(count):
        await house.courier.submit(mail())
    house.server.failure = None
    with clinging(is_writable=is_writable):
        await house.turn(35)
    assert len(house.server.mails) == count
    assert house.courier.state.waiting == 0
    assert len(list(house.folder.glob("*.eml"))) == count


@pytest.mark.parametrize("is_writable", [False, True])
async def test_what_was_delivered_is_removed_as_soon_as_the_disk_lets_it(
    house: House, *, is_writable: bool
) -> None:
    await deliver(house, 5, is_writable=is_writable)
    await house.turn(MINUTE)
    assert house.files == []
    await house.restart()
    assert len(house.server.mails) == 5


async def test_what_was_delivered_is_removed_at_the_stop(house: House) -> None:
    await deliver(house, 5, is_writable=False)
    await house.courier.stop()
    assert house.files == []
    await house.restart()
    assert len(house.server.mails) == 5


async def test_what_was_delivered_is_removed_when_the_disk_takes_another_mail(
    house: House,
) -> None:
    await deliver(house, 2, is_writable=False)
    house.server.failure = DOWN
    await house.courier.submit(mail())
    await house.quiet()
    assert house.files == [".eml", ".json"]


async def test_what_was_delivered_is_marked_where_it_can_only_not_be_removed(
    house: House,
) -> None:
    await deliver(house, 5, is_writable=True)
    with clinging(is_writable=True):
        house.crash()
        await house.restart()
        assert house.courier.state.waiting == 0
        assert Store(house.folder).count() == 0
    await house.restart()
    assert len(house.server.mails) == 5
    assert house.files == []


async def test_a_folder_that_is_read_again_brings_back_nothing_that_was_delivered(
    house: House,
) -> None:
    await deliver(house, 2, is_writable=False)
    with clinging(is_writable=False):
        await house.courier._spool.open()  # noqa: SLF001 - as after trouble at the start
        await house.quiet()
        assert house.courier.state.waiting == 0
    assert len(house.server.mails) == 2


def first(mails: Sequence[OutgoingMail]) -> OutgoingMail:
    """Stand for all."""
    return replace(mails[0], subject="Digest")


@pytest.mark.parametrize("is_writable", [False, True])
async def test_parts_of_a_digest_that_a_start_cannot_remove_are_held_no_more(
    house: House, monkeypatch: pytest.MonkeyPatch, *, is_writable: bool
) -> None:
    house.config = CourierConfig(flood_limit=FloodLimit(per_hour=1, digests=Digests(first)))
    await house.restart()
    for _ in range(4):
        await house.courier.submit(mail())

    def crash(*_: object) -> None:
        house.crash()
        raise OSError("crashed")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "remove", crash)
        await house.turn(HOUR)
    with clinging("held", is_writable=is_writable):
        await house.restart()
        assert house.courier.state.waiting in {0, 1}
        await house.turn(6 * MINUTE)
        assert house.courier.state.waiting == 0
    for _ in range(12):
        await house.turn(10 * MINUTE)
        assert house.courier.state.waiting == 0
    assert len(house.server.mails) == 2
    assert list((house.folder / "held").iterdir()) == []
    await house.restart()
    assert len(house.server.mails) == 2


async def test_a_held_mail_that_expired_is_told_once_on_a_disk_that_clings_to_it(
    house: House,
) -> None:
    house.config = CourierConfig(flood_limit=FloodLimit(per_hour=1, digests=Digests(first)))
    await house.restart()
    for _ in range(3):
        await house.courier.submit(mail())
    await house.courier.stop()
    house.clock.time += 2 * DAY
    with clinging("held", is_writable=False):
        await house.restart()
        await house.turn(30 * MINUTE)
    await house.turn(MINUTE)
    assert [event.reason for event in house.told(Failed)] == [GivenUp.EXPIRED] * 2
    assert list((house.folder / "held").iterdir()) == []


def test_each_new_folder_is_synced_in_the_one_that_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    storage = tmp_path / ".storage"
    storage.mkdir()
    make_folder(storage / "email_courier" / "account" / "held")
    assert synced == [storage, storage / "email_courier", storage / "email_courier" / "account"]
    make_folder(storage / "email_courier" / "account" / "held")
    assert len(synced) == 3


def test_a_folder_whose_name_cannot_be_synced_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError("Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="Input/output"):
            make_folder(tmp_path / "account")
    assert not (tmp_path / "account").exists()

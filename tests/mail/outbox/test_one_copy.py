"""A reload, and a crash inside a hand-over, make no copy."""

import asyncio
from pathlib import Path

import pytest

from custom_components.email_courier.mail.envelope import Envelope
from custom_components.email_courier.mail.outbox import dispatcher, store
from custom_components.email_courier.mail.outbox.backup import Backup
from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.events import Dropped
from custom_components.email_courier.mail.outbox.store import Store, TakenMail
from custom_components.email_courier.mail.outbox.submission import OutgoingMail, Status
from tests.mail.outbox.house import MINUTE, House, mail
from tests.mail.outbox.servers import DOWN, GREYLISTED


async def test_a_stop_waits_for_a_final_reply_that_comes_soon(house: House) -> None:
    house.server.verdict.clear()
    caller = asyncio.create_task(house.courier.submit(mail()))
    await house.quiet()
    stopping = asyncio.create_task(house.courier.stop())
    await asyncio.sleep(0.02)
    assert not stopping.done()
    house.server.verdict.set()
    await stopping
    assert (await caller).status is Status.SENT
    await house.restart()
    assert len(house.server.mails) == 1


async def test_a_stop_does_not_wait_for_ever(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "REPLY_GRACE", 0.05)
    house.server.verdict.clear()
    caller = asyncio.create_task(house.courier.submit(mail()))
    await house.quiet()
    await house.courier.stop()
    assert (await caller).status is Status.QUEUED


class Pair:
    """Two accounts, the one the backup of the other, in one house each."""

    def __init__(self, folder: Path, house: House) -> None:
        """Let the house's account give, and another one take."""
        self.giver = house
        self.taker = House(folder / "taker")
        self.crashes = False
        backup = Backup(own="giver", account="taker", hand_over=self.hand_over)
        house.config = CourierConfig(backup=backup)

    async def hand_over(self, given: OutgoingMail) -> None:
        """Give a mail to the taker, and crash before the giver hears of that."""
        await self.taker.courier.accept(given)
        if self.crashes:
            self.giver.crash()
            raise OSError("crashed")


@pytest.fixture
async def pair(tmp_path: Path, house: House) -> Pair:
    """Have both started."""
    pair = Pair(tmp_path, house)
    await pair.taker.courier.start()
    await house.courier.stop()
    await house.restart()
    return pair


@pytest.mark.parametrize("fate", ["delivered", "waiting", "dropped", "restarted"])
async def test_a_crash_inside_a_hand_over_makes_no_copy(pair: Pair, fate: str) -> None:
    giver, taker = pair.giver, pair.taker
    giver.server.failure = DOWN
    await giver.courier.submit(mail("a@example.test", "b@example.test"))
    if fate != "delivered":
        taker.server.failure = GREYLISTED
    pair.crashes = True
    await giver.turn(5 * MINUTE)
    await taker.quiet()
    if fate == "dropped":
        await taker.courier.drop()
        assert len(taker.told(Dropped)) == 1
    if fate == "restarted":
        taker.crash()
        taker.server.failure = DOWN
        await taker.restart()
    pair.crashes = False
    giver.server.failure = None
    await giver.restart()
    await giver.turn(MINUTE)
    taker.server.failure = None
    await taker.turn(60 * MINUTE)
    assert giver.server.mails == []
    assert giver.files == []
    assert len(taker.server.mails) == (0 if fate == "dropped" else 2)
    for courier in (taker.courier, *taker.ghosts):
        await courier.stop()


async def test_a_taker_that_was_restarted_knows_what_it_has_delivered(pair: Pair) -> None:
    sent = mail(visited_accounts=["giver"])
    await pair.taker.courier.accept(sent)
    await pair.taker.quiet()
    await pair.taker.courier.stop()
    await pair.taker.restart()
    await pair.taker.courier.accept(sent)
    await pair.taker.quiet()
    assert len(pair.taker.server.mails) == 1
    await pair.taker.courier.stop()


async def test_only_recipients_that_are_new_are_taken_over(pair: Pair) -> None:
    sent = mail("a@example.test", visited_accounts=["giver"])
    await pair.taker.courier.accept(sent)
    more = OutgoingMail(
        envelope=Envelope("house@house.test", ("a@example.test", "b@example.test")),
        data=sent.data,
        message_id=sent.message_id,
        visited_accounts=("giver",),
    )
    await pair.taker.courier.accept(more)
    await pair.taker.quiet()
    assert [to for to, _ in pair.taker.server.mails] == ["a@example.test", "b@example.test"]
    await pair.taker.courier.stop()


async def test_a_mail_that_the_backup_did_not_get_is_tried_here_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    giver = pair.giver
    giver.server.failure = DOWN
    await giver.courier.submit(mail())
    pair.crashes = True

    async def crash(_: OutgoingMail) -> None:
        giver.crash()
        raise OSError("crashed")

    monkeypatch.setattr(pair.taker.courier, "accept", crash)
    await giver.turn(5 * MINUTE)
    monkeypatch.undo()
    pair.crashes = False
    pair.taker.server.failure = DOWN
    await pair.taker.courier.submit(mail())
    giver.server.failure = None
    await giver.restart()
    await giver.turn(MINUTE)
    assert len(giver.server.mails) == 1
    await pair.taker.courier.stop()


def test_what_was_taken_is_remembered_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "REMEMBERED", 3)
    taken = TakenMail(tmp_path / "account")
    for number in range(20):
        taken.add(f"<{number}@house.test>", ["a@example.test"])
        taken.add(f"<{number}@house.test>", ["a@example.test"])
    again = TakenMail(tmp_path / "account")
    known = [n for n in range(20) if again.known(f"<{n}@house.test>", ["a@example.test"])]
    assert known[-3:] == [17, 18, 19]
    assert len(known) <= 7


def test_a_line_that_a_crash_has_cut_spoils_no_other(tmp_path: Path) -> None:
    TakenMail(tmp_path).add("<1@house.test>", ["a@example.test"])
    with (tmp_path / "taken").open("ab") as file:
        file.write(b"0123\xff")
    TakenMail(tmp_path).add("<2@house.test>", ["a@example.test"])
    again = TakenMail(tmp_path)
    assert again.known("<1@house.test>", ["a@example.test"]) == {"a@example.test"}
    assert again.known("<2@house.test>", ["a@example.test", "b@x.test"]) == {"a@example.test"}
    assert Store(tmp_path).open().mails == ()

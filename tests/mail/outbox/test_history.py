"""The last outcomes that are remembered."""

from copy import replace
from pathlib import Path
import stat

import pytest

from custom_components.email_courier.mail.outbox.events import Dropped, OutboxState, StateChanged
from custom_components.email_courier.mail.outbox.history import LENGTH, History
from custom_components.email_courier.mail.outbox.submission import DamagedMailError
from tests.mail.outbox.house import START


def test_a_history_makes_its_folder_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "outbox" / "account"
    History(folder / "history").save([{"outcome": "delivered"}])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert History(folder / "history").load() == [{"outcome": "delivered"}]


async def test_no_history_is_longer_than_it_may_be_before_one_was_read(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    event = Dropped(at=START, message_id="<1@x>", subject="", recipients=(), attempts=0)
    assert all(history.add(event) for _ in range(LENGTH + 1))
    assert len(history.outcomes) == LENGTH


def test_what_is_no_outcome_is_not_remembered(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    assert not history.add(StateChanged(OutboxState()))
    assert history.outcomes == ()


def test_what_is_no_outcome_in_the_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "history").write_text("[1, null, []]")
    assert History(tmp_path / "history").load() == []


@pytest.mark.parametrize("written", ['{"outcome": "delivered"}', "null", "[", "[" * 100_000])
def test_a_file_that_holds_no_list_is_set_aside(tmp_path: Path, written: str) -> None:
    (tmp_path / "history").write_text(written)
    history = History(tmp_path / "history")
    with pytest.raises(DamagedMailError):
        history.load()
    assert (tmp_path / "damaged" / "history").read_text() == written
    assert history.load() == []


def test_the_outcome_of_a_digest_stands_for_those_of_the_mails_in_it(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    event = Dropped(at=START, message_id="<1@x>", subject="", recipients=(), attempts=0)
    assert history.add(event)
    assert not history.add(replace(event, message_id="<2@x>", digest="<1@x>"))

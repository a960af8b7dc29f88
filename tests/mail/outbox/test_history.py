"""The last outcomes that are remembered."""

from pathlib import Path
import stat

import pytest

from custom_components.email_courier.mail.outbox.events import Dropped, OutboxState, StateChanged
from custom_components.email_courier.mail.outbox.history import LENGTH, History
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


@pytest.mark.parametrize("written", ['{"outcome": "delivered"}', "null", "[1, null, []]"])
def test_a_file_that_holds_no_outcomes_is_an_empty_history(tmp_path: Path, written: str) -> None:
    (tmp_path / "history").write_text(written)
    assert History(tmp_path / "history").load() == []

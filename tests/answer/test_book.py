"""The open questions on disk."""

import json
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.email_courier.answer.book import MOST_OPEN, Asked, Book, async_book
from custom_components.email_courier.answer.question import Action, AskedMail, Question
from tests.support.answers import OPEN, Client, ask, page_at
from tests.support.fixtures import Bed
from tests.support.sending import let_pass


def question(name: str = "a", life: float = 3600, **more: Any) -> Question:
    """Return a question that nobody has been asked yet."""
    return Question(name, [Action("OPEN", "Open")], dt_util.utcnow().timestamp() + life, **more)


async def kept(book: Book, asked: Question) -> str:
    """Keep a question, and return the token of its button."""
    token, name = book.signer.token()
    await book.async_keep(asked, AskedMail("entry", {name: 0}, ("a@x.test",), "<1@x>", "Gate?"))
    return token


@pytest.fixture
async def book(hass: HomeAssistant) -> Any:
    """A book of its own."""
    book = Book(hass)
    await book.async_load()
    yield book
    book.async_close()


async def reread(hass: HomeAssistant, book: Book) -> Book:
    """Return what a restart reads."""
    book.async_close()
    other = Book(hass)
    await other.async_load()
    other.async_close()
    return other


async def test_what_is_kept_is_read_again(hass: HomeAssistant, book: Book) -> None:
    asked = question(needs_user=True, thread="t")
    asked.context_id, asked.user_id, asked.repeat = "c", "u", {"left": 1}
    token = await kept(book, asked)

    other = await reread(hass, book)

    found = other.find(token)
    assert isinstance(found, Asked)
    assert found.question.as_dict() == asked.as_dict()
    assert found.action == Action("OPEN", "Open")


async def test_expired_questions_vanish_from_memory_and_disk(
    hass: HomeAssistant, book: Book, freezer: FrozenDateTimeFactory
) -> None:
    token = await kept(book, question(life=60))
    await kept(book, question("b", life=7200))

    await let_pass(hass, freezer, minutes=2)

    assert book.find(token) is None
    assert [one.id for one in book.questions] == ["b"]
    stored = json.loads(await hass.async_add_executor_job(book.path.read_text))
    assert [one["id"] for one in stored["questions"]] == ["b"]


async def test_what_expired_while_home_assistant_was_off_is_not_read(
    hass: HomeAssistant, book: Book, freezer: FrozenDateTimeFactory
) -> None:
    await kept(book, question(life=60))
    freezer.tick(120)

    assert (await reread(hass, book)).questions == ()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"version": 2}', '{"key": "00", "version": 1}']
)
async def test_a_damaged_file_opens_nothing_and_stops_nothing(
    hass: HomeAssistant, book: Book, content: str
) -> None:
    token = await kept(book, question())
    await hass.async_add_executor_job(book.path.write_text, content)

    other = await reread(hass, book)

    assert other.questions == ()
    assert not isinstance(other.find(token), Asked)
    await kept(other, question())


async def test_a_question_that_cannot_be_saved_is_an_error(hass: HomeAssistant, book: Book) -> None:
    await kept(book, question())
    await hass.async_add_executor_job(_block, book)

    with pytest.raises(OSError, match="directory"):
        await kept(book, question("b"))


async def test_an_answer_that_cannot_be_saved_acts_not_and_can_be_given_again(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: list[Any]
) -> None:
    links = await ask(hass, bed, actions=[OPEN])
    link = links["Open the gate"]
    fields = (await page_at(client, link)).fields
    book = await async_book(hass)
    await hass.async_add_executor_job(_block, book)

    response = await client.post(link, data=fields)

    assert response.status == 503
    assert pressed == []
    await hass.async_add_executor_job(book.path.rmdir)
    assert (await client.post(link, data=fields)).status == 200


def _block(book: Book) -> None:
    """Put a folder in the place of the file: nothing can be renamed to it."""
    book.path.unlink(missing_ok=True)
    book.path.mkdir(parents=True)


async def test_the_oldest_goes_when_there_are_too_many(
    book: Book, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(f"{Book.__module__}.MOST_OPEN", 3)
    assert MOST_OPEN == 1000

    tokens = [await kept(book, question(str(number))) for number in range(5)]

    assert [isinstance(book.find(token), Asked) for token in tokens] == [False, False, *[True] * 3]
    assert "wait for an answer" in caplog.text


async def test_only_its_owner_reads_the_files(hass: HomeAssistant, book: Book) -> None:
    await kept(book, question())

    folder = Path(hass.config.path(".storage"))
    files = await hass.async_add_executor_job(_modes, folder)

    assert files == [0o600, 0o600]


def _modes(folder: Path) -> list[int]:
    return [file.stat().st_mode & 0o777 for file in folder.glob("email_courier.questions*")]


async def test_of_many_open_questions_only_the_one_that_changes_is_encoded(
    hass: HomeAssistant, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = [await kept(book, question(str(number), is_once=False)) for number in range(30)]
    book = await reread(hass, book)
    encoded: list[str] = []
    whole = Question.as_dict

    def noted(one: Question) -> dict[str, Any]:
        encoded.append(one.id)
        return whole(one)

    monkeypatch.setattr(Question, "as_dict", noted)
    found = book.find(tokens[7])
    assert isinstance(found, Asked)
    assert await book.async_answer(found) is not None
    await kept(book, question("new"))
    assert encoded == ["7", "new"]
    monkeypatch.undo()

    other = await reread(hass, book)
    assert [one.as_dict() for one in other.questions] == [one.as_dict() for one in book.questions]
    assert len(other.questions) == 31


async def test_what_was_noted_of_a_question_is_written_with_the_next_change(
    hass: HomeAssistant, book: Book
) -> None:
    asked = question("a")
    await kept(book, asked)
    asked.failed_logins = 3
    book.note_change(asked)
    await kept(book, question("b"))
    other = await reread(hass, book)
    assert [one.failed_logins for one in other.questions] == [3, 0]

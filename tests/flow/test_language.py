"""What one person reads is in one language: that person's, and not the home's.

The home speaks French, whoever reads speaks German, and the servers speak English, which is quoted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
import json
from pathlib import Path
import re
from typing import Any

from aiohttp.test_utils import make_mocked_request
from homeassistant.auth.models import User
from homeassistant.components.frontend.storage import async_user_store
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import current_request
from homeassistant.setup import async_setup_component
import pytest

from custom_components.email_courier import const, errors
from custom_components.email_courier.const import DOMAIN
from custom_components.email_courier.flow import draft
from custom_components.email_courier.mail.address import parse_mailbox
from custom_components.email_courier.mail.failure import (
    Cause,
    Failure,
    FailureKind,
    MailError,
    Permanence,
    Stage,
)
from custom_components.email_courier.mail.outbox.submission import OutboxError, OutboxReason
from custom_components.email_courier.mail.reply import Reply
from custom_components.email_courier.mail.settings import Deadlines
from custom_components.email_courier.phrases import Phrases
from custom_components.email_courier.reader import async_reader
from tests.flow.test_config_flow_failures import CASES, HOST, TYPED, Case
from tests.support.accounts import account_entry, load
from tests.support.dialogs import Dialog
from tests.support.fixtures import Bed
from tests.support.listener import Listener
from tests.support.network import Network
from tests.support.script import Script

FOLDER = Path(const.__file__).parent / "translations"
WORDS = "550 5.7.1 Get off my lawn"
BAD_ADDRESSES = {
    "": Cause.ADDRESS_EMPTY,
    "a@b.test, c@d.test": Cause.ADDRESS_SEVERAL,
    "a@b\0.test": Cause.ADDRESS_CONTROL,
    "Anna <a@b.test> x": Cause.ADDRESS_BRACKETS,
    f"{'x' * 501} <a@b.test>": Cause.ADDRESS_NAME_LONG,
    "anna": Cause.ADDRESS_NO_AT,
    "a@b@c.test": Cause.ADDRESS_TWO_ATS,
    f"{'x' * 250}@b.test": Cause.ADDRESS_LONG,
    '"anna@b.test': Cause.ADDRESS_QUOTE,
    "a b@c.test": Cause.ADDRESS_LOCAL_PART,
    "a@b..test": Cause.ADDRESS_DOMAIN,
    "a@[300.1.1.1]": Cause.ADDRESS_DOMAIN,
}
INTERNALS = re.compile(r"Errno|Error\b|Connect call|\('|Field\.|_ssl|\b[a-z]+_[a-z_]+\b")


def _texts(language: str) -> dict[str, Any]:
    texts: dict[str, Any] = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return texts


def _leaves(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    else:
        for branch in tree.values():
            yield from _leaves(branch)


def _pieces(language: str) -> set[str]:
    """Return what all texts of a language say between their values, where it is long enough."""
    pieces = {
        piece.strip() for text in _leaves(_texts(language)) for piece in re.split(r"\{\w+\}", text)
    }
    return {piece for piece in pieces if len(piece) > 8 and " " in piece}


GERMAN, FRENCH, ENGLISH = (_pieces(language) for language in ("de", "fr", "en"))


def _foreign(text: str, *languages: set[str], own: set[str]) -> set[str]:
    return {piece for pieces in languages for piece in pieces - own if piece in text}


def _is_german(text: str) -> bool:
    return not _foreign(text, FRENCH, ENGLISH, own=GERMAN)


def _filled(template: str, values: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], template)


@pytest.fixture
async def anna(hass: HomeAssistant) -> User:
    """A person who has chosen German, in a home that speaks French."""
    hass.config.language = "fr"
    assert await async_setup_component(hass, DOMAIN, {})
    user = await hass.auth.async_create_user("Anna")
    hass.config.components.add("frontend")
    (await async_user_store(hass, user.id)).data["language"] = {"language": "de"}
    return user


@contextmanager
def asked_by(user: User | None, accepted: str = "en") -> Iterator[None]:
    """Serve a request of somebody's browser."""
    request = make_mocked_request("POST", "/", headers={"Accept-Language": accepted})
    request["hass_user"] = user
    token = current_request.set(request)
    try:
        yield
    finally:
        current_request.reset(token)


async def _language(hass: HomeAssistant) -> str | None:
    reader = await async_reader(hass)
    return None if reader is None else reader.language


async def test_the_profile_comes_first_then_the_browser_then_the_home(
    hass: HomeAssistant, anna: User
) -> None:
    bert = await hass.auth.async_create_user("Bert")
    assert await _language(hass) is None
    with asked_by(anna, "nl"):
        assert await _language(hass) == "de"
    with asked_by(bert, "tlh, nl-BE;q=0.8, sv;q=0.9"):
        assert await _language(hass) == "sv"
    with asked_by(bert, "zh-TW,zh;q=0.9"):
        assert await _language(hass) == "zh-Hant"
    with asked_by(bert, "zh-CN,zh;q=0.9"):
        assert await _language(hass) == "zh-Hans"
    with asked_by(bert, "*, ;q=oops, x;q=0"):
        assert await _language(hass) == "fr"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
async def test_every_error_of_the_dialog_is_in_the_readers_language_alone(
    hass: HomeAssistant,
    anna: User,
    bed: Bed,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    case: Case,
) -> None:
    if case.is_slow:
        quick = Deadlines(handshake=2.0, connect=1.0, greeting=2.0)
        monkeypatch.setattr(draft, "DIALOG_DEADLINES", quick)
    ports: dict[int, Listener] = {}
    if isinstance(case.server, Script):
        ports[2525] = await bed.serve(case.server)
    elif case.server is not None:
        ports[2525] = await bed.host(case.server)
    network.add(HOST, ports, filtered=frozenset({2525} if case.is_filtered else ()))
    typed = {**TYPED, **case.typed}
    with asked_by(anna):
        dialog = await Dialog.new_account(hass)
        await dialog.fill_in(**typed)
        if dialog.step == "plain_login":
            await dialog.submit(allow_plain_login=True)
        if case.page == "finish":
            await dialog.submit(test_recipient=typed["test_recipient"])

    (key,) = dialog.errors.values()
    text = _filled(_texts("de")["config"]["error"][key], dialog.page["description_placeholders"])
    own = re.sub("„[^“]*“", "", text)  # what the server said stays as it is
    assert _is_german(own), _foreign(own, FRENCH, ENGLISH, own=GERMAN)
    assert not INTERNALS.search(own), text


@pytest.mark.parametrize(("typed", "cause"), BAD_ADDRESSES.items())
async def test_what_is_wrong_with_an_address_is_said_in_the_readers_language(
    hass: HomeAssistant, anna: User, typed: str, cause: Cause
) -> None:
    with pytest.raises(MailError) as raised:
        parse_mailbox(typed)
    failure = raised.value.failure
    assert failure.facts["cause"] == cause

    with asked_by(anna):
        said = errors.said(failure, await Phrases.async_for_reader(hass))

    expected = _texts("de")["selector"]["phrase"]["options"][cause]
    assert said == expected.replace("{address}", failure.facts["address"])


async def test_a_recipients_dialog_speaks_the_readers_language(
    hass: HomeAssistant, anna: User, bed: Bed
) -> None:
    entry = account_entry(await bed.serve())
    await load(hass, entry)
    with asked_by(anna):
        dialog = await Dialog.new_recipient(hass, entry)
        await dialog.submit(name="Familie", to=["carl"])
    assert "„carl“ fehlt das @" in dialog.page["description_placeholders"]["said"]


@pytest.mark.parametrize("kind", FailureKind)
async def test_every_error_of_an_action_is_in_the_readers_language_and_english_in_the_log(
    hass: HomeAssistant, anna: User, kind: FailureKind
) -> None:
    for cause in (None, *Cause):
        await _check_error(hass, anna, kind, cause)


async def _check_error(
    hass: HomeAssistant, anna: User, kind: FailureKind, cause: Cause | None
) -> None:
    facts = {"size": "35900000", "limit": "25000000", "address": "anna", "path": "/ssl/ca.pem"}
    if cause is not None:
        facts |= {"cause": cause.value, "reason": "file_not_found"}
    reply = Reply(550, (WORDS.removeprefix("550 "),))
    failure = Failure(
        kind, Stage.DATA, Permanence.PERMANENT, reply, "[Errno 111] Connect call failed", facts
    )
    with pytest.raises(errors.CourierError) as raised, asked_by(anna):
        async with errors.async_worded(hass):
            raise errors.error_for_failure(failure, account="Villa")

    error = raised.value
    template = _texts("de")["exceptions"][kind]["message"]
    text = _filled(template, error.translation_placeholders or {})
    assert _is_german(text), _foreign(text, FRENCH, ENGLISH, own=GERMAN)
    assert not _foreign(str(error), GERMAN, FRENCH, own=ENGLISH)
    assert "Connect call" not in text + str(error)
    if kind is FailureKind.MESSAGE_TOO_LARGE:
        assert "35,9 MB" in text
        assert "35.9 MB" in str(error)


@pytest.mark.parametrize("reason", OutboxReason)
async def test_what_the_outbox_refuses_is_said_in_the_readers_language(
    hass: HomeAssistant, anna: User, reason: OutboxReason
) -> None:
    refusal = OutboxError(reason, "[Errno 28] No space left on device", system=28)
    with pytest.raises(errors.CourierError) as raised, asked_by(anna):
        async with errors.async_worded(hass):
            raise errors.error_for_outbox(refusal, account="Villa")

    template = _texts("de")["exceptions"][str(raised.value.translation_key)]["message"]
    text = _filled(template, raised.value.translation_placeholders or {})
    assert _is_german(text)
    assert "Errno" not in text + str(raised.value)


@pytest.mark.usefixtures("anna")
async def test_nobody_is_told_in_english_as_logs_and_traces_are(hass: HomeAssistant) -> None:
    failure = Failure(FailureKind.DEFERRED, Stage.DATA, Permanence.TEMPORARY)
    with pytest.raises(errors.CourierError) as raised:
        async with errors.async_worded(hass):
            raise errors.error_for_failure(failure, account="Villa")
    before = dict(raised.value.translation_placeholders or {})
    assert not any(_foreign(text, GERMAN, FRENCH, own=ENGLISH) for text in before.values())


@pytest.mark.parametrize(
    ("language", "chosen", "written"),
    [
        ("de", "language", "35,9"),
        ("fr", "language", "35,9"),
        ("en", "language", "35.9"),
        ("ja", "language", "35.9"),
        ("de", "comma_decimal", "35.9"),
        ("en", "decimal_comma", "35,9"),
    ],
)
async def test_numbers_are_written_as_the_reader_has_chosen(
    hass: HomeAssistant, anna: User, language: str, chosen: str, written: str
) -> None:
    profile = {"language": language, "number_format": chosen}
    (await async_user_store(hass, anna.id)).data["language"] = profile
    with asked_by(anna):
        phrases = await Phrases.async_for_reader(hass)
    assert phrases.megabytes(35_900_000) == written


@pytest.mark.parametrize("language", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_every_language_says_how_it_writes_numbers(language: str) -> None:
    mark = _texts(language)["selector"]["phrase"]["options"]["decimal_mark"]
    assert mark == ("." if language in {"en", "ja", "ko", "zh-Hans", "zh-Hant"} else ",")

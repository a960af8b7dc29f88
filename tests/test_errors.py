"""Every error has a text that a person can read."""

import errno
import json
from pathlib import Path
import re
from string import Formatter

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.setup import async_setup_component
import pytest

from custom_components.email_courier import errors
from custom_components.email_courier.const import DOMAIN
from custom_components.email_courier.mail.compose.content import ContentError, ContentFault
from custom_components.email_courier.mail.failure import Failure, FailureKind, Permanence, Stage
from custom_components.email_courier.mail.outbox.submission import OutboxError, OutboxReason
from custom_components.email_courier.mail.reply import Reply

FOLDER = Path(errors.__file__).parent
TEXTS = json.loads((FOLDER / "translations" / "en.json").read_text())["exceptions"]
FACTS_OF_CONTENT = {
    *("action", "field", "name", "filename", "content_type", "content_id", "url"),
}
_RAISED = re.compile(r'(?:request_error|action_error)\(\s*"([a-z_]+)"((?:[^()]|\([^()]*\))*)\)')
_VALUE = re.compile(r"(\w+)=")


@pytest.fixture(autouse=True)
async def _texts(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})


def _names_in(key: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(TEXTS[key]["message"]) if name}


def _failure(kind: FailureKind) -> Failure:
    return Failure(
        kind,
        Stage.SENDER,
        Permanence.PERMANENT,
        Reply(550, ("5.7.1 No {braces}", "at all")),
        facts={"size": "2500000", "limit": "1000000", "offered": "NTLM", "protocol": "IMAP"},
    )


@pytest.mark.parametrize("kind", FailureKind)
async def test_every_failure_names_the_account_and_what_is_known(kind: FailureKind) -> None:
    own_fault = kind in {FailureKind.INVALID_SENDER, FailureKind.INVALID_RECIPIENT}

    error = errors.error_for_failure(_failure(kind), account="Villa")

    assert isinstance(error, ServiceValidationError) == own_fault
    assert error.translation_placeholders is not None
    assert _names_in(kind.value) <= error.translation_placeholders.keys()
    assert str(error) != kind.value
    assert own_fault or str(error).startswith("Villa: ")


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.SERVER_BUSY,
        FailureKind.INVALID_AUTH,
        FailureKind.SENDER_REJECTED,
        FailureKind.RECIPIENT_REJECTED,
        FailureKind.MESSAGE_REJECTED,
        FailureKind.DEFERRED,
        FailureKind.GREETING_REJECTED,
    ],
)
async def test_a_refusal_quotes_the_server_word_for_word(kind: FailureKind) -> None:
    error = errors.error_for_failure(_failure(kind), account="Villa")

    assert "550 5.7.1 No {braces} at all" in str(error)


async def test_a_mail_too_large_says_by_how_much() -> None:
    error = errors.error_for_failure(_failure(FailureKind.MESSAGE_TOO_LARGE), account="Villa")

    assert "2.5 MB" in str(error)
    assert "1.0 MB" in str(error)


async def test_a_small_limit_is_not_told_as_none_and_an_unknown_one_as_unknown() -> None:
    facts = {"size": "52345"}
    failure = Failure(FailureKind.MESSAGE_TOO_LARGE, Stage.DATA, Permanence.PERMANENT, facts=facts)

    text = str(errors.error_for_failure(failure, account="Villa"))

    assert "0.052 MB" in text
    assert "? MB" in text


async def test_a_failure_that_nobody_explains_still_has_a_whole_text() -> None:
    bare = Failure(FailureKind.MESSAGE_TOO_LARGE, Stage.DATA, Permanence.PERMANENT)

    assert "{" not in str(errors.error_for_failure(bare, account="Villa"))


@pytest.mark.parametrize("fault", ContentFault)
async def test_every_fault_of_content_has_a_text(fault: ContentFault) -> None:
    error = errors.error_for_content(ContentError("field", fault))

    assert _names_in(fault.value) <= FACTS_OF_CONTENT
    assert str(error) != fault.value


@pytest.mark.parametrize("reason", OutboxReason)
async def test_every_reason_of_the_outbox_has_a_text(reason: OutboxReason) -> None:
    error = errors.error_for_outbox(OutboxError(reason, "no space left"), account="Villa")

    assert not isinstance(error, ServiceValidationError)
    assert str(error).startswith("Villa")
    assert "no space left" not in str(error), "technical words are for the log"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "The disk is full."),
        (errno.EROFS, "can only be read"),
        (errno.EACCES, "may not write"),
        (errno.EIO, "cannot be written to disk."),
    ],
)
async def test_what_the_disk_refuses_is_said_in_words(number: int, words: str) -> None:
    error = errors.error_for_disk(OSError(number, "system's words", "/config/x"), account="Villa")

    assert words in str(error)
    assert "/config/x" not in str(error)
    assert "system's words" not in str(error)


def test_every_error_that_is_raised_anywhere_has_a_text_with_its_values() -> None:
    found = [
        (path.name, *match.groups())
        for path in FOLDER.rglob("*.py")
        for match in _RAISED.finditer(path.read_text())
    ]

    assert len(found) > 10
    for file, key, values in found:
        assert key in TEXTS, f"{key} in {file}"
        assert _names_in(key) <= set(_VALUE.findall(values)), f"{key} in {file}"

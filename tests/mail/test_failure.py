"""A failure as data: what it says, what it keeps for itself, and how it comes back from a file."""

from copy import replace
import json

import pytest

from custom_components.email_courier.mail.failure import (
    Failure,
    FailureKind,
    MailError,
    Permanence,
    Stage,
)
from custom_components.email_courier.mail.reply import Reply

REPLY = Reply(535, ("5.7.8 Wrong password", "for anna with 0pen-Sesame"))
FULL = Failure(
    FailureKind.INVALID_AUTH,
    Stage.LOGIN,
    Permanence.PERMANENT,
    REPLY,
    detail="tried 0pen-Sesame",
    facts={"mechanism": "PLAIN"},
)
BARE = Failure(FailureKind.CONNECT_TIMEOUT, Stage.CONNECT, Permanence.TEMPORARY)


def test_as_plain_data_it_says_everything() -> None:
    assert FULL.as_dict() == {
        "kind": "invalid_auth",
        "stage": "login",
        "permanence": "permanent",
        "reply": {"code": 535, "lines": ["5.7.8 Wrong password", "for anna with 0pen-Sesame"]},
        "detail": "tried 0pen-Sesame",
        "facts": {"mechanism": "PLAIN"},
    }


def test_without_a_reply_the_data_say_so() -> None:
    assert BARE.as_dict() == {
        "kind": "connect_timeout",
        "stage": "connect",
        "permanence": "temporary",
        "reply": None,
        "detail": "",
        "facts": {},
    }


@pytest.mark.parametrize("failure", [FULL, BARE], ids=["full", "bare"])
def test_it_comes_back_from_json_as_it_was(failure: Failure) -> None:
    restored = Failure.from_dict(json.loads(json.dumps(failure.as_dict())))
    assert restored == failure
    assert (restored.kind, restored.stage) == (failure.kind, failure.stage)
    assert isinstance(restored.kind, FailureKind)


def test_numbers_of_another_type_come_back_as_they_have_to_be() -> None:
    data = FULL.as_dict() | {
        "reply": {"code": "535", "lines": ["no"]},
        "detail": 5,
        "facts": {"size": 7},
    }
    restored = Failure.from_dict(data)
    assert restored.reply == Reply(535, ("no",))
    assert (restored.detail, restored.facts) == ("5", {"size": "7"})


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        ({"kind": "no such kind"}, ValueError),
        ({"stage": "nowhere"}, ValueError),
        ({"permanence": "sometimes"}, ValueError),
        ({"reply": {"code": "five", "lines": []}}, ValueError),
        ({"reply": {"lines": []}}, KeyError),
        ({"reply": {"code": 535}}, KeyError),
        ({"reply": 535}, TypeError),
    ],
)
def test_data_that_are_none_of_a_failure_are_an_error(
    damage: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        Failure.from_dict(FULL.as_dict() | damage)


@pytest.mark.parametrize("missing", ["kind", "stage", "permanence", "reply", "detail", "facts"])
def test_nothing_may_be_missing(missing: str) -> None:
    data = FULL.as_dict()
    del data[missing]
    with pytest.raises(KeyError, match=missing):
        Failure.from_dict(data)


def test_the_servers_words_are_the_reply_the_cause_or_both() -> None:
    words = "535 5.7.8 Wrong password for anna with 0pen-Sesame"
    kind, stage, permanence = FULL.kind, FULL.stage, FULL.permanence
    assert FULL.server_words == f"{words} (tried 0pen-Sesame)"
    assert Failure(kind, stage, permanence, REPLY).server_words == words
    assert Failure(kind, stage, permanence, detail="gone").server_words == "gone"
    assert BARE.server_words == ""


def test_the_log_gets_kind_stage_and_words() -> None:
    assert str(BARE) == "connect_timeout at connect"
    failure = Failure(FailureKind.DISCONNECTED, Stage.DATA, Permanence.TEMPORARY, detail="reset")
    assert str(failure) == "disconnected at data: reset"
    assert str(replace(failure, detail="reset by X")).endswith(": reset by X")


def test_the_error_carries_the_failure_and_says_what_it_is() -> None:
    error = MailError(FULL)
    assert error.failure is FULL
    assert str(error) == str(FULL)

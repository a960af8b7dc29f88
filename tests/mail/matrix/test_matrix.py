"""Every row of the table is answered as it says."""

import pytest

from custom_components.email_courier.mail.failure import FailureKind
from tests.mail.matrix.case import Case
from tests.mail.matrix.runner import LIMIT, Answer, answers
from tests.mail.matrix.table import CASES
from tests.support.certificates import Certificates


@pytest.fixture(scope="module")
def answered(certificates: Certificates) -> dict[Case, Answer]:
    """The answers to all rows, which are run side by side."""
    return answers(CASES, certificates)


@pytest.mark.slow
@pytest.mark.xdist_group("matrix")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_setting_gets_its_answer(case: Case, answered: dict[Case, Answer]) -> None:
    answer = answered[case]
    assert answer.key == case.key
    assert answer.remedy == case.remedy
    assert answer.mended is bool(case.remedy), "what the form comes back with has to work"
    assert case.words in answer.words
    assert answer.seconds <= LIMIT
    assert answer.leaked == ()
    assert answer.auth_commands <= 1
    assert answer.violations == ()


def test_the_names_of_the_rows_tell_them_apart() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_key_that_settings_can_lead_to_has_a_row() -> None:
    only_when_sending = {"recipient_rejected", "message_rejected", "message_too_large"}
    only_for_recipients = {"invalid_recipient"}
    keys = {case.key.value for case in CASES if case.key is not None}
    every = set(FailureKind)
    assert keys == every - only_when_sending - only_for_recipients

"""Each fault at each step, as the table has it."""

import pytest

from tests.mail.outbox.faults.case import Case
from tests.mail.outbox.faults.runner import Result, complaints, results
from tests.mail.outbox.faults.table import CASES
from tests.support.certificates import Certificates


@pytest.fixture(scope="module")
def found(certificates: Certificates) -> dict[Case, Result]:
    return results(CASES, certificates)


@pytest.mark.slow
@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fault_has_the_consequences_that_it_has_to_have(
    case: Case, found: dict[Case, Result]
) -> None:
    assert complaints(case, found[case]) == [], found[case]

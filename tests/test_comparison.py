"""The README's figures are those of the tables that the commands print.

That every row of these tables comes out as it says is tested where the tables are.
"""

from pathlib import Path

from tests.mail.matrix.table import CASES as SETTINGS
from tests.mail.outbox.faults.case import Fate
from tests.mail.outbox.faults.table import CASES as FAULTS

README = (Path(__file__).parent.parent / "README.md").read_text()


def row(name: str) -> str:
    """Return what the comparison says of this integration."""
    (line,) = [line for line in README.splitlines() if line.startswith(f"| {name} |")]
    return line.split("|")[2].strip()


def test_settings() -> None:
    wrong = sum(case.key is not None for case in SETTINGS)
    mendable = sum(bool(case.remedy) for case in SETTINGS)
    right = len(SETTINGS) - wrong

    assert row("wrong settings that the dialog names") == f"{wrong} of {wrong} ¹"
    assert row("of these, mended by one click").startswith(f"{mendable} of the {mendable} ")
    assert row("right settings that pass") == f"{right} of {right} ¹"


def test_faults() -> None:
    temporary = sum(set(case.fates) == {Fate.LATER} for case in FAULTS)
    permanent = sum(set(case.fates) == {Fate.REFUSED} for case in FAULTS)
    ambiguous = sum(Fate.TWICE in case.fates for case in FAULTS)

    assert row("temporary faults after which the mail arrives, once") == (
        f"{temporary} of {temporary} ⁴"
    )
    assert row("permanent refusals that the automation is told by name") == (
        f"{permanent} of {permanent} ⁴"
    )
    assert f"({ambiguous} further cases)" in README

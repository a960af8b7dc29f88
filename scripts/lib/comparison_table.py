"""Writes the README's comparison with core's `smtp` from the figures that were measured.

comparison_table.py [--check]: the figures come from docs/benchmarks.md (`scripts/bench`), from
docs/comparison.md (`scripts/compare`) and from the tables of the tests; with --check it is only
told whether the README has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
import sys

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support import pure  # noqa: E402

pure.install()

from tests.mail.matrix.runner import LIMIT  # noqa: E402
from tests.mail.matrix.table import CASES as SETTINGS  # noqa: E402
from tests.mail.outbox.faults.case import Fate  # noqa: E402
from tests.mail.outbox.faults.table import CASES as FAULTS  # noqa: E402

README = ROOT / "README.md"
TRANSLATIONS = ROOT / "custom_components/email_courier/translations"
BEGIN = "<!-- comparison: written by scripts/docs -->\n"
END = "<!-- end of the comparison -->\n"

_POSTFIX = "Postfix, STARTTLS and login"
_COLD = "20 ms line, STARTTLS and login, a single cold mail: round trips"
_WARM = "20 ms line, Postfix, STARTTLS and login: round trips"
_AT_ONCE = "20 ms line, Postfix, STARTTLS and login, at once: round trips"


class Page:
    """The tables of a page, by the first cell of a row."""

    def __init__(self, name: str) -> None:
        """Read a page of docs/."""
        lines = (ROOT / "docs" / name).read_text("utf-8").splitlines()
        rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line)
        self._rows = {cells[0]: cells[1:] for cells in rows}

    def cell(self, row: str, column: int) -> str:
        """Return a cell without the spread behind its median. Raises KeyError."""
        return self._rows[row][column].partition(" (")[0]


def table() -> Iterator[str]:
    """Yield the lines of the comparison."""
    yield "| | Email Courier | Home Assistant's `smtp` |"
    yield "|---|---|---|"
    yield "| comes with Home Assistant, and is looked after by its people | no, by itself | yes |"
    for row in (*_dialog(), *_delivery(), *_RANGE, *_speed()):
        yield f"| {' | '.join(row)} |"


def _dialog() -> Iterator[Sequence[str]]:
    core = Page("comparison.md")
    wrong = sum(case.key is not None for case in SETTINGS)
    right = len(SETTINGS) - wrong
    mendable = sum(bool(case.remedy) for case in SETTINGS)
    languages = len(list(TRANSLATIONS.glob("*.json")))
    late = core.cell("ports that want TLS at once, answered by a timeout", 0)
    yield (
        "wrong settings that the dialog names",
        f"{wrong} of {wrong} ¹",
        f"{core.cell('wrong settings named', 0)} ²",
    )
    yield (
        "wrong settings that are saved as if they were right",
        "none ¹",
        f"{core.cell('wrong settings saved', 0)} ²",
    )
    yield (
        "wrong settings that one click mends",
        f"{mendable} of the {mendable} that the server can mend ¹",
        "none ⁴",
    )
    yield (
        "right settings that pass",
        f"{right} of {right} ¹",
        f"{core.cell('right settings that pass', 0)} ²",
    )
    yield (
        "a port that wants TLS at once, asked without",
        f"named within {LIMIT:.0f} s ¹",
        f'"Timeout" ({late}), after 60 s unless set otherwise ²',
    )
    yield (
        "logins tried with one wrong password",
        "1 ¹",
        f"up to {core.cell('most logins with one wrong password', 0)} ²",
    )
    yield (
        "languages with all texts",
        str(languages),
        f"{core.cell(_LANGUAGES, 0)}, others in part ²",
    )


def _delivery() -> Iterator[Sequence[str]]:
    core = Page("comparison.md")
    later = sum(set(case.fates) == {Fate.LATER} for case in FAULTS)
    refused = sum(set(case.fates) == {Fate.REFUSED} for case in FAULTS)
    yield (
        "temporary faults after which the mail arrives, once",
        f"{later} of {later} ¹",
        f"{core.cell('temporary faults after which the mail arrives', 0)} ²",
    )
    yield (
        "permanent refusals that the automation is told by name",
        f"{refused} of {refused} ¹",
        f"{core.cell('permanent refusals named', 0)} ²",
    )
    yield (
        "mails whose acknowledgement is lost",
        "sent once more, with the same Message-ID ¹",
        "sent once more, and the automation is told that none was sent ²",
    )
    yield (
        "permanent refusals that are tried again all the same",
        "none ¹",
        f"{core.cell('permanent refusals tried more than once', 0)} ²",
    )


def _speed() -> Iterator[Sequence[str]]:
    bench = Page("benchmarks.md")

    def pair(row: str, unit: str = "") -> tuple[str, str]:
        """Return both medians; the first column of the page is the unit."""
        return f"{bench.cell(row, 1)}{unit} ³", f"{bench.cell(row, 2)}{unit} ³"

    cold, warm, at_once = (bench.cell(row, 1) for row in (_COLD, _WARM, _AT_ONCE))
    yield "logins to set up one account", *pair("dialog and set-up: logins")
    yield "mails a second in a burst of 200, with STARTTLS and login", *pair(_POSTFIX)
    yield (
        "round trips to the server for one mail",
        f"{cold} for the first, then {warm}; {at_once} in a burst to Postfix or Exim ³",
        f"{bench.cell(_WARM, 2)} ³",
    )
    yield "20 calls at the same time", *pair("20 calls at once, cold", " ms")
    yield (
        "one message to 50 people, each of them a recipient",
        *pair("one message to 50 recipients", " ms"),
    )
    yield (
        "a file of 20 MB: for how long all else stands still",
        *pair(f"{_LARGE}: longest stall", " ms"),
    )
    yield "a file of 20 MB: memory that it takes", *pair(f"{_LARGE}: extra memory", " MB")
    yield "set-up of an account at the start", *pair("set-up of one account", " ms")
    yield "import of its code at the start", *pair("import at a start", " ms")
    yield (
        "both together, with a server 20 ms away",
        *pair("import and set-up of one account, server 20 ms away", " ms"),
    )


_LANGUAGES = "languages with all texts"
_LARGE = "20 MB, file"
_RANGE: tuple[Sequence[str], ...] = (
    (
        "mail for several people",
        "one mail, with To, Cc and Bcc",
        "one mail for each entity; one mail with To by the classic action, which is deprecated ⁴",
    ),
    (
        "attachments",
        "files, media, cameras, images, speech; inline pictures",
        "media, cameras, images, speech, files by the deprecated action; inline pictures ⁴",
    ),
    ("bodies", "text, HTML, Markdown in a layout of its own", "text and HTML ⁴"),
    ("priority", "yes, and seen in the mail", "yes ⁴"),
    ("charts of what the home did, and reports by a schedule", "yes", "no ⁴"),
    ("buttons in a mail that act at home", "yes, with a login where it matters", "no ⁴"),
    ("activity, history, and triggers for failed, waiting and delivered mail", "yes", "no ⁴"),
    (
        "login",
        "password, or signing in with Google, Microsoft or a provider of your own",
        "password ⁴",
    ),
    ("a server with a self-signed certificate", "trust exactly that one", "switch the check off ⁴"),
)


def updated(readme: str) -> str:
    """Return the README with the figures as they are now."""
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + BEGIN + "".join(f"{line}\n" for line in table()) + END + tail


def main(arguments: Sequence[str]) -> int:
    """Write the table into the README; with --check only tell whether it is there."""
    before = README.read_text("utf-8")
    after = updated(before)
    if "--check" not in arguments:
        README.write_text(after, "utf-8")
    elif before != after:
        print("README.md has other figures than were measured: run scripts/docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

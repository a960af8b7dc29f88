"""Prints the table with what came of each row, and the totals.

Run by `scripts/matrix`; fails where an answer is not the one in the table.
"""

from collections.abc import Mapping
import sys
import time

from tests.support import pure

pure.install()

from tests.mail.matrix.case import Case  # noqa: E402
from tests.mail.matrix.runner import LIMIT, Answer, answers  # noqa: E402
from tests.mail.matrix.table import CASES, TABLE  # noqa: E402
from tests.support.certificates import Certificates  # noqa: E402

_ROW = "  {mark} {name:<62} {key:<30} {remedy:<34} {seconds:>6.1f} s"


def main() -> int:
    """Run all rows. Returns the program's exit status."""
    started = time.monotonic()
    answered = answers(CASES, Certificates())
    for kind, rows in TABLE.items():
        print(f"\n{kind}")
        for case in rows:
            print(_line(case, answered[case]))
    print(_totals(answered, time.monotonic() - started))
    return 0 if all(_as_expected(case, answer) for case, answer in answered.items()) else 1


def _line(case: Case, answer: Answer) -> str:
    good = _as_expected(case, answer)
    line = _ROW.format(
        mark=" " if good else "!",
        name=case.name,
        key=answer.key or "works",
        remedy=("-> " + answer.remedy) if answer.remedy else "",
        seconds=answer.seconds,
    )
    return line if good else f"{line}\n      {'; '.join(_complaints(case, answer))}"


def _complaints(case: Case, answer: Answer) -> list[str]:
    """Say what is not as the table has it."""
    expected = {
        f"should be {case.key or 'works'}": answer.key == case.key,
        f"should offer {case.remedy or 'nothing'}": answer.remedy == case.remedy,
        "what is offered does not work": answer.mended is bool(answer.remedy),
        f"should quote {case.words}": case.words in answer.words,
        f"took longer than {LIMIT:.0f} s": answer.seconds <= LIMIT,
        f"in clear: {', '.join(answer.leaked)}": not answer.leaked,
        f"tried to log in {answer.auth_commands} times": answer.auth_commands <= 1,
        f"bad SMTP: {', '.join(answer.violations)}": not answer.violations,
    }
    return [complaint for complaint, fine in expected.items() if not fine]


def _as_expected(case: Case, answer: Answer) -> bool:
    return not _complaints(case, answer)


def _totals(answered: Mapping[Case, Answer], seconds: float) -> str:
    wrong = [case for case in answered if case.key is not None]
    named = sum(answered[case].key == case.key for case in wrong)
    right = [case for case in answered if case.key is None]
    passed = sum(answered[case].key is None for case in right)
    mendable = [case for case in answered if case.remedy]
    mended = sum(_is_mended(case, answered[case]) for case in mendable)
    slowest = max(answered, key=lambda case: answered[case].seconds)
    leaks = sum(len(answer.leaked) for answer in answered.values())
    return "\n".join(
        (
            "",
            f"cases             {len(answered)} in {seconds:.0f} s",
            f"right, and pass   {passed} of {len(right)}",
            f"wrong, and named  {named} of {len(wrong)}",
            f"mended by a click {mended} of {len(mendable)} that the server can mend",
            f"slowest answer    {answered[slowest].seconds:.1f} s ({slowest.name})",
            f"secrets in clear  {leaks}",
        )
    )


def _is_mended(case: Case, answer: Answer) -> bool:
    return answer.mended and answer.remedy == case.remedy


if __name__ == "__main__":
    sys.exit(main())

"""Prints the table of faults with what came of each, and the totals.

Run by `scripts/faults`; fails where a fault has other consequences than the table says.
"""

from collections.abc import Mapping
import sys
import time

from tests.support import pure

pure.install()

from custom_components.email_courier.mail.failure import Permanence  # noqa: E402
from tests.mail.outbox.faults.case import Case, Fate  # noqa: E402
from tests.mail.outbox.faults.runner import Result, complaints, results  # noqa: E402
from tests.mail.outbox.faults.table import CASES  # noqa: E402
from tests.support.certificates import Certificates  # noqa: E402

_ROW = (
    "{mark} {step:<12} {fault:<28} {to:>2}  {told:<36} {events:<25} {at_once:<7} {in_all:<6} "
    "{words}"
)
_HEAD = _ROW.format(
    mark=" ",
    step="step",
    fault="fault",
    to="to",
    told="what the caller is told",
    events="events",
    at_once="at once",
    in_all="later",
    words="the server's words",
)


def main() -> int:
    """Run all rows. Returns the program's exit status."""
    started = time.monotonic()
    found = results(CASES, Certificates())
    print(_HEAD)
    for case, result in found.items():
        print(_line(case, result))
    print(_totals(found, time.monotonic() - started))
    return 0 if not any(complaints(case, result) for case, result in found.items()) else 1


def _line(case: Case, result: Result) -> str:
    wrong = complaints(case, result)
    kinds = list(dict.fromkeys(failure.kind for failure in result.failures.values()))
    words = dict.fromkeys(str(f.reply) for f in result.failures.values() if f.reply is not None)
    line = _ROW.format(
        mark="!" if wrong else " ",
        step=case.step,
        fault=case.fault,
        to=len(case.recipients),
        told=" ".join((result.status, *kinds)),
        events=" ".join(dict.fromkeys(result.events)),
        at_once=" ".join(map(str, result.at_once)),
        in_all=" ".join(map(str, result.in_all)),
        words=" / ".join(words),
    ).rstrip()
    return f"{line}\n    {'; '.join(wrong)}" if wrong else line


def _totals(found: Mapping[Case, Result], seconds: float) -> str:
    temporary = [c for c in found if set(c.fates) == {Fate.LATER}]
    arrived = sum(set(found[c].in_all) == {1} for c in temporary)
    permanent = [c for c in found if set(c.fates) == {Fate.REFUSED}]
    named = sum(_is_named(c, found[c]) for c in permanent)
    ambiguous = [c for c in found if Fate.TWICE in c.fates]
    copies = sum(times > 1 for result in found.values() for times in result.in_all)
    elsewhere = sum(
        times > 1
        for case, result in found.items()
        for times, fate in zip(result.in_all, case.fates, strict=True)
        if fate is not Fate.TWICE
    )
    wrong = sum(bool(complaints(case, result)) for case, result in found.items())
    return "\n".join(
        (
            "",
            f"faults                        {len(found)} in {seconds:.0f} s",
            f"temporary, arrived once well  {arrived} of {len(temporary)}",
            f"permanent, named at once      {named} of {len(permanent)}",
            f"replies lost                  {len(ambiguous)}, copies {copies}",
            f"copies anywhere else          {elsewhere}",
            f"not as the table says         {wrong}",
        )
    )


def _is_named(case: Case, result: Result) -> bool:
    """Whether the caller got the failure as an error in one attempt and one session."""
    failures = result.failures.values()
    return (
        result.status == "raised"
        and all(f.kind is case.kind and f.permanence is Permanence.PERMANENT for f in failures)
        and case.words in result.server_reply
        and result.attempts == 1
        and result.sessions == 1
    )


if __name__ == "__main__":
    sys.exit(main())

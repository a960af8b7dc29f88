"""The page with what came of the tables."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.mail.outbox.faults.case import Fate

from .faults import Outcome
from .home import SAVED
from .settings import Answer

_HEAD = """\
# The same tables for Home Assistant's own `smtp`

Written by `scripts/compare`. The tables are those of this integration's own tests, whose answers
`scripts/matrix` and `scripts/faults` print: wrong and right settings at scripted servers, and mail
sent into every fault at every step. Here Home Assistant's `smtp` goes through them, in a Home
Assistant, by its own dialog and its own notify entity.

Left out is what it has no field for (the automatic encryption, a fingerprint, a name to greet the
server with), and mail to several recipients, which it sends one by one.
"""
_RULES = """\
## How it was counted

- **Named** is generous: its dialog has four errors, and "Failed to connect" counts where the name
  does not resolve, nobody listens or the server hangs up; "Timeout" where the server does not
  answer, stays silent or is slow; "Invalid authentication" for every refused login, whatever the
  provider wants instead. For a mail that is refused, "Failed to authenticate" counts in the same
  way, and "connection error" counts for nothing: a refusal is not one.
- **Saved** is a wrong setting that its dialog takes.
- **Unasked in clear** is a password that went over the line without encryption though nobody had
  chosen and confirmed that.
- **Arrived** is asked of both servers, the faulty one and the same one in order again.
"""


@dataclass(frozen=True)
class Run:
    """All that was found out. about: what ran, line by line. languages: that it speaks in full."""

    about: Sequence[str]
    languages: int
    answers: Sequence[Answer]
    outcomes: Sequence[Outcome]


def page(run: Run) -> str:
    """Return the whole page."""
    return "\n".join(
        [
            _HEAD,
            *(f"- {line}" for line in run.about),
            "",
            "## In short",
            "",
            *_table(("figure", "smtp"), figures(run)),
            "",
            "## Settings, by what is wrong with them",
            "",
            *_table(("", "cases", "named", "saved", "what the dialog said"), _by_key(run.answers)),
            "",
            "## Mail, by what happened to it",
            "",
            *_table(
                ("", "cases", "arrived once", "named", "what the automation was told"),
                _by_fate(run.outcomes),
            ),
            "",
            _RULES,
        ]
    )


def figures(run: Run) -> Iterator[tuple[str, str]]:
    """Yield the figures that the README quotes, with their names."""
    wrong = [answer for answer in run.answers if answer.case.key is not None]
    right = [answer for answer in run.answers if answer.case.key is None]
    other = [answer for answer in wrong if answer.case.key == "tls_expected"]
    temporary = [it for it in run.outcomes if set(it.case.fates) == {Fate.LATER}]
    permanent = [it for it in run.outcomes if set(it.case.fates) == {Fate.REFUSED}]
    lost = [it for it in run.outcomes if set(it.case.fates) == {Fate.TWICE}]
    yield "wrong settings named", _part(wrong, [it for it in wrong if it.is_right])
    yield "wrong settings saved", str(sum(it.said == SAVED for it in wrong))
    yield "right settings that pass", _part(right, [it for it in right if it.is_right])
    yield (
        "ports that want TLS at once, answered by a timeout",
        _part(other, [it for it in other if it.said == "timeout_connect"]),
    )
    yield "most logins with one wrong password", str(max(_tries(wrong), default=0))
    yield "passwords unasked in clear", str(sum(it.leaked for it in run.answers))
    yield (
        "temporary faults after which the mail arrives",
        _part(temporary, [it for it in temporary if it.copies]),
    )
    yield "permanent refusals named", _part(permanent, [it for it in permanent if it.is_named])
    yield (
        "permanent refusals tried more than once",
        _part(permanent, [it for it in permanent if it.sessions > 1]),
    )
    yield (
        "lost replies after which it arrives twice",
        _part(lost, [it for it in lost if it.copies > 1]),
    )
    yield "languages with all texts", str(run.languages)


def _tries(answers: Sequence[Answer]) -> Iterator[int]:
    return (it.logins for it in answers if it.case.key == "invalid_auth")


def _part[T](whole: Sequence[T], part: Sequence[T]) -> str:
    return f"{len(part)} of {len(whole)}"


def _by_key(answers: Sequence[Answer]) -> Iterator[tuple[str, ...]]:
    for key in dict.fromkeys(answer.case.key for answer in answers):
        of_key = [answer for answer in answers if answer.case.key == key]
        right = str(sum(answer.is_right for answer in of_key))
        saved = str(sum(answer.said == SAVED for answer in of_key))
        said = _counted(f"`{answer.said}`" for answer in of_key if answer.said != SAVED)
        if key is None:
            yield "nothing: they are right", str(len(of_key)), "", saved, said
        else:
            yield f"[`{key}`](failures.md)", str(len(of_key)), right, saved, said


_FATES = {
    Fate.SENT: "taken by the server",
    Fate.LATER: "a temporary fault",
    Fate.REFUSED: "refused for good",
    Fate.TWICE: "taken, and the reply lost",
}


def _by_fate(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, ...]]:
    for fate, name in _FATES.items():
        of_fate = [it for it in outcomes if set(it.case.fates) == {fate}]
        once = str(sum(it.copies == 1 for it in of_fate))
        named = str(sum(it.is_named for it in of_fate)) if fate is Fate.REFUSED else ""
        twice = sum(it.copies > 1 for it in of_fate)
        told = _counted(f"`{it.told}`" if it.told else "nothing" for it in of_fate)
        if twice:
            told += f"; arrived twice {twice}"
        yield name, str(len(of_fate)), once, named, told


def _counted(words: Iterator[str]) -> str:
    return ", ".join(f"{word} {times}" for word, times in Counter(words).most_common())


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"

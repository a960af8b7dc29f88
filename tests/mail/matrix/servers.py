"""The servers that the rows have in common."""

from tests.support.certificates import ServerTls
from tests.support.script import HEALTHY, HEALTHY_TLS, Answer, Script, Step, say

USUAL = {465: HEALTHY_TLS, 587: HEALTHY}
"""What most providers have."""
SUBMISSION = {587: HEALTHY}
SUBMISSIONS = {465: HEALTHY_TLS}


def at(step: Step, answer: Answer | str, script: Script = HEALTHY) -> dict[int, Script]:
    """Return a server at 587 that answers differently at one step."""
    return {587: script.but(answers={step: say(answer) if isinstance(answer, str) else answer})}


def at_login(reply: str) -> dict[int, Script]:
    """Return a server at 587 whose verdict on every login is this."""
    return at(Step.AUTH_VERDICT, reply)


def at_mail(reply: str) -> dict[int, Script]:
    """Return a server at 587 whose reply to every sender is this."""
    return at(Step.MAIL, reply)


def showing(kind: ServerTls) -> dict[int, Script]:
    """Return the usual server with another certificate or TLS."""
    return {465: HEALTHY_TLS.but(tls_kind=kind), 587: HEALTHY.but(tls_kind=kind)}

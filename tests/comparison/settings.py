"""What the dialog of `smtp` says to the settings of the matrix."""

from collections.abc import Iterable
from dataclasses import dataclass
import time

from custom_components.email_courier.mail.failure import FailureKind as Kind
from custom_components.email_courier.mail.settings import Encryption
from tests.mail.matrix.case import HOST, Case
from tests.support.listener import LOOPBACK6

from .home import SAVED, Home, filled_in

_NAMED: dict[str, frozenset[Kind]] = {
    "cannot_connect": frozenset({Kind.HOST_NOT_FOUND, Kind.CONNECTION_REFUSED, Kind.DISCONNECTED}),
    "timeout_connect": frozenset({Kind.CONNECT_TIMEOUT, Kind.NO_GREETING, Kind.SERVER_TOO_SLOW}),
    "invalid_auth": frozenset({Kind.INVALID_AUTH, Kind.APP_PASSWORD_REQUIRED, Kind.OAUTH_REQUIRED}),
}
"""The trouble that each of its errors says something true and useful about."""


@dataclass(frozen=True)
class Answer:
    """What it said to one case, after how many seconds and logins.

    leaked: whether a password went over the line in clear, unasked.
    """

    case: Case
    said: str
    seconds: float
    logins: int
    leaked: bool

    @property
    def is_right(self) -> bool:
        """Whether that is what was the matter."""
        if self.case.key is None:
            return self.said == SAVED
        return self.case.key in _NAMED.get(self.said, ())


def can_be_typed(case: Case) -> bool:
    """Whether its form has a field for everything that the case is about."""
    return case.encryption is not Encryption.AUTO and not case.trusts and not case.hello_name


async def ask(home: Home, cases: Iterable[Case]) -> list[Answer]:
    """Fill the dialog in with each of the cases that can be typed there."""
    return [await _answer(home, case) for case in cases if can_be_typed(case)]


async def _answer(home: Home, case: Case) -> Answer:
    login = (case.username, case.password) if case.username else None
    form = filled_in(
        host=case.host,
        port=case.port,
        encryption=case.encryption,
        sender=case.sender,
        login=login,
    )
    home.network.hosts.clear()
    async with home.serving(case.servers) as servers:
        for name in {HOST, *case.other_names}:
            home.network.add(name, dict(servers), filtered=case.filtered, dead_first=case.dead_ipv6)
        for name in case.strangers_names:
            home.network.add(name, dict(servers), address=LOOPBACK6)
        started = time.monotonic()
        said = await home.ask(form | {"verify_ssl": case.verify})
        return Answer(
            case,
            said,
            time.monotonic() - started,
            logins=sum(server.record.auth_commands for server in servers.values()),
            leaked=not case.in_clear
            and any(server.record.secrets_in_clear([case.password]) for server in servers.values()),
        )

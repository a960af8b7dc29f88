"""What becomes of a mail that `smtp` sends into the faults of the table."""

from collections.abc import Iterable
from dataclasses import dataclass

from homeassistant.exceptions import HomeAssistantError

from custom_components.email_courier.mail.failure import FailureKind as Kind
from custom_components.email_courier.mail.settings import Encryption
from tests.mail.outbox.faults.case import Case, Nobody
from tests.support.listener import Listener
from tests.support.other_protocols import OtherProtocol
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_LOGIN,
    PLAIN_RELAY,
    USERNAME,
    Script,
)

from .home import Home, filled_in

HOST = "mail.example.test"
PORT = 587
_NAMED = {
    "authentication_error": frozenset(
        {Kind.INVALID_AUTH, Kind.APP_PASSWORD_REQUIRED, Kind.OAUTH_REQUIRED}
    )
}
"""The refusals that an error of its own says something true and useful about."""


@dataclass(frozen=True)
class Outcome:
    """What came of one case.

    told: the key of the error, or nothing where the action returned without one.
    copies: how often the mail arrived, in all. sessions: at the faulty server.
    """

    case: Case
    told: str
    copies: int
    sessions: int

    @property
    def is_named(self) -> bool:
        """Whether the error is about what was the matter."""
        return self.case.kind in _NAMED.get(self.told, ())


def can_be_sent(case: Case) -> bool:
    """Whether it is about one recipient; `smtp` never has several in one mail of an entity."""
    return len(case.recipients) == 1


async def send(home: Home, cases: Iterable[Case]) -> list[Outcome]:
    """Send a mail into each of the faults with one recipient, and let each server get well."""
    return [await _outcome(home, case) for case in cases if can_be_sent(case)]


async def _outcome(home: Home, case: Case) -> Outcome:
    form = filled_in(
        host=HOST,
        port=PORT,
        encryption=case.encryption,
        sender=USERNAME,
        login=(USERNAME, PASSWORD) if case.has_login else None,
    )
    behaviours: dict[str, Script | OtherProtocol] = {"well": _healthy(case)}
    if not isinstance(case.before, Nobody):
        behaviours["faulty"] = case.before
    home.network.hosts.clear()
    async with home.serving(behaviours) as servers:
        home.network.add(HOST, {PORT: servers["well"]})
        async with home.account(form, case.recipients) as (entity_id,):
            _break(home, case, servers)
            told = ""
            try:
                await home.send(entity_id, "line\r\n" * (case.size // 6))
            except HomeAssistantError as error:
                told = error.translation_key or type(error).__name__
            except OSError as error:  # what it does not catch itself
                told = type(error).__name__
            home.network.add(HOST, {PORT: servers["well"]})
            return Outcome(
                case,
                told,
                copies=sum(len(server.record.mails) for server in servers.values()),
                sessions=servers["faulty"].record.connections if "faulty" in servers else 0,
            )


def _break(home: Home, case: Case, servers: dict[str, Listener]) -> None:
    home.network.hosts.clear()
    if case.before is Nobody.NO_NAME:
        return
    ports = {PORT: servers["faulty"]} if "faulty" in servers else {}
    filtered = frozenset({PORT} if case.before is Nobody.FILTERED else ())
    home.network.add(HOST, ports, filtered=filtered)


def _healthy(case: Case) -> Script:
    if case.encryption is Encryption.NONE:
        return PLAIN_LOGIN if case.has_login else PLAIN_RELAY
    return HEALTHY if case.encryption is Encryption.STARTTLS else HEALTHY_TLS
